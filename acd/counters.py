"""A queue's day in numbers, and the service level they make."""

from __future__ import annotations

from acd.floor import Floor
from acd.records import Agent, Day, Queue, Stay
from acd.setup import ServiceLevel, Setup
from acd.turn import Turn
from core.stay import StayEnd

DAY_S = 86_400.0
NOTHING = Day()


def day_ends_s(setup: Setup, now_s: float) -> float:
    """The next midnight by the site's calendar; by UTC when it has none."""
    if setup.days is not None:
        return setup.days.ends_at(now_s)
    return (now_s // DAY_S + 1.0) * DAY_S


def offered(floor: Floor, turn: Turn, stay: Stay) -> None:
    if _counts(floor, stay):
        _today(floor, turn, stay).offered += 1
    else:
        reordered(floor, turn, stay)


def ended(floor: Floor, turn: Turn, stay: Stay, how: StayEnd, in_target: bool, late: bool) -> None:
    if not _counts(floor, stay):
        reordered(floor, turn, stay)
        return
    day = _today(floor, turn, stay)
    setattr(day, how.value, getattr(day, how.value) + 1)
    day.in_target += in_target
    day.late_abandoned += how is StayEnd.ABANDONED and late


def reordered(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Who waits in its queue, or in which order, has changed: boards show both, so the queue counts as changed."""
    if stay.queue_key in floor.setup.queues:
        turn.shown(floor.queue(stay.queue_key))


def handled(floor: Floor, turn: Turn, agent: Agent) -> None:
    """One more contact she has talked with; `agent` is the turn's."""
    if turn.now_s >= agent.day_ends_s:
        agent.handled, agent.day_ends_s = 0, day_ends_s(floor.setup, turn.now_s)
    agent.handled += 1


def day_of(queue: Queue, now_s: float) -> Day:
    """The day's numbers as they are to be shown: those of yesterday are not."""
    return queue.today if now_s < queue.day_ends_s else NOTHING


def service_level(day: Day, rule: ServiceLevel) -> float | None:
    """Percent answered in the target time; None while there is nothing to count. What abandoned contacts count as is
    the rule's variant: all of them against it, only those who left after the target, or none."""
    against = {
        "late_abandons_count": day.late_abandoned,
        "all_abandons_count": day.abandoned,
        "answered_only": 0,
    }[rule.variant]
    base = day.answered + against
    return round(100.0 * day.in_target / base, 1) if base else None


def _counts(floor: Floor, stay: Stay) -> bool:
    """Colleagues consulting one another are no customers."""
    return bool(stay.queue) and stay.purpose != "consult" and stay.queue_key in floor.setup.queues


def _today(floor: Floor, turn: Turn, stay: Stay) -> Day:
    queue = turn.queue(floor.queue(stay.queue_key))
    if turn.now_s >= queue.day_ends_s:
        queue.today, queue.day_ends_s = Day(), day_ends_s(floor.setup, turn.now_s)
    return queue.today
