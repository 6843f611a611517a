"""Agent first: an agent has taken the offer of a caller who is away, and hears her phone ring.

take_agent --she answers, or rings back--> meet
    |---- she is not reached ------------> let_agent_go
    +---- the agent leaves --------------> her phone stops ringing
"""

from __future__ import annotations

from core.events import Event, LegEnded
from core.interaction import InteractionEvent
from core.leg import Leg, LegState
from core.leg_commands import HangUpLeg, Play
from core.line_facts import LineParty
from core.media import Tone
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferTaken,
    OfferWithdrawn,
)
from core.queue_facts import StayTurned
from core.talk_facts import ConversationActed, SupervisionActed
from engine import announcements, callbacks, conversation, lines, waiting
from engine.callback_rules import settings_of
from engine.contact import Conversation, Party, Waiting
from engine.departures import SETUP_S
from engine.interaction import Surroundings, Turn

MARGIN_S = 20.0
"""How much longer than a phone can ring the router waits for word of it."""
_BUSY = "the customer is being called: wait until she answers, or hang up"


def take_agent(turn: Turn, party: Party, auto_answered: bool, around: Surroundings, now_s: float) -> None:
    """The agent is there: the customer is called."""
    interaction = turn.interaction
    stay, callback = interaction.waiting, interaction.callback
    assert stay is not None
    assert callback is not None
    settings = settings_of(turn, stay.joined.queue, around)
    conversation.borrow(turn, party)
    bridge_id = f"{turn.interaction_id}.b{turn.number()}"
    stay = waiting.stop(turn)
    lead = party.but(stay_id="")
    turn.interaction = turn.interaction.but(talk=Conversation(bridge_id, stay, now_s, lead=lead))
    if settings is None or interaction.customer.state is not LegState.ENDED:
        again_s = now_s + callbacks.SOON_S
        turn.facts.append(StayTurned(turn.interaction_id, stay.stay_id, "virtual", callback.first, again_s))
        _let_go(turn)
        return
    until_s = now_s + settings.ring_s + SETUP_S + MARGIN_S
    turn.facts.append(OfferTaken(turn.interaction_id, party.offer_id, until_s))
    if callbacks.call(turn, around, now_s):
        _let_hear(turn, stay, auto_answered or bool(party.line_interaction_id), around)


def _let_hear(turn: Turn, stay: Waiting, whispered: bool, around: Surroundings) -> None:
    """It rings, after the whisper for who could not see it coming."""
    talk = turn.interaction.talk
    assert talk is not None
    assert talk.lead is not None
    said = (announcements.prompts_for(turn.interaction, stay, around).whisper,) if whispered else ()
    parts = announcements.words(turn, said, stay, around, conversation.known_of(turn))
    ring = (talk.lead.leg_id, f"{turn.interaction_id}.w{turn.number()}")
    turn.commands.append(Play(*ring, (*parts, Tone("ringback"))))
    conversation.keep(turn, talk.but(ring=ring))


def meet(turn: Turn, around: Surroundings, now_s: float) -> None:
    """The customer is on the line: she is the agent's, when she has heard what she must."""
    talk = turn.interaction.talk
    assert talk is not None
    assert talk.lead is not None
    turn.facts.append(OfferAccepted(turn.interaction_id, talk.lead.offer_id))
    turn.move(InteractionEvent.CONNECT)
    conversation.keep(turn, talk.but(began_s=now_s))
    conversation.tell_first(turn, around, now_s)


def let_agent_go(turn: Turn) -> Waiting | None:
    """If an agent waits for the customer she is free, and nothing counts against her; the customer waits as before.
    Returns her stay; None when there is none."""
    return _let_go(turn) if turn.interaction.talk is not None else turn.interaction.waiting


def _let_go(turn: Turn) -> Waiting:
    talk = turn.interaction.talk
    assert talk is not None
    assert talk.lead is not None
    turn.facts.append(OfferFailed(turn.interaction_id, talk.lead.offer_id, "no_customer", "she was not reached"))
    stay = conversation.dissolve(turn, "customer_hung_up").served
    turn.interaction = turn.interaction.but(waiting=stay)
    return stay


def take(turn: Turn, leg: Leg | None, event: Event, around: Surroundings, now_s: float) -> bool:
    """Whether the event, while the customer's phone rings, was about the agent who waits for her."""
    talk = turn.interaction.talk
    lead = talk.lead if talk is not None else None
    if lead is None:
        return False
    match event:
        case LegEnded() if leg is not None and leg.leg_id == lead.leg_id:
            _agent_gone(turn, "vanished" if lines.is_vanished(event) else "agent_hung_up", now_s)
        case LineParty(what="ended") if event.leg_id == lead.leg_id:
            _agent_gone(turn, "vanished" if event.vanished else "agent_hung_up", now_s)
        case OfferWithdrawn() if event.offer_id == lead.offer_id:
            _agent_gone(turn, "vanished", now_s)
        case ConversationActed(action="hang_up") if event.agent_id == lead.agent_id:
            _agent_gone(turn, "agent_hung_up", now_s)
        case ConversationActed(agent_id=who) | SupervisionActed(supervisor_id=who):
            turn.refused = _BUSY
            turn.note_request("", f"{event.action} by {who}")
        case _:
            return False
    return True


def _agent_gone(turn: Turn, how: str, now_s: float) -> None:
    """The phone stops ringing at once; that call does not count."""
    callback = turn.interaction.callback
    assert callback is not None
    talk = turn.interaction.talk
    assert talk is not None
    soon_s = now_s + callbacks.SOON_S
    turn.facts.append(StayTurned(turn.interaction_id, talk.served.stay_id, "virtual", callback.first, soon_s))
    conversation.dissolve(turn, how)
    turn.interaction = turn.interaction.but(waiting=talk.served, callback=callback.but(called_off=True))
    turn.commands.append(HangUpLeg(turn.interaction.customer.leg_id))
