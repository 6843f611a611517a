"""Files that must survive a power cut, and the lease that keeps a second engine out."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from store.errors import JournalLocked


def sync_directory(directory: Path) -> None:
    """New names in `directory` survive a power cut when this returns."""
    handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Lease:
    """An exclusive lock beside a file, released when the process ends in whatever way.

    It locks a file of its own: closing any handle on the guarded file itself would drop a lock held there.

    Raises:
        JournalLocked: somebody holds it.
    """

    def __init__(self, guarded: Path) -> None:
        path = guarded.with_name(guarded.name + ".lock")
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._handle, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(self._handle)
            raise JournalLocked(
                f"{guarded} is in use by process {holder}: stop that engine, or use another state directory"
            ) from None
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
