"""News about the people a customer waits for or talks with: each finds the room that knows what to do about it."""

from __future__ import annotations

from dataclasses import replace

from core.decisions import Noted
from core.events import (
    CommandOutcomeUnknown,
    CommandRejected,
    DigitPressed,
    Event,
    LegEnded,
    LegHeld,
    LegResumed,
    LegUp,
    PlaybackFinished,
    QueueLeft,
    TimerFired,
)
from core.interaction import InteractionEvent
from core.leg import EndReason, Leg, LegEvent, LegState
from core.leg_commands import HangUpLeg
from core.line_facts import LineParty, LineUsed
from core.offer_facts import OfferMade, OfferWithdrawn
from core.queue_facts import QueuePosition, StayPrioritised
from core.routing import ContactFact
from core.talk_facts import ConversationActed, SupervisionActed, SupervisorCalled
from engine import (
    adoption,
    announcements,
    consult,
    conversation,
    handover,
    lines,
    offers,
    phone_keys,
    requests,
    steps,
    supervision,
    talk_recording,
    waiting,
)
from engine.contact import Conversation, Party
from engine.interaction import Surroundings, Turn

_FACTS = frozenset({*ContactFact.__args__, QueueLeft})


def concern(turn: Turn, event: Event) -> bool:
    """Whether an event may be about them: nothing else is looked at twice."""
    interaction = turn.interaction
    return (
        interaction.talk is not None
        or interaction.waiting is not None
        or interaction.recording is not None
        or type(event) in _FACTS
    )


def take(turn: Turn, event: Event, around: Surroundings, now_s: float) -> bool:
    """Whether the event was theirs: the flow does not hear of it."""
    match event:
        case PlaybackFinished():
            return _played(turn, event.playback_id, around, now_s)
        case TimerFired():
            return announcements.fired(turn, event.timer_id, around, now_s) or conversation.fired(
                turn, event.timer_id, around
            )
        case CommandRejected():
            return _rejected(turn, event, around, now_s)
        case QueueLeft():
            _stay_ended(turn, event, around, now_s)
        case OfferMade():
            if (party := offers.made(turn, event, around, now_s)) is not None:
                consult.come(turn, party, event.auto_answer, around, now_s)
        case OfferWithdrawn():
            _withdrawn(turn, event, around, now_s)
        case QueuePosition():
            announcements.told(turn, event, around, now_s)
        case StayPrioritised():
            _prioritised(turn, event)
        case ConversationActed():
            requests.acted(turn, event, around, now_s)
        case SupervisionActed():
            supervision.acted(turn, event, around, now_s)
        case SupervisorCalled():
            supervision.called(turn, event, around, now_s)
        case LineParty():
            _line(turn, event, around, now_s)
        case LineUsed():
            if event.talking_in:
                turn.facts.append(LineParty(event.talking_in, event.leg_id, "ended", vanished=True))
        case _:
            return talk_recording.take(turn, event)
    return True


def leg_news(turn: Turn, leg: Leg, event: Event, around: Surroundings, now_s: float) -> bool:
    """News of a leg that is not the customer's. False: it is nobody's of theirs."""
    if (offer := offers.find(turn, leg.leg_id)) is not None:
        party = offers.take(turn, offer, leg, event, now_s)
        if party is not None:
            consult.come(turn, party, offer.auto_answer, around, now_s)
        return True
    talk = turn.interaction.talk
    party = talk.party(leg.leg_id) if talk is not None else None
    if party is not None:
        _party_news(turn, party, event, around, now_s)
        return True
    if supervision.leg_news(turn, leg, event, around, now_s):
        return True
    transfer = turn.interaction.transfer
    if transfer is not None and transfer.leg_id == leg.leg_id:
        return False
    if isinstance(event, LegUp):
        turn.commands.append(HangUpLeg(leg.leg_id))  # it answered to nobody
    return True


def _party_news(turn: Turn, party: Party, event: Event, around: Surroundings, now_s: float) -> None:
    match event:
        case LegUp() if not party.up:
            consult.reached(turn, party, around)
        case LegEnded():
            how = "vanished" if lines.is_vanished(event) else "agent_hung_up"
            requests.leave(turn, party, how, around, now_s)
        case CommandRejected(what="OriginateLeg") | CommandOutcomeUnknown():
            _write_off(turn, party, now_s)
            requests.leave(turn, party, "vanished", around, now_s)
        case DigitPressed():
            phone_keys.pressed(turn, party, event.digit, around, now_s)
        case LegHeld() | LegResumed() if party.up and party.agent_id:
            conversation.changed(turn, party.agent_id, "hold" if isinstance(event, LegHeld) else "resume")
        case _:
            pass


def _write_off(turn: Turn, party: Party, now_s: float) -> None:
    """A leg that could not be dialed or bridged is hung up in case it exists, and counts as ended either way."""
    leg = turn.interaction.leg(party.leg_id)
    if leg is not None and leg.state is not LegState.ENDED:
        turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
        turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)


