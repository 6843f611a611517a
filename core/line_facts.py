"""Facts about held lines: legs that are lent to conversations."""

from __future__ import annotations

from typing import Literal

from core.frozen import dataclass


@dataclass(frozen=True, slots=True)
class LineChanged:
    """An agent's held line came up or went down; `leg_id` is its leg, `interaction_id` the line's own interaction.
    `node`: where it lives; a conversation on another node rings her phone instead."""

    interaction_id: str
    tenant: str
    agent_id: str
    leg_id: str
    up: bool
    node: str = ""


@dataclass(frozen=True, slots=True)
class LineParty:
    """News of a leg that is lent (a held line's, a supervisor's), for the interaction that it is lent to."""

    interaction_id: str
    leg_id: str
    what: Literal["ended", "digit", "adopted", "played"]
    digit: str = ""
    bridge_id: str = ""
    playback_id: str = ""
    vanished: bool = False
    """It ended without anybody's wish."""


@dataclass(frozen=True, slots=True)
class LineUsed:
    """For the line's own interaction: `talking_in` is the interaction its leg is lent to, empty when it is free."""

    interaction_id: str
    leg_id: str
    talking_in: str = ""


@dataclass(frozen=True, slots=True)
class LineReleased:
    """The agent whose held line this is has logged out: its call ends."""

    interaction_id: str
    leg_id: str


@dataclass(frozen=True, slots=True)
class LineRingback:
    """For the line's own interaction: somebody is being dialed for her (`dialed_in`: the interaction), and she hears it
    ring; or no longer."""

    interaction_id: str
    leg_id: str
    dialed_in: str
    on: bool
