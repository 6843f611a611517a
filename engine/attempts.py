"""A campaign calls somebody: from the wish to dial her until an agent or a flow has her, or nobody.

    AttemptWanted --outbound rule--> dialing --> ringing --> answered --(screening)--> she waits in the queue
                        | refused      |           |            |                        | agent        | too late
                        v              +-----------+            +--> the campaign's      v              v
                      failed      busy, no answer, invalid,          flow            connected     drop: message, queue
                                  failed; cancelled                                                or hung up

Whoever answered hears an agent or a message, whatever happens to us. Every move of the attempt is told to the dialer
once, in the turn in which it happens (`AttemptProgressed`).
"""

from __future__ import annotations

from collections.abc import Mapping

from core.attempt import AttemptEvent, AttemptState
from core.commands import CancelTimer, StartTimer
from core.dialing import AttemptCancelled, AttemptWanted
from core.events import (
    AudioVerdict,
    CommandOutcomeUnknown,
    CommandRejected,
    Event,
    LegEarlyMedia,
    LegEnded,
    LegRinging,
    LegUp,
    ListenerLost,
    QueueLeft,
    TimerFired,
)
from core.leg import EndReason, Leg, LegEvent, LegRole, LegState
from engine import calling, machines, picked_up, screening
from engine.answered import DEADLINE, deadline_passed, serve, unserved
from engine.interaction import Surroundings, Turn
from engine.progress import PICKED_UP, TIMER, call_off, close_with, progress

_S, _E = AttemptState, AttemptEvent

_UNANSWERED: Mapping[EndReason, AttemptEvent] = {
    EndReason.BUSY: _E.BUSY,
    EndReason.NO_ANSWER: _E.NO_ANSWER,
    EndReason.INVALID_NUMBER: _E.INVALID,
    EndReason.LOST: _E.LOST,
}
"""Every other end before an answer means that the network would not, or could not."""

ON_PAPER_S = 3.0
"""The node looks after whom nobody serves for so long. An engine that hung meanwhile hears of her answer and of that at
once: its flow had her on paper only."""
_NO_ANSWER = (18, 19)
"""Q.850. Many networks never say that a phone rings: for a campaign nobody has answered all the same."""
_BY_US = (EndReason.LOST, EndReason.HARBOURED, EndReason.LIMIT_REACHED, EndReason.HUNG_UP_BY_US)


# -- what happens to it ---------------------------------------------------------------------------------------
def take(turn: Turn, leg: Leg | None, event: Event, around: Surroundings, now_s: float) -> bool:
    """Whether the event was the attempt's alone: nobody else hears of it. `leg`: the one it names, if it is ours."""
    hers = leg is not None and leg.role is LegRole.CUSTOMER
    match event:
        case AttemptWanted():
            pass  # told twice
        case AttemptCancelled():
            calling.cancelled(turn, event.why or "not needed", now_s)
        case AudioVerdict() | ListenerLost() | CommandRejected(what="ListenToLeg"):
            if (screened := screening.heard(turn, event)) is not None:
                picked_up.screened(turn, screened, around, now_s)
        case TimerFired() if event.timer_id.startswith(TIMER):
            _fired(turn, event.timer_id, around, now_s)
        case LegRinging() | LegEarlyMedia() if hers:
            calling.rings(turn, now_s)
        case LegUp() if hers:
            picked_up.answered(turn, event.late_s, around, now_s)
        case LegEnded() if hers:
            _ended(turn, event, now_s)
            return False
        case CommandRejected(what="OriginateLeg") | CommandOutcomeUnknown(what="OriginateLeg"):
            return calling.not_dialed(turn, event, now_s)
        case QueueLeft():
            return unserved(turn, event.stay_id, event.outcome, event.target, around, now_s)
        case CommandRejected(what="JoinQueue"):
            return unserved(turn, event.subject_id, event.why, "", around, now_s)
        case _:
            return False
    return True


def look(turn: Turn) -> None:
    """After every event: whatever led to it, an agent who has her has her, and a leg that is gone is gone."""
    attempt, talk = turn.interaction.attempt, turn.interaction.talk
    assert attempt is not None
    if attempt.state is _S.LEAVING_MESSAGE:
        machines.look(turn)
        attempt = turn.interaction.attempt or attempt
    if attempt.state in PICKED_UP and talk is not None and talk.lead is not None:
        if attempt.due_s:
            turn.commands.append(CancelTimer(turn.interaction_id, DEADLINE))
        progress(turn, _E.CONNECT, agent_id=talk.lead.agent_id)
    elif attempt.state is _S.CONNECTED and not attempt.wanted.queue and talk is not None and talk.lead is not None:
        if (agent_id := talk.lead.agent_id) and agent_id != attempt.agent_id:
            turn.interaction = turn.interaction.but(attempt=attempt.but(agent_id=agent_id))
    elif not attempt.state.is_over and turn.interaction.customer.state is LegState.ENDED:
        progress(turn, _E.LOST, why="a fault of ours")


