"""What an interaction does with a fact: a pure function from (interaction, event) to (interaction, commands).

It keeps the legs' states, hands each fact to whom it concerns (the caller's flow, the people she waits for or talks
with, a held line) and closes when every leg has ended. It reads no clock and touches nothing: live calls, simulations
and replays run this very code.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.commands import StartTimer
from core.decisions import InteractionClosed, Noted
from core.errors import EventRefused
from core.events import (
    AgentAnswered,
    CallbackRequested,
    CommandOutcomeUnknown,
    CommandRejected,
    DigitPressed,
    Event,
    HttpReplied,
    LegAdopted,
    LegArrived,
    LegEarlyMedia,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    MessageSent,
    NumberKept,
    PlaybackFinished,
    QueueStatusGiven,
    RecordingFailed,
    RecordingFinished,
    RecordingKept,
    TicketOpened,
    TimerFired,
    ToggleSet,
    TransferEnded,
)
from core.interaction import InteractionEvent, InteractionState
from core.leg import EndReason, Leg, LegEvent, LegRole, LegState
from core.leg_commands import DestroyBridge, HangUpLeg, TurnAwayLeg
from engine import adoption, attempts, callbacks, consult, conversation, interlude, lines, people, steps, talk_recording
from engine.interaction import Interaction, Surroundings, Turn
from engine.supervisor_phone import write_down
from engine.transfers import END_OF_DIRECT_CALL, end_of_leg, external_up, join
from ivr import interpreter

HANG_UP_AGAIN_S = 3.0
"""A leg that would not hang up is told again after this long: nobody listens to silence for hours."""
_HANG_UP_AGAIN = "hang_up:"

_LEG_EVENTS: Mapping[type, LegEvent] = {
    LegRinging: LegEvent.RINGING,
    LegEarlyMedia: LegEvent.EARLY_MEDIA,
    LegUp: LegEvent.UP,
    LegHeld: LegEvent.HOLD,
    LegResumed: LegEvent.RESUME,
    LegEnded: LegEvent.ENDED,
}
_FLOW_FACTS = frozenset(
    (
        LegUp,
        LegEnded,
        DigitPressed,
        PlaybackFinished,
        RecordingFinished,
        RecordingFailed,
        RecordingKept,
        TimerFired,
        HttpReplied,
        TransferEnded,
        ToggleSet,
        QueueStatusGiven,
        AgentAnswered,
        TicketOpened,
        CallbackRequested,
        NumberKept,
        MessageSent,
        CommandRejected,
        CommandOutcomeUnknown,
    )
)
"""What the customer's flow is told. The end of a stay reaches it through the people she waited for."""


def handle(interaction: Interaction, event: Event, around: Surroundings, now_s: float) -> Turn:
    """The interaction after `event`, what to do, and why.

    Raises:
        EventRefused: the event cannot happen to this interaction now.
    """
    turn = Turn(interaction)
    leg_id = getattr(event, "leg_id", "")
    leg = interaction.leg(leg_id) if leg_id else None
    if isinstance(event, LegArrived) and not interaction.is_closed:
        callbacks.rang_back(turn, event, around, now_s)
        return turn
    if interaction.state is InteractionState.CLOSED:
        return turn
    if isinstance(event, LegAdopted):
        _adopt(turn, event, around, now_s)
        _finish(turn, around, now_s)
        return turn
    if _hung_up_again(turn, event, leg, now_s):
        return turn
    if leg is not None and (leg_event := _LEG_EVENTS.get(type(event))) is not None:
        before = leg.state
        reason = event.reason if isinstance(event, LegEnded) else None
        leg = turn.advance(leg, leg_event, now_s, reason)
        if leg.state is before and leg_event is not LegEvent.UP:
            return turn
    _hand_over(turn, leg, event, around, now_s)
    _finish(turn, around, now_s)
    return turn


def _finish(turn: Turn, around: Surroundings, now_s: float) -> None:
    """What follows whatever happened."""
    if interlude.is_over(turn):
        consult.from_flow(turn, around)
    if turn.interaction.recording is not None:
        talk_recording.mind_secrets(turn)
    if turn.interaction.attempt is not None:
        attempts.look(turn)
    callbacks.look(turn)
    _settle(turn, around, now_s)


