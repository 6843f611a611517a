"""Who was called for a campaign has answered: a detector listens who it is, then somebody has her."""

from __future__ import annotations

from dataclasses import replace

from core.attempt import AttemptEvent, AttemptState
from core.commands import CancelTimer, StartTimer
from engine import machines, screening
from engine.answered import deadline_passed, serve
from engine.calling import CALLING, CANCEL, RING
from engine.contact import Attempt
from engine.interaction import Surroundings, Turn
from engine.progress import PICKED_UP, TIMER, call_off, progress
from engine.screening import Screened

SCREEN = f"{TIMER}screen"
SERVED = (AttemptState.ANSWERED, AttemptState.CONNECTED)

_S, _E = AttemptState, AttemptEvent


def answered(turn: Turn, late_s: float, around: Surroundings, now_s: float) -> None:
    """`late_s`: so long ago."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state not in CALLING:
        progress(turn, _E.ANSWERED)  # it crossed our hang-up on the wire
        return
    attempt = up(turn, now_s - late_s)
    if not attempt.wanted.screen:
        serve(turn, 0.0, around, now_s)
        return
    if attempt.wanted.bridge_first:
        serve(turn, 0.0, around, now_s)
    else:
        progress(turn, _E.SCREEN)
    turn.commands.append(StartTimer(turn.interaction_id, SCREEN, now_s - late_s + screening.longest_s(attempt.wanted)))


def up(turn: Turn, answered_s: float, why: str = "") -> Attempt:
    """Her phone rings no longer; nothing is done for her yet."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    turn.commands.append(CancelTimer(turn.interaction_id, RING))
    if attempt.cancelled:
        turn.commands.append(CancelTimer(turn.interaction_id, CANCEL))
    attempt = attempt.but(answered_s=answered_s, cancelled="")
    turn.interaction = turn.interaction.but(attempt=attempt)
    progress(turn, _E.ANSWERED, why=why)
    return attempt


def screened(turn: Turn, found: Screened, around: Surroundings, now_s: float) -> None:
    """What a detector has found, or that it was too late for it."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state is _S.LEAVING_MESSAGE:
        machines.heard(turn, found, around, now_s)
        return
    calling, network = attempt.state in CALLING, found.verdict in ("busy", "failed", "invalid")
    listened = attempt.state is _S.SCREENING and not _has_somebody(turn)
    beside = attempt.wanted.bridge_first and attempt.state in SERVED and not attempt.heard_out
    if not (calling or listened or beside) or (not found.final and attempt.wanted.on_machine == "hang_up"):
        return
    turn.note("screened", f"{found.verdict}: {found.why}")
    heard = attempt.but(verdict=found.verdict, evidence=found.why, greeted_s=found.greeted_s)
    turn.interaction = turn.interaction.but(attempt=heard)
    if not calling:
        turn.commands.append(CancelTimer(turn.interaction_id, SCREEN))
    if found.verdict in ("machine", "fax"):
        machines.found(turn, found, around, now_s)
    elif network and calling:
        call_off(turn, _E(found.verdict), found.why)
    elif network:  # answered by the network, not by her
        machines.found(turn, replace(found, verdict="machine"), around, now_s)
    elif calling and found.verdict == "unknown":
        nobody_listens(turn)
    elif listened:
        serve(turn, found.greeted_s, around, now_s)
    elif beside:
        turn.interaction = turn.interaction.but(attempt=heard.but(heard_out=True))


def listened_out(turn: Turn) -> None:
    """It has been with an agent for so long that it is a person."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state in SERVED and not attempt.heard_out:
        turn.interaction = turn.interaction.but(attempt=attempt.but(heard_out=True))
        turn.commands.append(screening.dismissed(attempt))


def nobody_listens(turn: Turn) -> None:
    """Not any more, before she has answered: then whoever answers is a person."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    turn.interaction = turn.interaction.but(attempt=attempt.but(wanted=replace(attempt.wanted, screen=False)))


def unheard(turn: Turn, why: str, around: Surroundings, now_s: float) -> None:
    """Nobody has her, through no wish of hers."""
    attempt = turn.interaction.attempt
    if attempt is not None and attempt.state in PICKED_UP and turn.interaction.talk is None:
        deadline_passed(turn, around, now_s, why)


def _has_somebody(turn: Turn) -> bool:
    """A verdict has come already."""
    return turn.interaction.waiting is not None or turn.interaction.talk is not None
