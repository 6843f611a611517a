"""Going before whatever else runs on the machine, so that a figure tells of the system and not of its neighbours.

Linux shares the CPU between sessions (autogroups) first and within each then. Every process that is started in a
session of its own has to be given it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

NICE = -10
PROC = Path("/proc")


class NotAllowed(Exception):
    """Only root gives precedence, and a kernel without autogroups has none to give; the message says which."""


def take(pid: int | str) -> None:
    """For the whole session of that process.

    Raises:
        NotAllowed: this user may not, or the kernel knows no autogroups.
    """
    try:
        (PROC / str(pid) / "autogroup").write_text(str(NICE))
    except PermissionError:
        raise NotAllowed("--precedence is root's to give: run it with sudo, or without") from None
    except OSError as failure:
        raise NotAllowed(f"--precedence: this kernel does not share by session ({failure.strerror})") from None


def take_ourselves() -> None:
    """In a session of our own, which our children share unless they begin another. Raises NotAllowed."""
    with contextlib.suppress(PermissionError):  # it leads a session already
        os.setsid()
    take("self")


def take_all(pids: Iterable[int | None]) -> None:
    """Raises NotAllowed."""
    for pid in pids:
        if pid is not None:
            take(pid)
