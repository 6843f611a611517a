"""Where log lines go: one file, rotated by size, and never a phone number in it."""

from __future__ import annotations

import logging
import logging.handlers
import re
import time
from pathlib import Path

_NUMBER = re.compile(r"(?<!\w)\+?\d{7,15}(?!\w|\.\d)")
"""Not what a `.` and digits follow: those are channel ids and times."""
_LOG_BYTES, _LOG_FILES = 10_000_000, 5


class HideNumbers(logging.Formatter):
    """The last line of defence: what looks like a phone number loses its middle, whoever logged it and wherever it
    stands, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return _NUMBER.sub(lambda match: match[0][:3] + "…" + match[0][-2:], super().format(record))


def configure(path: Path, level: int = logging.INFO) -> None:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8")
    line = "%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s"
    formatter = HideNumbers(line, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
