"""Ends a process of ours that asyncio waits for."""

from __future__ import annotations

import contextlib
import os
import signal
from asyncio.subprocess import Process


def end(process: Process, how: signal.Signals = signal.SIGKILL) -> None:
    """Sends the signal; whoever wants the end waits for it.

    `Process.kill` and `terminate` look first whether it has ended, and thereby may take its exit status from under
    asyncio's own thread, which then warns of an unknown child process.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, how)
