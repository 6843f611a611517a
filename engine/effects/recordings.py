"""Where kept recordings go: `voicemail/<tenant>/<mailbox>/<when>-<interaction>.wav` with its labels beside it."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path

from core.commands import KeepRecording
from core.errors import CommandRefused
from core.ports import MediaControl

log = logging.getLogger("centralita.recordings")

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


class Mailboxes:
    def __init__(self, root: Path, media: MediaControl) -> None:
        self._root = root
        self._media = media

    async def keep(self, command: KeepRecording, now_s: float) -> None:
        """Files the recording.

        Raises:
            CommandRefused: it cannot be written (disk full, no permission); the recording stays where it was made.
            CommandFailed: the node has no such recording.
        """
        when = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
        directory = self._root / _safe(command.tenant) / _safe(command.mailbox)
        file = directory / f"{when}-{_safe(command.recording_id)}.wav"
        labels = {
            "interaction_id": command.interaction_id,
            "mailbox": command.mailbox,
            "caller": command.caller,
            "called": command.called,
            "at": when,
            **command.labels,
        }
        try:
            await asyncio.to_thread(_write_labels, file.with_suffix(".json"), labels)
        except OSError as failure:
            raise CommandRefused(
                f"{directory}: {failure.strerror}; make room, the recording is still in the spool"
            ) from failure
        await self._media.keep_recording(command.leg_id, command.recording_id, str(file))
        log.info("recording %s kept in mailbox %s/%s", command.recording_id, command.tenant, command.mailbox)


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name) or "_"


def _write_labels(path: Path, labels: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text(json.dumps(labels, ensure_ascii=False, indent=1), encoding="utf-8")
    path.chmod(0o600)
