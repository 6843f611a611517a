"""Whether an agent can take one more contact of a channel: presence, phone, rest, and units of capacity.

Contacts take units of her capacity (agent 100; call 100, chat 25, email 10, unless overridden). What she already has
counts, except contacts of another channel that the new one may interrupt: a call may come in over an email.
"""

from __future__ import annotations

from acd.records import Agent
from acd.setup import AgentSetup, Setup
from core.agent import Presence

VOICE = "call"
FULL = 100
"""Units of a channel the site says nothing about."""


def units(person: AgentSetup, channel: str, setup: Setup) -> int:
    """What one contact of the channel takes of her."""
    own = person.units.get(channel)
    if own is not None:
        return own
    known = setup.channels.get(channel)
    return known.units if known is not None else FULL


def room(agent: Agent, person: AgentSetup, channel: str, setup: Setup) -> bool:
    """Whether one more contact of the channel fits beside what she has."""
    wanted = units(person, channel, setup)
    if not agent.assignments:
        return wanted <= person.capacity
    known = setup.channels.get(channel)
    over = known.interrupts if known is not None else frozenset()
    taken = wanted
    for work in agent.assignments.values():
        if work.channel == channel or work.channel not in over:
            taken += work.units
    return taken <= person.capacity


def hindrance(agent: Agent, person: AgentSetup, channel: str, setup: Setup, now_s: float) -> str:
    """Why she cannot be offered a contact of the channel now, in a word; empty when she can."""
    if agent.presence is not Presence.READY:
        return "logged_out" if agent.presence is Presence.LOGGED_OUT else f"not_ready:{agent.reason}"
    if agent.pending:
        return f"pending:{agent.pending}"
    if not room(agent, person, channel, setup):
        return "busy"
    if channel == VOICE and not agent.line_leg_id:
        if not agent.device:
            return "no_phone"
        if not agent.reachable:
            return "unreachable"
    if agent.rest_until_s > now_s:
        return "resting"
    return ""
