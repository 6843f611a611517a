"""The two moments at which everything changes at once: a new setup, and a restart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from acd import offers, presence, stays, wrap_up
from acd.floor import Floor
from acd.order import step_at
from acd.records import Stay
from acd.setup import Setup
from acd.turn import Aggregate, Turn
from core.assignment import AssignmentEvent, AssignmentState
from core.decisions import Noted
from core.offer_facts import OfferWithdrawn
from core.stay import StayEnd, StayState

_TALKING = (AssignmentState.ACTIVE, AssignmentState.HELD, AssignmentState.CONSULTING)


def change(floor: Floor, turn: Turn, setup: Setup) -> None:
    # What a queue that is removed now has declared for that moment stands in the setup that is left.
    before = floor.setup
    floor.setup = replace(setup, fallbacks={**floor.setup.fallbacks, **setup.fallbacks})
    floor.hours.clear()
    for key, agent in floor.agents.items():
        if key not in setup.agents:
            turn.agent(agent)
    for stay in floor.stays.values():
        queue = setup.queues.get(stay.queue_key)
        step = step_at(stay, queue, turn.now_s) if queue is not None else 0
        if step != stay.step:
            turn.stay(stay).step = step
    floor.index(turn.now_s)
    _show(floor, turn, before)
    for agent in tuple(floor.agents.values()):
        if agent.removed:
            presence.work_over(floor, turn, agent)
    for stay in tuple(floor.stays.values()):
        if stay.queue and stay.state is StayState.WAITING and stay.queue_key not in setup.queues:
            stays.drain(floor, turn, stay)
    turn.everything = True


def _show(floor: Floor, turn: Turn, before: Setup) -> None:
    """Boards show agents and queues as they are set up: who is new, and whatever is different now, is told."""
    setup, others = floor.setup, before.queues.keys() != floor.setup.queues.keys()
    for key, agent in floor.agents.items():
        person = setup.agents.get(key)
        if person != before.agents.get(key) or (others and person is not None and person.queues is None):
            turn.shown(agent)
    for key in sorted(setup.queues.keys() | before.queues.keys()):
        if setup.queues.get(key) != before.queues.get(key):
            turn.shown(floor.queue(key))


def resume(floor: Floor, turn: Turn, alive: Callable[[str], bool], unread: list[tuple[Aggregate, str]]) -> None:
    for (kind, row_id), why in unread:
        turn.decide(Noted("restore", f"{kind} {row_id} is left out: {why}"))
    for stay in tuple(floor.stays.values()):
        if not alive(stay.interaction_id):
            turn.stay(stay)
            offers.withdraw_from(floor, turn, stay, "its interaction is gone")
            stays.end(floor, turn, stay, StayEnd.LOST)
            continue
        _no_clock_ahead(floor, turn, stay)
        if stay.state is StayState.OFFERED and not any(offer_id in floor.offers for offer_id in stay.offers):
            turn.stay(stay).offers.clear()
            stays.back(floor, turn, stay)
    for agent in tuple(floor.agents.values()):
        if agent.rest_until_s > turn.now_s + wrap_up.rest_s(floor, agent):
            turn.agent(agent).rest_until_s = turn.now_s + wrap_up.rest_s(floor, agent)
        for work in tuple(agent.assignments.values()):
            if work.state is AssignmentState.OFFERED and work.stay_id not in floor.stays:
                turn.agent(agent)
                turn.say(OfferWithdrawn(work.interaction_id, work.offer_id, "its stay is gone"))
                turn.move_assignment(agent, work, AssignmentEvent.WITHDRAWN)
                work.how = "withdrawn"
                wrap_up.close(floor, turn, agent, work)
                presence.work_over(floor, turn, agent)
            elif work.state in _TALKING and not alive(work.interaction_id):
                wrap_up.over(floor, turn, agent, work, "lost")
    turn.everything = True


def _no_clock_ahead(floor: Floor, turn: Turn, stay: Stay) -> None:
    """The clock may have been put back meanwhile: nobody is spared longer than her queue says."""
    queue = floor.setup.queues.get(stay.queue_key)
    most_s = turn.now_s + (stays.spared_s(queue) if queue is not None else 0.0)
    if any(until_s > most_s for until_s in stay.refused.values()):
        turn.stay(stay).refused = {who: min(until_s, most_s) for who, until_s in stay.refused.items()}
