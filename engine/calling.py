"""A campaign's call that has not been answered: it rings, is given up or called off, or cannot be dialed at all."""

from __future__ import annotations

from core.attempt import AttemptEvent, AttemptState
from core.commands import StartTimer
from core.errors import CommandRefused
from core.events import CommandOutcomeUnknown, CommandRejected
from core.leg import EndReason, LegEvent, LegState
from core.leg_commands import HangUpLeg
from engine.contact import Attempt
from engine.departures import SETUP_S
from engine.interaction import Turn
from engine.progress import TIMER, call_off, close_with, progress

RING, CANCEL = f"{TIMER}ring", f"{TIMER}cancel"
CALLING = (AttemptState.DIALING, AttemptState.RINGING)
_REFUSED = f"{CommandRefused.__name__}: "
"""How lanes begin to say why a node refused."""

_S, _E = AttemptState, AttemptEvent


def rings(turn: Turn, now_s: float) -> None:
    """Her phone rings, or is heard before it is answered."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state is not _S.DIALING:
        return
    turn.interaction = turn.interaction.but(attempt=attempt.but(rang_s=now_s))
    progress(turn, _E.RINGING)
    arm(turn, now_s)


def arm(turn: Turn, now_s: float) -> None:
    """How long her phone rings is counted from its first ring, however long the network took. Who never rang, or did
    while nobody watched, has the time that Asterisk gives her."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    rings_s = max(attempt.wanted.ring_s, attempt.wanted.least_ring_s)
    until_s = attempt.rang_s + rings_s if attempt.rang_s else attempt.dialed_s + rings_s + SETUP_S
    turn.commands.append(StartTimer(turn.interaction_id, RING, until_s))
    if attempt.cancelled:
        turn.commands.append(StartTimer(turn.interaction_id, CANCEL, max(now_s, _may_be_cancelled_s(attempt))))


def _may_be_cancelled_s(attempt: Attempt) -> float:
    """The least ring is counted from the first sign of ringing. Where none came, her phone may have begun to ring as
    late as networks take."""
    least_s = attempt.wanted.least_ring_s
    if attempt.rang_s or not least_s:
        return (attempt.rang_s or attempt.dialed_s) + least_s
    return attempt.dialed_s + SETUP_S + least_s


def cancelled(turn: Turn, why: str, now_s: float) -> None:
    """Nobody wants it any more: it is hung up once it has rung as long as it must."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    if attempt.state not in CALLING:
        turn.note("not_cancelled", f"it is {attempt.state.value}: {why}")
        return
    if now_s >= _may_be_cancelled_s(attempt):
        call_off(turn, _E.CANCEL, why)
    elif not attempt.cancelled:
        turn.interaction = turn.interaction.but(attempt=attempt.but(cancelled=why))
        turn.commands.append(StartTimer(turn.interaction_id, CANCEL, _may_be_cancelled_s(attempt)))


def not_dialed(turn: Turn, event: CommandRejected | CommandOutcomeUnknown, now_s: float) -> bool:
    """Whether it was her leg that could not be dialed. It is hung up in case it exists, and counts as ended."""
    leg = turn.interaction.customer
    if leg.leg_id not in (getattr(event, "leg_id", ""), event.subject_id):
        return False
    if leg.state is not LegState.ENDED:
        why = getattr(event, "why", "nobody knows whether it was dialed")
        turn.commands.append(HangUpLeg(leg.leg_id, EndReason.FAILED))
        turn.advance(leg, LegEvent.ENDED, now_s, EndReason.FAILED)
        attempt = turn.interaction.attempt
        waits = attempt is not None and attempt.state is _S.DIALING
        refused = waits and isinstance(event, CommandRejected) and event.refused
        never_left = refused and attempt is not None and not attempt.refused
        progress(turn, _E.NOT_SENT if never_left else _E.FAILED, why=why.removeprefix(_REFUSED))
        close_with(turn)
    return True
