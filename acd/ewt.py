"""How long one will probably wait, as a range. One estimator so far, behind the port `Estimator`.

`Throughput`: while somebody waits, a queue is answered every `gap_s` on average; who stands at place n waits about n
gaps. Before three such gaps were seen: the mean work of one contact, shared by the agents who are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from acd.floor import Floor
from acd.records import Pace, Stay
from acd.setup import Key
from acd.turn import Turn

WEIGHT = 0.15
"""Of the newest value in a moving mean."""
ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds: most likely, and a range about four in five fall into."""

    likely_s: float
    low_s: float
    high_s: float


class Estimator(Protocol):
    def expect(self, pace: Pace, place: int, agents: int) -> Expected | None:
        """For one at `place` (from 1) with `agents` at work; None when nothing can be said."""
        ...


class Throughput:
    def expect(self, pace: Pace, place: int, agents: int) -> Expected | None:
        if pace.answers >= ENOUGH:
            gap_s, deviation_s = pace.gap_s, pace.gap_deviation_s
        elif pace.work_s > 0 and agents > 0:
            gap_s = deviation_s = pace.work_s / agents
        else:
            return None
        spread_s = 1.6 * deviation_s * sqrt(place)
        return Expected(gap_s * place, max(0.0, gap_s * place - spread_s), gap_s * place + spread_s)


ESTIMATOR: Estimator = Throughput()


def expected(floor: Floor, key: Key, place: int, now_s: float) -> Expected | None:
    """What one at `place` in a queue may expect. At the head with an agent free: nothing to wait for."""
    members = floor.members.get(key, 0)
    if place == 1 and members & floor.free.get("call", 0):
        return Expected(0.0, 0.0, 0.0)
    record = floor.queues.get(key)
    return ESTIMATOR.expect(record.pace if record else Pace(), place, (members & floor.ready).bit_count())


def expected_s(floor: Floor, key: Key, place: int, now_s: float) -> float:
    """The likely wait; -1 when nothing can be said."""
    found = expected(floor, key, place, now_s)
    return round(found.likely_s, 1) if found else -1.0


def answered(floor: Floor, turn: Turn, stay: Stay) -> None:
    """A contact was answered: a gap is seen when it was already waiting at the answer before."""
    queue = turn.queue(floor.queue(stay.queue_key))
    pace = queue.pace
    if pace.last_answer_s > 0.0 and stay.joined_s <= pace.last_answer_s:
        gap_s = turn.now_s - pace.last_answer_s
        weight = max(WEIGHT, 1.0 / (pace.answers + 1))
        pace.gap_deviation_s += weight * (abs(gap_s - pace.gap_s) - pace.gap_deviation_s)
        pace.gap_s += weight * (gap_s - pace.gap_s)
        pace.answers += 1
    pace.last_answer_s = turn.now_s


def worked(floor: Floor, turn: Turn, key: Key, work_s: float) -> None:
    """A contact took an agent this long, wrap-up included."""
    pace = turn.queue(floor.queue(key)).pace
    pace.work_s = work_s if not pace.work_s else pace.work_s + WEIGHT * (work_s - pace.work_s)
