"""Agents, queues and who waits, as the API shows them, and what may be asked of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from core.agent_facts import AgentAction
from core.queue_facts import MOST_PRIORITY, QueueAction
from desk.api.models import Asked, Listed, Name, Text, Told


class AssignmentView(Told):
    interaction_id: str
    queue: str = ""
    state: str
    since_s: float = 0.0
    offer_id: str = ""
    channel: str = "call"
    purpose: str = "serve"
    waited_s: float = 0.0
    disposition: str = ""
    wrap_up_ends_s: float = 0.0
    extended_s: float = 0.0


class AgentView(Told):
    """`looks`: presence and assignments together, as a board shows them. `pending`: asked for during work.
    `over_limit`: her pause is longer than its reason allows. `breaks_at_s`: reason -> when an hour's share of it is due
    to her, or has been since; `breaks_due_s`: seconds of it due by the time this was told."""

    tenant: str
    agent_id: str
    name: str = ""
    presence: str
    reason: str = ""
    since_s: float = 0.0
    looks: str = ""
    looks_since_s: float = 0.0
    pending: str = ""
    pending_reason: str = ""
    device: str = ""
    line: bool = False
    reachable: bool = True
    skills: dict[str, int] = {}
    queues: list[str] = []
    assignments: list[AssignmentView] = []
    handled: int = 0
    over_limit: bool = False
    breaks_at_s: dict[str, float] = {}
    breaks_due_s: dict[str, float] = {}


class Today(Told):
    """How today's queue stays ended. `service_level`: percent; none while nobody has been served."""

    offered: int = 0
    answered: int = 0
    in_target: int = 0
    abandoned: int = 0
    short_abandoned: int = 0
    callback: int = 0
    voicemail: int = 0
    left_by_key: int = 0
    overflowed: int = 0
    closed: int = 0
    lost: int = 0
    service_level: float | None = None


class QueueView(Told):
    """`ewt_s`: the likely wait of one who joins now, four in five waits end from `ewt_low_s` to `ewt_high_s`; -1: not
    known. `forced`: opened or closed by hand. `waits_since_s`: since when the one who waits longest has waited, 0 for
    nobody; `longest_wait_s` is how long that was when this was told, and grows."""

    tenant: str
    queue: str
    title: str = ""
    open: bool = True
    forced: str = ""
    waiting: int = 0
    virtual: int = 0
    """How many of those have hung up, and are called back."""
    longest_wait_s: float = 0.0
    waits_since_s: float = 0.0
    ewt_s: float = -1.0
    ewt_low_s: float = -1.0
    ewt_high_s: float = -1.0
    logged_in: int = 0
    available: int = 0
    today: Today = Today()


class StayView(Told):
    tenant: str
    stay_id: str
    interaction_id: str
    queue: str = ""
    state: str = "waiting"
    joined_s: float = 0.0
    waited_before_s: float = 0.0
    priority: float = 0.0
    position: int = 0
    counted: bool = True
    """One of its queue's `waiting`: no colleague who consults, nobody meant for one agent alone."""
    step: int = 0
    offer_id: str = ""
    agent_id: str = ""
    channel: str = "call"
    purpose: str = "serve"
    mode: str = "live"
    """`virtual`: she has hung up and is called back at her place; `held`: she is agreeing on that."""
    called: bool = False
    """Her phone is being rung, before any agent's."""
    again_s: float = 0.0
    """A virtual one is not served before this; 0: at any time."""


class Agents(Listed):
    agents: list[AgentView]


class Queues(Listed):
    queues: list[QueueView]


class Stays(Listed):
    stays: list[StayView]


class PresenceAsked(Asked):
    """`reason`: why not ready; `device`: the phone where she logs in (`1001`), her own when empty."""

    action: AgentAction
    reason: Text = ""
    device: Text = ""


class OpeningAsked(Asked):
    action: QueueAction


class QueueAsked(Asked):
    """Where she goes on, with all the time she has waited."""

    queue: Name


class PriorityAsked(Asked):
    """Instead of the one she has; one step is worth a minute of waiting."""

    priority: Annotated[int, Field(ge=0, le=MOST_PRIORITY)]
