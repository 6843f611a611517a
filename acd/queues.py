"""A queue as a whole: open or closed, how long it is, who stands where in it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from acd import ewt
from acd.floor import Floor
from acd.order import SortKey, standing
from acd.records import Stay
from acd.setup import Key
from acd.turn import Refused, Turn
from core.queue_facts import QueueActed, QueuePosition
from core.stay import StayState


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """`waiting`: customers, without colleagues who consult. `waits_since_s`: since when the one of them has waited who
    waits longest (UTC seconds), 0 for nobody. `ewt_s`: the likely wait of one who joins now, -1 unknown; `ewt_low_s` to
    `ewt_high_s`: the range that four in five end in. `logged_in`: agents who could serve it, if only after a long wait;
    `available`: who could take a call of it at once."""

    status: Literal["open", "closed", "no_agents"]
    waiting: int = 0
    ewt_s: float = -1.0
    longest_wait_s: float = 0.0
    waits_since_s: float = 0.0
    logged_in: int = 0
    available: int = 0
    ewt_low_s: float = -1.0
    ewt_high_s: float = -1.0


def is_open(floor: Floor, key: Key, now_s: float) -> bool:
    """By a supervisor's hand, else by its hours. An unknown queue is closed."""
    setup = floor.setup.queues.get(key)
    if setup is None:
        return False
    record = floor.queues.get(key)
    if record is not None and record.forced:
        return record.forced == "open"
    if setup.hours is None:
        return True
    known = floor.hours.get(key)
    if known is None or not known[1] <= now_s < known[2]:
        known = (setup.hours.is_open(now_s), now_s, max(setup.hours.changes_at(now_s), now_s))
        floor.hours[key] = known
    return known[0]


def hours_change_at(floor: Floor, key: Key, now_s: float) -> float:
    """When its hours may open or close it; infinite when they do not rule."""
    setup, record = floor.setup.queues.get(key), floor.queues.get(key)
    if setup is None or setup.hours is None or (record is not None and record.forced):
        return inf
    is_open(floor, key, now_s)
    return floor.hours[key][2]


def acted(floor: Floor, turn: Turn, fact: QueueActed) -> None:
    """Raises Refused."""
    key = (fact.tenant, fact.queue)
    if key not in floor.setup.queues:
        raise Refused(f"there is no queue {fact.queue}")
    queue = turn.queue(floor.queue(key))
    queue.forced = {"open": "open", "close": "closed", "by_hours": ""}[fact.action]


def status(floor: Floor, key: Key, now_s: float) -> QueueStatus:
    present = floor.present.get(key, {}).values()
    since_s = [stay.began_s for stay in present if stay.counted]
    first_s = min(since_s, default=0.0)
    there = (floor.fit.able_ever(key) & floor.logged_in).bit_count()
    state: Literal["open", "closed", "no_agents"] = "open" if there else "no_agents"
    likely_s, low_s, high_s = ewt.seconds(ewt.expected(floor, key, len(present) + 1))
    return QueueStatus(
        status=state if is_open(floor, key, now_s) else "closed",
        waiting=len(since_s),
        ewt_s=likely_s,
        longest_wait_s=now_s - first_s if since_s else 0.0,
        waits_since_s=first_s,
        logged_in=there,
        available=(floor.fit.able(key) & floor.free.get("call", 0)).bit_count(),
        ewt_low_s=low_s,
        ewt_high_s=high_s,
    )


def position(floor: Floor, stay: Stay, now_s: float) -> QueuePosition:
    """Its place by the order in which its queue is served, ringing ones included; from 1."""
    present = floor.present.get(stay.queue_key, {}).values()
    mine = rank(floor, stay, now_s)
    place = 1 + sum(rank(floor, other, now_s) < mine for other in present)
    # Who waits though somebody is free cannot be served by her.
    passed_over = stay.state is StayState.WAITING and stay.mode == "live"
    found = ewt.expected(floor, stay.queue_key, place, at_once=not passed_over)
    likely_s, low_s, high_s = ewt.seconds(found)
    return QueuePosition(
        stay.interaction_id, stay.stay_id, place, len(present), likely_s, ewt_low_s=low_s, ewt_high_s=high_s
    )


def rank(floor: Floor, stay: Stay, now_s: float) -> SortKey:
    """Lower is served earlier, within one queue."""
    return standing(stay, floor.queue_setup(stay), stay.step, now_s)[:3]
