"""Messages left in Asterisk's spool: decided to be kept, and never filed because the engine died or the disk was full.

Who left one was told that it is kept, or hung up believing so. The journal says what was decided; what was discarded,
or belongs to a contact that asked to be forgotten, is deleted.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from core.errors import CommandFailed
from core.leg_commands import DiscardRecording, KeepRecording
from store.entry import Recorded
from store.errors import StoreError
from store.journal_reader import ERASED

log = logging.getLogger("centralita.recordings")

SETTLED_S = 60.0
"""A file that changed later than this ago may still be on its usual way."""
EVERY_S = 600.0

Show = Callable[[str], Awaitable[Sequence[Recorded]]]
Keep = Callable[[KeepRecording, float], Awaitable[None]]


def recording_id_of(file: Path) -> str:
    """The id that Asterisk's file was named after."""
    return re.sub(r"=([0-9a-f]{2})", lambda found: chr(int(found[1], 16)), file.stem.removeprefix("r-"))


def interaction_id_of(recording_id: str) -> str:
    """Messages are named `<interaction>.<visit>.<number>`, conversations `<interaction>.r<number>`."""
    rest, _, last = recording_id.rpartition(".")
    return rest if last.startswith("r") else rest.rpartition(".")[0]


async def keep_spools(directories: Iterable[Path], is_open: Callable[[str], bool], show: Show, keep: Keep) -> None:
    """Until cancelled."""
    spools = list(directories)
    while True:
        for directory in spools:
            await clear(directory, is_open, show, keep)
        await asyncio.sleep(EVERY_S)


async def clear(directory: Path, is_open: Callable[[str], bool], show: Show, keep: Keep) -> None:
    """Files and deletes what was decided. `is_open(interaction_id)`: its flow still decides; `show`: its journal."""
    for file in await asyncio.to_thread(_settled, directory):
        recording_id = recording_id_of(file)
        interaction_id = interaction_id_of(recording_id)
        if is_open(interaction_id):
            continue
        try:
            decided = _decided(await show(interaction_id), recording_id)
            if decided is None:
                continue
            at_s, command = decided
            if isinstance(command, KeepRecording):
                await keep(command, at_s)
            else:
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
