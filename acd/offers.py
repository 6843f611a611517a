"""An offer: an agent is reserved, her phone rings, and she takes it, declines it, lets it ring out, or cannot be rung.

Whatever comes of it, the contact keeps its place and its waited time until somebody has it.
"""

from __future__ import annotations

from acd import capacity, ewt, order, presence, stays, wrap_up
from acd.floor import Floor
from acd.masks import bits
from acd.records import Agent, Assignment, Stay
from acd.turn import Refused, Turn
from core.assignment import AssignmentEvent, AssignmentState
from core.decisions import Considered, OfferDecided
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferRefused,
    OfferRinging,
    OfferTaken,
    OfferWithdrawn,
)
from core.stay import StayEnd, StayEvent, StayState

GRACE_S = 10.0
"""A phone is rung by the interaction, which tells how that ended; this long after it should have, we give up."""

_FAILED = {
    "rejected": AssignmentEvent.REJECT,
    "rona": AssignmentEvent.RONA,
    "unreachable": AssignmentEvent.UNREACHABLE,
    "no_customer": AssignmentEvent.WITHDRAWN,
}


def make(
    floor: Floor,
    turn: Turn,
    stay: Stay,
    number: int,
    considered: tuple[Considered, ...],
    excluded: dict[str, int],
    ahead_of: str,
    requirement: str,
) -> None:
    """Reserves the agent for the stay, and tells its interaction."""
    now_s, queue = turn.now_s, floor.queue_setup(stay)
    agent, person = turn.agent(floor.roster[number]), floor.people[number]
    turn.stay(stay)
    floor.unplace(stay.stay_id)
    stay.offers_made += 1
    offer_id = f"{stay.stay_id}.o{stay.offers_made}"
    stay.offers[offer_id] = agent.agent_id
    turn.move_stay(stay, StayEvent.OFFERED)
    waited_s = now_s - stay.began_s
    voice = stay.channel == capacity.VOICE
    agent.assignments[stay.interaction_id] = Assignment(
        interaction_id=stay.interaction_id,
        stay_id=stay.stay_id,
        offer_id=offer_id,
        queue=stay.queue or _origin(floor, stay),
        channel=stay.channel,
        units=capacity.units(person, stay.channel, floor.setup),
        since_s=now_s,
        ends_s=now_s + queue.ring_s + (GRACE_S if voice else 0.0),
        purpose=stay.purpose,
        waited_s=waited_s,
    )
    if stay.queue:
        agent.offered_s[stay.queue] = now_s
    floor.working[stay.interaction_id] = floor.working.get(stay.interaction_id, 0) | 1 << number
    floor.offers[offer_id] = (agent, stay.interaction_id)
    floor.refresh(number, now_s)
    # Legs of two nodes share no bridge: from afar her phone is rung.
    near = voice and (agent.line_node == stay.node or "" in (agent.line_node, stay.node))
    turn.say(
        OfferMade(
            interaction_id=stay.interaction_id,
            stay_id=stay.stay_id,
            offer_id=offer_id,
            agent_id=agent.agent_id,
            device=agent.device if voice else "",
            queue=stay.queue,
            line_leg_id=agent.line_leg_id if near else "",
            line_interaction_id=agent.line_interaction_id if near else "",
            ring_s=queue.ring_s,
            auto_answer=queue.auto_answer or person.auto_answer,
            purpose=stay.purpose,  # type: ignore[arg-type]
            waited_s=waited_s,
        )
    )
    turn.decide(
        OfferDecided(
            interaction_id=stay.interaction_id,
            stay_id=stay.stay_id,
            offer_id=offer_id,
            agent_id=agent.agent_id,
            queue=stay.queue,
            strategy="in_person" if stay.in_person else queue.strategy,
            rank=order.parts(stay, queue, stay.step, now_s),
            ahead_of=ahead_of,
            considered=considered,
            excluded=excluded,
            step=stay.step,
            requirement=requirement,
            waited_s=waited_s,
            tenant=stay.tenant,
        )
    )


def _origin(floor: Floor, stay: Stay) -> str:
    """The queue from which a customer comes who is transferred to an agent in person: she wraps up as it says."""
    if stay.purpose != "transfer":
        return ""
    works = (floor.roster[n].assignments[stay.interaction_id] for n in bits(floor.working.get(stay.interaction_id, 0)))
    return next((work.queue for work in works if work.queue), "")


def ringing(floor: Floor, turn: Turn, fact: OfferRinging) -> None:
    agent, work = _find(floor, fact.offer_id)
    if agent is not None and work is not None and work.state is AssignmentState.OFFERED:
        turn.agent(agent)
        work.ringing = True


def taken(floor: Floor, turn: Turn, fact: OfferTaken) -> None:
    """She is there, and hears the customer's phone ring: she has taken nothing yet."""
    agent, work = _find(floor, fact.offer_id)
    if agent is None or work is None:
        turn.say(OfferWithdrawn(fact.interaction_id, fact.offer_id, "it was given up before it was accepted"))
    elif work.state is AssignmentState.OFFERED:
        turn.agent(agent)
        work.ends_s, work.ringing = fact.until_s, True
        agent.ronas = 0


