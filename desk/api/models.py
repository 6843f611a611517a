"""What goes over the API. Field names are the engine's; seconds end in `_s` and are UTC where they name a moment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.agent_facts import AgentAction
from core.queue_facts import MOST_PRIORITY, QueueAction
from core.talk_facts import SupervisionAction, TalkAction
from desk.roles import Role

Text = Annotated[str, Field(max_length=200)]
Name = Annotated[str, Field(min_length=1, max_length=80)]
Password = Annotated[str, StringConstraints(strip_whitespace=False, min_length=1, max_length=200)]
Moment = Annotated[float, Field(ge=0, le=1e11)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class _Told(BaseModel):
    model_config = ConfigDict(extra="ignore")


class ProblemBody(BaseModel):
    """RFC 9457. `type` ends in a stable word; `detail` says what is wrong and what to do."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str


class Done(_Told):
    ok: Literal[True] = True


# -- logins -------------------------------------------------------------------------------------------
class LogIn(_Asked):
    login: Name
    password: Password


class Refresh(_Asked):
    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class Me(_Told):
    account_id: str
    login: str
    name: str
    tenant: str
    role: Role
    agent_id: str
    permissions: list[str]


class Session(_Told):
    """`access_token`: for `Authorization: Bearer`; `refresh_token`: good once, for the next pair."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in_s: float
    refresh_token: str
    me: Me


# -- the board --------------------------------------------------------------------------------------------
class AssignmentView(_Told):
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


class AgentView(_Told):
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


class Today(_Told):
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


class QueueView(_Told):
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


class StayView(_Told):
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


class Listed(_Told):
    """`engine_up` false: the engine is away and this is how things stood when it last spoke, at `now_s`."""

    engine_up: bool
    now_s: float


class Agents(Listed):
    agents: list[AgentView]


class Queues(Listed):
    queues: list[QueueView]


class Stays(Listed):
    stays: list[StayView]


# -- what is asked of the engine ------------------------------------------------------------------------------
class PresenceAsked(_Asked):
    """`reason`: why not ready; `device`: the phone where she logs in (`1001`), her own when empty."""

    action: AgentAction
    reason: Text = ""
    device: Text = ""


class OpeningAsked(_Asked):
    action: QueueAction


class QueueAsked(_Asked):
    """Where she goes on, with all the time she has waited."""

    queue: Name


class PriorityAsked(_Asked):
    """Instead of the one she has; one step is worth a minute of waiting."""

    priority: Annotated[int, Field(ge=0, le=MOST_PRIORITY)]


class TalkAsked(_Asked):
    """`target`: `agent:ana`, `queue:sales`, `flow:survey`, `device:1001` or a number; digits for `send_digits`."""

    action: TalkAction
    target: Text = ""
    values: Annotated[dict[Name, Text], Field(max_length=30)] = {}


class SupervisionAsked(_Asked):
    """`listen`: nobody hears you; `whisper`: the agent alone; `barge`: all; `take_over`: you stay, the agent leaves.
    `device`: the phone you are rung at (`1009`), your agent's own when empty; not needed once you are on the line."""

    action: SupervisionAction
    device: Text = ""


Answers = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=1000)]], Field(max_length=60)
]


class WrapUpAsked(_Asked):
    """`callback_at_s` 0: none; `personal`: it is this agent who calls. `answers`: to the form of the campaign that
    reached her, by field; an empty one takes the earlier answer back. Dates are 2026-12-01 or 2026-12-01T17:30 in the
    site's time. `finish`: wrap-up is over; refused while the form lacks what the campaign asks for. What the form is
    refused for leaves everything else undone, too."""

    disposition: Text = ""
    answers: Answers = {}
    note: Annotated[str, Field(max_length=4000)] = ""
    callback_at_s: Moment = 0.0
    personal: bool = False
    extend_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    finish: bool = False


# -- contacts ------------------------------------------------------------------------------------------------
class Note(_Told):
    """`by`: the agent, empty for the flow."""

    at_s: float = 0.0
    by: str = ""
    text: str = ""


