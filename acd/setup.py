"""What admins defined about queues, skills and agents, as the router uses it: plain values, all of one version.

`acd/loader.py` builds a `Setup` from YAML; tests and simulations build one by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Key = tuple[str, str]
"""(tenant, id) of a queue or an agent."""


@dataclass(frozen=True, slots=True)
class AgentSetup:
    """`queues`: those she serves; every queue of the tenant when None. `capacity`: units, 100 unless
    overridden. `device`: her own phone's name inside Asterisk (`main-1001`), empty when she picks one at login.
    `pin`: what she keys to log in at any phone; empty for none."""

    tenant: str
    agent_id: str
    name: str = ""
    skills: Mapping[str, int] = field(default_factory=dict)
    queues: frozenset[str] | None = None
    device: str = ""
    code: str = ""
    pin: str = ""
    capacity: int = 100
    units: Mapping[str, int] = field(default_factory=dict)
    """Channel -> units, where hers differ from the site's."""
    auto_answer: bool = False
    languages: tuple[str, ...] = ()
    rest_s: float | None = None
    """Minimum rest between contacts; None: the site's."""
    supervises: bool = False
    """She may follow her tenant's conversations by phone."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """From `after_s` of waiting on, `skills` is what the queue asks for (empty: nothing). What the flow asked for
    stays. A queue's relaxations are sorted by `after_s`."""

    after_s: float
    skills: str = ""
    priority: int = 0
    """Added to the contact's priority."""


@dataclass(frozen=True, slots=True)
class ServiceLevel:
    """`target` percent answered within `within_s`. `variant`: what abandoned contacts count as."""

    target: float = 80.0
    within_s: float = 20.0
    short_abandon_s: float = 5.0
    variant: Literal["late_abandons_count", "all_abandons_count", "answered_only"] = "late_abandons_count"


@dataclass(frozen=True, slots=True)
class Disposition:
    """One choice of the tree; `path` is `sold/new`, `digits` how a phone keys it."""

    path: str
    title: Mapping[str, str] = field(default_factory=dict)
    digits: str = ""
    leaf: bool = True


@dataclass(frozen=True, slots=True)
class Announcements:
    """What who waits is told. Prompts are the flow language's, kept by the engine beside this."""

    every_s: float = 0.0
    first_s: float = 0.0
    position: bool = False
    ewt: bool = False
    comfort_every_s: float = 0.0


class Hours(Protocol):
    """A calendar. `ivr.calendars.Calendar` behind it; the router only asks."""

    def is_open(self, now_s: float) -> bool: ...

    def changes_at(self, now_s: float) -> float:
        """The next moment (UTC seconds) at which the answer may differ."""
        ...


