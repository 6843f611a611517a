"""Ringing an agent: what the router offers becomes a leg, and the leg's news becomes the router's.

OfferMade -> OriginateLeg -> ringing -> up ------> OfferAccepted, the conversation begins
     |            |             +-----> ended ---> OfferFailed(rejected | rona | unreachable)
     |            +-- OfferWithdrawn, or nobody waits any more --> HangUpLeg
     +-- her held line: nothing rings, OfferAccepted at once
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from core.events import CommandOutcomeUnknown, CommandRejected, Event, LegEarlyMedia, LegEnded, LegRinging, LegUp
from core.leg import EndReason, Leg, LegEvent, LegRole, LegState
from core.leg_commands import HangUpLeg
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferRinging,
)
from core.queue_facts import StayGivenUp
from engine.contact import Offer, Party
from engine.interaction import Surroundings, Turn
from engine.ringing import ring

Failure = Literal["rejected", "rona", "unreachable"]
_FAILURES: Mapping[EndReason, Failure] = {
    EndReason.REJECTED: "rejected",
    EndReason.BUSY: "rejected",
    EndReason.HUNG_UP: "rejected",
    EndReason.LOST: "rejected",
    EndReason.NO_ANSWER: "rona",
}
"""Every other end means that her phone could not be rung. One that was lost says nothing against her or her phone: she
may have picked up while no engine lived."""


def made(turn: Turn, event: OfferMade, around: Surroundings, now_s: float) -> Party | None:
    """Rings the agent. A party at once when she waits on her held line, else None."""
    interaction = turn.interaction
    known = any(offer.offer_id == event.offer_id for offer in interaction.offers)
    if known or interaction.leg(event.offer_id) is not None:
        return None
    if not is_wanted(turn, event.stay_id):
        turn.facts.append(StayGivenUp(turn.interaction_id, event.stay_id, "lost" if turn.is_our_fault else "abandoned"))
        return None
    if event.line_leg_id:
        _tell_accepted(turn, event.offer_id)
        return Party(event.line_leg_id, event.agent_id, event.offer_id, event.line_interaction_id, event.stay_id)
    if not event.device:
        _failed(turn, event.offer_id, "unreachable", f"{event.agent_id} has no phone to ring")
        return None
    offer = Offer(event.offer_id, event.stay_id, event.agent_id, event.queue, event.auto_answer)
    turn.interaction = interaction.but(offers=(*interaction.offers, offer))
    ring(
        turn,
        event.offer_id,
        LegRole.AGENT,
        f"device:{event.device}",
        interaction.theirs,
        event.ring_s,
        around.outbound,
        now_s,
        auto_answer=event.auto_answer,
        caller_name=_shown_name(turn, event, around),
    )
    return None


def is_wanted(turn: Turn, stay_id: str) -> bool:
    """Whether somebody still waits for an agent by this stay."""
    interaction = turn.interaction
    if (interaction.customer.state is LegState.ENDED and not interaction.is_away) or interaction.outcome:
        return False
    if interaction.waiting is not None:
        return interaction.waiting.stay_id == stay_id
    other = interaction.talk.other if interaction.talk is not None else None
    return other is not None and not other.up and other.stay_id == stay_id


def _shown_name(turn: Turn, event: OfferMade, around: Surroundings) -> str:
    """What her phone's display says beside the number: the caller's name, else the queue's."""
    run = turn.interaction.run
    name = str(run.facts.get("caller_name") or "") if run is not None else ""
    queue = around.routing.queues.get((turn.interaction.tenant, event.queue))
    return name or (queue.title or queue.queue if queue is not None else "")


def withdrawn(turn: Turn, offer_id: str, reason: EndReason = EndReason.HUNG_UP_BY_US) -> None:
    """The phone stops ringing. One that is not ringing any more is fine."""
    if (offer := find(turn, offer_id)) is not None:
        _remove(turn, offer)
        turn.commands.append(HangUpLeg(offer_id, reason))


def withdraw_all(turn: Turn, stay_id: str = "") -> None:
    """Nobody waits any more; who calls this tells the router. `stay_id` empty: whatever they wait for."""
    for offer in turn.interaction.offers:
        if stay_id in ("", offer.stay_id):
            withdrawn(turn, offer.offer_id)


def take(turn: Turn, offer: Offer, leg: Leg, event: Event, now_s: float) -> Party | None:
    """News of a leg that rings. A party when the agent has answered."""
    match event:
        case LegRinging() | LegEarlyMedia():
            ringing(turn, offer)
        case LegUp():
            return accepted(turn, offer)
        case LegEnded():
            _remove(turn, offer)
            _failed(turn, offer.offer_id, _FAILURES.get(event.reason, "unreachable"), event.reason.value)
        case CommandRejected(what="OriginateLeg") | CommandOutcomeUnknown():
            _remove(turn, offer)
            turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
            turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
            _failed(turn, offer.offer_id, "unreachable", getattr(event, "why", "nobody knows whether it was dialed"))
        case _:
            pass
    return None


def ringing(turn: Turn, offer: Offer) -> None:
    if offer.rang:
        return
    ringing = Offer(offer.offer_id, offer.stay_id, offer.agent_id, offer.queue, offer.auto_answer, rang=True)
    rest = tuple(ringing if each is offer else each for each in turn.interaction.offers)
    turn.interaction = turn.interaction.but(offers=rest)
    turn.facts.append(OfferRinging(turn.interaction_id, offer.offer_id))


def accepted(turn: Turn, offer: Offer) -> Party | None:
    """She answered; None when nobody waits for her any more."""
    _remove(turn, offer)
    if not is_wanted(turn, offer.stay_id):
        turn.commands.append(HangUpLeg(offer.offer_id))
        _failed(turn, offer.offer_id, "unreachable", "somebody else was quicker")
        return None
    _tell_accepted(turn, offer.offer_id)
    return Party(offer.offer_id, offer.agent_id, offer.offer_id, stay_id=offer.stay_id)


def _tell_accepted(turn: Turn, offer_id: str) -> None:
    """Of a customer who is away the agent has taken nothing yet: she must be reached first."""
    if not turn.interaction.is_away:
        turn.facts.append(OfferAccepted(turn.interaction_id, offer_id))


def find(turn: Turn, offer_id: str) -> Offer | None:
    for offer in turn.interaction.offers:
        if offer.offer_id == offer_id:
            return offer
    return None


def _remove(turn: Turn, offer: Offer) -> None:
    rest = tuple(each for each in turn.interaction.offers if each.offer_id != offer.offer_id)
    turn.interaction = turn.interaction.but(offers=rest)


def _failed(turn: Turn, offer_id: str, how: Failure, why: str) -> None:
    turn.facts.append(OfferFailed(turn.interaction_id, offer_id, how, why))
