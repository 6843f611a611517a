"""One order over all queues: the highest score is served first, wherever it waits.

    score = PRIORITY * (contact's + queue's + relaxation's priority)
          + value_weight * value
          + urgency
          + ageing * waited_s

    urgency = URGENCY * (how many of STEPS shares of the target have passed) / len(STEPS)

`waited_s` counts from `began_s`, so that time waited elsewhere is kept. Urgency is closeness to missing the queue's
service-level target: it climbs in a few equal steps over the second half of the target time and stays at the top from
there on, so a contact that missed its target is never put behind one that has not. Ties: who began to wait first,
then who joined first.

Why steps: between two of them a score is `points + ageing * (now - began)`, so the order of those who wait in one
queue does not change with time, and each is kept sorted by `ageing * began - points`. A contact is sorted anew only
when its points change: at most `len(STEPS)` times, and when a relaxation sets in. Nobody needs a timer for that: order
matters only when somebody is to be served.

No overtaking among equals: of two contacts with the same queue, requirement, priority and value, the one that began
earlier has waited longer, urgency and ageing never fall with waiting, and a tie goes to the earlier. So its score is
never lower.

No starvation while ageing is above 0: let P be the most that points can be. With one ageing `a` for all, contact c can
be overtaken only by who began before `began_c + (P - points_c) / a`: later ones have a lower score for ever. They are
finitely many, each is served once, then c is the highest. With different ageings the same holds as long as the
others' waits stay bounded (by `max_wait_s`, or because their queues are not overloaded for ever).
"""

from __future__ import annotations

from math import inf

from acd.records import Stay
from acd.setup import QueueSetup

PRIORITY = 60.0
"""Points of one step of priority: a minute of waiting at ageing 1."""
URGENCY = 60.0
HEAD = 1e6
"""Points of who was called because her turn was near: nobody of her queue is served before her."""
STEPS = (0.5, 0.625, 0.75, 0.875)
"""Shares of the target time at which urgency climbs."""

SortKey = tuple[float, float, int]
"""Lower is served earlier, among those who wait under the same ageing."""
Standing = tuple[float, float, int, float]
"""A `SortKey`, and when it changes by itself (UTC seconds; infinite: never)."""


def parts(stay: Stay, queue: QueueSetup, step: int, now_s: float) -> dict[str, float]:
    """The score in its parts: priority, value, urgency, ageing."""
    return {
        "priority": _priority(stay, queue, step),
        "value": queue.value_weight * stay.value,
        "urgency": _urgency(stay, queue, now_s)[0],
        "ageing": queue.ageing * (now_s - stay.began_s),
    }


def standing(stay: Stay, queue: QueueSetup, step: int, now_s: float) -> Standing:
    """How it sorts among those who wait, and until when."""
    urgency, climbs_s = _urgency(stay, queue, now_s)
    points = _priority(stay, queue, step) + queue.value_weight * stay.value + urgency
    began_s = stay.joined_s - stay.waited_before_s
    return queue.ageing * began_s - points, began_s, stay.number, climbs_s


def _priority(stay: Stay, queue: QueueSetup, step: int) -> float:
    relaxed = queue.relaxations[step - 1].priority if step else 0
    return PRIORITY * (stay.priority + queue.priority + relaxed) + (HEAD if stay.head else 0.0)


def _urgency(stay: Stay, queue: QueueSetup, now_s: float) -> tuple[float, float]:
    began_s, target_s = stay.joined_s - stay.waited_before_s, queue.service_level.within_s
    for passed in range(len(STEPS), 0, -1):
        if now_s >= began_s + STEPS[passed - 1] * target_s:
            break
    else:
        passed = 0
    climbs_s = began_s + STEPS[passed] * target_s if passed < len(STEPS) else inf
    return URGENCY * passed / len(STEPS), climbs_s


def step_at(stay: Stay, queue: QueueSetup, now_s: float) -> int:
    """The relaxation step in force: 0 for none, n for the n-th. Steps are sorted by `after_s`."""
    began_s, step = stay.joined_s - stay.waited_before_s, 0
    for relaxation in queue.relaxations:
        if now_s < began_s + relaxation.after_s:
            break
        step += 1
    return step


def step_changes_at(stay: Stay, queue: QueueSetup, now_s: float) -> float:
    """When the next relaxation sets in; infinite when there is none."""
    began_s = stay.joined_s - stay.waited_before_s
    for relaxation in queue.relaxations:
        if (at_s := began_s + relaxation.after_s) > now_s:
            return at_s
    return inf
