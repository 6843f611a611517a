"""What an engine that is away was playing to whom.

Asterisk lets a leg leave for the dialplan only when its playback has ended, and a ringback never does by itself. It
lists no playbacks, but the engine's snapshots do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Mapping

log = logging.getLogger("centralita.supervisor")

WITHIN_S = 10.0
_MODULE = "engine.last_played"


class LeftPlaying:
    """For the supervisor, which reads it before it is needed: that takes a second, and nobody is to wait for it.
    `env`: what the reading process has in its environment beyond ours."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._reading: asyncio.Task[dict[str, str] | None] | None = None

    def read(self) -> None:
        """Begins, if it was not read since `forget`."""
        if self._reading is None:
            self._reading = asyncio.create_task(ask(self._env), name="read what plays")

    def known(self) -> dict[str, str]:
        """Leg -> its playback, as far as it is known by now. What could not be read is read again."""
        if self._reading is None or not self._reading.done():
            return {}
        found = self._reading.result()
        if found is None:
            self._reading = None
        return found or {}

    def forget(self) -> None:
        """An engine has it in hand again, or another one had."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def close(self) -> None:
        """No process is left behind."""
        reading = self._reading
        self.forget()
        if reading is not None:
            await asyncio.gather(reading, return_exceptions=True)


async def ask(env: Mapping[str, str]) -> dict[str, str] | None:
    """Lets another process read it. `env`: what its environment has beyond ours. None when it cannot tell: then
    whoever hears something leaves when that ends."""
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _MODULE,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, **env},
        )
    except OSError as failure:
        log.error("what the engine was playing cannot be read: %s", failure)
        return None
    problems = b""
    try:
        told, problems = await asyncio.wait_for(process.communicate(), WITHIN_S)
        found: dict[str, str] = json.loads(told)
    except (TimeoutError, ValueError):
        last = b"".join(problems.splitlines()[-1:]).decode(errors="replace")
        log.error("what the engine was playing cannot be read: %s", last or f"no answer in {WITHIN_S:.0f} s")
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    return found
