"""A leg's command, asked of the node that can carry it out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from core.commands import Command
from core.errors import CommandFailed
from core.events import Event, LegEnded, ListenerLost, PlaybackFinished, RecordingKept
from core.leg_commands import (
    AnswerLeg,
    BridgeLegs,
    DestroyBridge,
    DiscardRecording,
    DismissListener,
    HangUpLeg,
    KeepRecording,
    ListenIn,
    ListenToLeg,
    MuteLeg,
    OriginateLeg,
    ParkLeg,
    PauseTalkRecording,
    Play,
    SendDigits,
    StartMusic,
    StartRecording,
    StartTalkRecording,
    StopListening,
    StopMusic,
    StopPlayback,
    StopRecording,
    StopTalkRecording,
    TurnAwayLeg,
    UnbridgeLeg,
)
from core.live_audio import LiveAudio
from core.media import Part
from core.ports import CallControl, MediaControl


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


class Carrier:
    """`report` puts an event into the inbox; `keep` files a recording that is wanted; `live`: where nobody listens to
    legs, None."""

    def __init__(
        self,
        calls: CallControl,
        media: MediaControl,
        resolver: MediaResolver,
        report: Callable[[Event], None],
        keep: Callable[[KeepRecording], Awaitable[None]],
        live: LiveAudio | None = None,
    ) -> None:
        self._live = live
        self._calls = calls
        self._media = media
        self._resolver = resolver
        self._report = report
        self._keep = keep
        self._rendering: dict[str, tuple[str, asyncio.Event]] = {}
        """Leg -> the playback whose speech is being synthesised right now, and what says that it is not wanted."""
        self._unwanted: set[asyncio.Future[list[str]]] = set()
        """Speech that is still being synthesised and nobody waits for."""
        self._secret: dict[str, tuple[str, list[str]]] = {}
        """Playback -> its leg, and the files that are deleted when it is over."""

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

    def drop(self, stop: StopPlayback) -> bool:
        """Whether this playback was being synthesised: then it is reported as stopped and never played."""
        playback_id, unwanted = self._rendering.get(stop.leg_id, ("", None))
        if unwanted is None or playback_id != stop.playback_id:
            return False
        unwanted.set()
        return True

    async def carry_out(self, command: Command, secret: bool) -> None:
        """`secret`: what it says may not stay on disk.

        Raises:
            CommandFailed: as the ports say.
        """
        match command:
            case Play():
                await self._play(command, secret)
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
                await self._calls.bridge(command.bridge_id, command.leg_ids, command.keyed)
            case UnbridgeLeg():
                await self._calls.unbridge(command.bridge_id, command.leg_id)
            case MuteLeg():
                await self._calls.mute(command.leg_id, command.muted)
            case ListenIn():
                await self._calls.listen_in(command.leg_id, command.to_leg_id, command.whisper)
            case StopListening():
                await self._calls.stop_listening(command.leg_id)
            case ListenToLeg():
                await self._listen(command)
            case DismissListener():
                if self._live is not None:
                    await self._live.dismiss(command.leg_id, command.listening_id)
            case ParkLeg():
                await self._calls.park(command.leg_id)
            case StartTalkRecording():
                await self._media.start_talk_recording(command.leg_id, command.recording_id)
            case PauseTalkRecording():
                await self._media.pause_talk_recording(command.leg_id, command.recording_id, command.paused)
            case StopTalkRecording():
                await self._media.stop_talk_recording(command.leg_id, command.recording_id)
            case DestroyBridge():
                await self._calls.destroy_bridge(command.bridge_id)
            case SendDigits():
                await self._calls.send_digits(command.leg_id, command.digits)
            case _:
                raise TypeError(f"not a leg's command: {type(command).__name__}")

    async def _listen(self, command: ListenToLeg) -> None:
        if self._live is not None:
            await self._live.listen(command)
        else:
            self._report(ListenerLost(command.leg_id, command.listening_id, "nobody listens to legs here"))

    async def _play(self, play: Play, secret: bool) -> None:
        media = self._resolver.known(play.parts)
        if media is None:
            media = await self._rendered(play, secret)
            if media is None:
                self._report(PlaybackFinished(play.leg_id, play.playback_id, "stopped"))
                return
            if secret:
                self._secret[play.playback_id] = (play.leg_id, media)
        if not media:
            self._report(PlaybackFinished(play.leg_id, play.playback_id, "completed"))
            return
        try:
            await self._media.play(play.leg_id, play.playback_id, media)
        except CommandFailed:
            self.over(PlaybackFinished(play.leg_id, play.playback_id, "failed"))
            raise

    async def _rendered(self, play: Play, secret: bool) -> list[str] | None:
        """None when it was stopped meanwhile: what comes next does not wait until the words nobody wants are ready."""
        unwanted = asyncio.Event()
        self._rendering[play.leg_id] = play.playback_id, unwanted
        work = asyncio.ensure_future(self._resolver.resolve(play.parts, secret))
        dropped = asyncio.ensure_future(unwanted.wait())
        try:
            await asyncio.wait({work, dropped}, return_when=asyncio.FIRST_COMPLETED)
            if not unwanted.is_set():
                return await work
            self._unwanted.add(work)
            work.add_done_callback(partial(self._unwanted_is_ready, secret))
            return None
        except asyncio.CancelledError:
            work.cancel()
            raise
        finally:
            self._rendering.pop(play.leg_id, None)
            dropped.cancel()

    def _unwanted_is_ready(self, secret: bool, work: asyncio.Future[list[str]]) -> None:
        self._unwanted.discard(work)
        if not work.cancelled() and work.exception() is None and secret:
            self._resolver.forget(work.result())
