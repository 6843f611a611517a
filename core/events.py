"""Facts, in the past tense. Adapters put them in the inbox; the cores answer with commands.

Every event names the leg or the interaction it happened to. Times are UTC seconds (`_s`). A field named in
`PERSONAL` may identify somebody: it is encrypted in the journal and never logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from core.dialing import DialingFact
from core.frozen import dataclass
from core.leg import EndReason
from core.routing import RoutingFact

PERSONAL: frozenset[str] = frozenset(
    {"caller", "caller_name", "called", "digit", "values", "variables", "target", "text"}
)


# -- legs: said by telephony ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LegArrived:
    """Somebody called us. `called`: the number dialed; `entry`: the trunk or device it came through."""

    leg_id: str
    node: str
    called: str
    caller: str
    caller_name: str = ""
    entry: str = ""
    retried: bool = False
    """True when the dialplan held this leg while the engine was away."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    leg_id: str


@dataclass(frozen=True, slots=True)
class LegEarlyMedia:
    leg_id: str


@dataclass(frozen=True, slots=True)
class LegUp:
    """The leg was answered, by them or by us. `late_s`: so long ago, when nobody could hear of it at once."""

    leg_id: str
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LegHeld:
    leg_id: str


@dataclass(frozen=True, slots=True)
class LegResumed:
    leg_id: str


@dataclass(frozen=True, slots=True)
class LegEnded:
    """`cause`: Q.850 cause code, 0 when unknown. `sip_status`: what a leg that we dialed was refused with, 0 when it
    was not, or by nobody."""

    leg_id: str
    reason: EndReason
    cause: int = 0
    sip_status: int = 0


@dataclass(frozen=True, slots=True)
class LegAdopted:
    """After a gap the leg is still there. What it did meanwhile is unknown: caller-facing work starts over.
    `bridge_id`: the bridge it was found in, empty for none; None when nobody looked."""

    leg_id: str
    up: bool
    bridge_id: str | None = None


@dataclass(frozen=True, slots=True)
class DigitPressed:
    leg_id: str
    digit: str


@dataclass(frozen=True, slots=True)
class PlaybackFinished:
    """`how`: heard to its end, stopped by us, or failed (missing file, codec)."""

    leg_id: str
    playback_id: str
    how: Literal["completed", "stopped", "failed"] = "completed"


@dataclass(frozen=True, slots=True)
class RecordingFinished:
    """`duration_s` includes the closing silence; `ended_by`: what stopped it."""

    leg_id: str
    recording_id: str
    duration_s: float
    ended_by: Literal["digit", "silence", "limit", "hangup", "stopped"] = "stopped"


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """`partial`: some of it was written all the same."""

    leg_id: str
    recording_id: str
    why: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class RecordingKept:
    """The end of a `KeepRecording`: file and labels are in the mailbox, durably."""

    leg_id: str
    recording_id: str


@dataclass(frozen=True, slots=True)
class AudioVerdict:
    """What a listener of `ListenToLeg` found. `label`: its word, or `not_sure`; `evidence`: in words. `final`: nothing
    more will come of it. `at_s`: the moment in the audio (UTC seconds); `heard_s`: how much it had heard by then, of
    which `answered_s` after the answer."""

    leg_id: str
    listening_id: str
    listener: str
    label: str
    confidence: float = 1.0
    evidence: str = ""
    final: bool = True
    at_s: float = 0.0
    heard_s: float = 0.0
    answered_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ListenerLost:
    """Nobody listens any more and there is no final verdict: read it as not sure."""

    leg_id: str
    listening_id: str
    why: str


# -- the engine's own --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer that was still armed when it was taken from the inbox."""

    interaction_id: str
    timer_id: str


@dataclass(frozen=True, slots=True)
class HttpReplied:
    """The end of a `SendHttp`. `status` 0 and `error` set when nobody answered as asked."""

    interaction_id: str
    request_id: str
    status: int
    values: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """A queue stay ended: one of `StayEnd`'s ways, or `no_agents`, `full`, `closed` at the door. After `answered` it is
    told when the conversation has ended. `target`: the queue an overflow goes on to. `again_s`: nobody is offered it
    there before (UTC seconds)."""

    interaction_id: str
    stay_id: str
    outcome: str
    target: str = ""
    again_s: float = 0.0


