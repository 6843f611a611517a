"""Where somebody can be sent or asked: what `agent:ana`, `queue:sales`, `flow:survey`, `device:1001` or a number means
here, and how a leg is dialed by an outbound rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.leg import LegRole
from definitions.layout import place_of
from engine.config.outbound import Permitted, Refused
from engine.interaction import Surroundings, Turn
from engine.ringing import ring

RING_S = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """`name`: the agent, queue or flow. `permitted`: by which rule and over what a number or device is dialed."""

    kind: Literal["agent", "queue", "flow", "dial"]
    name: str = ""
    permitted: Permitted | None = None


def find(turn: Turn, target: str, around: Surroundings) -> Target | str:
    """What it means for this interaction's tenant, or why it means nothing, in words. A number that a flow answers is
    that flow."""
    tenant = turn.interaction.tenant
    kind, _, name = target.partition(":")
    match kind:
        case "agent":
            known = (tenant, name) in around.routing.agents
            return Target("agent", name) if known else _unknown("agent", name, tenant, "config/agents.yaml")
        case "queue":
            known = (tenant, name) in around.routing.queues
            return Target("queue", name) if known else _unknown("queue", name, tenant, "config/queues/")
        case "flow":
            release = around.releases[turn.interaction.release_id]
            known = release.flow(tenant, name) is not None
            return Target("flow", name) if known else _unknown("flow", name, tenant, "flows/")
    route = around.numbers.exactly(target, tenant)
    if route is not None and route.tenant == tenant:
        return Target("flow", route.flow)
    verdict = around.outbound.permit(target, tenant, around.dialed)
    if isinstance(verdict, Refused):
        turn.note("outbound_refused", verdict.why)
        return verdict.why
    return Target("dial", permitted=verdict)


def _unknown(kind: str, name: str, tenant: str, where: str) -> str:
    return f"there is no {kind} '{name}': look at {place_of(tenant, where)}"


def dial(
    turn: Turn,
    permitted: Permitted,
    role: LegRole,
    around: Surroundings,
    now_s: float,
    ring_s: float = RING_S,
    caller: str = "",
) -> str:
    """Rings it; the id of the leg. `caller`: the number it shows, when that is not the usual one."""
    interaction = turn.interaction
    inside = permitted.endpoint.startswith("device:")
    leg_id = f"{turn.interaction_id}.x{turn.number()}"
    turn.dialed_by = permitted.rule
    turn.note("outbound_permitted", permitted.rule)
    ours = caller or interaction.identity
    shown = interaction.theirs if inside else ours or permitted.caller
    failover = permitted.ways_left(ours)
    ring(turn, leg_id, role, permitted.endpoint, shown, ring_s, around.outbound, now_s, failover=failover)
    return leg_id
