"""Lines in and out over plain file descriptors, without ever blocking the phone."""

from __future__ import annotations

import json
import os
import select
import time
from collections import deque
from typing import Any

from telephony.softphone.protocol import MAX_LINE_BYTES

# A reader that stops reading must not eat the machine: beyond this the phone gives up on it.
MAX_WAITING_BYTES = 64 * 1024 * 1024


class LinesIn:
    """Whole lines from `fd`. `ended` is true after end of file."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._partial = bytearray()
        self._skipping = False
        self.ended = False
        self.skipped = 0
        """Lines longer than `MAX_LINE_BYTES`, dropped."""

    def ready(self) -> list[bytes]:
        """The lines that have arrived; empty at once when there are none."""
        lines: list[bytes] = []
        while not self.ended and len(lines) < 200 and select.select([self._fd], [], [], 0)[0]:
            chunk = os.read(self._fd, 65536)
            if not chunk:
                self.ended = True
                break
            lines += self._split(chunk)
        return lines

    def _split(self, chunk: bytes) -> list[bytes]:
        *whole, rest = (bytes(self._partial) + chunk).split(b"\n")
        self._partial = bytearray()
        lines = []
        for line in whole:
            if self._skipping or len(line) > MAX_LINE_BYTES:
                self.skipped += not self._skipping
                self._skipping = False
            elif line.strip():
                lines.append(line)
        if len(rest) > MAX_LINE_BYTES and not self._skipping:
            self._skipping = True
            self.skipped += 1
        if not self._skipping:
            self._partial += rest
        return lines


class LinesOut:
    """Events to `fd`, kept here while the reader is busy. `broken` once nobody reads any more."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self.broken = False

    def emit(self, event: str, *, at_s: float | None = None, **fields: Any) -> None:
        """`at_s`: when it happened, monotonic seconds; now when left out."""
        t_s = round(time.monotonic() if at_s is None else at_s, 6)
        line = json.dumps({"event": event, "t_s": t_s, **fields}, ensure_ascii=False, default=str)
        # A lone surrogate (junk from the network) is legal in a str and not in UTF-8.
        self._waiting.append(line.encode("utf-8", "replace") + b"\n")
        self._waiting_bytes += len(self._waiting[-1])
        self.broken = self.broken or self._waiting_bytes > MAX_WAITING_BYTES
        self.flush()

    def flush(self, within_s: float = 0.0) -> None:
        """Writes what the reader takes now, or keeps trying for a while."""
        deadline_s = time.monotonic() + within_s
        while self._waiting and not self.broken:
            left_s = max(0.0, deadline_s - time.monotonic())
            if not select.select([], [self._fd], [], left_s)[1]:
                return
            try:
                # No more than PIPE_BUF: a pipe that is writable takes that much without blocking.
                written = os.write(self._fd, self._waiting[0][: select.PIPE_BUF])
            except OSError:
                self.broken = True
                return
            self._waiting_bytes -= written
            rest = self._waiting.popleft()[written:]
            if rest:
                self._waiting.appendleft(rest)
