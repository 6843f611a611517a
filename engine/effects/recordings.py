"""Where kept recordings go: `voicemail/<tenant>/<mailbox>/<when>-<recording>.wav` with its labels beside it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from core.errors import CommandFailed, CommandRefused
from core.leg_commands import KeepRecording
from core.ports import MediaControl

log = logging.getLogger("centralita.recordings")

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


class Mailboxes:
    def __init__(self, root: Path, media: MediaControl) -> None:
        self._root = root
        self._media = media

    async def keep(self, command: KeepRecording, now_s: float) -> None:
        """Files the recording; when it returns, file and labels survive a power cut. One that was filed before stays
        as it is, so that an engine that died in between may ask again.

        Raises:
            CommandRefused: it cannot be written (disk full, no permission); the recording stays where it was made.
            CommandFailed: the node has no such recording.
        """
        when = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
        directory = self._root / _safe(command.tenant) / _safe(command.mailbox)
        file = await asyncio.to_thread(_file_of, directory, when, _safe(command.recording_id))
        labels = {
            "interaction_id": command.interaction_id,
            "mailbox": command.mailbox,
            "caller": command.caller,
            "called": command.called,
            "at": when,
            **command.labels,
        }
        try:
            if not file.exists():
                await asyncio.to_thread(_write_labels, file.with_suffix(".json"), labels)
                await self._media.keep_recording(command.leg_id, command.recording_id, str(file))
            await asyncio.to_thread(_make_durable, file)
        except (OSError, CommandFailed) as failure:
            why = f"{directory}: {failure.strerror}" if isinstance(failure, OSError) else str(failure)
            log.error("recording %s was not kept, and may still be in the spool: %s", command.recording_id, why)
            await asyncio.to_thread(_take_back_labels, file)
            if isinstance(failure, CommandFailed):
                raise
            raise CommandRefused(f"{why}; make room there") from failure
        log.info("recording %s kept in mailbox %s/%s", command.recording_id, command.tenant, command.mailbox)


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name).lstrip(".") or "_"


def _file_of(directory: Path, when: str, recording: str) -> Path:
    """Where the recording lies, or lay its labels when an earlier attempt was cut short; else where it shall lie."""
    pattern = f"{'?' * len(when)}-{recording}"
    earlier = next((path for path in directory.glob(f"{pattern}.json")), None)
    return (earlier or directory / f"{when}-{recording}.json").with_suffix(".wav")


def _write_labels(path: Path, labels: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(path, "w", encoding="utf-8", opener=_private) as file:
        json.dump(labels, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())


def _take_back_labels(file: Path) -> None:
    """Labels without a sound are no message."""
    if not file.exists():
        with contextlib.suppress(OSError):
            file.with_suffix(".json").unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _make_durable(file: Path) -> None:
    """The sound and the directory's entries, the labels' included, reach the disk."""
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
