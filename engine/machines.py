"""A machine answered: it is hung up on, or gets the campaign's message after its beep. Pure.

    screening, or with an agent --machine--> hung up on (MACHINE)
          |                                    ^ nothing says that the greeting is over, or it hangs up first
          +--the campaign has a message--> waits for the beep --beep, or silence--> the message --end--> MESSAGE_LEFT

An agent who has the machine (bridge_first) loses it, without wrap-up: she is free for somebody else at once.
"""

from __future__ import annotations

from core.attempt import AttemptEvent, AttemptState
from core.commands import CancelTimer, StartTimer
from core.leg import LegState
from core.queue_facts import StayGivenUp
from engine import conversation, offers, waiting
from engine.answered import DEADLINE, lead_through
from engine.contact import Attempt
from engine.interaction import Surroundings, Turn
from engine.progress import TIMER, call_off, progress
from engine.screening import Screened

BEEP = f"{TIMER}beep"
TAKEN_AWAY = "machine"
"""How a conversation with it ends."""
_S, _E = AttemptState, AttemptEvent
_FAULTS = ("error", "lost")


def found(turn: Turn, screened: Screened, around: Surroundings, now_s: float) -> None:
    """It is none of our people's. Before anybody answered there is nobody to leave a message with."""
    attempt = _of(turn)
    _part(turn)
    if screened.verdict != "machine" or attempt.wanted.on_machine != "message" or not attempt.answered_s:
        why = screened.why
        if screened.verdict == "machine" and attempt.wanted.machine_why:
            why += f"; no message may be left: {attempt.wanted.machine_why}"
        call_off(turn, _E(screened.verdict), why)
        return
    progress(turn, _E.MAILBOX, why=screened.why)
    if screened.ready:
        _speak(turn, around, now_s)
    elif screened.final:
        _unready(turn, screened.why, around, now_s)
    else:
        turn.commands.append(StartTimer(turn.interaction_id, BEEP, now_s + attempt.wanted.beep_within_s))


def heard(turn: Turn, screened: Screened, around: Surroundings, now_s: float) -> None:
    """News while its greeting is listened to."""
    if _of(turn).speaks or not screened.final:
        return
    turn.commands.append(CancelTimer(turn.interaction_id, BEEP))
    if screened.verdict == "fax":
        call_off(turn, _E.FAX, screened.why)
    elif screened.ready:
        _speak(turn, around, now_s)
    else:
        _unready(turn, screened.why, around, now_s)


def beep_overdue(turn: Turn, around: Surroundings, now_s: float) -> None:
    if not _of(turn).speaks:
        _unready(turn, f"no beep within {_of(turn).wanted.beep_within_s:g} s", around, now_s)


def adopted(turn: Turn, around: Surroundings, now_s: float) -> bool:
    """After a gap nobody listens for the beep any more. Whether there is nothing else to do about her leg."""
    if _of(turn).speaks:
        return False  # the flow says it again
    _unready(turn, "nobody listened for a while", around, now_s)
    return True


def look(turn: Turn) -> None:
    """After every event: a message that was said to its end was left."""
    run, attempt = turn.interaction.run, _of(turn)
    if attempt.speaks and run is not None and run.ended and turn.interaction.outcome not in _FAULTS:
        progress(turn, _E.MESSAGE_LEFT, why=attempt.evidence)


def _part(turn: Turn) -> None:
    """Whoever waits for it or has it does not any more."""
    attempt, stay = _of(turn), turn.interaction.waiting
    if attempt.due_s:
        turn.commands.append(CancelTimer(turn.interaction_id, DEADLINE))
        turn.interaction = turn.interaction.but(attempt=attempt.but(due_s=0.0))
    if stay is not None:
        waiting.stop(turn)
        offers.withdraw_all(turn)
        turn.facts.append(StayGivenUp(turn.interaction_id, stay.stay_id, "left_by_key"))
    if turn.interaction.talk is not None:
        conversation.dissolve(turn, TAKEN_AWAY)


def _unready(turn: Turn, why: str, around: Surroundings, now_s: float) -> None:
    """Nothing says that it records by now."""
    if _of(turn).wanted.no_beep == "message":
        turn.note("machine", f"{why}: the message is left all the same")
        _speak(turn, around, now_s)
    else:
        call_off(turn, _E.MACHINE, f"no message left: {why}")


def _speak(turn: Turn, around: Surroundings, now_s: float) -> None:
    attempt = _of(turn)
    if turn.interaction.customer.state is LegState.ENDED:
        return
    turn.interaction = turn.interaction.but(attempt=attempt.but(speaks=True))
    lead_through(turn, attempt.wanted.machine_flow, around, now_s)


def _of(turn: Turn) -> Attempt:
    attempt = turn.interaction.attempt
    assert attempt is not None
    return attempt
