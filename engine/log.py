"""Where log lines go: one file, rotated by size, and never a phone number in it."""

from __future__ import annotations

import logging
import logging.handlers
import re
import time
from pathlib import Path

_NUMBER = re.compile(r"(?<![\w.:-])\+?\d{7,15}(?![\w.:-])")
_LOG_BYTES, _LOG_FILES = 10_000_000, 5


class HideNumbers(logging.Filter):
    """The last line of defence: what looks like a phone number loses its middle, whoever logged it."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = _NUMBER.sub(lambda match: match[0][:3] + "…" + match[0][-2:], message)
        if hidden != message:
            record.msg, record.args = hidden, None
        return True


def configure(path: Path, level: int = logging.INFO) -> None:
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8")
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    handler.addFilter(HideNumbers())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "uvicorn", "websockets", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
