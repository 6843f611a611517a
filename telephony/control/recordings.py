"""The files of recordings, in Asterisk's recording directory."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import wave
from pathlib import Path

from core.errors import CommandRefused
from telephony.control.names import file_name

FORMAT = "wav"
TALK_FORMAT = "raw"
"""Of a conversation, until it is kept: two channels, samples of both by turns."""
_HEADER_BYTES = 44
_BYTES_PER_S = 16_000
_TALK_BYTES_PER_S = 2 * _BYTES_PER_S
_CHUNK_BYTES = 1 << 18


class RecordingFiles:
    """Blocking: call `keep` and `discard` in a thread."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path(self, recording_id: str) -> Path:
        return self._directory / f"{file_name(recording_id)}.{FORMAT}"

    def duration_s(self, recording_id: str) -> float | None:
        """Of what was written, by its size; None when there is no file, or not even a header in it."""
        try:
            size = self.path(recording_id).stat().st_size
        except OSError:
            return None
        return (size - _HEADER_BYTES) / _BYTES_PER_S if size >= _HEADER_BYTES else None

    def talk_path(self, recording_id: str) -> Path:
        return self._directory / f"{file_name(recording_id)}.{TALK_FORMAT}"

    def exists(self, recording_id: str) -> bool:
        return self.path(recording_id).exists() or self.talk_path(recording_id).exists()

    def talk_duration_s(self, recording_id: str) -> float | None:
        """As `duration_s`, of a conversation that has not been kept yet."""
        try:
            return self.talk_path(recording_id).stat().st_size / _TALK_BYTES_PER_S
        except OSError:
            return None

    def is_open(self, recording_id: str) -> bool | None:
        """Whether somebody has a conversation's file open for writing; None when its file system cannot tell."""
        return _is_written_to(self.talk_path(recording_id))

    def is_disk_full(self) -> bool:
        """Whether there is no room for even a minute more."""
        try:
            room = os.statvfs(self._directory)
        except OSError:
            return False
        return room.f_bavail * room.f_frsize < 60 * _BYTES_PER_S

    def keep(self, recording_id: str, destination: str) -> None:
        """Moves the file; the destination is there whole or not at all, also across file systems.

        Raises:
            CommandRefused: no such recording, a destination we cannot write, or another format than wav.
        """
        target = Path(destination)
        if not target.is_absolute() or ".." in target.parts:
            raise CommandRefused(f"cannot keep recording {recording_id} at {destination!r}: give an absolute path")
        if target.suffix != f".{FORMAT}":
            raise CommandRefused(f"cannot keep recording {recording_id} as {target.suffix!r}: only .{FORMAT} is known")
        source, talk = self.path(recording_id), self.talk_path(recording_id)
        half_done = target.with_name(f".{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            if not source.exists() and talk.exists():
                _write_stereo(talk, half_done)
                os.replace(half_done, target)
                talk.unlink()
                return
            try:
                os.replace(source, target)
            except OSError:
                if not source.exists():
                    raise
                shutil.copyfile(source, half_done)
                os.replace(half_done, target)
                source.unlink()
        except FileNotFoundError as problem:
            raise CommandRefused(f"recording {recording_id} is not there (any more): {problem}") from problem
        except OSError as problem:
            with contextlib.suppress(OSError):
                half_done.unlink()
            raise CommandRefused(
                f"cannot keep recording {recording_id} at {target}: {problem}; its file stays in {self._directory}"
            ) from problem

    def discard(self, recording_id: str) -> None:
        """Deletes the file; that there is none is fine. Raises CommandRefused when it cannot be deleted."""
        try:
            self.path(recording_id).unlink(missing_ok=True)
            self.talk_path(recording_id).unlink(missing_ok=True)
        except OSError as problem:
            raise CommandRefused(f"cannot delete recording {recording_id}: {problem}") from problem


def _is_written_to(path: Path) -> bool | None:
    """By asking for a lease, which nobody gets of a file that is open for writing; it is given back at once."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        # Should it be opened for writing in this very moment, the kernel's signal must not end the process.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as refused:
        return True if refused.errno == errno.EAGAIN else None
    finally:
        os.close(descriptor)
    return False


def _write_stereo(raw: Path, target: Path) -> None:
    """A WAV of the two channels; a last half sample is left out."""
    with raw.open("rb") as source, target.open("wb") as sink, wave.open(sink, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_BYTES_PER_S // 2)
        while chunk := source.read(_CHUNK_BYTES):
            file.writeframesraw(chunk[: len(chunk) - len(chunk) % 4])
