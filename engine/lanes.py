"""One first-in-first-out lane per leg: commands of a leg run in the order they were decided, legs never wait
for each other.

A lane is a queue and, while it has work, one task. A prompt that is stopped before it was ever sent to the
node is dropped here and reported as stopped, so a caller who types ahead never hears a ghost of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.commands import (
    AnswerLeg,
    BridgeLegs,
    Command,
    DestroyBridge,
    DiscardRecording,
    HangUpLeg,
    KeepRecording,
    OriginateLeg,
    Play,
    SendDigits,
    StartMusic,
    StartRecording,
    StopMusic,
    StopPlayback,
    StopRecording,
    TurnAwayLeg,
)
from core.errors import CommandFailed, LegGone, NodeUnavailable
from core.events import CommandRejected, Event, LegEnded, PlaybackFinished, RecordingKept
from core.media import Part
from core.ports import CallControl, MediaControl

log = logging.getLogger("centralita.lanes")


UNSENT_S = 10.0
"""A node that comes back this soon carries out what was asked meanwhile: its callers notice a pause and no more."""
UNSENT_PAUSE_S = 0.25


class MediaResolver(Protocol):
    def known(self, parts: Sequence[Part]) -> list[str] | None:
        """The media items at once, or None when something must be synthesised first."""
        ...

    async def resolve(self, parts: Sequence[Part], secret: bool = False) -> list[str]:
        """`secret`: what is not there yet is synthesised for this one playback, to be forgotten after it."""
        ...

    def forget(self, media: Sequence[str]) -> None:
        """Deletes what was synthesised in secret."""
        ...


@dataclass(frozen=True, slots=True)
class Ordered:
    """A command with its id and the interaction that asked for it. `done` is told how it ended."""

    command_id: str
    interaction_id: str
    command: Command
    done: Callable[[str], None] | None = None
    secret: bool = False
    """What it says may not stay on disk."""


@dataclass(slots=True)
class _Lane:
    waiting: deque[Ordered] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    rendering: str = ""
    """The playback whose speech is being synthesised right now."""
    unsent_since_s: float | None = None
    """When the node turned out to be away (loop seconds)."""
    dropped: set[str] = field(default_factory=set)


class Lanes:
    """`report` puts an event into the inbox. `recordings(interaction_id, recording_id, mailbox)` names the file
    a kept recording becomes."""

    def __init__(
        self,
        calls: CallControl,
        media: MediaControl,
        resolver: MediaResolver,
        report: Callable[[Event], None],
        keep: Callable[[KeepRecording], Awaitable[None]],
    ) -> None:
        self._calls = calls
        self._media = media
        self._resolver = resolver
        self._report = report
        self._keep = keep
        self._lanes: dict[str, _Lane] = {}
        self._bridge_lane: dict[str, str] = {}
        self._secret: dict[str, tuple[str, list[str]]] = {}
        """Playback -> its leg, and the files that are deleted when it is over."""

    def __len__(self) -> int:
        return len(self._lanes)

    def put(self, ordered: Ordered) -> None:
        key = self._key(ordered.command)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        command = ordered.command
        if isinstance(command, StopPlayback) and self._drop_unsent(lane, command):
            return
        lane.waiting.append(ordered)
        if lane.task is None:
            lane.task = asyncio.get_running_loop().create_task(self._run(key, lane), name=f"lane {key}")

    def over(self, fact: PlaybackFinished | LegEnded) -> None:
        """What was said to one caller in secret is no file any longer than she listens to it."""
        if not self._secret:
            return
        ids = (
            [fact.playback_id]
            if isinstance(fact, PlaybackFinished)
            else [playback_id for playback_id, (leg_id, _) in self._secret.items() if leg_id == fact.leg_id]
        )
        for playback_id in ids:
            _, media = self._secret.pop(playback_id, ("", []))
            self._resolver.forget(media)

    async def drain(self) -> None:
        """Returns when every lane is empty."""
        while self._lanes:
            await asyncio.gather(*(lane.task for lane in self._lanes.values() if lane.task), return_exceptions=True)

    async def close(self) -> None:
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lanes.clear()

    def _key(self, command: Command) -> str:
        if isinstance(command, BridgeLegs):
            self._bridge_lane[command.bridge_id] = command.leg_ids[0]
            return command.leg_ids[0]
        if isinstance(command, DestroyBridge):
            return self._bridge_lane.pop(command.bridge_id, command.bridge_id)
        leg_id: str = command.leg_id  # type: ignore[union-attr]
        return leg_id

    def _drop_unsent(self, lane: _Lane, stop: StopPlayback) -> bool:
        if lane.rendering == stop.playback_id:
            lane.dropped.add(stop.playback_id)
            return True
        for ordered in lane.waiting:
            if isinstance(ordered.command, Play) and ordered.command.playback_id == stop.playback_id:
                lane.waiting.remove(ordered)
                self._report(PlaybackFinished(stop.leg_id, stop.playback_id, "stopped"))
                return True
        return False

    async def _run(self, key: str, lane: _Lane) -> None:
        try:
            while lane.waiting:
                ordered = lane.waiting.popleft()
                outcome = "done"
                try:
                    await self._execute(lane, ordered)
                    lane.unsent_since_s = None
                except LegGone:
                    outcome = "leg gone"
                except NodeUnavailable as failure:
                    if await self._node_may_be_back(lane, ordered):
                        continue
                    outcome = self._rejected(ordered, f"{type(failure).__name__}: {failure}")
                except CommandFailed as failure:
                    outcome = self._rejected(ordered, f"{type(failure).__name__}: {failure}")
                except Exception as bug:
                    log.exception("command %s (%s) failed", ordered.command_id, type(ordered.command).__name__)
                    outcome = self._rejected(ordered, f"{type(bug).__name__}: {bug}")
                if ordered.done is not None:
                    ordered.done(outcome)
        finally:
            lane.task = None
            if not lane.waiting:
                self._lanes.pop(key, None)

    async def _node_may_be_back(self, lane: _Lane, ordered: Ordered) -> bool:
        """Nothing was sent: the command is first in its lane again, unless the node has been away for too long."""
        now_s = asyncio.get_running_loop().time()
        if lane.unsent_since_s is None:
            lane.unsent_since_s = now_s
        if now_s - lane.unsent_since_s > UNSENT_S:
            return False
        lane.waiting.appendleft(ordered)
        await asyncio.sleep(UNSENT_PAUSE_S)
        return True

    def _rejected(self, ordered: Ordered, why: str) -> str:
        command = ordered.command
        subject = next(
            (value for name in ("playback_id", "recording_id", "bridge_id") if (value := getattr(command, name, None))),
            "",
        )
        leg_id = command.leg_ids[-1] if isinstance(command, BridgeLegs) else getattr(command, "leg_id", "")
        self._report(
            CommandRejected(ordered.interaction_id, ordered.command_id, type(command).__name__, why, leg_id, subject)
        )
        return why

    async def _execute(self, lane: _Lane, ordered: Ordered) -> None:
        command = ordered.command
        match command:
            case Play():
                await self._play(lane, command, ordered.secret)
            case StopPlayback():
                await self._media.stop_playback(command.leg_id, command.playback_id)
            case AnswerLeg():
                await self._calls.answer(command.leg_id)
            case HangUpLeg():
                await self._calls.hang_up(command.leg_id, command.reason)
            case TurnAwayLeg():
                await self._calls.turn_away(command.leg_id)
            case StartMusic():
                await self._media.start_music(command.leg_id, command.music)
            case StopMusic():
                await self._media.stop_music(command.leg_id)
            case StartRecording():
                await self._media.start_recording(command)
            case StopRecording():
                await self._media.stop_recording(command.leg_id, command.recording_id)
            case DiscardRecording():
                await self._media.discard_recording(command.leg_id, command.recording_id)
            case KeepRecording():
                await self._keep(command)
                self._report(RecordingKept(command.leg_id, command.recording_id))
            case OriginateLeg():
                await self._calls.originate(command)
            case BridgeLegs():
                await self._calls.bridge(command.bridge_id, command.leg_ids)
            case DestroyBridge():
                await self._calls.destroy_bridge(command.bridge_id)
            case SendDigits():
                await self._calls.send_digits(command.leg_id, command.digits)
            case _:
                raise TypeError(f"not a leg's command: {type(command).__name__}")

    async def _play(self, lane: _Lane, play: Play, secret: bool) -> None:
        media = self._resolver.known(play.parts)
        if media is None:
            lane.rendering = play.playback_id
            try:
                media = await self._resolver.resolve(play.parts, secret)
            finally:
                lane.rendering = ""
            if secret:
                self._secret[play.playback_id] = (play.leg_id, media)
            if play.playback_id in lane.dropped:
                lane.dropped.discard(play.playback_id)
                self._report(PlaybackFinished(play.leg_id, play.playback_id, "stopped"))
                return
        if not media:
            self._report(PlaybackFinished(play.leg_id, play.playback_id, "completed"))
            return
        try:
            await self._media.play(play.leg_id, play.playback_id, media)
        except CommandFailed:
            self.over(PlaybackFinished(play.leg_id, play.playback_id, "failed"))
            raise
