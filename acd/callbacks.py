"""Stays whose caller has hung up and is called back: the same stay, at the same place, live and virtual by turns.

Agent first, it is offered like any other, and its interaction calls the customer while the agent is held. Customer
first, nobody is offered it: its interaction is told when the turn is near, and when the customer is on the line her
stay is live again, and the first of its queue.
"""

from __future__ import annotations

from acd import counters, ewt, offers, queues, stays, virtual
from acd.floor import Floor
from acd.records import Stay
from acd.turn import Turn
from core.queue_facts import StayTurned, TurnNear
from core.stay import StayEvent, StayState

LOOK_S = 5.0
"""The least time between two looks at how near a turn is."""
UNKNOWN_LOOK_S = 30.0
"""And the time when nobody can say."""


def turned(floor: Floor, turn: Turn, fact: StayTurned) -> None:
    stay = floor.stays.get(fact.stay_id)
    if stay is None or stay.in_person:
        return
    turn.stay(stay)
    was_called, stay.called = stay.called, False
    if fact.mode == "held" or (fact.mode == "virtual" and fact.first == "customer"):
        _take_back(floor, turn, stay)
    virtual.turn_to(stay, fact.mode, turn.now_s)
    stay.again_s, stay.look_s = fact.again_s, 0.0
    if fact.mode != "live":
        stay.first = fact.first
    stay.head = fact.head
    stay.node = fact.node or stay.node
    floor.unplace(stay.stay_id)
    if stay.state is StayState.WAITING:
        stays.advance(floor, turn, stay)
    counters.reordered(floor, turn, stay)
    if was_called:
        _others(floor, turn, stay)


def _take_back(floor: Floor, turn: Turn, stay: Stay) -> None:
    if stay.state is StayState.OFFERED:
        offers.withdraw_from(floor, turn, stay, "she is being called back")
        turn.move_stay(stay, StayEvent.RETURNED)


def _others(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Who waits to be called first may be called now that this one's call is over."""
    for other in floor.present[stay.queue_key].values():
        if virtual.is_called_first(other) and other.stay_id in floor.placed:
            turn.seeking[other.stay_id] = other


def call(floor: Floor, turn: Turn, stay: Stay, free: int) -> None:
    """An agent could have her: she is called, unless so many of her queue are being called already. `free`: how many
    agents could have her."""
    present = floor.present[stay.queue_key].values()
    if sum(other.called for other in present) < free:
        _call(floor, turn, stay)


def _call(floor: Floor, turn: Turn, stay: Stay) -> None:
    turn.stay(stay).called = True
    floor.unplace(stay.stay_id)
    turn.say(TurnNear(stay.interaction_id, stay.stay_id))


def look(floor: Floor, turn: Turn, stay: Stay) -> None:
    """Calls her when her turn will come by the time she has answered; else says when to look again. `stay` is the
    turn's and waits, virtually."""
    settings = floor.queue_setup(stay).callback
    ahead_s = settings.ahead_s if settings is not None else 0.0
    place = queues.position(floor, stay, turn.now_s).position
    expected_s = ewt.expected_s(floor, stay.queue_key, place)
    if 0.0 <= expected_s <= ahead_s and _somebody(floor, stay):
        _call(floor, turn, stay)
        return
    wait_s = max((expected_s - ahead_s) / 2, LOOK_S) if expected_s >= 0 else UNKNOWN_LOOK_S
    stay.look_s = turn.now_s + wait_s


def _somebody(floor: Floor, stay: Stay) -> bool:
    """Whether an agent who could have her works now."""
    return bool(floor.could_ever(stay) & floor.ready)
