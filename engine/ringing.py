"""A leg we dial: the interaction has it from now on, and its node is asked to ring it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.agent_facts import PhoneUsed
from core.decisions import LegJoined
from core.leg import Leg, LegEvent, LegRole
from core.leg_commands import ListenToLeg, OriginateLeg, Way

if TYPE_CHECKING:
    from engine.config.outbound import OutboundRules
    from engine.interaction import Turn


def ring(
    turn: Turn,
    leg_id: str,
    role: LegRole,
    endpoint: str,
    caller: str,
    ring_s: float,
    rules: OutboundRules,
    now_s: float,
    *,
    auto_answer: bool = False,
    caller_name: str = "",
    listen: ListenToLeg | None = None,
    failover: tuple[Way, ...] = (),
) -> None:
    """From the customer's node, for `ring_s` seconds: a conversation's legs meet on one node, and a phone of another
    one is reached by relay. `caller`: whom it shows."""
    interaction = turn.interaction
    kind, _, device = endpoint.partition(":")
    if kind != "device" or role is LegRole.AGENT:
        device = ""
    leg = Leg(leg_id, role, interaction.customer.node, since_s=now_s, device=device)
    turn.interaction = interaction.with_leg(leg)
    turn.decisions.append(LegJoined(interaction.interaction_id, leg_id, role.value, leg.node))
    turn.advance(leg, LegEvent.DIAL, now_s)
    if device:
        turn.facts.append(PhoneUsed(interaction.interaction_id, device, used=True, rung=True))
    command = OriginateLeg(
        leg_id=leg_id,
        interaction_id=interaction.interaction_id,
        node=leg.node,
        role=role,
        endpoint=rules.seen_from(endpoint, leg.node),
        caller=caller,
        ring_s=ring_s,
        limit_s=rules.limit_s,
        auto_answer=auto_answer,
        caller_name=caller_name,
        listen=listen,
        failover=failover,
    )
    turn.commands.append(command)
    if failover:
        turn.interaction = turn.interaction.but(ways={**turn.interaction.ways, leg_id: command})
