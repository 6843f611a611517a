"""What a pacing method sees of a campaign at one moment: its agents, its lines, its legal window.

    dialing/ringing          screening              waiting                  agents
ringing_s: age of each  ->  answered, being   ->  people, no agent yet  ->  ready | busy (state, seconds in it)
                            listened to
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BusyState = Literal["reserved", "talk", "hold", "wrap_up"]


@dataclass(frozen=True, slots=True)
class BusyAgent:
    """`for_s`: how long she has been in `state`. Reserved: she is being connected, or looks at a lead before it is
    dialed."""

    state: BusyState
    for_s: float


@dataclass(frozen=True, slots=True)
class Pool:
    """One campaign at one moment.

    `ready`: agents who could take an answered call at once (held line up, capacity free); those for whom somebody is
    `waiting` are still counted. `busy`: agents of this campaign at work. `ringing_s`: the age of every attempt dialing
    or ringing, seconds. `screening`: attempts answered, the detector listening. `waiting`: live persons without an
    agent. `live`, `abandoned`: answers by persons, and how many of them found nobody, in the legal window (the
    tightest of several). `spare`: how many more may be abandoned before a cap is broken (`Tally.spare`; a very large
    number where nothing limits). `most`: the cap as a share; 0 means that nobody may be abandoned. `window_left_s`:
    seconds until the legal window ends.
    """

    ready: int = 0
    busy: tuple[BusyAgent, ...] = ()
    ringing_s: tuple[float, ...] = ()
    screening: int = 0
    waiting: int = 0
    live: int = 0
    abandoned: int = 0
    spare: int = 0
    most: float = 0.0
    window_left_s: float = 0.0

    @property
    def agents(self) -> int:
        return self.ready + len(self.busy)

    @property
    def in_flight(self) -> int:
        """Attempts that may still ask for an agent, or already do."""
        return len(self.ringing_s) + self.screening + self.waiting

    @property
    def nobody_may_be_abandoned(self) -> bool:
        """The cap is zero, or used up: one line for each ready agent and no more."""
        return self.most <= 0.0 or self.spare <= 0
