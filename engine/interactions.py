"""What an interaction does with a fact: a pure function from (interaction, event) to (interaction, commands).

It opens an interaction when a leg arrives, hands the caller's facts to her flow, carries out what a flow
cannot do alone (join a queue, connect a second leg) and closes when every leg has ended. It reads no clock
and touches nothing: live calls, simulations and replays run this very code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from core.commands import DestroyBridge, HangUpLeg, JoinQueue, KeepRecording, StartTimer, Transfer, TurnAwayLeg
from core.decisions import InteractionClosed, Noted
from core.errors import EventRefused
from core.events import (
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
    PlaybackFinished,
    QueueLeft,
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
from engine.interaction import Interaction, Surroundings, Turn
from engine.transfers import END_OF_DIRECT_CALL, end_of_leg, external_up, join, start_transfer
from ivr import interpreter
from ivr.interpreter import Ended

MAX_IMMEDIATE_FACTS = 50
"""A flow may bounce off closed queues and refused transfers this often without time passing."""
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
_OUTCOMES: Mapping[EndReason, str] = {EndReason.LOST: "lost", EndReason.LIMIT_REACHED: "limit_reached"}
"""Ends of the customer's leg that are nobody's wish."""
_FLOW_FACTS = (
    LegUp,
    LegEnded,
    DigitPressed,
    PlaybackFinished,
    RecordingFinished,
    RecordingFailed,
    RecordingKept,
    TimerFired,
    HttpReplied,
    QueueLeft,
    TransferEnded,
    ToggleSet,
    QueueStatusGiven,
    TicketOpened,
    CallbackRequested,
    MessageSent,
    CommandRejected,
    CommandOutcomeUnknown,
)


def handle(interaction: Interaction, event: Event, around: Surroundings, now_s: float) -> Turn:
    """The interaction after `event`, what to do, and why.

    Raises:
        EventRefused: the event cannot happen to this interaction now.
    """
    turn = Turn(interaction)
    leg_id = getattr(event, "leg_id", "")
    leg = interaction.leg(leg_id) if leg_id else None
    if isinstance(event, LegArrived) or interaction.state is InteractionState.CLOSED:
        return turn
    if isinstance(event, LegAdopted):
        _adopt(turn, event, around, now_s)
        _settle(turn, now_s)
        return turn
    if _hung_up_again(turn, event, leg, now_s):
        return turn
    if leg is not None and (leg_event := _LEG_EVENTS.get(type(event))) is not None:
        before = leg.state
        reason = event.reason if isinstance(event, LegEnded) else None
        leg = turn.advance(leg, leg_event, now_s, reason)
        if leg.state is before and leg_event is not LegEvent.UP:
            return turn
    if leg is not None and leg is not turn.interaction.customer and leg.role is not LegRole.CUSTOMER:
        _other_leg(turn, leg, event, around, now_s)
    elif isinstance(event, _FLOW_FACTS):
        _feed(turn, event, around, now_s)
    _settle(turn, now_s)
    return turn


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
        _feed(turn, CommandRejected(interaction.interaction_id, "", "event", why), around, now_s)
    _settle(turn, now_s)
    return turn


def give_up(interaction: Interaction, event: Event, why: str, now_s: float) -> Turn:
    """The last resort when even the error exit fails: every leg is hung up; closing follows their ends."""
    turn = Turn(interaction.but(run=None, outcome=interaction.outcome or "error"))
    turn.decisions.append(Noted("gave_up", why))
    _ended_leg(turn, event, now_s)
    _hang_up_all(turn, EndReason.FAILED)
    _settle(turn, now_s)
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
    transfer = interaction.transfer
    if interaction.outcome:
        turn.commands.append(HangUpLeg(leg.leg_id))  # decided before the gap, and perhaps never carried out
    elif transfer is not None and transfer.bridge_id:
        if event.bridge_id not in (None, transfer.bridge_id):
            join(turn)  # they were to talk, and this one was found outside of their bridge
    elif transfer is not None and leg.role is LegRole.EXTERNAL and leg.is_up:
        external_up(turn, leg, now_s)
    elif transfer is None and leg.role is LegRole.CUSTOMER and interaction.run is not None:
        step = interpreter.resume(around.world(interaction.release_id), interaction.run, now_s)
        follow(turn, step, around, now_s)


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


def _feed(turn: Turn, event: Event, around: Surroundings, now_s: float) -> None:
    run = turn.interaction.run
    if run is None:
        return
    if turn.interaction.state is InteractionState.CONNECTED and not isinstance(event, LegEnded | TransferEnded):
        return
    step = interpreter.handle(around.world(turn.interaction.release_id), run, event, now_s)
    follow(turn, step, around, now_s)


def follow(turn: Turn, step: interpreter.Step, around: Surroundings, now_s: float) -> None:
    """Takes a flow's step: what it asks beyond its own leg is done here, and answered at once when it can be."""
    for _ in range(MAX_IMMEDIATE_FACTS):
        turn.interaction = turn.interaction.but(run=step.run)
        turn.decisions.extend(step.decisions)
        answer: Event | None = None
        for command in step.commands:
            match command:
                case Transfer():
                    turn.move(InteractionEvent.TRANSFER)
                    answer = start_transfer(turn, command, around.outbound, around.dialed, now_s)
                case JoinQueue():
                    turn.move(InteractionEvent.QUEUE)
                    answer = QueueLeft(turn.interaction.interaction_id, command.stay_id, "no_agents")
                case KeepRecording():
                    turn.commands.append(_labelled(command, turn.interaction))
                case _:
                    turn.commands.append(command)
        if step.ended is not None:
            _end(turn, step.ended)
            return
        if answer is None:
            return
        turn.move(InteractionEvent.FLOW)
        step = interpreter.handle(around.world(turn.interaction.release_id), step.run, answer, now_s)
    raise EventRefused(
        f"interaction {turn.interaction.interaction_id}: the flow bounced {MAX_IMMEDIATE_FACTS} times without time "
        "passing; give the branches of its queue and transfer nodes somewhere to wait"
    )


