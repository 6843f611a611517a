"""Recordings left in Asterisk's spool: decided to be kept, and never filed because the engine died or could not.

Who left a message was told that it is kept, or hung up believing so. The journal says what was decided; what was
discarded, or belongs to a contact that asked to be forgotten, is deleted. What nobody decided is left to people, and
told in its contact's journal; the journal is told too when what had failed is filed after all.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from core.errors import CommandFailed
from core.events import Event, RecordingFailed, RecordingKept
from core.leg_commands import DiscardRecording, KeepRecording
from engine.lost_recordings import interaction_id_of, lost
from store.entry import Recorded
from store.errors import StoreError
from store.journal_reader import ERASED

log = logging.getLogger("centralita.recordings")

SETTLED_S = 60.0
"""A file that changed later than this ago may still be on its usual way."""
EVERY_S = 60.0
_UNDECIDED = "nobody decided what becomes of it: it stays in the spool until somebody takes it out or deletes it"

Show = Callable[[str], Awaitable[Sequence[Recorded]]]
Keep = Callable[[KeepRecording, float], Awaitable[None]]
Tell = Callable[[str, Event], object]
"""Writes into an interaction's journal what became of a recording when it was over."""


def recording_id_of(file: Path) -> str:
    """The id that Asterisk's file was named after."""
    return re.sub(r"=([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), file.stem.removeprefix("r-"))


async def keep_spools(
    directories: Iterable[Path], is_open: Callable[[str], bool], show: Show, keep: Keep, tell: Tell
) -> None:
    """Until cancelled."""
    spools = list(directories)
    while True:
        for directory in spools:
            await clear(directory, is_open, show, keep, tell)
        await asyncio.sleep(EVERY_S)


async def left(directories: Iterable[Path], is_open: Callable[[str], bool]) -> int:
    """How many recordings of contacts that are over lie in the spools, in no mailbox yet."""
    spools = list(directories)

    def found() -> list[Path]:
        return [file for directory in spools for file in _settled(directory) if _size(file)]

    files = await asyncio.to_thread(found)
    return sum(not is_open(interaction_id_of(recording_id_of(file))) for file in files)


async def clear(directory: Path, is_open: Callable[[str], bool], show: Show, keep: Keep, tell: Tell) -> None:
    """Files and deletes what was decided. `is_open(interaction_id)`: its flow still decides; `show`: its journal."""
    for file in await asyncio.to_thread(_settled, directory):
        recording_id = recording_id_of(file)
        interaction_id = interaction_id_of(recording_id)
        if is_open(interaction_id):
            continue
        try:
            records = await show(interaction_id)
            decided = _decided(records, recording_id)
            was_lost = any(recording_id == lost(record.event)[0] for record in records if record.event is not None)
            if decided is None:
                if file.stat().st_size == 0:
                    await asyncio.to_thread(file.unlink, missing_ok=True)  # of a leg that ended before it began
                elif records and not was_lost:
                    tell(interaction_id, RecordingFailed("", recording_id, _UNDECIDED, partial=True))
                continue
            at_s, command = decided
            if isinstance(command, KeepRecording):
                await keep(command, at_s)
                if was_lost:
                    tell(interaction_id, RecordingKept(command.leg_id, recording_id))
            # Of what is filed safely a copy may be left: an engine died between the two.
            await asyncio.to_thread(file.unlink, missing_ok=True)
        except (CommandFailed, StoreError, OSError) as failure:
            log.error("recording %s stays in the spool: %s", recording_id, failure)


def _settled(directory: Path) -> list[Path]:
    before_s = time.time() - SETTLED_S
    try:
        files = (file for pattern in ("r-*.wav", "r-*.raw") for file in directory.glob(pattern))
        return sorted(file for file in files if file.stat().st_mtime < before_s)
    except OSError:
        return []


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # it has just been filed
        return 0


def _decided(records: Sequence[Recorded], recording_id: str) -> tuple[float, KeepRecording | DiscardRecording] | None:
    """(when, what) was decided last; None when nobody knows: then it is left to people."""
    found: tuple[float, KeepRecording | DiscardRecording] | None = None
    for record in records:
        if record.unreadable == ERASED:
            return record.at_s, DiscardRecording("", recording_id)
        for command in record.commands:
            if isinstance(command, KeepRecording | DiscardRecording) and command.recording_id == recording_id:
                found = record.at_s, command
    return found
