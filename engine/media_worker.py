"""A media worker's process: `python -m engine.media_worker`. It hears legs for whichever engine serves.

Several run beside the engine, kept alive by the supervisor; one that dies loses its own listeners' verdicts.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvloop

from core.live_audio import Ear
from engine.home import Home
from engine.listeners import LISTENERS
from telephony.live_audio.worker import run

if TYPE_CHECKING:
    from engine.ears import Ears

_FORMAT = "%(asctime)s %(levelname)s %(message)s"

log = logging.getLogger("centralita.media_worker")


async def _until_told(home: Home, ear: Callable[[], Ear] | None) -> None:
    working = asyncio.ensure_future(run(home.media_socket, LISTENERS, ear))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, working.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await working


def main() -> int:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=_FORMAT)
    home = Home.find()
    ears = _ears(home)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(home, ears.ear if ears is not None else None))
    finally:
        if ears is not None:
            ears.close()  # a thread inside the library while Python ends is a crash
    return 0


def _ears(home: Home) -> Ears | None:
    """Where `config/site.yaml` asks for words by the time this worker starts, and a recogniser is installed. Its model
    is loaded now, before any leg is heard."""
    from engine.config.detection import chosen

    if not chosen(home.project).words:
        return None
    from engine.ears import Ears
    from speech.errors import RecogniserUnavailable
    from speech.recognisers import make_recogniser

    try:
        return Ears(make_recogniser("whisper-short"))
    except RecogniserUnavailable as missing:
        log.warning("answering machines are told without their words: %s", missing)
        return None


if __name__ == "__main__":
    sys.exit(main())
