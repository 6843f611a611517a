"""Asterisk's output, kept in files that are rotated by size: a flood of SIP junk must not fill the disk."""

from __future__ import annotations

import logging
import logging.handlers
import threading
from pathlib import Path
from typing import IO

_BYTES, _FILES = 5_000_000, 4


def keep(source: IO[bytes], path: Path) -> threading.Thread:
    """Starts a thread that appends `source` to `path` until it ends; old parts become `path.1` and so on."""
    thread = threading.Thread(target=_copy, args=(source, path), name="asterisk-output", daemon=True)
    thread.start()
    return thread


def last_words(path: Path) -> str:
    """The last errors in the log, or its last lines, in one line for an error message."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 20_000))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return "It said nothing."
    telling = [line for line in lines if "ERROR" in line] or lines
    return f"It said: {' | '.join(telling[-4:])} (whole log: {path})"


def _copy(source: IO[bytes], path: Path) -> None:
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8", delay=True
    )
    handler.terminator = ""
    with source:
        for line in source:
            text = line.decode(errors="replace")
            handler.handle(logging.LogRecord("asterisk", logging.INFO, "", 0, "%s", (text,), None))
    handler.close()
