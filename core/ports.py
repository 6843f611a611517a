"""What the engine asks of a telephony node. `AsteriskCallControl` and the in-memory fake implement both.

Every method may raise `LegGone`, `CommandRefused`, `DeadlineExceeded` or `NodeUnavailable` (core/errors.py)
and returns when the node has accepted the request; what then happens comes back as events.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field
from typing import Protocol

from core.events import LegFact
from core.frozen import dataclass
from core.leg import EndReason
from core.leg_commands import OriginateLeg, StartRecording

EventSink = Callable[[LegFact], None]
"""Takes a fact at once and never blocks: it only enqueues."""


@dataclass(frozen=True, slots=True)
class FoundLeg:
    """A leg that exists on a node. The arrival fields let an unknown inbound leg be taken in as new. `ringing`: at the
    phone we dial. `away`: answered, and still in the node's dialplan, which hands it over by itself."""

    leg_id: str
    node: str
    up: bool
    inbound: bool
    called: str
    caller: str
    caller_name: str
    entry: str
    created_s: float
    ringing: bool = False
    away: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What a node holds of ours right now: the truth after a gap. `bridges`: bridge id -> leg ids. `harboured`: legs
    that were sent to the node's safe harbour since it started; most are gone."""

    node: str
    legs: tuple[FoundLeg, ...]
    bridges: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    harboured: frozenset[str] = frozenset()


class CallControl(Protocol):
    async def answer(self, leg_id: str) -> None: ...

    async def hang_up(self, leg_id: str, reason: EndReason) -> None: ...

    async def turn_away(self, leg_id: str) -> None:
        """Hands an arriving leg to the node's overflow; for us it has then ended."""
        ...

    async def originate(self, command: OriginateLeg) -> None:
        """Over `endpoint` alone; who asks looks after `failover`, with the same `leg_id`. Raises TrunkAway beside what
        all raise."""
        ...

    async def send_digits(self, leg_id: str, digits: str) -> None: ...

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str], keyed: Collection[str] = ()) -> None:
        """Creates the bridge when missing; a leg with an unfinished playback is silenced first. The keys of those in
        `keyed` are heard by nobody else there."""
        ...

    async def unbridge(self, bridge_id: str, leg_id: str) -> None:
        """Takes one leg out; a leg that is not in it is fine."""
        ...

    async def destroy_bridge(self, bridge_id: str) -> None: ...

    async def mute(self, leg_id: str, muted: bool) -> None: ...

    async def park(self, leg_id: str) -> None:
        """A leg that waits for its next conversation: silence is sent to it. A leg that is in a bridge, or on its way
        into one, hears what is said there all the same."""
        ...

    async def listen_in(self, leg_id: str, to_leg_id: str, whisper: bool) -> None:
        """`leg_id` hears both directions of `to_leg_id`, which alone hears it when `whisper`. Until either ends, or
        `leg_id` is bridged."""
        ...

    async def stop_listening(self, leg_id: str) -> None:
        """That it does not listen is fine."""
        ...

    def connected_nodes(self) -> Sequence[str]: ...

    async def survey(self) -> Sequence[Survey]:
        """One per node that is connected."""
        ...


class MediaControl(Protocol):
    async def play(self, leg_id: str, playback_id: str, media: Sequence[str]) -> None:
        """`media`: resolved items: an absolute sound path without extension, `tone:beep`, `silence:0.5`."""
        ...

    async def stop_playback(self, leg_id: str, playback_id: str) -> None:
        """Stopping what has already finished is not an error."""
        ...

    async def start_music(self, leg_id: str, music: str) -> None: ...

    async def stop_music(self, leg_id: str) -> None: ...

    async def start_recording(self, command: StartRecording) -> None: ...

    async def stop_recording(self, leg_id: str, recording_id: str) -> None: ...

    async def discard_recording(self, leg_id: str, recording_id: str) -> None: ...

    async def keep_recording(self, leg_id: str, recording_id: str, destination: str) -> None:
        """Moves the finished file to the absolute path `destination` (its extension says the format)."""
        ...

    async def start_talk_recording(self, leg_id: str, recording_id: str) -> None:
        """Both directions of a leg, apart: left what it says, right what it hears."""
        ...

    async def pause_talk_recording(self, leg_id: str, recording_id: str, paused: bool) -> None: ...

    async def stop_talk_recording(self, leg_id: str, recording_id: str) -> None:
        """Told as `RecordingFinished` once the file is whole; `keep_recording` and `discard_recording` then apply."""
        ...
