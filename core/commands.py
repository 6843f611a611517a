"""Requests, in the imperative. The cores return them; lanes carry them out. Those about legs, what they hear and
what is recorded of them are in `core.leg_commands`.

A command's id is `{event_seq}.{n}`, given by the runtime. Irreversible ones (`is_irreversible`) run only after their
event and a `CommandStarted` mark are durable, and are never repeated blindly; all others converge and may be reissued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from core.frozen import dataclass
from core.leg_commands import LegCommand, OriginateLeg


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Fires once at `due_s` (UTC seconds); replaces the timer of the same id."""

    interaction_id: str
    timer_id: str
    due_s: float


@dataclass(frozen=True, slots=True)
class CancelTimer:
    interaction_id: str
    timer_id: str


@dataclass(frozen=True, slots=True)
class SendHttp:
    """`mapping`: variable -> JSON path into the reply. Answered by one `HttpReplied`. Only a GET is retried."""

    interaction_id: str
    request_id: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    timeout_s: float = 5.0
    retries: int = 0
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetToggle:
    """Answered by `ToggleSet` once durable."""

    interaction_id: str
    tenant: str
    toggle: str
    value: bool


@dataclass(frozen=True, slots=True)
class JoinQueue:
    """Answered by `QueueLeft` when the stay ends."""

    interaction_id: str
    leg_id: str
    stay_id: str
    queue: str
    priority: int = 0
    skills: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    value: float = 0.0
    preferred_agent: str = ""


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """`outcome`: a `StayEnd` value."""

    interaction_id: str
    stay_id: str
    outcome: str = "abandoned"


@dataclass(frozen=True, slots=True)
class Transfer:
    """Connect the caller with somebody else: `device:1001` or a number. Answered by `TransferEnded`."""

    interaction_id: str
    leg_id: str
    transfer_id: str
    target: str
    ring_s: float = 25.0
    caller: str = ""


@dataclass(frozen=True, slots=True)
class AskQueueStatus:
    """How is the queue right now? Answered by one `QueueStatusGiven`."""

    interaction_id: str
    request_id: str
    queue: str


PhoneAction = Literal[
    "log_in",
    "log_out",
    "ready",
    "not_ready",
    "finish_wrap_up",
    "disposition",
    "hold_line",
    "supervise",
    "open_queue",
    "close_queue",
    "queue_by_hours",
    "force_ready",
    "force_not_ready",
    "force_log_out",
    "prioritise_longest",
    "move_longest",
    "status",
]
"""What an agent may ask for with her phone alone."""


@dataclass(frozen=True, slots=True)
class AskAgent:
    """An agent works with her phone alone: her presence, wrap-up, this very leg as her held line, or as what she
    follows a colleague's conversation with. Who she is: the agent at the device the leg came from, or `agent_id` with
    her `pin`. Answered by one `AgentAnswered`."""

    interaction_id: str
    request_id: str
    leg_id: str
    action: PhoneAction
    agent_id: str = ""
    pin: str = ""
    value: str = ""
    """The not-ready reason or disposition, by name or by its digits; whom to `supervise` or to `force_…`, by name or by
    her code; the queue to open or close, or in which somebody has waited longest."""
    to: str = ""
    """The queue that who has waited longest is moved to."""


@dataclass(frozen=True, slots=True)
class TagInteraction:
    """Labels for whoever reports on the interaction or works on it. The journal keeps them."""

    interaction_id: str
    tags: tuple[str, ...]
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveDisposition:
    """What came of it, as a flow says. The journal keeps it; in an agentless campaign it drives the lead. `answers`:
    into the campaign's form, by field."""

    interaction_id: str
    disposition: str
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NoteInteraction:
    """A sentence for whoever works on the interaction. The journal keeps it."""

    interaction_id: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Work for the back office. Answered by one `TicketOpened`."""

    interaction_id: str
    ticket_id: str
    subject: str
    text: str = ""
    category: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestCallback:
    """Somebody of `queue` calls `target` back. Answered by `CallbackRequested` once durable; asking again with the
    same id is the same request."""

    interaction_id: str
    callback_id: str
    target: str
    queue: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListNumber:
    """Nobody calls `called` (E.164) again: no campaign of the tenant, or not the one that has this interaction.
    Answered by `NumberKept` once durable; asking twice is asking once."""

    interaction_id: str
    request_id: str
    called: str
    scope: Literal["tenant", "campaign"] = "tenant"


@dataclass(frozen=True, slots=True)
class SendMessage:
    """`channel`: sms, email, whatsapp. Answered by one `MessageSent`."""

    interaction_id: str
    message_id: str
    channel: str
    target: str
    text: str
    subject: str = ""


InteractionCommand = (
    StartTimer
    | CancelTimer
    | SendHttp
    | SetToggle
    | JoinQueue
    | LeaveQueue
    | Transfer
    | AskQueueStatus
    | AskAgent
    | TagInteraction
    | GiveDisposition
    | NoteInteraction
    | OpenTicket
    | RequestCallback
    | ListNumber
    | SendMessage
)
Command = LegCommand | InteractionCommand

COMMAND_TYPES: dict[str, type] = {cls.__name__: cls for cls in Command.__args__}


def is_irreversible(command: Command) -> bool:
    """Dialing, messages, tickets and any HTTP request that may change something cannot be taken back."""
    if isinstance(command, SendHttp):
        return command.method != "GET"
    return isinstance(command, OriginateLeg | SendMessage | OpenTicket)


def subject_of(command: Command) -> str:
    """The id by which its answer, or the word that nobody knows, names what the command was about."""
    found = (getattr(command, name, "") for name in SUBJECTS)
    return next((str(subject) for subject in found if subject), "")


SUBJECTS = (
    "playback_id",
    "recording_id",
    "listening_id",
    "bridge_id",
    "request_id",
    "stay_id",
    "transfer_id",
    "message_id",
    "ticket_id",
    "callback_id",
)