def _withdrawn(turn: Turn, event: OfferWithdrawn, around: Surroundings, now_s: float) -> None:
    reason = EndReason.ANSWERED_ELSEWHERE if event.answered else EndReason.HUNG_UP_BY_US
    offers.withdrawn(turn, event.offer_id, reason)
    talk = turn.interaction.talk
    for party in talk.parties if talk is not None else ():
        if party.offer_id == event.offer_id:  # the router has given her up: she must not talk on uncounted
            requests.leave(turn, party, "vanished", around, now_s)
            return


def _played(turn: Turn, playback_id: str, around: Surroundings, now_s: float) -> bool:
    return announcements.heard(turn, playback_id, around, now_s) or conversation.played(turn, playback_id, around)


def _line(turn: Turn, event: LineParty, around: Surroundings, now_s: float) -> None:
    talk = turn.interaction.talk
    party = talk.party(event.leg_id) if talk is not None else None
    if talk is None or party is None:
        supervision.line_news(turn, event, around, now_s)
        return
    match event.what:
        case "ended":
            requests.leave(turn, party, "vanished" if event.vanished else "agent_hung_up", around, now_s)
        case "digit":
            phone_keys.pressed(turn, party, event.digit, around, now_s)
        case "played":
            conversation.played(turn, event.playback_id, around)
        case "adopted":
            adoption.rejoin(turn, talk, party.leg_id, party.up and party.inside, event.bridge_id)


# -- the router's end of a stay ----------------------------------------------------------------------
def _stay_ended(turn: Turn, event: QueueLeft, around: Surroundings, now_s: float) -> None:
    """A stay the router ended, or never took in."""
    talk, stay = turn.interaction.talk, turn.interaction.waiting
    if talk is not None:
        if talk.other is not None and not talk.other.up and talk.other.stay_id == event.stay_id:
            turn.note("consult", event.outcome)
            consult.other_gone(turn, "lost", around, now_s)
        return
    if stay is None or stay.stay_id != event.stay_id or event.outcome == "answered":
        return
    if stay.held:
        turn.interaction = turn.interaction.but(waiting=None)  # her flow has her
        return
    if waiting.overflow(turn, event, around, now_s):
        return
    before = waiting.stop(turn)
    offers.withdraw_all(turn)
    handover.come_back(turn, before, event.outcome, around, now_s)


def _prioritised(turn: Turn, event: StayPrioritised) -> None:
    """Wherever this stay leads, she takes her priority along."""
    talk, stay = turn.interaction.talk, turn.interaction.waiting
    if stay is not None and stay.stay_id == event.stay_id:
        joined = replace(stay.joined, priority=event.priority)
        turn.interaction = turn.interaction.but(waiting=stay.but(joined=joined))
    elif talk is not None and talk.served.stay_id == event.stay_id:
        joined = replace(talk.served.joined, priority=event.priority)
        turn.interaction = turn.interaction.but(talk=talk.but(served=talk.served.but(joined=joined)))


def _rejected(turn: Turn, event: CommandRejected, around: Surroundings, now_s: float) -> bool:
    """A command of ours that was not carried out; legs that could not be dialed are looked at as legs."""
    talk = turn.interaction.talk
    match event.what:
        case "JoinQueue":
            return _not_taken_in(turn, event, around, now_s)
        case "Play":
            return _played(turn, event.subject_id, around, now_s)
        case "BridgeLegs" if talk is not None and event.subject_id == talk.bridge_id:
            if talk.supervisor is not None and talk.supervisor.leg_id == event.leg_id:
                return supervision.not_joined(turn, event)
            turn.note("bridge", event.why)
            _cannot_meet(turn, talk, event, around, now_s)
            return True
        case "ListenIn":
            return supervision.not_joined(turn, event)
        case "UnbridgeLeg" | "DestroyBridge" | "MuteLeg" | "ParkLeg" | "SendDigits" | "StartMusic" | "StopMusic":
            if talk is None:
                return False
            turn.decisions.append(Noted(f"{event.what} refused", event.why))
            return True
    return talk_recording.take(turn, event)


def _cannot_meet(turn: Turn, talk: Conversation, event: CommandRejected, around: Surroundings, now_s: float) -> None:
    """They cannot be put together: the party is written off. When it is the customer, whoever is with her is."""
    party = talk.party(event.leg_id) or talk.lead
    if party is not None:
        _write_off(turn, party, now_s)
        requests.leave(turn, party, "vanished", around, now_s)


def _not_taken_in(turn: Turn, event: CommandRejected, around: Surroundings, now_s: float) -> bool:
    """The router could not take her in, by a fault of ours: her flow takes its error exit."""
    stay, talk = turn.interaction.waiting, turn.interaction.talk
    if talk is not None and talk.other is not None and talk.other.stay_id == event.subject_id:
        consult.other_gone(turn, "lost", around, now_s)
        return True
    if stay is None or stay.stay_id != event.subject_id:
        return True
    before = waiting.stop(turn)
    offers.withdraw_all(turn)
    if turn.interaction.run is None or not before.flow_stay_id:
        conversation.after_stay(turn, before, "lost", around, now_s)
        return True
    turn.move(InteractionEvent.FLOW)
    told = CommandRejected(event.interaction_id, event.command_id, event.what, event.why, "", before.flow_stay_id)
    steps.feed(turn, told, around, now_s)
    return True