class Promise(_Told):
    """`kind`: promise (to pay), by the end of a day; appointment, at an hour. `on`, `amount`: as the form has them.
    `not_before_s`: no campaign dials her about it earlier. `outcome`: kept, broken, or empty while nobody knows."""

    kind: str
    on: str = ""
    at_s: float = 0.0
    not_before_s: float = 0.0
    amount: str = ""
    attempt_id: str = ""
    outcome: str = ""


class Contact(_Told):
    """What an agent needs to know of who calls. `path`: the flow's nodes so far. `answers`: to the form of the campaign
    that reached her, as far as it is filled in; `promise`: what she promised before; `script`: what its agent says, by
    language, and `script_drawn`: which one of a test that is (`test/script`). `came_back_from`: whom she was just
    transferred to in vain (`agent:luis`, a number). `callback_to`: where she asked to be called back,
    until she has talked."""

    interaction_id: str
    tenant: str
    caller: str = ""
    caller_name: str = ""
    called: str = ""
    language: str = ""
    path: list[str] = []
    opened_s: float = 0.0
    variables: dict[str, Any] = {}
    tags: list[str] = []
    notes: list[Note] = []
    answers: dict[str, str] = {}
    promise: Promise | None = None
    script: dict[str, str] = {}
    script_drawn: str = ""
    came_back_from: str | None = None
    callback_to: str = ""


class PastContact(_Told):
    """`agent_id`, `disposition`: of the last agent who talked, empty for none. `notes`: of the newest few contacts."""

    interaction_id: str
    channel: str
    direction: str
    flow: str
    opened_s: float
    closed_s: float | None
    outcome: str | None
    agent_id: str = ""
    disposition: str = ""
    notes: list[Note] = []


class History(_Told):
    """Earlier contacts of the same person, the newest first."""

    contacts: list[PastContact]


class Explanation(BaseModel):
    """What `centralita explain` tells."""

    model_config = ConfigDict(extra="allow")
    interaction_id: str


class Setup(BaseModel):
    """What people choose from: reasons not to be ready, queues with their dispositions, flows to send somebody to."""

    model_config = ConfigDict(extra="allow")
    reasons: list[dict[str, Any]] = []
    queues: list[dict[str, Any]] = []
    flows: list[dict[str, Any]] = []


# -- accounts ------------------------------------------------------------------------------------------------
class AccountAsked(_Asked):
    """`tenant` empty: yours."""

    login: Name
    password: Password
    role: Role
    tenant: Annotated[str, Field(max_length=40)] = ""
    name: Text = ""
    agent_id: Annotated[str, Field(max_length=80)] = ""
    language: Annotated[str, Field(max_length=10)] = ""


class AccountChanges(_Asked):
    """What is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    role: Role | None = None
    agent_id: Annotated[str, Field(max_length=80)] | None = None
    language: Annotated[str, Field(max_length=10)] | None = None
    disabled: bool | None = None


class PasswordAsked(_Asked):
    """`current`: needed for one's own."""

    password: Password
    current: Annotated[str, StringConstraints(strip_whitespace=False, max_length=200)] = ""


class Account(_Told):
    account_id: str
    tenant: str
    login: str
    name: str
    role: Role
    agent_id: str
    language: str
    created_s: float
    disabled: bool


class Accounts(_Told):
    """`next`: for `after`, empty at the end."""

    accounts: list[Account]
    next: str


class AuditEntry(_Told):
    audit_id: str
    at_s: float
    tenant: str
    login: str
    address: str
    action: str
    subject: str
    detail: dict[str, Any]
    result: str


class AuditPage(_Told):
    """The newest first. `next`: for `before`, empty at the end."""

    entries: list[AuditEntry]
    next: str


class RecordingView(_Told):
    """`kind`: message or conversation. `labels`: what the flow noted. `forgotten`: its contact asked for it, and what
    named her, and the sound, cannot be opened any more. `sound`: no when nothing was said, and when it is gone."""

    mailbox: str
    name: str
    at_s: float
    kind: str
    interaction_id: str
    queue: str
    agents: list[str]
    caller: str
    called: str
    labels: dict[str, str]
    forgotten: bool
    sound: bool


class RecordingsView(_Told):
    """The newest first. `next`: for `before`, empty at the end."""

    recordings: list[RecordingView]
    next: str


class Health(_Told):
    """`engine`: the desk hears it; `database`: it answers; `seq`: the last event heard."""

    engine: bool
    database: bool
    seq: int
