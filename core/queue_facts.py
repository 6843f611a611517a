"""Facts about who waits in a queue: said by an interaction or a supervisor for the router, and by the router back."""

from __future__ import annotations

from typing import Literal

from core.frozen import dataclass

StayMode = Literal["live", "held", "virtual"]

CalledFirst = Literal["agent", "customer"]


@dataclass(frozen=True, slots=True)
class QueueJoined:
    """A contact begins to wait, or wants one agent in person (`agent_id` set; `queue`, if any, is by whose rules she
    is rung and wraps up).

    Args:
        skills: requirement set by the flow, ANDed with the queue's own; empty for none.
        value: customer value, 0 to 100.
        preferred_agent: waited for as long as the queue's patience says.
        waited_s: waited already in the stay that overflowed or returned into this one.
        node: the telephony node its leg lives on; empty for other channels.
        purpose: what an agent is wanted for.
        mode: `held` for who waits for a callback without having waited on the line: a closed queue takes her too.
    """

    interaction_id: str
    stay_id: str
    tenant: str
    queue: str = ""
    channel: str = "call"
    priority: int = 0
    skills: str = ""
    value: float = 0.0
    preferred_agent: str = ""
    agent_id: str = ""
    waited_s: float = 0.0
    language: str = ""
    node: str = ""
    purpose: Literal["serve", "transfer", "consult"] = "serve"
    excluded_agents: tuple[str, ...] = ()
    """Never offered this stay: who transferred it."""
    spared_agents: tuple[str, ...] = ()
    """Not offered it for a while: whose phone vanished in the middle of it, and may be back soon."""
    mode: StayMode = "live"


@dataclass(frozen=True, slots=True)
class StayGivenUp:
    """The customer, or her flow, ends the stay. `outcome`: a `StayEnd` value (abandoned, left_by_key, voicemail,
    callback, lost); `abandoned` becomes `short_abandoned` by the queue's own limit."""

    interaction_id: str
    stay_id: str
    outcome: str = "abandoned"


@dataclass(frozen=True, slots=True)
class StayTurned:
    """The same stay, otherwise: its place and its time waited stay what they are.

    Args:
        mode: `held`: nobody is offered it (she agrees on a callback); `virtual`: she has hung up and is called back;
            `live`: she is on the line.
        first: of a virtual stay, who is called first: an agent is offered it as always, or `TurnNear` is told.
        again_s: nobody is offered a virtual stay before this (UTC seconds).
        head: served before everybody else of its queue from now on.
        node: where her new leg lives; empty: unchanged.
    """

    interaction_id: str
    stay_id: str
    mode: StayMode
    first: CalledFirst = "agent"
    again_s: float = 0.0
    head: bool = False
    node: str = ""


QueueAction = Literal["open", "close", "by_hours"]


@dataclass(frozen=True, slots=True)
class QueueActed:
    """A supervisor opens or closes a queue by hand, or gives the rule back to its hours."""

    tenant: str
    queue: str
    action: QueueAction
    by: str = "supervisor"
    interaction_id: str = ""


StayAction = Literal["move", "prioritise"]


@dataclass(frozen=True, slots=True)
class StayActed:
    """A supervisor sends who waits on to another queue, or gives her another priority. What cannot be is refused in
    words.

    Args:
        queue: of `move`: where she goes on, with the time she has waited. Whatever rings for her stops ringing.
        priority: of `prioritise`: instead of the one she has, 0 to `MOST_PRIORITY`. Whatever rings goes on ringing.
        by: who asked, as journals and explanations tell it.
    """

    interaction_id: str
    stay_id: str
    tenant: str
    action: StayAction
    queue: str = ""
    priority: int = 0
    by: str = "supervisor"


MOST_PRIORITY = 1000
"""That a flow, a campaign or a supervisor may give."""


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Told when asked, and to those who wait by the queue's announcements. `position` from 1. `ewt_s`: the likely rest
    of her wait, -1 unknown; `ewt_low_s` to `ewt_high_s`: the range that four in five end in, -1 unknown.
    `callback`: the wait is long enough to offer to call her back."""

    interaction_id: str
    stay_id: str
    position: int
    waiting: int
    ewt_s: float = -1.0
    callback: bool = False
    ewt_low_s: float = -1.0
    ewt_high_s: float = -1.0


@dataclass(frozen=True, slots=True)
class StayPrioritised:
    """The stay has this priority from now on: so have those that follow it."""

    interaction_id: str
    stay_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class TurnNear:
    """A virtual stay whose customer is called first will soon be served: call her now."""

    interaction_id: str
    stay_id: str
