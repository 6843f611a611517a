"""Every transition of every state table, one line each: `thing id old -> new (event)`.

At a hundred calls a second the logging framework would cost more than deciding; lines are gathered and written
a few times a second. What a kill loses of them is in the journal.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path

from core.table import Transition

_EVERY_S = 0.25
_MOST_BYTES = 10_000_000
_KEPT = 5


class TransitionLog:
    """Belongs to the running event loop. A disk that refuses costs lines, never a call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[tuple[float, Transition]] = []
        self._timer: asyncio.TimerHandle | None = None

    def write(self, transition: Transition, at_s: float) -> None:
        """`at_s`: UTC seconds."""
        self._lines.append((at_s, transition))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_EVERY_S, self.flush)

    def flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        lines, self._lines = self._lines, []
        text = "".join(f"{_stamp(at_s)} {transition}\n" for at_s, transition in lines)
        with contextlib.suppress(OSError):
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
                size = file.tell()
            if size > _MOST_BYTES:
                self._rotate()

    def _rotate(self) -> None:
        for number in range(_KEPT - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            if older.exists():
                os.replace(older, self._path.with_name(f"{self._path.name}.{number + 1}"))
        os.replace(self._path, self._path.with_name(f"{self._path.name}.1"))


def _stamp(at_s: float) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at_s))}.{int(at_s % 1 * 1000):03d}Z"