def error_exit(turn: Turn, event: Event, around: Surroundings, now_s: float) -> None:
    """An event of hers could not be handled. If she has answered and nobody has her, she hears the message."""
    leg, attempt = turn.interaction.customer, turn.interaction.attempt
    assert attempt is not None
    if isinstance(event, LegUp) and event.leg_id == leg.leg_id:
        turn.advance(leg, LegEvent.UP, now_s)
        progress(turn, _E.ANSWERED)
    picked_up.unheard(turn, "a fault of ours", around, now_s)


def adopted(turn: Turn, leg: Leg, up: bool, around: Surroundings, now_s: float) -> bool:
    """After a gap. Whether there is nothing else to do about her leg. How long she has been listening to silence nobody
    knows: who answered meanwhile is served at once, and where the law counts seconds they are over."""
    attempt = turn.interaction.attempt
    if attempt is None or leg.role is not LegRole.CUSTOMER:
        return False
    match attempt.state:
        case _S.DIALING | _S.RINGING if up:
            why = "while nobody watched"
            picked_up.up(turn, now_s, why)
            if attempt.wanted.queue and attempt.wanted.within_s:
                picked_up.unheard(turn, why, around, now_s)
            else:
                serve(turn, 0.0, around, now_s)
        case _S.DIALING | _S.RINGING:
            picked_up.nobody_listens(turn)
            calling.arm(turn, now_s)
        case _S.ANSWERED | _S.SCREENING if turn.interaction.waiting is not None:
            if not attempt.due_s:
                return False  # she has music
            if now_s >= attempt.due_s:
                deadline_passed(turn, around, now_s)
            else:
                turn.commands.append(StartTimer(turn.interaction_id, DEADLINE, attempt.due_s))
        case _S.LEAVING_MESSAGE:
            return machines.adopted(turn, around, now_s)
        case _S.SCREENING if turn.interaction.talk is None:
            serve(turn, 0.0, around, now_s)
        case _S.CANCELLED | _S.NO_ANSWER if up:
            progress(turn, _E.ANSWERED, why="while nobody watched")
            return False
        case _:
            return False
    return True


def _fired(turn: Turn, timer_id: str, around: Surroundings, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    unanswered = attempt.state in calling.CALLING
    if timer_id == calling.RING and unanswered:
        call_off(turn, _E.NO_ANSWER, f"nobody answered within {now_s - (attempt.rang_s or attempt.dialed_s):.0f} s")
    elif timer_id == calling.CANCEL and unanswered and attempt.cancelled:
        calling.cancelled(turn, attempt.cancelled, now_s)
    elif timer_id == picked_up.SCREEN and attempt.wanted.bridge_first:
        picked_up.listened_out(turn)
    elif timer_id == picked_up.SCREEN:
        picked_up.screened(turn, screening.overdue(attempt.wanted), around, now_s)
    elif timer_id == machines.BEEP and attempt.state is _S.LEAVING_MESSAGE:
        machines.beep_overdue(turn, around, now_s)
    elif timer_id == DEADLINE and attempt.state in PICKED_UP:
        deadline_passed(turn, around, now_s)


# -- she answers -----------------------------------------------------------------------------------------------


# -- she is gone -----------------------------------------------------------------------------------------------
def _ended(turn: Turn, event: LegEnded, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    by_us = event.reason in _BY_US
    on_paper = event.reason is EndReason.HARBOURED and now_s - attempt.answered_s < ON_PAPER_S
    if attempt.state in calling.CALLING and event.reason is EndReason.HARBOURED:
        progress(turn, _E.ANSWERED, why="while no engine lived")
        progress(turn, _E.NO_AGENT, why="the node told her who called")
    elif attempt.state in calling.CALLING:
        silent = event.reason is EndReason.UNREACHABLE and event.cause in _NO_ANSWER
        how = _E.NO_ANSWER if silent else _UNANSWERED.get(event.reason, _E.FAILED)
        said = f" (SIP {event.sip_status})" if event.sip_status and how is _E.FAILED else ""
        progress(turn, how, event.cause, f"{event.reason.value}{said}")
        close_with(turn)
    elif attempt.state is _S.CONNECTED and not attempt.wanted.queue and on_paper:
        progress(turn, _E.HARBOURED, event.cause, "the node told her who called")
    elif attempt.state is _S.CONNECTED:
        lost = event.reason in (EndReason.LOST, EndReason.HARBOURED)
        how = _E.LOST if lost else _E.HUNG_UP
        progress(turn, how, event.cause, event.reason.value, agent_id=attempt.agent_id)
    elif not attempt.state.is_over:
        progress(turn, _E.LOST if by_us else _E.HUNG_UP, event.cause, event.reason.value)
