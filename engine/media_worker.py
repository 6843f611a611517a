"""A media worker's process: `python -m engine.media_worker`. It hears legs for whichever engine serves.

Several run beside the engine, kept alive by the supervisor; one that dies loses its own listeners' verdicts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys

import uvloop

from engine.home import Home
from engine.listeners import LISTENERS
from telephony.live_audio.worker import run

_FORMAT = "%(asctime)s %(levelname)s %(message)s"


async def _until_told() -> None:
    working = asyncio.ensure_future(run(Home.find().media_socket, LISTENERS))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


def main() -> int:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=_FORMAT)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_told())
    return 0


if __name__ == "__main__":
    sys.exit(main())
