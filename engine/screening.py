"""Who listens whether a person answered. This one believes that everybody is: it says so at once."""

from __future__ import annotations

from core.dialing import AttemptScreened
from engine.contact import Attempt
from engine.interaction import Turn

LONGEST_S = 4.0
"""A verdict that takes longer is not waited for: she is taken for a person who hears nothing."""


def begin(turn: Turn, attempt: Attempt) -> None:
    """Somebody has answered. The verdict comes as `AttemptScreened`, within `LONGEST_S` or not at all."""
    turn.facts.append(
        AttemptScreened(turn.interaction_id, attempt.wanted.attempt_id, "human", why="nobody listens yet")
    )