@dataclass(frozen=True, slots=True)
class TransferEnded:
    """`outcome`: answered (and then ended), busy, no_answer, refused (`why` says by which rule), failed."""

    interaction_id: str
    transfer_id: str
    outcome: Literal["answered", "busy", "no_answer", "refused", "failed"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class QueueStatusGiven:
    """`status`: open, closed, or no_agents when nobody is logged in. `waiting` and `ewt_s`: callers in it, and how
    long one who joins now will probably wait; `longest_wait_s`: who has waited longest, 0 when nobody does.
    `agents_ready`: of those `agents_logged_in`, who would be rung at once."""

    interaction_id: str
    request_id: str
    status: Literal["open", "closed", "no_agents"]
    waiting: int = 0
    ewt_s: float = 0.0
    longest_wait_s: float = 0.0
    agents_ready: int = 0
    agents_logged_in: int = 0


@dataclass(frozen=True, slots=True)
class AgentAnswered:
    """The end of an `AskAgent`. `why`: in words when it was refused; `values`: what a flow may want to know
    (presence, reason, agent_id, queue_count)."""

    interaction_id: str
    request_id: str
    ok: bool
    why: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """`number`: what people call the ticket."""

    interaction_id: str
    ticket_id: str
    number: str


@dataclass(frozen=True, slots=True)
class CallbackRequested:
    """The request is safe: it may be promised."""

    interaction_id: str
    callback_id: str


@dataclass(frozen=True, slots=True)
class NumberKept:
    """The number is on the list of those nobody calls, durably: it may be promised."""

    interaction_id: str
    request_id: str


@dataclass(frozen=True, slots=True)
class MessageSent:
    """The message was handed over to its channel."""

    interaction_id: str
    message_id: str


@dataclass(frozen=True, slots=True)
class ToggleSet:
    """A toggle has its new value, durably."""

    interaction_id: str
    tenant: str
    toggle: str
    value: bool


@dataclass(frozen=True, slots=True)
class ReleaseActivated:
    """From here on new interactions use this version of flows and configuration. It concerns no interaction."""

    release_id: str
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class AgentEnrolled:
    """An agent whom no file declares was added, changed or removed over the API. What was said of her stands in the
    state that goes with it, and is gone when she is. It concerns no interaction."""

    tenant: str
    agent_id: str
    change: Literal["added", "changed", "removed"]
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class CommandRejected:
    """A command of this interaction was not carried out. `what`: the command's name; `why`: for the log. `refused`: the
    node said no, so nothing came of it; what ran into its deadline may have been done."""

    interaction_id: str
    command_id: str
    what: str
    why: str
    leg_id: str = ""
    subject_id: str = ""
    """The playback, recording, request, stay or transfer it was about."""
    refused: bool = False


@dataclass(frozen=True, slots=True)
class CommandOutcomeUnknown:
    """After a crash nobody can say whether an irreversible command was carried out. It is not repeated."""

    interaction_id: str
    command_id: str
    what: str
    subject_id: str = ""


@dataclass(frozen=True, slots=True)
class RoutingDecided:
    """For the journal alone: what the router decided about this interaction because of somebody else's event, whose
    number and type are `cause_seq` and `cause`."""

    interaction_id: str
    cause_seq: int
    cause: str


@dataclass(frozen=True, slots=True)
class RoutingKept:
    """For the journal alone: everything the router knows at this moment, by the names of its rows, so that what it
    decided afterwards can be decided again."""

    release_id: str
    rows: Mapping[str, bytes]
    interaction_id: str = ""


LegFact = (
    LegArrived
    | LegRinging
    | LegEarlyMedia
    | LegUp
    | LegHeld
    | LegResumed
    | LegEnded
    | LegAdopted
    | DigitPressed
    | PlaybackFinished
    | RecordingFinished
    | RecordingFailed
    | RecordingKept
    | AudioVerdict
    | ListenerLost
)
InteractionFact = (
    TimerFired
    | HttpReplied
    | QueueLeft
    | TransferEnded
    | QueueStatusGiven
    | AgentAnswered
    | TicketOpened
    | CallbackRequested
    | NumberKept
    | MessageSent
    | ToggleSet
    | ReleaseActivated
    | AgentEnrolled
    | RoutingDecided
    | RoutingKept
    | CommandRejected
    | CommandOutcomeUnknown
)
Event = LegFact | InteractionFact | RoutingFact | DialingFact

EVENT_TYPES: dict[str, type] = {
    cls.__name__: cls
    for cls in (*LegFact.__args__, *InteractionFact.__args__, *RoutingFact.__args__, *DialingFact.__args__)
}
