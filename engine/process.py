"""The engine's process: `python -m engine.process`.

Two of them run: one serves, the other has everything imported and waits for the lease, which the kernel hands
over the moment the first one dies, however it dies.

Lease -> the whole engine (wiring.py) -> until SIGTERM: no new callers; those in progress stay in Asterisk and the next
engine adopts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import uvloop

from engine import log as logs
from engine import releases
from engine.home import Home
from engine.pace import Pace
from engine.wiring import running

log = logging.getLogger("centralita.engine")

TAKE_OVER_S = 10.0
"""Within this of its start an engine does nothing but hurry."""


async def serve(home: Home) -> None:
    """Runs until SIGTERM or SIGINT.

    Raises:
        CannotStart: with what to mend.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def stolen(node: str) -> None:
        log.error("node %s: somebody else took our application over; this engine steps down", node)
        stop.set()

    with contextlib.closing(Pace(TAKE_OVER_S)) as pace:
        async with running(home, stolen, pace):
            await stop.wait()
            pace.close()
            log.warning("stopping: calls in progress stay up for the next engine")


def wait_for_lease(path: Path, meanwhile: Callable[[], object] = lambda: None) -> IO[str]:
    """Blocks until no other engine serves this state directory; the file then names this process.

    `meanwhile()` is called once when there is another one.
    """
    lease = path.open("a+")
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        meanwhile()
        fcntl.flock(lease, fcntl.LOCK_EX)
    lease.truncate(0)
    lease.write(f"{os.getpid()}\n")
    lease.flush()
    return lease


def main() -> int:
    home = Home.find()
    home.prepare()
    # The first load of a process builds what later ones find ready: on a busy machine, half a second of silence.
    lease = wait_for_lease(home.engine_lease, lambda: releases.rehearse(home))
    logs.configure(home.engine_log)
    try:
        with lease, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(home))
    except Exception as failure:
        log.exception("the engine ended")
        print(f"{type(failure).__name__}: {failure}", file=sys.stderr, flush=True)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
