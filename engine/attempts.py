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
from dataclasses import replace

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
from core.leg_commands import HangUpLeg
from engine import machines, screening
from engine.answered import DEADLINE, deadline_passed, serve, unserved
from engine.contact import Attempt
from engine.departures import SETUP_S
from engine.interaction import Surroundings, Turn
from engine.progress import PICKED_UP, TIMER, call_off, close_with, progress
from engine.screening import Screened

_RING, _CANCEL, _SCREEN = f"{TIMER}ring", f"{TIMER}cancel", f"{TIMER}screen"

_S, _E = AttemptState, AttemptEvent
_CALLING = (_S.DIALING, _S.RINGING)
_SERVED = (_S.ANSWERED, _S.CONNECTED)

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
            _cancelled(turn, event.why or "not needed", now_s)
        case AudioVerdict() | ListenerLost() | CommandRejected(what="ListenToLeg"):
            if (screened := screening.heard(turn, event)) is not None:
                _screened(turn, screened, around, now_s)
        case TimerFired() if event.timer_id.startswith(TIMER):
            _fired(turn, event.timer_id, around, now_s)
        case LegRinging() | LegEarlyMedia() if hers:
            _rings(turn, now_s)
        case LegUp() if hers:
            _answered(turn, event.late_s, around, now_s)
        case LegEnded() if hers:
            _ended(turn, event, now_s)
            return False
        case CommandRejected(what="OriginateLeg") | CommandOutcomeUnknown(what="OriginateLeg"):
            return _not_dialed(turn, event, now_s)
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
    elif not attempt.state.is_over and turn.interaction.customer.state is LegState.ENDED:
        progress(turn, _E.LOST, why="a fault of ours")


def error_exit(turn: Turn, event: Event, around: Surroundings, now_s: float) -> None:
    """An event of hers could not be handled. If she has answered and nobody has her, she hears the message."""
    leg, attempt = turn.interaction.customer, turn.interaction.attempt
    assert attempt is not None
    if isinstance(event, LegUp) and event.leg_id == leg.leg_id:
        turn.advance(leg, LegEvent.UP, now_s)
        progress(turn, _E.ANSWERED)
    _unheard(turn, "a fault of ours", around, now_s)


def adopted(turn: Turn, leg: Leg, up: bool, around: Surroundings, now_s: float) -> bool:
    """After a gap. Whether there is nothing else to do about her leg. How long she has been listening to silence nobody
    knows: who answered meanwhile is served at once, and where the law counts seconds they are over."""
    attempt = turn.interaction.attempt
    if attempt is None or leg.role is not LegRole.CUSTOMER:
        return False
    match attempt.state:
        case _S.DIALING | _S.RINGING if up:
            why = "while nobody watched"
            _up(turn, now_s, why)
            if attempt.wanted.queue and attempt.wanted.within_s:
                _unheard(turn, why, around, now_s)
            else:
                serve(turn, 0.0, around, now_s)
        case _S.DIALING | _S.RINGING:
            _nobody_listens(turn)
            _arm(turn, now_s)
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


