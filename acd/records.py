"""What the router keeps: one record per agent, stay and queue. They are what is saved, and nothing else is.

Changed in place, but only after `Turn.agent/stay/queue` has taken their picture (acd/turn.py), so that an event whose
handler raises leaves no trace. Times are UTC seconds; 0 means never.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.agent import Presence
from core.assignment import AssignmentState
from core.queue_facts import CalledFirst, StayMode
from core.stay import StayState


class Assignment(msgspec.Struct, omit_defaults=True):
    """One agent's work on one interaction. `since_s`: when its present state began; `*_s` sums: time spent so far in
    each part, without the part that still goes on. `ends_s`: when ringing is given up or wrap-up ends by itself."""

    interaction_id: str
    stay_id: str
    offer_id: str
    queue: str
    channel: str
    units: int
    since_s: float
    ends_s: float = 0.0
    state: AssignmentState = AssignmentState.OFFERED
    purpose: str = "serve"
    waited_s: float = 0.0
    ringing: bool = False
    ring_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0
    consult_s: float = 0.0
    how: str = ""
    extended_s: float = 0.0
    disposition: str = ""
    notes: int = 0
    """How many were written; their text is in the journal's events alone, under the contact's key."""
    callback_at_s: float = 0.0


class Agent(msgspec.Struct, omit_defaults=True):
    """`assignments`: by interaction id, none of them done. `idle_since_s`: end of the last handled contact, or login.
    `offered_s`: queue -> last offer from it. `breaks_s`: reason -> seconds taken since login. `removed`: configuration
    knows her no more; she goes when her work ends."""

    tenant: str
    agent_id: str
    presence: Presence = Presence.LOGGED_OUT
    reason: str = ""
    since_s: float = 0.0
    pending: str = ""
    """What she asked for during work: not_ready or log_out."""
    pending_reason: str = ""
    device: str = ""
    reachable: bool = True
    on_phone: tuple[str, ...] = ()
    """Interactions that her device called in."""
    line_leg_id: str = ""
    line_interaction_id: str = ""
    line_node: str = ""
    ronas: int = 0
    idle_since_s: float = 0.0
    rest_until_s: float = 0.0
    logged_in_s: float = 0.0
    occupied_s: float = 0.0
    """Seconds of work done since login."""
    limit_told: bool = False
    offered_s: dict[str, float] = {}
    breaks_s: dict[str, float] = {}
    handled: int = 0
    day_ends_s: float = 0.0
    removed: bool = False
    kept_for: tuple[str, ...] = ()
    """Interactions that dial her phone, or somebody for her alone: nobody else is put through to her."""
    assignments: dict[str, Assignment] = {}

    @property
    def key(self) -> tuple[str, str]:
        return (self.tenant, self.agent_id)

    @property
    def row_id(self) -> str:
        return f"{self.tenant}/{self.agent_id}"

    @property
    def gone(self) -> bool:
        """Removed, and nothing of hers is left to do."""
        return self.removed and self.presence is Presence.LOGGED_OUT and not self.assignments


class Kept(msgspec.Struct, omit_defaults=True):
    """What an agent wrote in a wrap-up that her customer cut short by coming back; hers again when she takes it."""

    agent_id: str
    queue: str
    disposition: str = ""
    notes: int = 0
    callback_at_s: float = 0.0


class Promise(msgspec.Struct, frozen=True):
    """An estimator's word: the likely wait, and how far from it most waits end."""

    likely_s: float
    spread_s: float


class Stay(msgspec.Struct, omit_defaults=True):
    """One contact's wait in one queue, or for the agent `agent_id` in person, by whichever queue she wraps up.

    `number`: order of arrival among those who wait. `offers`: offer id -> agent, while they ring. `refused`: agent ->
    not offered to her before. `patience_ends_s`: only its preferred agent until then. `told_s`: next announcement.
    `joined_at`: the place it began at, 0 when there was nothing to wait for; `promised`: by each estimator, then."""

    stay_id: str
    interaction_id: str
    tenant: str
    queue: str
    joined_s: float
    number: int
    channel: str = "call"
    priority: int = 0
    skills: str = ""
    value: float = 0.0
    preferred_agent: str = ""
    agent_id: str = ""
    waited_before_s: float = 0.0
    language: str = ""
    node: str = ""
    purpose: str = "serve"
    excluded: tuple[str, ...] = ()
    state: StayState = StayState.WAITING
    step: int = 0
    offers: dict[str, str] = {}
    offers_made: int = 0
    refused: dict[str, float] = {}
    patience_ends_s: float = 0.0
    told_s: float = 0.0
    joined_at: int = 0
    promised: tuple[Promise | None, ...] = ()
    kept: Kept | None = None
    mode: StayMode = "live"
    first: CalledFirst | Literal[""] = ""
    """Who is called first; empty for who has never agreed on a callback."""
    again_s: float = 0.0
    called: bool = False
    """She is being called, customer first."""
    head: bool = False
    look_s: float = 0.0
    """When it is next asked how near her turn is."""
    virtual_s: float = 0.0
    """How long she has been away before `virtual_since_s`."""
    virtual_since_s: float = 0.0

    @property
    def in_person(self) -> bool:
        """One agent is wanted and nobody else will do."""
        return bool(self.agent_id)

    @property
    def counted(self) -> bool:
        """Boards count it among those who wait in its queue: not who is meant for one agent, nor a colleague who
        consults."""
        return not self.in_person and self.purpose != "consult"

    @property
    def queue_key(self) -> tuple[str, str]:
        return (self.tenant, self.queue)

    @property
    def began_s(self) -> float:
        """When it would have joined if all its waiting had been here."""
        return self.joined_s - self.waited_before_s


class Day(msgspec.Struct, omit_defaults=True):
    """A queue's day so far: how many contacts. `late_abandoned`: those of `abandoned` past the target."""

    offered: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    late_abandoned: int = 0
    short_abandoned: int = 0
    callback: int = 0
    voicemail: int = 0
    left_by_key: int = 0
    overflowed: int = 0
    closed: int = 0
    lost: int = 0


class Score(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an estimator of waits has done: promises judged, moving mean of its errors, how wide its ranges are."""

    judged: int = 0
    error_s: float = 0.0
    width: float = 1.0


class Pace(msgspec.Struct, omit_defaults=True):
    """How quickly a queue is served. `gap_s`, `gap_deviation_s`: moving mean and mean deviation of the time between two
    answers while somebody waited; `work_s`: moving mean of talk and wrap-up. `last_wait_s`, `last_place`: of the last
    one answered who had to wait, and where she stood when she came. `scores`: of each estimator."""

    gap_s: float = 0.0
    gap_deviation_s: float = 0.0
    work_s: float = 0.0
    answers: int = 0
    last_answer_s: float = 0.0
    last_wait_s: float = 0.0
    last_place: int = 0
    scores: tuple[Score, ...] = ()


class Queue(msgspec.Struct, omit_defaults=True):
    """`forced`: open or closed by a supervisor's hand, empty: by its hours."""

    tenant: str
    queue: str
    forced: str = ""
    day_ends_s: float = 0.0
    today: Day = msgspec.field(default_factory=Day)
    pace: Pace = msgspec.field(default_factory=Pace)

    @property
    def key(self) -> tuple[str, str]:
        return (self.tenant, self.queue)

    @property
    def row_id(self) -> str:
        return f"{self.tenant}/{self.queue}"