def _hand_over(turn: Turn, leg: Leg | None, event: Event, around: Surroundings, now_s: float) -> None:
    """To whom it concerns."""
    if turn.interaction.line is not None and lines.take(turn, event, now_s):
        return
    if turn.interaction.attempt is not None and attempts.take(turn, leg, event, around, now_s):
        return
    if turn.interaction.callback is not None and callbacks.take(turn, leg, event, around, now_s):
        return
    if people.concern(turn, event) and people.take(turn, event, around, now_s):
        return
    if leg is not None and leg.role is not LegRole.CUSTOMER:
        if not people.leg_news(turn, leg, event, around, now_s):
            _transferred_leg(turn, leg, event, around, now_s)
    elif type(event) in _FLOW_FACTS:
        if isinstance(event, AgentAnswered):
            write_down(turn, event)
        steps.feed(turn, event, around, now_s)


def fail(interaction: Interaction, event: Event, why: str, around: Surroundings, now_s: float) -> Turn:
    """The interaction takes its error exit: this event of it could not be handled. A leg that ended has ended."""
    turn = Turn(interaction)
    turn.decisions.append(Noted("event_refused", why))
    leg = _ended_leg(turn, event, now_s)
    if leg is not None and leg.leg_id == interaction.customer.leg_id:
        turn.interaction = turn.interaction.but(run=None, outcome=interaction.outcome or "error")
    else:
        if leg is not None and isinstance(event, LegEnded):
            end_of_leg(turn, leg, event)
        steps.feed(turn, CommandRejected(interaction.interaction_id, "", "event", why), around, now_s)
        if interaction.attempt is not None:
            attempts.error_exit(turn, event, around, now_s)
    _finish(turn, around, now_s)
    return turn


def give_up(interaction: Interaction, event: Event, why: str, now_s: float) -> Turn:
    """The last resort when even the error exit fails: every leg is hung up; closing follows their ends."""
    turn = Turn(interaction.but(run=None, outcome=interaction.outcome or "error"))
    turn.decisions.append(Noted("gave_up", why))
    _ended_leg(turn, event, now_s)
    lines.over(turn)
    conversation.customer_gone(turn)
    _hang_up_all(turn, EndReason.FAILED)
    _settle(turn, None, now_s)
    return turn


def _ended_leg(turn: Turn, event: Event, now_s: float) -> Leg | None:
    """Nobody will say it again: whatever else went wrong with the event, the leg is gone."""
    leg = turn.interaction.leg(event.leg_id) if isinstance(event, LegEnded) else None
    if leg is None or not isinstance(event, LegEnded):
        return None
    return turn.advance(leg, LegEvent.ENDED, now_s, event.reason)


def _adopt(turn: Turn, event: LegAdopted, around: Surroundings, now_s: float) -> None:
    """The gap may have hidden an answer; a flow asks its question again, a conversation just goes on."""
    interaction = turn.interaction
    leg = interaction.leg(event.leg_id)
    if leg is None:
        raise EventRefused(f"interaction {interaction.interaction_id}: adopted a leg it does not have: {event.leg_id}")
    if leg.state is LegState.ENDED:
        return
    if event.up and not leg.is_up:
        leg = turn.advance(leg, LegEvent.UP, now_s)
    if interaction.attempt is not None and attempts.adopted(turn, leg, event.up, around, now_s):
        return
    if interaction.callback is not None and callbacks.adopted(turn, leg, event.up, around, now_s):
        return
    if interaction.outcome:
        turn.commands.append(HangUpLeg(leg.leg_id))  # decided before the gap, and perhaps never carried out
        return
    if interaction.line is not None and lines.take(turn, event, now_s):
        return
    if adoption.adopted(turn, leg, event, around, now_s):
        return
    transfer = interaction.transfer
    if transfer is not None and transfer.bridge_id:
        if event.bridge_id not in (None, transfer.bridge_id):
            join(turn)  # they were to talk, and this one was found outside of their bridge
    elif transfer is not None and leg.role is LegRole.EXTERNAL and leg.is_up:
        external_up(turn, leg, now_s)
    elif transfer is None and leg.role is LegRole.CUSTOMER and interaction.run is not None:
        step = interpreter.resume(around.world(interaction.release_id), interaction.run, now_s)
        steps.follow(turn, step, around, now_s)