def accepted(floor: Floor, turn: Turn, fact: OfferAccepted) -> None:
    agent, work = _find(floor, fact.offer_id)
    if agent is None or work is None:
        turn.say(OfferWithdrawn(fact.interaction_id, fact.offer_id, "it was given up before it was accepted"))
        return
    turn.agent(agent)
    if not turn.move_assignment(agent, work, AssignmentEvent.ACCEPT):
        return
    work.ends_s = 0.0
    agent.ronas = 0
    stay = floor.stays.get(work.stay_id)
    if stay is None:
        return
    turn.stay(stay)
    if stay.kept is not None and stay.kept.agent_id == agent.agent_id:
        wrap_up.go_on(work, stay.kept)
    del stay.offers[work.offer_id]
    _withdraw_all(floor, turn, stay, f"{agent.agent_id} was first", answered=True)
    if stay.queue:
        ewt.answered(floor, turn, stay)
    stays.end(floor, turn, stay, StayEnd.ANSWERED, agent_id=agent.agent_id)


def failed(floor: Floor, turn: Turn, fact: OfferFailed) -> None:
    agent, work = _find(floor, fact.offer_id)
    if agent is not None and work is not None:
        give_up(floor, turn, agent, work, fact.how)


def refused(floor: Floor, turn: Turn, fact: OfferRefused) -> None:
    """Raises Refused."""
    agent, work = _find(floor, fact.offer_id)
    if agent is None or work is None or agent.key != (fact.tenant, fact.agent_id):
        raise Refused("this contact is not offered to you any more")
    if work.state is not AssignmentState.OFFERED:
        raise Refused("you have already taken this contact: end or transfer it instead")
    turn.say(OfferWithdrawn(work.interaction_id, work.offer_id, "she declined it"))
    give_up(floor, turn, agent, work, "rejected")


def give_up(floor: Floor, turn: Turn, agent: Agent, work: Assignment, how: str) -> None:
    """This agent will not take it: the contact goes back to its place, and not to her for a while."""
    turn.agent(agent)
    if not turn.move_assignment(agent, work, _FAILED[how]):
        return
    stay = floor.stays.get(work.stay_id)
    queue = floor.setup.queues.get((agent.tenant, work.queue))
    work.how = how
    wrap_up.close(floor, turn, agent, work)
    if how == "rona":
        agent.ronas += 1
        if queue is None or agent.ronas >= queue.rona_after:
            presence.taken_off(floor, turn, agent, "rona")
    elif how == "unreachable":
        presence.taken_off(floor, turn, agent, "unreachable")
    presence.work_over(floor, turn, agent)
    if stay is None:
        return
    turn.stay(stay)
    del stay.offers[work.offer_id]
    if queue is not None and how != "no_customer":
        stay.refused[agent.agent_id] = turn.now_s + queue.refused_again_s
    if agent.agent_id == stay.preferred_agent:
        stay.patience_ends_s = 0.0
    if not stay.offers:
        stays.back(floor, turn, stay)


def withdraw(floor: Floor, turn: Turn, agent: Agent, work: Assignment, why: str, answered: bool = False) -> None:
    """The contact is not hers any more; her interaction is told to stop ringing. `answered`: by somebody else."""
    turn.agent(agent)
    if turn.move_assignment(agent, work, AssignmentEvent.WITHDRAWN) and work.state is AssignmentState.DONE:
        turn.say(OfferWithdrawn(work.interaction_id, work.offer_id, why, answered))
        work.how = "withdrawn"
        wrap_up.close(floor, turn, agent, work)
        presence.work_over(floor, turn, agent)


def _withdraw_all(floor: Floor, turn: Turn, stay: Stay, why: str, answered: bool = False) -> None:
    for offer_id in tuple(stay.offers):
        agent, work = _find(floor, offer_id)
        if agent is not None and work is not None:
            withdraw(floor, turn, agent, work, why, answered)
    stay.offers.clear()


def withdraw_from(floor: Floor, turn: Turn, stay: Stay, why: str) -> None:
    """Every offer of a stay that is over."""
    if stay.state is StayState.OFFERED:
        _withdraw_all(floor, turn, stay, why)


def _find(floor: Floor, offer_id: str) -> tuple[Agent | None, Assignment | None]:
    found = floor.offers.get(offer_id)
    if found is None:
        return None, None
    agent, interaction_id = found
    return agent, agent.assignments.get(interaction_id)


def rang_out(floor: Floor, turn: Turn, agent: Agent, work: Assignment) -> None:
    """Nobody told how the ringing ended."""
    turn.say(OfferWithdrawn(work.interaction_id, work.offer_id, "it rang out"))
    give_up(floor, turn, agent, work, "rona")