# -- until she answers -----------------------------------------------------------------------------------------
def _rings(turn: Turn, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state is not _S.DIALING:
        return
    turn.interaction = turn.interaction.but(attempt=attempt.but(rang_s=now_s))
    progress(turn, _E.RINGING)
    _arm(turn, now_s)


def _arm(turn: Turn, now_s: float) -> None:
    """How long her phone rings is counted from its first ring, however long the network took. Who never rang, or did
    while nobody watched, has the time that Asterisk gives her."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    rings_s = max(attempt.wanted.ring_s, attempt.wanted.least_ring_s)
    until_s = attempt.rang_s + rings_s if attempt.rang_s else attempt.dialed_s + rings_s + SETUP_S
    turn.commands.append(StartTimer(turn.interaction_id, _RING, until_s))
    if attempt.cancelled:
        turn.commands.append(StartTimer(turn.interaction_id, _CANCEL, max(now_s, _may_be_cancelled_s(attempt))))


def _may_be_cancelled_s(attempt: Attempt) -> float:
    """The least ring is counted from the first sign of ringing. Where none came, her phone may have begun to ring as
    late as networks take."""
    least_s = attempt.wanted.least_ring_s
    if attempt.rang_s or not least_s:
        return (attempt.rang_s or attempt.dialed_s) + least_s
    return attempt.dialed_s + SETUP_S + least_s


def _cancelled(turn: Turn, why: str, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state not in _CALLING:
        turn.note("not_cancelled", f"it is {attempt.state.value}: {why}")
        return
    if now_s >= _may_be_cancelled_s(attempt):
        call_off(turn, _E.CANCEL, why)
    elif not attempt.cancelled:
        turn.interaction = turn.interaction.but(attempt=attempt.but(cancelled=why))
        turn.commands.append(StartTimer(turn.interaction_id, _CANCEL, _may_be_cancelled_s(attempt)))


def _fired(turn: Turn, timer_id: str, around: Surroundings, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    calling = attempt.state in _CALLING
    if timer_id == _RING and calling:
        call_off(turn, _E.NO_ANSWER, f"nobody answered within {now_s - (attempt.rang_s or attempt.dialed_s):.0f} s")
    elif timer_id == _CANCEL and calling and attempt.cancelled:
        _cancelled(turn, attempt.cancelled, now_s)
    elif timer_id == _SCREEN and attempt.wanted.bridge_first:
        _listened_out(turn)
    elif timer_id == _SCREEN:
        _screened(turn, screening.overdue(attempt.wanted), around, now_s)
    elif timer_id == machines.BEEP and attempt.state is _S.LEAVING_MESSAGE:
        machines.beep_overdue(turn, around, now_s)
    elif timer_id == DEADLINE and attempt.state in PICKED_UP:
        deadline_passed(turn, around, now_s)


def _not_dialed(turn: Turn, event: CommandRejected | CommandOutcomeUnknown, now_s: float) -> bool:
    """Whether it was her leg that could not be dialed. It is hung up in case it exists, and counts as ended."""
    leg = turn.interaction.customer
    if leg.leg_id not in (getattr(event, "leg_id", ""), event.subject_id):
        return False
    if leg.state is not LegState.ENDED:
        why = getattr(event, "why", "nobody knows whether it was dialed")
        turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
        turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
        progress(turn, _E.FAILED, why=why)
        close_with(turn)
    return True


# -- she answers -----------------------------------------------------------------------------------------------
def _answered(turn: Turn, late_s: float, around: Surroundings, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state not in _CALLING:
        progress(turn, _E.ANSWERED)  # it crossed our hang-up on the wire
        return
    attempt = _up(turn, now_s - late_s)
    if not attempt.wanted.screen:
        serve(turn, 0.0, around, now_s)
        return
    if attempt.wanted.bridge_first:
        serve(turn, 0.0, around, now_s)
    else:
        progress(turn, _E.SCREEN)
    turn.commands.append(StartTimer(turn.interaction_id, _SCREEN, now_s - late_s + screening.longest_s(attempt.wanted)))


def _up(turn: Turn, answered_s: float, why: str = "") -> Attempt:
    attempt = turn.interaction.attempt
    assert attempt is not None
    turn.commands.append(CancelTimer(turn.interaction_id, _RING))
    if attempt.cancelled:
        turn.commands.append(CancelTimer(turn.interaction_id, _CANCEL))
    attempt = attempt.but(answered_s=answered_s, cancelled="")
    turn.interaction = turn.interaction.but(attempt=attempt)
    progress(turn, _E.ANSWERED, why=why)
    return attempt


def _screened(turn: Turn, found: Screened, around: Surroundings, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state is _S.LEAVING_MESSAGE:
        machines.heard(turn, found, around, now_s)
        return
    calling, network = attempt.state in _CALLING, found.verdict in ("busy", "failed", "invalid")
    screened = attempt.state is _S.SCREENING and not _has_somebody(turn)
    beside = attempt.wanted.bridge_first and attempt.state in _SERVED and not attempt.heard_out
    if not (calling or screened or beside) or (not found.final and attempt.wanted.on_machine == "hang_up"):
        return
    turn.note("screened", f"{found.verdict}: {found.why}")
    heard = attempt.but(verdict=found.verdict, evidence=found.why, greeted_s=found.greeted_s)
    turn.interaction = turn.interaction.but(attempt=heard)
    if not calling:
        turn.commands.append(CancelTimer(turn.interaction_id, _SCREEN))
    if found.verdict in ("machine", "fax"):
        machines.found(turn, found, around, now_s)
    elif network and calling:
        call_off(turn, _E(found.verdict), found.why)
    elif network:  # answered by the network, not by her
        machines.found(turn, replace(found, verdict="machine"), around, now_s)
    elif calling and found.verdict == "unknown":
        _nobody_listens(turn)
    elif screened:
        serve(turn, found.greeted_s, around, now_s)
    elif beside:
        turn.interaction = turn.interaction.but(attempt=heard.but(heard_out=True))


def _listened_out(turn: Turn) -> None:
    """It has been with an agent for so long that it is a person."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state in _SERVED and not attempt.heard_out:
        turn.interaction = turn.interaction.but(attempt=attempt.but(heard_out=True))
        turn.commands.append(screening.dismissed(attempt.wanted))


def _nobody_listens(turn: Turn) -> None:
    """Not any more, before she has answered: then whoever answers is a person."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    turn.interaction = turn.interaction.but(attempt=attempt.but(wanted=replace(attempt.wanted, screen=False)))


def _unheard(turn: Turn, why: str, around: Surroundings, now_s: float) -> None:
    """Nobody has her, through no wish of hers."""
    attempt = turn.interaction.attempt
    if attempt is not None and attempt.state in PICKED_UP and turn.interaction.talk is None:
        deadline_passed(turn, around, now_s, why)


def _has_somebody(turn: Turn) -> bool:
    """A verdict has come already."""
    return turn.interaction.waiting is not None or turn.interaction.talk is not None


# -- she is gone -----------------------------------------------------------------------------------------------
def _ended(turn: Turn, event: LegEnded, now_s: float) -> None:
    attempt = turn.interaction.attempt
    assert attempt is not None
    by_us = event.reason in _BY_US
    on_paper = event.reason is EndReason.HARBOURED and now_s - attempt.answered_s < ON_PAPER_S
    if attempt.state in _CALLING and event.reason is EndReason.HARBOURED:
        progress(turn, _E.ANSWERED, why="while no engine lived")
        progress(turn, _E.NO_AGENT, why="the node told her who called")
    elif attempt.state in _CALLING:
        silent = event.reason is EndReason.UNREACHABLE and event.cause in _NO_ANSWER
        how = _E.NO_ANSWER if silent else _UNANSWERED.get(event.reason, _E.FAILED)
        progress(turn, how, event.cause, event.reason.value)
        close_with(turn)
    elif attempt.state is _S.CONNECTED and not attempt.wanted.queue and on_paper:
        progress(turn, _E.HARBOURED, event.cause, "the node told her who called")
    elif attempt.state is _S.CONNECTED:
        lost = event.reason in (EndReason.LOST, EndReason.HARBOURED)
        progress(turn, _E.LOST if lost else _E.HUNG_UP, event.cause, event.reason.value)
    elif not attempt.state.is_over:
        progress(turn, _E.LOST if by_us else _E.HUNG_UP, event.cause, event.reason.value)
