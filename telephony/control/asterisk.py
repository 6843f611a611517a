"""`AsteriskCallControl`: both ports over any number of Asterisk nodes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from core.commands import OriginateLeg, StartRecording
from core.events import LegArrived
from core.leg import EndReason
from core.ports import EventSink, Survey
from telephony.ari.settings import AriSettings

GapListener = Callable[[str, Literal["lost", "back"]], None]
Admission = Callable[[LegArrived], bool]


class AsteriskCallControl:
    """`sink` gets every fact; `on_gap(node, "lost"|"back")` says when a node's events stop and flow again
    ("back" also for the first connection: the answer to it is `survey`). `admit` may turn an arriving leg away
    at the door: no fact is told about it, and the dialplan's overflow context takes it.
    """

    def __init__(
        self, nodes: Sequence[AriSettings], sink: EventSink, on_gap: GapListener, admit: Admission | None = None
    ) -> None:
        raise NotImplementedError

    async def start(self, timeout_s: float = 10.0) -> None:
        """Starts connecting; returns when every node is connected, or after `timeout_s` with those that are."""
        raise NotImplementedError

    async def close(self) -> None:
        """Disconnects. Legs stay up: the next engine finds them with `survey`."""
        raise NotImplementedError

    def connected_nodes(self) -> Sequence[str]:
        raise NotImplementedError

    # -- CallControl
    async def answer(self, leg_id: str) -> None:
        raise NotImplementedError

    async def hang_up(self, leg_id: str, reason: EndReason) -> None:
        raise NotImplementedError

    async def originate(self, command: OriginateLeg) -> None:
        raise NotImplementedError

    async def send_digits(self, leg_id: str, digits: str) -> None:
        raise NotImplementedError

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        raise NotImplementedError

    async def destroy_bridge(self, bridge_id: str) -> None:
        raise NotImplementedError

    async def survey(self) -> Sequence[Survey]:
        """Put the result through the inbox like an event: it is true between the facts told before and after."""
        raise NotImplementedError

    # -- MediaControl
    async def play(self, leg_id: str, playback_id: str, media: Sequence[str]) -> None:
        raise NotImplementedError

    async def stop_playback(self, leg_id: str, playback_id: str) -> None:
        raise NotImplementedError

    async def start_music(self, leg_id: str, music: str) -> None:
        raise NotImplementedError

    async def stop_music(self, leg_id: str) -> None:
        raise NotImplementedError

    async def start_recording(self, command: StartRecording) -> None:
        raise NotImplementedError

    async def stop_recording(self, leg_id: str, recording_id: str) -> None:
        raise NotImplementedError

    async def discard_recording(self, leg_id: str, recording_id: str) -> None:
        raise NotImplementedError

    async def keep_recording(self, leg_id: str, recording_id: str, destination: str) -> None:
        raise NotImplementedError
