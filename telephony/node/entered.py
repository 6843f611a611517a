"""Directories of sounds as the private Asterisk entered them. It sees the very directory that was there when it
started: one that was deleted and made again, or moved aside for another, is empty to it, and callers hear silence.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

_FILE = "run/entered.json"


def note(state_dir: Path, directories: Iterable[Path]) -> None:
    """When Asterisk starts. None: it looks at names each time, as the machine's own does."""
    with contextlib.suppress(OSError):
        (state_dir / _FILE).write_text(json.dumps({str(path): _identity(path) for path in directories}))


def replaced(state_dir: Path) -> tuple[Path, ...]:
    """Those that are other ones by now."""
    try:
        entered = json.loads((state_dir / _FILE).read_text())
        return tuple(Path(path) for path, identity in entered.items() if _identity(Path(path)) != identity)
    except (OSError, ValueError, AttributeError):
        return ()


def _identity(path: Path) -> list[int]:
    """Empty: it is not there."""
    try:
        found = path.stat()
    except OSError:
        return []
    return [found.st_dev, found.st_ino]
