"""Conversations recorded in two channels: what a leg says, and what it hears.

ARI can record a leg or a bridge, each into one channel; MixMonitor writes both directions of a leg apart and keeps
them together in time. It is asked for over AMI. What it writes, raw, is made a WAV when the recording is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from core.errors import CommandFailed, CommandRefused, DeadlineExceeded, NodeUnavailable
from core.events import RecordingFailed
from telephony.control.legs import LegMemory, TalkMemory
from telephony.control.media import Media
from telephony.control.names import file_name
from telephony.control.recordings import TALK_FORMAT

log = logging.getLogger(__name__)

RECORDER_BACK_S = 1.5
"""The leg's next command waits so long at most for a recorder that has just lost its connection."""
RECORDER_PAUSE_S = 0.1
SPOOL = "../recording"
"""Where ARI's recordings are, from MixMonitor's own directory: Asterisk's paths need not be ours."""


class TalkRecorder(Protocol):
    """A node's MixMonitor. All may raise CommandRefused, DeadlineExceeded, NodeUnavailable."""

    async def start_mix(self, leg_id: str, file: str) -> None:
        """`file`: relative to Asterisk's directory of monitors."""
        ...

    async def mute_mix(self, leg_id: str, muted: bool) -> None: ...

    async def stop_mix(self, leg_id: str) -> None:
        """Once it returns, the file is whole."""
        ...


class Talks(Media):
    """`recorders`: node -> its MixMonitor; a node without one fails to record and does nothing else wrong."""

    recorders: Mapping[str, TalkRecorder]

    async def start_talk_recording(self, leg_id: str, recording_id: str) -> None:
        """One at a time; asked again, also by an engine that did not start it, it goes on. That it cannot be done is
        told as `RecordingFailed`, and hinders nothing.

        Raises:
            LegGone: the leg has ended. CommandRefused: it is being recorded already.
        """
        leg = self._book.get(leg_id)
        name = file_name(recording_id)
        if leg.talk is not None:
            if leg.talk.recording_id == recording_id:
                return
            raise CommandRefused(f"leg {leg_id} is being recorded already, as {leg.talk.recording_id}")
        talk = leg.talk = TalkMemory(recording_id, asyncio.get_running_loop().time())
        if self._files[leg.node.name].talk_path(recording_id).exists():
            return  # started by an engine before us: a second one would write over it
        try:
            await self._start_mix(leg, talk, f"{SPOOL}/{name}.{TALK_FORMAT}")
        except DeadlineExceeded as problem:
            log.warning("leg %s: whether it is recorded shows when that ends: %s", leg_id, problem)
        except CommandFailed as problem:
            if leg.talk is talk:
                leg.talk = None
                self._sink(RecordingFailed(leg_id, recording_id, str(problem)))

    async def _start_mix(self, leg: LegMemory, talk: TalkMemory, file: str) -> None:
        recorder = self._recorder(leg)
        until_s = talk.began_s + RECORDER_BACK_S
        while True:
            try:
                return await recorder.start_mix(leg.leg_id, file)
            except NodeUnavailable:
                if asyncio.get_running_loop().time() >= until_s:
                    raise
            await asyncio.sleep(RECORDER_PAUSE_S)
            if leg.talk is not talk:
                return None

    async def pause_talk_recording(self, leg_id: str, recording_id: str, paused: bool) -> None:
        """Silence is written while it is paused. What should not be recorded and cannot be paused is thrown away."""
        leg = self._book.get(leg_id)
        if leg.talk is not None and leg.talk.recording_id != recording_id:
            return
        try:
            await self._recorder(leg).mute_mix(leg_id, paused)
        except CommandFailed as problem:
            if not paused:
                raise
            await self._throw_away(leg, recording_id, f"it could not be paused, so nothing of it is kept: {problem}")

    async def stop_talk_recording(self, leg_id: str, recording_id: str) -> None:
        """Stopping what has ended, or what another engine started, is fine."""
        leg = self._book.find(leg_id)
        if leg is None or (leg.talk is not None and leg.talk.recording_id != recording_id):
            return
        talk = leg.talk
        try:
            await self._stop_mix(leg)
        except CommandFailed as problem:
            log.warning("leg %s: its recording runs on until it ends: %s", leg_id, problem)
        if self._book.find(leg_id) is leg and leg.talk is talk:
            self._translators[leg.node.name].end_talk(leg, recording_id, "stopped")

    async def discard_recording(self, leg_id: str, recording_id: str) -> None:
        """Also a conversation that is still being recorded."""
        leg = self._book.find(leg_id)
        if leg is not None and leg.talk is not None and leg.talk.recording_id == recording_id:
            await self._cancel_talk(leg)
        await super().discard_recording(leg_id, recording_id)

    async def _stop_mix(self, leg: LegMemory) -> None:
        recorder = self._recorder(leg)
        try:
            await recorder.stop_mix(leg.leg_id)
        except DeadlineExceeded:
            await recorder.stop_mix(leg.leg_id)  # it may have been too busy to answer: stopping twice harms nothing

    async def _throw_away(self, leg: LegMemory, recording_id: str, why: str) -> None:
        self._sink(RecordingFailed(leg.leg_id, recording_id, why))
        await self._cancel_talk(leg)
        await asyncio.to_thread(self._files[leg.node.name].discard, recording_id)

    async def _cancel_talk(self, leg: LegMemory) -> None:
        """Nothing is told of it any more. If Asterisk writes on, it writes into a file that is deleted."""
        leg.talk = None
        try:
            await self._stop_mix(leg)
        except CommandFailed as problem:
            log.error("leg %s: what it says is written on until it ends: %s", leg.leg_id, problem)

    def _recorder(self, leg: LegMemory) -> TalkRecorder:
        recorder = self.recorders.get(leg.node.name)
        if recorder is None:
            raise NodeUnavailable(f"{leg.node.name}: conversations are recorded over AMI, which is not set up for it")
        return recorder
