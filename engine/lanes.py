"""One first-in-first-out lane per leg and per bridge: their commands run in the order they were decided, and those
who have nothing to do with each other never wait for each other.

A lane is a queue and, while it has work, one task. What concerns several (legs that meet in a bridge) stands in the
lane of each, runs in the first of them, and only when it is at the head of all: whoever came first anywhere is first
everywhere, so nobody waits in a circle. A prompt that is stopped before it was ever sent to the node is dropped here
and reported as stopped, so a caller who types ahead never hears a ghost of it. Filing a recording takes its time: it
begins in its leg's turn, and holds nobody up.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from core.commands import Command
from core.errors import CommandFailed, CommandRefused, LegGone, NodeUnavailable
from core.events import CommandRejected, Event, LegEnded, PlaybackFinished
from core.leg_commands import BridgeLegs, DestroyBridge, KeepRecording, Play, StopPlayback, UnbridgeLeg
from core.live_audio import LiveAudio
from core.ports import CallControl, MediaControl
from engine.carrier import Carrier, MediaResolver

log = logging.getLogger("centralita.lanes")


UNSENT_S = 10.0
"""A node that comes back this soon carries out what was asked meanwhile: its callers notice a pause and no more."""
UNSENT_PAUSE_S = 0.25


@dataclass(frozen=True, slots=True)
class Ordered:
    """A command with its id and the interaction that asked for it. `done` is told how it ended."""

    command_id: str
    interaction_id: str
    command: Command
    done: Callable[[str], None] | None = None
    secret: bool = False
    """What it says may not stay on disk."""


class _Meeting:
    """A command that concerns several lanes. The first of them carries it out once the others have come to it; they
    wait until it is over, unless it `holds` nobody. `missing`: how many lanes have not come yet."""

    __slots__ = ("holds", "missing", "over", "ready")

    def __init__(self, missing: int, holds: bool = True) -> None:
        self.missing = missing
        self.holds = holds
        self.ready = asyncio.Event()
        self.over = asyncio.Event()

    def come(self) -> None:
        self.missing -= 1
        if not self.missing:
            self.ready.set()


@dataclass(frozen=True, slots=True)
class _Turn:
    """A command at the head of its first lane that waits for its others."""

    ordered: Ordered
    meeting: _Meeting


@dataclass(slots=True)
class _Lane:
    waiting: deque[Ordered | _Turn | _Meeting] = field(default_factory=deque)
    task: asyncio.Task[None] | None = None
    unsent_since_s: float | None = None
    """When the node turned out to be away (loop seconds)."""


class Lanes:
    """`report` puts an event into the inbox; `keep` files a recording that is wanted; `live`: who listens to legs."""

    def __init__(
        self,
        calls: CallControl,
        media: MediaControl,
        resolver: MediaResolver,
        report: Callable[[Event], None],
        keep: Callable[[KeepRecording], Awaitable[None]],
        live: LiveAudio | None = None,
    ) -> None:
        self._report = report
        self._carrier = Carrier(calls, media, resolver, report, keep, live)
        self._lanes: dict[str, _Lane] = {}
        self._inside: dict[str, set[str]] = {}
        """Bridge -> the legs that were put into it."""

    def __len__(self) -> int:
        return len(self._lanes)

    def put(self, ordered: Ordered) -> None:
        command = ordered.command
        if isinstance(command, BridgeLegs | UnbridgeLeg | DestroyBridge):
            first, *others = self._concerned(command)
            meeting = _Meeting(len(others))
            for key in others:
                self._append(key, meeting)
            self._append(first, _Turn(ordered, meeting) if others else ordered)
            return
        leg_id: str = command.leg_id  # type: ignore[union-attr]
        if isinstance(command, KeepRecording):
            meeting = _Meeting(1, holds=False)
            self._append(leg_id, meeting)
            self._append(f"recording {command.recording_id}", _Turn(ordered, meeting))
            return
        if isinstance(command, StopPlayback) and self._drop_unsent(leg_id, command):
            return
        self._append(leg_id, ordered)

    def _append(self, key: str, entry: Ordered | _Turn | _Meeting) -> None:
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane()
        lane.waiting.append(entry)
        if lane.task is None:
            lane.task = asyncio.get_running_loop().create_task(self._run(key, lane), name=f"lane {key}")

    def over(self, fact: PlaybackFinished | LegEnded) -> None:
        """What was said to one caller in secret is no file any longer than she listens to it."""
        self._carrier.over(fact)

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

    def _concerned(self, command: BridgeLegs | UnbridgeLeg | DestroyBridge) -> list[str]:
        """The lanes of a bridge's command, its own last: of a bridge from before a restart we do not know who is in."""
        bridge = f"bridge {command.bridge_id}"
        if isinstance(command, DestroyBridge):
            return [*sorted(self._inside.pop(command.bridge_id, ())), bridge]
        if isinstance(command, UnbridgeLeg):
            self._inside.get(command.bridge_id, set()).discard(command.leg_id)
            return [command.leg_id, bridge]
        inside = self._inside.setdefault(command.bridge_id, set())
        others = sorted(inside - set(command.leg_ids))
        inside.update(command.leg_ids)
        return [*dict.fromkeys(command.leg_ids), *others, bridge]

    def _drop_unsent(self, key: str, stop: StopPlayback) -> bool:
        lane = self._lanes.get(key)
        if lane is None:
            return False
        if self._carrier.drop(stop):
            return True
        for ordered in lane.waiting:
            if (
                isinstance(ordered, Ordered)
                and isinstance(ordered.command, Play)
                and ordered.command.playback_id == stop.playback_id
            ):
                lane.waiting.remove(ordered)
                self._report(PlaybackFinished(stop.leg_id, stop.playback_id, "stopped"))
                return True
        return False

    async def _run(self, key: str, lane: _Lane) -> None:
        try:
            while lane.waiting:
                entry = lane.waiting.popleft()
                if isinstance(entry, Ordered):
                    if not await self._carry_out(lane, entry):
                        lane.waiting.appendleft(entry)
                        await asyncio.sleep(UNSENT_PAUSE_S)
                elif isinstance(entry, _Meeting):
                    entry.come()
                    if entry.holds:
                        await entry.over.wait()
                else:
                    sent = True
                    try:
                        await entry.meeting.ready.wait()
                        sent = await self._carry_out(lane, entry.ordered)
                    finally:
                        if sent:
                            entry.meeting.over.set()
                    if not sent:
                        lane.waiting.appendleft(entry)
                        await asyncio.sleep(UNSENT_PAUSE_S)
        finally:
            lane.task = None
            if not lane.waiting:
                self._lanes.pop(key, None)

    async def _carry_out(self, lane: _Lane, ordered: Ordered) -> bool:
        """False: nothing was sent, and it is to be tried again."""
        outcome = "done"
        try:
            await self._carrier.carry_out(ordered.command, ordered.secret)
            lane.unsent_since_s = None
        except LegGone:
            outcome = "leg gone"
        except NodeUnavailable as failure:
            if self._node_may_be_back(lane):
                return False
            outcome = self._rejected(ordered, f"{type(failure).__name__}: {failure}")
        except CommandFailed as failure:
            refused = isinstance(failure, CommandRefused)
            outcome = self._rejected(ordered, f"{type(failure).__name__}: {failure}", refused)
        except Exception as bug:
            log.exception("command %s (%s) failed", ordered.command_id, type(ordered.command).__name__)
            outcome = self._rejected(ordered, f"{type(bug).__name__}: {bug}")
        if ordered.done is not None:
            ordered.done(outcome)
        return True

    def _node_may_be_back(self, lane: _Lane) -> bool:
        """Unless it has been away for too long."""
        now_s = asyncio.get_running_loop().time()
        if lane.unsent_since_s is None:
            lane.unsent_since_s = now_s
        return now_s - lane.unsent_since_s <= UNSENT_S

    def _rejected(self, ordered: Ordered, why: str, refused: bool = False) -> str:
        command = ordered.command
        subject = next(
            (
                value
                for name in ("playback_id", "recording_id", "listening_id", "bridge_id")
                if (value := getattr(command, name, None))
            ),
            "",
        )
        leg_id = command.leg_ids[-1] if isinstance(command, BridgeLegs) else getattr(command, "leg_id", "")
        what = type(command).__name__
        self._report(CommandRejected(ordered.interaction_id, ordered.command_id, what, why, leg_id, subject, refused))
        return why
