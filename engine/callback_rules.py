"""Whether somebody may be called back: how her queue does it, and which rules allow it."""

from __future__ import annotations

from acd.setup import Callbacks
from engine.config.outbound import Permitted, Refused
from engine.interaction import Surroundings, Turn


def settings_of(turn: Turn, queue: str, around: Surroundings) -> Callbacks | None:
    """None when the queue calls nobody back."""
    setup = around.routing.queues.get((turn.interaction.tenant, queue))
    return setup.callback if setup is not None else None


def permit(turn: Turn, number: str, settings: Callbacks, around: Surroundings) -> Permitted | Refused:
    """How this number is called, or why it may not be, in words. Who is on a do-not-call list is not called at all."""
    rules, tenant = around.outbound, turn.interaction.tenant
    if {number, rules.normalise(number)} & rules.emergency_numbers:
        return Refused("nobody is called back at an emergency number")
    if why := around.listed(tenant, number):
        return Refused(why)
    verdict = rules.permit(number, tenant, around.dialed)
    if isinstance(verdict, Permitted) and settings.rule and verdict.rule != settings.rule:
        return Refused(f"only rule {settings.rule} may be used, and this number is of rule {verdict.rule}")
    return verdict
