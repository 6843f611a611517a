"""Lets a person hear a call while it is recorded: the growing file goes to whatever plays sound on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

from telephony.softphone.ending import end

_PLAYERS = {
    "pw-cat": ["--playback", "--rate={rate}", "--channels=1", "--format=s16", "-"],
    "paplay": ["--raw", "--format=s16le", "--rate={rate}", "--channels=1"],
    "aplay": ["-q", "-t", "raw", "-f", "S16_LE", "-c", "1", "-r", "{rate}"],
    "ffplay": ["-nodisp", "-loglevel", "quiet", "-fflags", "nobuffer", "-i", "-"],
}
_HEADER_BYTES = 44
_LOOK_EVERY_S = 0.04


def player(rate_hz: int) -> list[str] | None:
    """The command that plays raw 16-bit mono samples from its input, or None when there is none."""
    for name in ("paplay", "aplay", "pw-cat", "ffplay"):
        if program := shutil.which(name):
            return [program, *(argument.format(rate=rate_hz) for argument in _PLAYERS[name])]
    return None


def endless_header(rate_hz: int) -> bytes:
    """A wav header for sound whose end is not known: what ffplay wants before the samples."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        2**32 - 1,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        rate_hz,
        rate_hz * 2,
        2,
        16,
        b"data",
        2**32 - 1,
    )


class Loudspeaker:
    """`async with Loudspeaker(recording, 16000, command):` plays the file as it grows, until left.

    `on_silent()` is called when the player ends on its own.
    """

    def __init__(
        self, path: Path, rate_hz: int, command: list[str], on_silent: Callable[[], None] = lambda: None
    ) -> None:
        self._path, self._rate_hz, self._command, self._on_silent = path, rate_hz, command, on_silent
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self.silent = False
        """The player ended on its own: there is no sound device, or it is not ours to use."""

    async def __aenter__(self) -> Loudspeaker:
        # Not in the task: cancelled halfway, asyncio takes the exit status of what it has started from under itself.
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self._task = asyncio.create_task(self._play(self._process), name="softphone loudspeaker")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        assert self._process is not None
        self._task.cancel()
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        finally:
            end(self._process)
            await self._process.wait()

    async def _play(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        try:
            if "ffplay" in self._command[0]:
                process.stdin.write(endless_header(self._rate_hz))
            place = _HEADER_BYTES
            while process.returncode is None:
                new = _from(self._path, place)
                place += len(new)
                process.stdin.write(new)
                await process.stdin.drain()
                await asyncio.sleep(_LOOK_EVERY_S)
            self._fall_silent()
        except (BrokenPipeError, ConnectionResetError):
            self._fall_silent()

    def _fall_silent(self) -> None:
        self.silent = True
        self._on_silent()


def _from(path: Path, place: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(place)
            data = file.read()
    except FileNotFoundError:
        return b""
    return data[: len(data) - len(data) % 2]
