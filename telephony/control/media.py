"""`MediaControl` on Asterisk: playbacks, music, recordings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlencode

from core.errors import CommandRefused, DeadlineExceeded, LegGone, NodeUnavailable
from core.leg_commands import StartRecording
from telephony.ari.node_client import NodeClient
from telephony.control import names
from telephony.control.desk import Desk, q
from telephony.control.legs import LegMemory, RecordingMemory, Running
from telephony.control.recordings import FORMAT, RecordingFiles

CLOSING_S = 0.02
"""Between two looks at a file that Asterisk is closing."""
SETTLED_LOOKS = 150
"""Asterisk writes a conversation down a second at a time."""
CLOSED_WITHIN_S = 10.0


class Media(Desk):
    """What legs hear, and what is kept of what they say."""

    async def play(self, leg_id: str, playback_id: str, media: Sequence[str]) -> None:
        """As the port says. Tones but `tone:beep` sound until stopped. A playback that is already running goes on:
        this one is queued behind it.
        """
        leg = self._book.get(leg_id)
        uri = f"channels/{q(leg_id)}/play/{q(names.identifier(playback_id))}"
        body = self._sounds[leg.node.name].body(media)
        await self._ready(leg)
        leg.playing[playback_id] = False
        try:
            await self._ask(leg, "POST", uri, body)
        except (LegGone, CommandRefused, NodeUnavailable):
            leg.playing.pop(playback_id, None)
            raise

    async def stop_playback(self, leg_id: str, playback_id: str) -> None:
        """Also one that was started before a restart: its id is enough."""
        leg = self._book.get(leg_id)
        names.identifier(playback_id)
        if playback_id in leg.playing:
            leg.playing[playback_id] = True
        await self._end(leg, Running("playback", playback_id))

    async def start_music(self, leg_id: str, music: str) -> None:
        """Until it is stopped or the leg is bridged."""
        leg = self._book.get(leg_id)
        uri = f"channels/{q(leg_id)}/moh?mohClass={q(names.music_class(music))}"
        await self._here(leg)
        leg.background.add("moh")
        await self._ask(leg, "POST", uri)

    async def stop_music(self, leg_id: str) -> None:
        leg = self._book.get(leg_id)
        leg.background.discard("moh")
        await self._ask(leg, "DELETE", f"channels/{q(leg_id)}/moh")

    async def start_recording(self, command: StartRecording) -> None:
        """Raises CommandRefused when one is running or Asterisk cannot write it."""
        leg = self._book.get(command.leg_id)
        if leg.recording is not None:
            raise CommandRefused(f"leg {command.leg_id} is being recorded already, as {leg.recording.recording_id}")
        ends_by = names.terminator(command.terminators)
        query = urlencode(
            {
                "name": names.file_name(command.recording_id),
                "format": FORMAT,
                "maxDurationSeconds": max(0, command.max_s),
                "maxSilenceSeconds": max(0, command.silence_s),
                "ifExists": "overwrite",
                "beep": "true" if command.beep else "false",
                "terminateOn": ends_by,
            }
        )
        await self._ready(leg)
        began_s = asyncio.get_running_loop().time()
        leg.recording = RecordingMemory(command.recording_id, ends_by, command.max_s, command.silence_s, began_s)
        try:
            await self._ask(leg, "POST", f"channels/{q(command.leg_id)}/record?{query}")
        except (LegGone, CommandRefused, NodeUnavailable):
            leg.recording = None
            raise

    async def stop_recording(self, leg_id: str, recording_id: str) -> None:
        """Stopping what has already finished is not an error."""
        leg = self._book.get(leg_id)
        if leg.recording is not None and leg.recording.recording_id == recording_id:
            leg.recording.stopped = True
        await self._end(leg, Running("recording", recording_id))

    async def discard_recording(self, leg_id: str, recording_id: str) -> None:
        """Ends it when it still runs, and deletes the file; that there is none is fine. The leg may have ended."""
        names.file_name(recording_id)
        leg = self._book.find(leg_id)
        if leg is not None and leg.recording is not None and leg.recording.recording_id == recording_id:
            await self._cancel(leg, leg.recording)
        for files in self._files_of(leg):
            await asyncio.to_thread(files.discard, recording_id)

    async def keep_recording(self, leg_id: str, recording_id: str, destination: str) -> None:
        """The leg may have ended, and Asterisk may still be closing the file: that is waited for.

        Raises:
            CommandRefused: there is no such file, or it cannot be moved.
            DeadlineExceeded: it is being recorded all the same.
        """
        leg = self._book.find(leg_id)
        places = list(self._nodes) if leg is None else [leg.node.name, *self._nodes]
        node = self._nodes[next((name for name in places if self._files[name].exists(recording_id)), places[0])]
        await self._closed(node, recording_id, leg)
        await asyncio.to_thread(self._files[node.name].keep, recording_id, destination)

    async def _closed(self, node: NodeClient, recording_id: str, leg: LegMemory | None) -> None:
        """Asterisk knows a recording until its file is closed; its length has been read once its end was told. A node
        that cannot be asked is not waited for."""
        uri = f"recordings/live/{q(names.file_name(recording_id))}"

        def is_running() -> bool:
            running = (leg.recording, leg.talk) if leg is not None else ()
            return any(memory is not None and memory.recording_id == recording_id for memory in running)

        files = self._files[node.name]
        try:
            async with asyncio.timeout(CLOSED_WITHIN_S):
                while True:
                    talk = files.talk_path(recording_id).exists()  # which ARI knows nothing of
                    if not is_running() and (talk or (await node.ask("GET", uri)).status_code != 200):
                        break
                    await asyncio.sleep(CLOSING_S)
                await self._settled(files, recording_id)
        except NodeUnavailable:
            return
        except TimeoutError:
            raise DeadlineExceeded(f"{recording_id} is still being recorded on {node.name}: stop it first") from None

    async def _settled(self, files: RecordingFiles, recording_id: str) -> None:
        """A conversation that ended with its leg is closed a moment later, and nobody says when. Where the file system
        cannot tell either, it has stopped growing then."""
        looks, before = 0, files.talk_duration_s(recording_id)
        while before is not None and looks < SETTLED_LOOKS and files.is_open(recording_id) is not False:
            await asyncio.sleep(CLOSING_S)
            now = files.talk_duration_s(recording_id)
            looks, before = (looks + 1 if now == before else 0), now

    async def _cancel(self, leg: LegMemory, recording: RecordingMemory) -> None:
        recording.discarded = True
        name = q(names.file_name(recording.recording_id))
        response = await leg.node.send(leg.leg_id, "DELETE", f"recordings/live/{name}")
        if response.status_code not in (204, 404, 409):
            self._refuse(leg, response, f"DELETE recordings/live/{name}")

    def _files_of(self, leg: LegMemory | None) -> list[RecordingFiles]:
        """An ended leg's node is not known any more: its file is where it is."""
        return list(self._files.values()) if leg is None else [self._files[leg.node.name]]
