"""Whether somebody may be called back: how her queue does it, and which rules allow it."""

from __future__ import annotations

from acd.setup import Callbacks
from engine.config.outbound import Refused
from engine.interaction import Surroundings, Turn


def settings_of(turn: Turn, queue: str, around: Surroundings) -> Callbacks | None:
    """None when the queue calls nobody back."""
    setup = around.routing.queues.get((turn.interaction.tenant, queue))
    return setup.callback if setup is not None else None


def forbidden(turn: Turn, number: str, settings: Callbacks, around: Surroundings) -> str:
    """Why this number may not be called, in words; empty when it may."""
    rules, tenant = around.outbound, turn.interaction.tenant
    if {number, rules.normalise(number)} & rules.emergency_numbers:
        return "nobody is called back at an emergency number"
    if why := around.listed(tenant, number):
        return why
    verdict = rules.permit(number, tenant, around.dialed)
    if isinstance(verdict, Refused):
        return verdict.why
    if settings.rule and verdict.rule != settings.rule:
        return f"only rule {settings.rule} may be used, and this number is of rule {verdict.rule}"
    return ""
