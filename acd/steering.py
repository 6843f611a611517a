"""A supervisor's hand on who waits: on to another queue, or with another priority.

Moved, the stay ends as `overflowed` and its contact joins the other queue with all the time it has waited, as when a
limit sends it on: what would turn it away there refuses the request instead. Whatever rings for it stops ringing in the
same event, and counts against nobody. With another priority the stay is the same, and whatever rings goes on ringing.
"""

from __future__ import annotations

from acd import counters, offers, stays
from acd.floor import Floor
from acd.records import Stay
from acd.turn import Refused, Turn
from core.decisions import StayChanged
from core.queue_facts import MOST_PRIORITY, StayActed, StayPrioritised
from core.stay import StayState


def acted(floor: Floor, turn: Turn, fact: StayActed) -> None:
    """Raises Refused."""
    stay = floor.stays.get(fact.stay_id)
    if stay is None or (stay.tenant, stay.interaction_id) != (fact.tenant, fact.interaction_id):
        raise Refused("nobody waits here any more: the contact was served, moved or has left")
    if not stay.counted:
        raise Refused("only customers who wait in a queue can be moved or given a priority")
    if fact.action == "move":
        _move(floor, turn, stay, fact)
    else:
        _prioritise(floor, turn, stay, fact)


def _move(floor: Floor, turn: Turn, stay: Stay, fact: StayActed) -> None:
    if why := _stays_here(stay):
        raise Refused(why)
    turn.stay(stay)
    offers.withdraw_from(floor, turn, stay, f"moved to queue {fact.queue}")
    # Asked last: an agent whose phone no longer rings may leave at that, and nobody be left there.
    if why := _not_there(floor, stay, fact.queue, turn.now_s):
        raise Refused(why)
    turn.decide(StayChanged(stay.interaction_id, stay.stay_id, fact.by, fact.queue, stay.priority, stay.priority))
    stays.send_on(floor, turn, stay, fact.queue)


def _stays_here(stay: Stay) -> str:
    """Why it cannot be moved now, in words; empty when it can."""
    if stay.mode == "held":
        return "the customer is agreeing on a callback: wait until that is done"
    if stay.called or (stay.mode == "virtual" and stay.state is StayState.OFFERED):
        return "the customer is being called back right now: wait until that call is over"
    return ""


def _not_there(floor: Floor, stay: Stay, target: str, now_s: float) -> str:
    """Why it cannot wait in the other queue, in words; empty when it can."""
    queue = floor.setup.queues.get((stay.tenant, target))
    if queue is None:
        return f"there is no queue {target}"
    if target == stay.queue:
        return f"this contact waits in {target} already"
    if stay.first and queue.callback is None:
        return f"queue {target} calls nobody back, and this customer was promised it: choose another"
    if stay.mode == "virtual":
        return ""  # neither closing time nor an empty house ends a promise
    why = stays.turned_away_there(floor, stay, queue, now_s)
    return _TURNED_AWAY[why].format(queue=target) if why else ""


_TURNED_AWAY = {
    "closed": "queue {queue} is closed: open it first",
    "full": "queue {queue} is full",
    "no_agents": "nobody who could serve this contact in {queue} is logged in",
}


def _prioritise(floor: Floor, turn: Turn, stay: Stay, fact: StayActed) -> None:
    if not 0 <= fact.priority <= MOST_PRIORITY:
        raise Refused(f"a priority is a number from 0 to {MOST_PRIORITY}")
    if fact.priority == stay.priority:
        return
    turn.stay(stay)
    turn.decide(StayChanged(stay.interaction_id, stay.stay_id, fact.by, priority=fact.priority, before=stay.priority))
    stay.priority, stay.look_s = fact.priority, 0.0
    turn.say(StayPrioritised(stay.interaction_id, stay.stay_id, stay.priority))
    floor.unplace(stay.stay_id)
    if stay.state is StayState.WAITING:
        stays.advance(floor, turn, stay)
    counters.reordered(floor, turn, stay)
