"""Requests about one leg or bridge: its life, what is played to it, what is recorded of it.

`core.commands` says what holds for every command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from core.frozen import dataclass
from core.leg import EndReason, LegRole
from core.media import Part


# -- live audio ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ListenToLeg:
    """A listener of `core.live_audio`, by its name in the registry, hears what the leg says, until its final verdict,
    `limit_s`, `DismissListener`, the leg's end or its next bridge. Told as any number of `AudioVerdict`, the last one
    final, or one `ListenerLost`; one that does not survive the engine ends with the leg's `LegAdopted`.

    `beside`: it goes on when the leg talks with others, and may begin then. There, what the network delays is heard
    late from then on."""

    leg_id: str
    listening_id: str
    listener: str
    options: Mapping[str, str] = field(default_factory=dict)
    limit_s: float = 60.0
    beside: bool = False


@dataclass(frozen=True, slots=True)
class DismissListener:
    """What it thinks by now is told as its final verdict."""

    leg_id: str
    listening_id: str


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


def trunk_of(endpoint: str) -> str:
    """The trunk it is dialed over; empty: over none."""
    kind, _, rest = endpoint.partition(":")
    return rest.partition("/")[0] if kind == "trunk" else ""


@dataclass(frozen=True, slots=True)
class Way:
    """Another way to dial the same number. `caller`: the number it shows."""

    endpoint: str
    caller: str = ""


@dataclass(frozen=True, slots=True)
class OriginateLeg:
    """Dial. `endpoint`: what the node dials (`device:1001`, `trunk:main/+34911234567`); `ring_s`: give up after;
    `limit_s`: absolute life of the leg. `failover`: in this order, who takes it when a carrier does not."""

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
    listen: ListenToLeg | None = None
    """Heard from the first moment, what the network says while it rings included. A listener that cannot come is told
    as `ListenerLost`, and the leg is dialed all the same."""
    failover: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class SendDigits:
    leg_id: str
    digits: str


@dataclass(frozen=True, slots=True)
class BridgeLegs:
    """Create the bridge when it is not there and put the legs into it, in this order.

    `keyed`: those whose keys are for us alone, also of who is in it already: the others in the bridge hear none.
    Whatever is played to a leg in a bridge may swallow the end of a key, and who heard it begin would hear nothing else
    any more."""

    bridge_id: str
    leg_ids: tuple[str, ...]
    keyed: tuple[str, ...] = ()


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


# -- recording -------------------------------------------------------------------------------------
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
    `theirs`: the customer's number; empty: the caller's. `sound`: no when nothing was said: its labels are filed alone.

    It says itself whose it is: when it is carried out its interaction may be over."""

    interaction_id: str
    leg_id: str
    recording_id: str
    mailbox: str
    labels: Mapping[str, str] = field(default_factory=dict)
    tenant: str = "main"
    caller: str = ""
    called: str = ""
    theirs: str = ""
    sound: bool = True


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
    | ListenToLeg
    | DismissListener
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
