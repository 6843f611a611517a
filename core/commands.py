"""Requests, in the imperative. The cores return them; lanes carry them out.

A command's id is `{event_seq}.{n}`, given by the runtime. `IRREVERSIBLE` commands run only after their event
and a `CommandStarted` mark are durable, and are never repeated blindly; all others converge and may be
reissued.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.leg import EndReason, LegRole
from core.media import Part


# -- legs ------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class AnswerLeg:
    leg_id: str


@dataclass(frozen=True, slots=True)
class HangUpLeg:
    leg_id: str
    reason: EndReason = EndReason.HUNG_UP_BY_US


@dataclass(frozen=True, slots=True)
class TurnAwayLeg:
    """To the node's overflow: its dialplan looks after the caller from now on, and for us the leg has ended."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class OriginateLeg:
    """Dial. `endpoint`: what the node dials (`device:1001`, `trunk:main/+34911234567`); `ring_s`: give up after;
    `limit_s`: absolute life of the leg."""

    leg_id: str
    interaction_id: str
    node: str
    role: LegRole
    endpoint: str
    caller: str
    ring_s: float
    limit_s: float
    auto_answer: bool = False
    """Ask the phone to answer by itself (headset mode)."""
    caller_name: str = ""


@dataclass(frozen=True, slots=True)
class SendDigits:
    leg_id: str
    digits: str


@dataclass(frozen=True, slots=True)
class BridgeLegs:
    """Create the bridge when it is not there and put the legs into it, in this order."""

    bridge_id: str
    leg_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UnbridgeLeg:
    """Out of its bridge; the others stay in it, and the leg stays up, alone."""

    leg_id: str
    bridge_id: str


@dataclass(frozen=True, slots=True)
class DestroyBridge:
    bridge_id: str


@dataclass(frozen=True, slots=True)
class MuteLeg:
    """The others do not hear this leg any more, or hear it again."""

    leg_id: str
    muted: bool = True


@dataclass(frozen=True, slots=True)
class ListenIn:
    """A supervisor's leg hears what `to_leg_id` (an agent's) says and hears; with `whisper` that agent hears her, and
    nobody else does. Asked again it changes at once. It ends with either leg, and when hers is bridged (she barges in).
    """

    leg_id: str
    to_leg_id: str
    whisper: bool = False


@dataclass(frozen=True, slots=True)
class StopListening:
    """The supervisor's leg stays up, alone."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class ParkLeg:
    """A held line at rest: silence is sent, so that neither phone nor network thinks it is dead."""

    leg_id: str


# -- media -----------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Play:
    """Parts one after another, as one playback."""

    leg_id: str
    playback_id: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class StopPlayback:
    leg_id: str
    playback_id: str


@dataclass(frozen=True, slots=True)
class StartMusic:
    leg_id: str
    music: str = "default"


@dataclass(frozen=True, slots=True)
class StopMusic:
    leg_id: str


@dataclass(frozen=True, slots=True)
class StartRecording:
    """`silence_s` 0: no silence limit. `terminators`: digits that end it (`#`, `*`, `any`, empty for none)."""

    leg_id: str
    recording_id: str
    max_s: int
    silence_s: int = 0
    beep: bool = True
    terminators: str = "#"


@dataclass(frozen=True, slots=True)
class StopRecording:
    leg_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class KeepRecording:
    """The recording is wanted: file it in `mailbox` with these labels. What is not kept is deleted.
    Answered by `RecordingKept` once durable; keeping what has been kept already is fine.

    It says itself whose it is: when it is carried out its interaction may be over."""

    interaction_id: str
    leg_id: str
    recording_id: str
    mailbox: str
    labels: Mapping[str, str] = field(default_factory=dict)
    tenant: str = "main"
    caller: str = ""
    called: str = ""


@dataclass(frozen=True, slots=True)
class DiscardRecording:
    leg_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class StartTalkRecording:
    """Records a conversation in two channels (left: what this leg says, right: what it hears) until stopped or the
    leg ends. It never hinders the conversation: what goes wrong is told as `RecordingFailed`."""

    leg_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class PauseTalkRecording:
    """Silence is written while paused, so that times still fit."""

    leg_id: str
    recording_id: str
    paused: bool = True


@dataclass(frozen=True, slots=True)
class StopTalkRecording:
    """Answered by `RecordingFinished`; then `KeepRecording` or `DiscardRecording` says what becomes of it."""

    leg_id: str
    recording_id: str


# -- time and the world ----------------------------------------------------------------------------
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


@dataclass(frozen=True, slots=True)
class AskAgent:
    """An agent works with her phone alone: her presence, wrap-up, or this very leg as her held line. Who she is: the
    agent at the device the leg came from, or `agent_id` with her `pin`. Answered by one `AgentAnswered`."""

    interaction_id: str
    request_id: str
    leg_id: str
    action: Literal["log_in", "log_out", "ready", "not_ready", "finish_wrap_up", "disposition", "hold_line", "status"]
    agent_id: str = ""
    pin: str = ""
    value: str = ""
    """The not-ready reason or disposition, by name or by its digits."""


@dataclass(frozen=True, slots=True)
class TagInteraction:
    """Labels for whoever reports on the interaction or works on it. The journal keeps them."""

    interaction_id: str
    tags: tuple[str, ...]
    removed: tuple[str, ...] = ()


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
class SendMessage:
    """`channel`: sms, email, whatsapp. Answered by one `MessageSent`."""

    interaction_id: str
    message_id: str
    channel: str
    target: str
    text: str
    subject: str = ""


LegCommand = (
    AnswerLeg
    | HangUpLeg
    | TurnAwayLeg
    | OriginateLeg
    | SendDigits
    | BridgeLegs
    | UnbridgeLeg
    | DestroyBridge
    | MuteLeg
    | ParkLeg
    | ListenIn
    | StopListening
    | Play
    | StopPlayback
    | StartMusic
    | StopMusic
    | StartRecording
    | StopRecording
    | KeepRecording
    | DiscardRecording
    | StartTalkRecording
    | PauseTalkRecording
    | StopTalkRecording
)
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
    | NoteInteraction
    | OpenTicket
    | RequestCallback
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
    "bridge_id",
    "request_id",
    "stay_id",
    "transfer_id",
    "message_id",
    "ticket_id",
    "callback_id",
)
