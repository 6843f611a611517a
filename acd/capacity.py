"""Whether an agent can take one more contact of a channel: presence, phone, rest, units of capacity, and whether she is
kept for somebody who is being dialed for her.

Contacts take units of her capacity (agent 100; call 100, chat 25, email 10, unless overridden). What she already has
counts, except contacts of another channel that the new one may interrupt: a call may come in over an email.
"""

from __future__ import annotations

from dataclasses import dataclass

from acd.records import Agent
from acd.setup import AgentSetup, Setup
from core.agent import Presence

VOICE = "call"
FULL = 100
"""Units of a channel the site says nothing about."""


@dataclass(frozen=True, slots=True)
class Need:
    """What one contact of a channel takes of an agent, and the other channels it may interrupt."""

    channel: str
    units: int
    capacity: int
    interrupts: frozenset[str]


def needs(person: AgentSetup, setup: Setup) -> tuple[Need, ...]:
    """Of every channel the site has."""
    return tuple(
        Need(name, units(person, name, setup), person.capacity, channel.interrupts)
        for name, channel in setup.channels.items()
    )


def units(person: AgentSetup, channel: str, setup: Setup) -> int:
    """What one contact of the channel takes of her."""
    own = person.units.get(channel)
    if own is not None:
        return own
    known = setup.channels.get(channel)
    return known.units if known is not None else FULL


def room(agent: Agent, need: Need) -> bool:
    """Whether one more contact fits beside what she has."""
    taken, channel, over = need.units, need.channel, need.interrupts
    for work in agent.assignments.values():
        if work.channel == channel or work.channel not in over:
            taken += work.units
    return taken <= need.capacity


def hindrance(
    agent: Agent, person: AgentSetup, channel: str, setup: Setup, now_s: float, interaction_id: str = ""
) -> str:
    """Why she cannot be offered a contact of the channel now, in a word; empty when she can. `interaction_id`: the
    contact's, which may be the one she is kept for."""
    if agent.presence is not Presence.READY:
        return "logged_out" if agent.presence is Presence.LOGGED_OUT else f"not_ready:{agent.reason}"
    if agent.pending:
        return f"pending:{agent.pending}"
    known = setup.channels.get(channel)
    over = known.interrupts if known is not None else frozenset[str]()
    hindered = _hindered(agent, Need(channel, units(person, channel, setup), person.capacity, over), now_s)
    if not hindered and agent.kept_for and interaction_id not in agent.kept_for:
        return "kept"
    return hindered


def open_to(agent: Agent, needs_: tuple[Need, ...], now_s: float) -> tuple[str, ...]:
    """The channels of which she can be offered a contact now."""
    if agent.presence is not Presence.READY or agent.pending or agent.kept_for or agent.rest_until_s > now_s:
        return ()
    phone = agent.line_leg_id or (agent.device and agent.reachable and not agent.on_phone)
    return tuple([need.channel for need in needs_ if (phone or need.channel != VOICE) and room(agent, need)])


def _hindered(agent: Agent, need: Need, now_s: float) -> str:
    if not room(agent, need):
        return "busy"
    if need.channel == VOICE and not agent.line_leg_id:
        if not agent.device:
            return "no_phone"
        if not agent.reachable:
            return "unreachable"
        if agent.on_phone:
            return "on_phone"
    return "resting" if agent.rest_until_s > now_s else ""
