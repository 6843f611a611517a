"""An attempt moves on: its state, and the dialer who is told."""

from __future__ import annotations

from core.agent_facts import AgentKept
from core.attempt import ATTEMPT_TABLE, AttemptEvent, AttemptState
from core.decisions import Moved
from core.dialing import AttemptProgressed, AttemptWanted
from core.leg import EndReason, LegState
from core.leg_commands import HangUpLeg
from engine.interaction import Turn

TIMER = "attempt:"
"""How the ids of an attempt's timers begin."""


PICKED_UP = (AttemptState.ANSWERED, AttemptState.SCREENING)
"""Somebody, or something, is there, and nobody of ours has her yet."""


def progress(turn: Turn, event: AttemptEvent, cause: int = 0, why: str = "", agent_id: str = "") -> None:
    """One move, told once. What comes late moves nothing.

    Raises:
        EventRefused: the attempt cannot do that now.
    """
    attempt = turn.interaction.attempt
    assert attempt is not None
    attempt_id = attempt.wanted.attempt_id
    state, transition = ATTEMPT_TABLE.advance(attempt_id, attempt.state, event)
    if transition is None:
        return
    turn.interaction = turn.interaction.but(attempt=attempt.but(state=state))
    turn.decisions.append(Moved(transition))
    if state.is_over or state is AttemptState.CONNECTED:
        keep(turn, attempt.wanted, kept=False)
    heard = (attempt.verdict, attempt.evidence, attempt.greeted_s, turn.interaction.identity)
    turn.facts.append(AttemptProgressed(turn.interaction_id, attempt_id, event.value, cause, why, agent_id, *heard))


def keep(turn: Turn, wanted: AttemptWanted, kept: bool) -> None:
    """The agent for whom alone somebody is dialed takes nobody else meanwhile."""
    if wanted.agent_id:
        turn.facts.append(AgentKept(turn.interaction_id, wanted.tenant, wanted.agent_id, kept))


def call_off(turn: Turn, event: AttemptEvent, why: str) -> None:
    """It is over by our decision: her leg is hung up, and if she answers all the same that is told too."""
    progress(turn, event, why=why)
    close_with(turn)
    customer = turn.interaction.customer
    if customer.state is not LegState.ENDED:
        reason = EndReason.NO_ANSWER if event is AttemptEvent.NO_ANSWER else EndReason.HUNG_UP_BY_US
        turn.commands.append(HangUpLeg(customer.leg_id, reason))


def close_with(turn: Turn) -> None:
    """Nobody was reached: the interaction ends as the attempt did."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    turn.interaction = turn.interaction.but(outcome=turn.interaction.outcome or attempt.state.value)