def _hung_up_again(turn: Turn, event: Event, leg: Leg | None, now_s: float) -> bool:
    """Whether the event was about a leg that must go and has not gone."""
    interaction_id = turn.interaction.interaction_id
    if isinstance(event, TimerFired) and event.timer_id.startswith(_HANG_UP_AGAIN):
        leg = turn.interaction.leg(event.timer_id.removeprefix(_HANG_UP_AGAIN))
        if leg is not None and leg.state is not LegState.ENDED:
            turn.commands.append(HangUpLeg(leg.leg_id))
        return True
    if leg is None:
        return False
    if isinstance(event, CommandRejected) and event.what in ("HangUpLeg", "TurnAwayLeg"):
        if leg.state is not LegState.ENDED:
            again = StartTimer(interaction_id, f"{_HANG_UP_AGAIN}{leg.leg_id}", now_s + HANG_UP_AGAIN_S)
            turn.commands.append(again)
        return True
    if isinstance(event, LegRinging | LegEarlyMedia | LegUp) and leg.state is LegState.ENDED:
        turn.commands.append(HangUpLeg(leg.leg_id))  # written off, and there all the same
        return True
    return False


def _transferred_leg(turn: Turn, leg: Leg, event: Event, around: Surroundings, now_s: float) -> None:
    """A leg dialed for a flow's transfer, or for a phone that called directly, has news."""
    if isinstance(event, LegUp):
        external_up(turn, leg, now_s)
    elif isinstance(event, LegEnded | CommandRejected | CommandOutcomeUnknown):
        if not isinstance(event, LegEnded):
            leg = _write_off(turn, leg, now_s)
        answer = end_of_leg(turn, leg, event)
        customer = turn.interaction.customer
        if answer is None or customer.state is LegState.ENDED:
            return
        if turn.interaction.run is None:
            turn.interaction = turn.interaction.but(outcome=turn.interaction.outcome or answer.outcome)
            if answer.outcome != "answered" and turn.interaction.called in around.outbound.emergency_numbers:
                # The dialplan dials for help without us, over each carrier there is.
                turn.commands.append(TurnAwayLeg(customer.leg_id))
            else:
                turn.commands.append(HangUpLeg(customer.leg_id, END_OF_DIRECT_CALL[answer.outcome]))
            return
        turn.move(InteractionEvent.FLOW)
        steps.feed(turn, answer, around, now_s)


def _write_off(turn: Turn, leg: Leg, now_s: float) -> Leg:
    """A leg whose dialing or bridging failed is hung up in case it exists, and counts as ended either way."""
    if leg.state is not LegState.ENDED:
        turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
    return turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)


def _hang_up_all(turn: Turn, reason: EndReason = EndReason.HUNG_UP_BY_US) -> None:
    for leg in turn.interaction.legs:
        if leg.state is not LegState.ENDED:
            turn.commands.append(HangUpLeg(leg.leg_id, reason))


def _settle(turn: Turn, around: Surroundings | None, now_s: float) -> None:
    """Nobody stays behind: when the customer is gone the others go too; when all are gone it is closed. She may wait
    on without her line, unless there is nothing (`around`) to wait in."""
    interaction = turn.interaction
    if interaction.customer.state is not LegState.ENDED:
        return
    if around is not None and callbacks.goes_on(turn, around, now_s):
        return
    lines.over(turn)
    conversation.customer_gone(turn)
    interaction = turn.interaction
    if not interaction.outcome:
        outcome = steps.OUTCOMES.get(interaction.customer.reason or EndReason.HUNG_UP, "caller_hung_up")
        turn.interaction = interaction = interaction.but(outcome=outcome)
    asked = {c.leg_id for c in turn.commands if isinstance(c, HangUpLeg)}
    for leg in interaction.legs:
        if leg.state is not LegState.ENDED and leg.leg_id not in asked:
            turn.commands.append(HangUpLeg(leg.leg_id))
    if all(leg.state is LegState.ENDED for leg in interaction.legs):
        if interaction.transfer is not None and interaction.transfer.bridge_id:
            turn.commands.append(DestroyBridge(interaction.transfer.bridge_id))
        turn.move(InteractionEvent.CLOSE)
        turn.decisions.append(InteractionClosed(interaction.interaction_id, interaction.outcome))
