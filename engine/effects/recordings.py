"""Where kept recordings go: `voicemail/<tenant>/<mailbox>/<when>-<recording>.wav` with its labels beside it, sealed
under the contact's key unless the site says otherwise."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from weakref import WeakValueDictionary

from core.errors import CommandFailed, CommandRefused
from core.leg_commands import KeepRecording
from core.ports import MediaControl
from store.cipher import ContactCipher
from store.recordings import WHEN, are_sealed, read_labels, sync, write_labels
from store.sealed_file import SUFFIX, seal_file

log = logging.getLogger("centralita.recordings")

_UNSAFE = re.compile(r"[^A-Za-z0-9_.-]")


class Mailboxes:
    """`seals()`: whether what is kept is sealed, now."""

    def __init__(self, root: Path, media: MediaControl, cipher: ContactCipher, seals: Callable[[], bool]) -> None:
        self._root = root
        self._media = media
        self._cipher = cipher
        self._seals = seals
        self._sealing = threading.Lock()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Recording -> who files it: the flow that decided so and the spool may want to at the same time."""

    async def keep(self, command: KeepRecording, now_s: float) -> None:
        """Files the recording; when it returns, file and labels survive a power cut. One that was filed before stays
        as it is, so that an engine that died in between may ask again. What has no sound is its labels.

        Raises:
            CommandRefused: it cannot be written (disk full, no permission); the recording stays where it was made.
            CommandFailed: the node has no such recording.
        """
        turn = self._turns.setdefault(command.recording_id, asyncio.Lock())
        async with turn:
            await self._file(command, now_s)

    async def _file(self, command: KeepRecording, now_s: float) -> None:
        when = datetime.fromtimestamp(now_s, UTC).strftime(WHEN)
        directory = self._root / _safe(command.tenant) / _safe(command.mailbox)
        file = await asyncio.to_thread(_file_of, directory, when, _safe(command.recording_id))
        their_number = command.theirs or command.caller
        labels = {
            **command.labels,
            "interaction_id": command.interaction_id,
            "mailbox": command.mailbox,
            "caller": command.caller,
            "called": command.called,
            "at": when,
            "contact": self._cipher.contact_key_id(command.tenant, their_number, command.interaction_id),
        }
        try:
            if not file.exists() and not _sealed(file).exists():
                cipher = self._cipher if self._seals() else None
                await asyncio.to_thread(write_labels, file.with_suffix(".json"), labels, cipher)
                if command.sound:
                    await self._media.keep_recording(command.leg_id, command.recording_id, str(file))
            there = (file, _sealed(file)) if command.sound else (file.with_suffix(".json"),)
            await asyncio.to_thread(sync, next((each for each in there if each.exists()), there[-1]))
        except (OSError, sqlite3.Error, CommandFailed) as failure:
            why = f"{directory}: {failure.strerror}" if isinstance(failure, OSError) else str(failure)
            await asyncio.to_thread(_take_back_labels, file)
            if isinstance(failure, CommandFailed):
                raise
            raise CommandRefused(f"{why}; it is still where it was made, and is tried again") from failure
        await asyncio.to_thread(self._seal, file)
        log.info("recording %s kept in mailbox %s/%s", command.recording_id, command.tenant, command.mailbox)

    def seal_rest(self) -> int:
        """Seals what lies there open: from before the site wanted it, or where a disk was full. How many. Blocking."""
        if not self._seals():
            return 0
        return sum(self._seal(file) for file in sorted(self._root.glob("*/*/*.wav")) if not file.is_symlink())

    def _seal(self, file: Path) -> bool:
        """Whether it was done. A recording that cannot be sealed now is kept all the same."""
        path = file.with_suffix(".json")
        with self._sealing:
            if not self._seals() or not file.exists() or not path.exists():
                return False
            try:
                labels = read_labels(path, self._cipher)
                if "contact" not in labels:
                    tenant = file.parent.parent.name
                    contact = self._cipher.contact_key_id(tenant, labels.get("caller", ""), labels["interaction_id"])
                    labels["contact"] = contact
                if not are_sealed(path):
                    write_labels(path, labels, self._cipher)
                seal_file(self._cipher, labels["contact"], file)
            except (OSError, ValueError, KeyError, sqlite3.Error) as failure:
                log.error("recording %s lies open, it is sealed later: %s", file.name, failure)
                return False
        return True


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name).lstrip(".") or "_"


def _sealed(file: Path) -> Path:
    return file.with_name(file.name + SUFFIX)


def _file_of(directory: Path, when: str, recording: str) -> Path:
    """Where the recording lies, or lay its labels when an earlier attempt was cut short; else where it shall lie."""
    pattern = f"{'?' * len(when)}-{recording}"
    earlier = next((path for path in directory.glob(f"{pattern}.json")), None)
    return (earlier or directory / f"{when}-{recording}.json").with_suffix(".wav")


def _take_back_labels(file: Path) -> None:
    """Labels without a sound are no message."""
    if not file.exists():
        with contextlib.suppress(OSError):
            file.with_suffix(".json").unlink(missing_ok=True)
