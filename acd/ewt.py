"""How long one will probably wait, as a range that four in five waits end in.

Two estimators see the queue differently. `Throughput`: while somebody waits, the queue is answered every `gap_s` on
average; who stands at place n waits about n gaps (before three gaps were seen: the mean work of one contact, shared by
the agents who are there). `LastServed`: the wait of whoever was answered last, in proportion to how many stood before
her and stand here now (the delay of the last to enter service, Ibrahim and Whitt 2009), which follows a sudden change
sooner. Each is told how its promises ended: the one that errs less speaks, and its range widens with each wait that
ends outside and narrows with each inside, so that four in five fall into it whatever the floor is like (adaptive
conformal inference, Gibbs and Candès 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Protocol

from acd.floor import Floor
from acd.records import Pace, Promise, Score, Stay
from acd.setup import Key
from acd.turn import Turn

WEIGHT = 0.15
"""Of the newest value in a moving mean."""
ENOUGH = 3
COVERED = 0.84
"""The share of waits that shall end within their range: more than four in five, for a width is judged when its waits
have ended and the floor may have changed."""
STEP = 0.06
"""How much one wait changes the width of the ranges after it."""
NARROWEST, WIDEST = 0.25, 8.0
_GAPS = 1.6
"""Mean deviations of a gap to either side, per square root of a place: near four in five where gaps are independent."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds: most likely, and a range that four in five fall into."""

    likely_s: float
    low_s: float
    high_s: float


class Estimator(Protocol):
    def promise(self, pace: Pace, place: int, agents: int) -> Promise | None:
        """For one at `place` (from 1) with `agents` at work; None when nothing can be said."""
        ...


class Throughput:
    def promise(self, pace: Pace, place: int, agents: int) -> Promise | None:
        if pace.answers >= ENOUGH:
            gap_s, deviation_s = pace.gap_s, pace.gap_deviation_s
        elif pace.work_s > 0 and agents > 0:
            gap_s = deviation_s = pace.work_s / agents
        else:
            return None
        return Promise(gap_s * place, _GAPS * deviation_s * sqrt(place))


class LastServed:
    def promise(self, pace: Pace, place: int, agents: int) -> Promise | None:
        if pace.answers < ENOUGH or pace.last_place < 1:
            return None
        likely_s = pace.last_wait_s * place / pace.last_place
        return Promise(likely_s, _GAPS * sqrt(max(likely_s, pace.gap_s) * pace.gap_deviation_s))


NAMES = ("throughput", "last_served")
ESTIMATORS: Sequence[Estimator] = (Throughput(), LastServed())
"""Named by `NAMES`. The first one speaks until both have been judged."""


def expected(floor: Floor, key: Key, place: int, at_once: bool = True) -> Expected | None:
    """What one at `place` in a queue may expect. At the head with an agent free there is nothing to wait for, unless
    who asks is known to wait all the same: not `at_once`."""
    if at_once and _at_once(floor, key, place):
        return Expected(0.0, 0.0, 0.0)
    record = floor.queues.get(key)
    scores = _scores(record.pace if record else Pace())
    found = ranges(floor, key, place)
    known = [n for n, each in enumerate(found) if each is not None]
    if not known:
        return None
    judged = [n for n in known if scores[n].judged >= ENOUGH]
    return found[min(judged, key=lambda n: scores[n].error_s) if len(judged) == len(known) else known[0]]


def ranges(floor: Floor, key: Key, place: int) -> list[Expected | None]:
    """What each estimator says, as wide as its own errors ask for; None: it cannot say."""
    record = floor.queues.get(key)
    pace = record.pace if record else Pace()
    return [
        None
        if promise is None
        else Expected(
            promise.likely_s,
            max(0.0, promise.likely_s - promise.spread_s * score.width),
            promise.likely_s + promise.spread_s * score.width,
        )
        for promise, score in zip(_promises(floor, key, pace, place), _scores(pace), strict=True)
    ]


def expected_s(floor: Floor, key: Key, place: int) -> float:
    """The likely wait; -1 when nothing can be said."""
    return seconds(expected(floor, key, place))[0]


def seconds(found: Expected | None) -> tuple[float, float, float]:
    """(likely, low, high) as they are told; -1 each when nothing can be said."""
    if found is None:
        return -1.0, -1.0, -1.0
    return round(found.likely_s, 1), round(found.low_s, 1), round(found.high_s, 1)


def joined(floor: Floor, stay: Stay) -> None:
    """What each estimator says to one who joins, to be judged when she is answered."""
    place = len(floor.present.get(stay.queue_key, ()))
    if _at_once(floor, stay.queue_key, place):
        return
    record = floor.queues.get(stay.queue_key)
    stay.joined_at = place
    stay.promised = tuple(_promises(floor, stay.queue_key, record.pace if record else Pace(), place))


def answered(floor: Floor, turn: Turn, stay: Stay) -> None:
    """A contact was answered: a gap is seen when it was already waiting at the answer before. How long somebody waited
    who was called back says nothing: it was hers to answer, and nights lie in it."""
    queue = turn.queue(floor.queue(stay.queue_key))
    pace = queue.pace
    if stay.first:
        pace.last_answer_s = turn.now_s
        return
    if pace.last_answer_s > 0.0 and stay.joined_s <= pace.last_answer_s:
        gap_s = turn.now_s - pace.last_answer_s
        weight = max(WEIGHT, 1.0 / (pace.answers + 1))
        pace.gap_deviation_s += weight * (abs(gap_s - pace.gap_s) - pace.gap_deviation_s)
        pace.gap_s += weight * (gap_s - pace.gap_s)
        pace.answers += 1
    pace.last_answer_s = turn.now_s
    if stay.joined_at:
        waited_s = turn.now_s - stay.joined_s
        pace.last_wait_s, pace.last_place = waited_s, stay.joined_at
        pace.scores = tuple(
            score if promise is None else _judged(score, promise, waited_s)
            for score, promise in zip(_scores(pace), stay.promised, strict=False)
        )


def worked(floor: Floor, turn: Turn, key: Key, work_s: float) -> None:
    """A contact took an agent this long, wrap-up included."""
    pace = turn.queue(floor.queue(key)).pace
    pace.work_s = work_s if not pace.work_s else pace.work_s + WEIGHT * (work_s - pace.work_s)


def _judged(score: Score, promise: Promise, waited_s: float) -> Score:
    error_s = abs(waited_s - promise.likely_s)
    inside = error_s <= promise.spread_s * score.width
    width = score.width * exp(STEP * (COVERED - 1.0 if inside else COVERED))
    weight = max(WEIGHT, 1.0 / (score.judged + 1))
    return Score(
        judged=score.judged + 1,
        error_s=score.error_s + weight * (error_s - score.error_s),
        width=min(max(width, NARROWEST), WIDEST),
    )


def _scores(pace: Pace) -> tuple[Score, ...]:
    return pace.scores if len(pace.scores) == len(ESTIMATORS) else (Score(),) * len(ESTIMATORS)


def _promises(floor: Floor, key: Key, pace: Pace, place: int) -> list[Promise | None]:
    agents = (floor.members.get(key, 0) & floor.ready).bit_count()
    return [estimator.promise(pace, place, agents) for estimator in ESTIMATORS]


def _at_once(floor: Floor, key: Key, place: int) -> bool:
    return place == 1 and bool(floor.fit.able(key) & floor.free.get("call", 0))
