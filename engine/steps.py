"""A flow's steps, taken: what a flow asks beyond its own leg is done here, and answered at once when it can be."""

from __future__ import annotations

from dataclasses import replace

from core.attempt import AttemptState
from core.commands import AskAgent, GiveDisposition, JoinQueue, LeaveQueue, RequestCallback, Transfer
from core.dialing import AttemptDisposed
from core.errors import EventRefused
from core.events import Event, LegEnded, QueueLeft, TransferEnded
from core.interaction import InteractionEvent, InteractionState
from core.leg import EndReason, LegState
from core.leg_commands import HangUpLeg, KeepRecording, StartMusic
from engine import callback_promise, lines, waiting
from engine.contact import Waiting
from engine.interaction import Interaction, Surroundings, Turn
from engine.transfers import start_transfer
from ivr import interpreter
from ivr.interpreter import Ended

MAX_IMMEDIATE_FACTS = 50
"""A flow may bounce off refused transfers this often without time passing."""
_OURS = frozenset(
    (
        *(Transfer, JoinQueue, LeaveQueue, StartMusic, KeepRecording, AskAgent, HangUpLeg, RequestCallback),
        GiveDisposition,
    )
)
OUTCOMES = {EndReason.LOST: "lost", EndReason.HARBOURED: "lost", EndReason.LIMIT_REACHED: "limit_reached"}
"""Ends of the customer's leg that are nobody's wish."""


def feed(turn: Turn, event: Event, around: Surroundings, now_s: float) -> None:
    """A fact for the flow, unless the customer is in somebody's hands."""
    interaction = turn.interaction
    run = interaction.run
    if run is None:
        return
    in_hands = interaction.state is InteractionState.CONNECTED or interaction.talk is not None
    if in_hands and interaction.parked is None and not isinstance(event, LegEnded | TransferEnded):
        return
    step = interpreter.handle(around.world(interaction.release_id), run, event, now_s)
    follow(turn, step, around, now_s)


def follow(turn: Turn, step: interpreter.Step, around: Surroundings, now_s: float) -> None:
    """Takes a flow's step.

    Raises:
        EventRefused: the flow bounces without time passing.
    """
    between = turn.interaction.parked is not None
    for _ in range(MAX_IMMEDIATE_FACTS):
        turn.interaction = turn.interaction.but(run=step.run)
        turn.decisions.extend(step.decisions)
        answer: Event | None = None
        for command in step.commands:
            if type(command) not in _OURS:  # most of them
                turn.commands.append(command)
                continue
            match command:
                case Transfer() | JoinQueue() if between:
                    answer = _not_now(turn, command)
                case HangUpLeg() if between:
                    pass  # it is over, and she goes back to whom she talked with
                case RequestCallback():
                    answer = callback_promise.agree(turn, command, around, now_s)
                case Transfer():
                    callback_promise.drop(turn)
                    turn.move(InteractionEvent.TRANSFER)
                    answer = start_transfer(turn, command, around.outbound, around.dialed, now_s)
                case JoinQueue():
                    _join(turn, command, around, now_s)
                case LeaveQueue():
                    _leave(turn, command, around)
                case StartMusic():
                    turn.commands.append(_music(turn, command, step, around))
                case KeepRecording():
                    turn.commands.append(_labelled(command, turn.interaction))
                case GiveDisposition():
                    turn.commands.append(command)
                    _dispose(turn, command)
                case AskAgent():
                    lines.asked(turn, command)
                    turn.commands.append(command)
                case _:
                    turn.commands.append(command)
        if step.ended is not None:
            if not between and not lines.is_held(turn.interaction):
                end(turn, step.ended)
            return
        if answer is None:
            return
        if not between:
            turn.move(InteractionEvent.FLOW)
        step = interpreter.handle(around.world(turn.interaction.release_id), step.run, answer, now_s)
    raise EventRefused(
        f"interaction {turn.interaction.interaction_id}: the flow bounced {MAX_IMMEDIATE_FACTS} times without time "
        "passing; give the branches of its queue and transfer nodes somewhere to wait"
    )


def _dispose(turn: Turn, command: GiveDisposition) -> None:
    """The campaign's own flow says what comes of her; what she hears after a drop, or a machine hears, does not."""
    attempt = turn.interaction.attempt
    if attempt is None or attempt.wanted.queue or attempt.state is not AttemptState.CONNECTED:
        return
    attempt_id = attempt.wanted.attempt_id
    said = AttemptDisposed(turn.interaction_id, attempt_id, "", command.disposition, answers=command.answers)
    turn.facts.append(said)


def _not_now(turn: Turn, command: Transfer | JoinQueue) -> Event:
    why = "not in the middle of a conversation"
    turn.note("refused", f"{type(command).__name__}: {why}")
    if isinstance(command, JoinQueue):
        return QueueLeft(turn.interaction_id, command.stay_id, "closed")
    return TransferEnded(turn.interaction_id, command.transfer_id, "refused", why)


def end(turn: Turn, ended: Ended) -> None:
    """The flow is over, and the call with it."""
    customer = turn.interaction.customer
    if turn.interaction.callback is not None and turn.interaction.callback.state.is_open:
        hang_up(turn)  # her flow is over, and she is not
        return
    outcome = turn.interaction.outcome or OUTCOMES.get(customer.reason or EndReason.HUNG_UP, ended.outcome)
    turn.interaction = turn.interaction.but(outcome=outcome)
    hang_up(turn)


def hang_up(turn: Turn, reason: EndReason = EndReason.HUNG_UP_BY_US) -> None:
    """The customer, when she is there and has not been hung up in this turn already."""
    customer = turn.interaction.customer
    hanging_up = any(isinstance(c, HangUpLeg) and c.leg_id == customer.leg_id for c in turn.commands)
    if customer.state is not LegState.ENDED and not hanging_up:
        turn.commands.append(HangUpLeg(customer.leg_id, reason))


def _join(turn: Turn, command: JoinQueue, around: Surroundings, now_s: float) -> None:
    joined = waiting.joined_by(turn, command)
    wanted = next((c.music for c in reversed(turn.commands) if isinstance(c, StartMusic)), "default")
    if callback_promise.stay_on(turn, command, wanted, around, now_s):
        return
    stay = Waiting(joined, now_s, command.stay_id, music=wanted)
    waiting.begin(turn, stay, around, now_s)


def _leave(turn: Turn, command: LeaveQueue, around: Surroundings) -> None:
    """Whatever stay she is in by now, it is the one her flow means. One that was answered has ended already."""
    stay = turn.interaction.waiting
    if stay is None or stay.flow_stay_id != command.stay_id:
        return
    if command.outcome != "callback" or not callback_promise.hold(turn, around):
        waiting.leave(turn, command.outcome)
    if turn.interaction.customer.state is not LegState.ENDED:
        turn.move(InteractionEvent.FLOW)


def _music(turn: Turn, command: StartMusic, step: interpreter.Step, around: Surroundings) -> StartMusic:
    """A queue has its own music, when the flow does not choose one."""
    joining = next((each.queue for each in step.commands if isinstance(each, JoinQueue)), "")
    stay = turn.interaction.waiting
    if joining:
        return replace(command, music=waiting.music_for(turn.interaction, joining, command.music, around))
    return command if stay is None else replace(command, music=stay.music)


def _labelled(command: KeepRecording, interaction: Interaction) -> KeepRecording:
    return replace(
        command,
        tenant=interaction.tenant,
        caller=interaction.caller,
        called=interaction.called,
        theirs=interaction.theirs,
    )