def _labelled(command: KeepRecording, interaction: Interaction) -> KeepRecording:
    return replace(command, tenant=interaction.tenant, caller=interaction.caller, called=interaction.called)


def _other_leg(turn: Turn, leg: Leg, event: Event, around: Surroundings, now_s: float) -> None:
    """A leg we dialed for a transfer has news."""
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
            if answer.outcome == "failed" and turn.interaction.called in around.outbound.emergency_numbers:
                turn.commands.append(TurnAwayLeg(customer.leg_id))  # the dialplan dials for help without us
            else:
                turn.commands.append(HangUpLeg(customer.leg_id, END_OF_DIRECT_CALL[answer.outcome]))
            return
        turn.move(InteractionEvent.FLOW)
        _feed(turn, answer, around, now_s)


def _write_off(turn: Turn, leg: Leg, now_s: float) -> Leg:
    """A leg whose dialing or bridging failed is hung up in case it exists, and counts as ended either way."""
    if leg.state is not LegState.ENDED:
        turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
    return turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)


def _end(turn: Turn, ended: Ended) -> None:
    customer = turn.interaction.customer
    outcome = turn.interaction.outcome or _OUTCOMES.get(customer.reason or EndReason.HUNG_UP, ended.outcome)
    turn.interaction = turn.interaction.but(outcome=outcome)
    hanging_up = any(isinstance(c, HangUpLeg) and c.leg_id == customer.leg_id for c in turn.commands)
    if customer.state is not LegState.ENDED and not hanging_up:
        turn.commands.append(HangUpLeg(customer.leg_id))


def _hang_up_all(turn: Turn, reason: EndReason = EndReason.HUNG_UP_BY_US) -> None:
    for leg in turn.interaction.legs:
        if leg.state is not LegState.ENDED:
            turn.commands.append(HangUpLeg(leg.leg_id, reason))


def _settle(turn: Turn, now_s: float) -> None:
    """Nobody stays behind: when the customer is gone the others go too; when all are gone it is closed."""
    interaction = turn.interaction
    if interaction.customer.state is not LegState.ENDED:
        return
    if not interaction.outcome:
        outcome = _OUTCOMES.get(interaction.customer.reason or EndReason.HUNG_UP, "caller_hung_up")
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