class Days(Protocol):
    """The site's calendar of days, by which counters start over."""

    def ends_at(self, now_s: float) -> float:
        """The end (UTC seconds, after `now_s`) of the day that `now_s` lies in."""
        ...


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How callers of a queue are called back. `hours`: when; None: always. `ahead_s`: a customer who is called first is
    called when her turn is so near. `ring_s`, `attempts`, `retry_s`: how long, how often, how soon again.
    `expiry_s`: so long after her promise nobody is called any more. `rule`: the outbound rule that must allow it, empty
    for any; `caller`: the number she sees, empty: ours of her call. `min_ewt_s`: announced from this wait on.
    `ring_back`: who has her place by ringing us: whoever shows the number she `confirmed`, that or the one she called
    from (`either`), or nobody (`never`)."""

    first: Literal["agent", "customer"] = "agent"
    hours: Hours | None = None
    ahead_s: float = 25.0
    ring_s: float = 30.0
    attempts: int = 3
    retry_s: float = 300.0
    expiry_s: float = 86_400.0
    rule: str = ""
    caller: str = ""
    min_ewt_s: float = 120.0
    ring_back: Literal["confirmed", "either", "never"] = "confirmed"


@dataclass(frozen=True, slots=True)
class QueueSetup:
    """Seconds everywhere. `skills`: requirement, a boolean expression with levels (`language.es >= 3 and billing`).

    Order: a contact's score is `priority * priority_weight + ageing * waited_s + value * value_weight + urgency`;
    `acd/order.py` states the formula.
    """

    tenant: str
    queue: str
    title: str = ""
    skills: str = ""
    relaxations: tuple[Relaxation, ...] = ()
    strategy: str = "longest_idle"
    strategy_options: Mapping[str, float] = field(default_factory=dict)
    priority: int = 0
    ageing: float = 1.0
    value_weight: float = 0.0
    service_level: ServiceLevel = ServiceLevel()
    ring_s: float = 20.0
    rona_after: int = 1
    """Offers in a row that ring out before she is made not ready."""
    refused_again_s: float = 30.0
    """Who refused or let ring a contact is not offered it again for this long."""
    patience_s: float = 15.0
    """How long a contact waits for its preferred agent alone."""
    wrap_up_s: float = 30.0
    """0: no wrap-up."""
    wrap_up_extend_s: float = 60.0
    """The most an agent may add by extending."""
    disposition_required: bool = False
    dispositions: tuple[Disposition, ...] = ()
    max_waiting: int = 0
    max_wait_s: float = 0.0
    no_agents: Literal["leave", "wait"] = "leave"
    """When nobody who could ever take it is logged in."""
    overflow_to: str = ""
    """Queue that gets who waited `max_wait_s`; empty: the flow's `overflowed` branch."""
    hours: Hours | None = None
    """None: always open."""
    announcements: Announcements = Announcements()
    auto_answer: bool = False
    music: str = "default"
    record_percent: float = 0.0
    callback: Callbacks | None = None
    """None: nobody is called back at her place."""
    script: Mapping[str, str] = field(default_factory=dict)
    """What agents say, by language; their pages show it."""


@dataclass(frozen=True, slots=True)
class NotReadyReason:
    """`limit_s` 0: none. `per_hour_s`: so much of it is due each hour worked (a screen break); `paid`: for reports."""

    reason: str
    title: Mapping[str, str] = field(default_factory=dict)
    digits: str = ""
    paid: bool = True
    limit_s: float = 0.0
    per_hour_s: float = 0.0
    chosen: bool = True
    """False: agents do not choose it, others give it."""
    system: bool = False
    """Given by the system alone: `rona`, `unreachable`, `login`."""


@dataclass(frozen=True, slots=True)
class Channel:
    """`units`: what one contact of it takes of an agent. `interrupts`: channels whose contacts do not keep an
    agent from being offered one of this."""

    channel: str
    units: int = 100
    interrupts: frozenset[str] = frozenset()


CHANNELS: Mapping[str, Channel] = {
    "call": Channel("call", 100, frozenset({"email"})),
    "chat": Channel("chat", 25, frozenset({"email", "chat"})),
    "email": Channel("email", 10, frozenset({"email"})),
}


@dataclass(frozen=True, slots=True)
class Setup:
    """One consistent version of everything the router goes by."""

    release_id: str = ""
    agents: Mapping[Key, AgentSetup] = field(default_factory=dict)
    queues: Mapping[Key, QueueSetup] = field(default_factory=dict)
    reasons: Mapping[Key, NotReadyReason] = field(default_factory=dict)
    channels: Mapping[str, Channel] = field(default_factory=lambda: dict(CHANNELS))
    fallbacks: Mapping[Key, str] = field(default_factory=dict)
    """Removed queue -> queue that takes who still waits in it."""
    rest_s: float = 0.0
    skills: frozenset[str] = frozenset()
    days: Days | None = None
    """None: days of UTC."""
    devices: frozenset[str] = frozenset()
    """The phones there are, by their names inside Asterisk (`main-1001`); empty when nobody knows."""
