"""What every pacing method is: asked how many attempts to start now, told what became of them.

    pacer = METHODS[settings.method](settings)
    due = pacer.dials_due(pool, now_s)          after every event of the campaign, and about twice a second
    pacer.record(Ended("person", ring_s=11.4), now_s)
    body = pacer.save()                         in the snapshot; a restarted engine restores it and goes on alike

Attempts and answers are told in this order: `Ended` when an attempt has stopped ringing and what answered is known
(a person, a machine) or nothing did; for a person then `Served` or `Abandoned`; of a conversation `TalkEnded`, then
`WrapUpEnded`. A method reads no clock and no chance: the same calls give the same answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import msgspec

from dialer.pacing.pool import Pool

AnsweredBy = Literal["person", "machine", "none", "busy", "failed"]


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt rang for `ring_s` seconds; `none`: it rang out or was cancelled."""

    answered_by: AnsweredBy
    ring_s: float


@dataclass(frozen=True, slots=True)
class Served:
    """A person reached an agent, `wait_s` after she answered."""

    wait_s: float


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A person answered and no agent was there in time."""


@dataclass(frozen=True, slots=True)
class TalkEnded:
    talk_s: float


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    wrap_s: float


Outcome = Ended | Served | Abandoned | TalkEnded | WrapUpEnded


@dataclass(frozen=True, slots=True)
class Due:
    """Start `count` attempts now (never negative). `why`: a short sentence for the campaign's manager."""

    count: int
    why: str


class PacingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a campaign wants to be paced.

    `ratio`: lines per ready agent (method ratio only). `target_share`: the share of abandoned answers to aim at, short
    of the cap; None: a little under whatever cap applies. `most_lines_per_agent`: lines in flight for each agent
    logged in, at most. `occupancy_ceiling`: the share of their time agents may be at work, over a quarter of an hour;
    None: no rest is owed. `agent_within_s`: how long an answered person may wait before she counts as abandoned.
    """

    method: str = "predictive"
    ratio: float = 1.5
    target_share: float | None = None
    most_lines_per_agent: float = 10.0
    occupancy_ceiling: float | None = None
    agent_within_s: float = 2.0

    def __post_init__(self) -> None:
        """
        Raises:
            ValueError: a setting is outside what makes sense; the sentence says which, and what to write.
        """
        if not 1.0 <= self.ratio <= 20.0:
            raise ValueError(f"ratio: {self.ratio:g} lines per ready agent: give 1 to 20")
        if self.target_share is not None and not 0.0 <= self.target_share < 1.0:
            raise ValueError(f"target_share: {self.target_share:g} is no share: 0.028 means 2.8%")
        if not 1.0 <= self.most_lines_per_agent <= 100.0:
            raise ValueError(f"most_lines_per_agent: {self.most_lines_per_agent:g}: give 1 to 100")
        if self.occupancy_ceiling is not None and not 0.1 <= self.occupancy_ceiling <= 1.0:
            raise ValueError(
                f"occupancy_ceiling: {self.occupancy_ceiling:g}: give a share from 0.1 to 1, or leave it out"
            )
        if not 0.0 <= self.agent_within_s <= 10.0:
            raise ValueError(f"agent_within_s: {self.agent_within_s:g} s: give 0 to 10")


class Pacer(Protocol):
    def dials_due(self, pool: Pool, now_s: float) -> Due:
        """How many attempts to start now, and why. `now_s` never goes back."""
        ...

    def record(self, outcome: Outcome, now_s: float) -> None: ...

    def save(self) -> bytes:
        """All that was learnt, versioned."""
        ...

    def restore(self, body: bytes) -> None:
        """Go on from `save`.

        Raises:
            CannotRestore: another method or version saved it; start afresh.
        """
        ...


class CannotRestore(Exception):
    """What was saved is of another method or version: the pacer keeps what it has and learns anew."""
