"""A child process that is kept alive.

    STOPPED --start--> RUNNING --exited--> WAITING --restart--> RUNNING
       ^------------------ stop, from every state ------------------'

It comes back at once when it has run well for a while, else after a pause that doubles up to a limit. It
dies with us whatever happens to us.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path

from core.table import StateTable, every
from engine import fork_server

log = logging.getLogger("centralita.supervisor")


class ChildState(Enum):
    STOPPED = "stopped"
    RUNNING = "running"
    WAITING = "waiting"


class ChildEvent(Enum):
    START = "start"
    EXITED = "exited"
    STOP = "stop"


_S, _E = ChildState, ChildEvent
CHILD_TABLE: StateTable[ChildState, ChildEvent] = StateTable(
    thing="child",
    moves={
        **every((_S.STOPPED, _S.WAITING), _E.START, _S.RUNNING),
        (_S.RUNNING, _E.EXITED): _S.WAITING,
        **every((_S.RUNNING, _S.WAITING), _E.STOP, _S.STOPPED),
    },
    late=frozenset({(_S.STOPPED, _E.EXITED), (_S.WAITING, _E.EXITED), (_S.STOPPED, _E.STOP), (_S.RUNNING, _E.START)}),
)


class Child:
    """`module`: whose `main()` it runs. `env`: what its environment has beyond ours. `ran_well_s`: a run this long
    resets the pause. `on_exit(code)`: told at each end nobody asked for."""

    FIRST_PAUSE_S = 0.1
    LONGEST_PAUSE_S = 10.0

    def __init__(
        self,
        name: str,
        module: str,
        *,
        log_file: Path,
        env: Mapping[str, str] | None = None,
        ran_well_s: float = 10.0,
        stop_s: float = 10.0,
        on_exit: Callable[[int], None] | None = None,
    ) -> None:
        self.name = name
        self.restarts = 0
        self.state = ChildState.STOPPED
        self._module = module
        self._env = {**os.environ, **(env or {})}
        self._log_file = log_file
        self._ran_well_s = ran_well_s
        self._stop_s = stop_s
        self._on_exit = on_exit
        self._process: fork_server.Forked | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._process.returncode is None else None

    async def start(self) -> None:
        """Raises OSError when there is no room for another process."""
        await self._spawn()
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name=f"keep {self.name}")

    def kill(self) -> None:
        """Ends the process at once; it is restarted like after any crash."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL after `stop_s`. It is not restarted."""
        self._move(ChildEvent.STOP)
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._stop_s)
        except TimeoutError:
            log.warning("child %s did not stop in %.0f s: killed", self.name, self._stop_s)
            process.kill()
            await process.wait()

    async def _spawn(self) -> None:
        self._log_file.parent.mkdir(parents=True, exist_ok=True)
        self._process = await fork_server.fork(self.name, self._module, self._env, self._log_file)
        self._move(ChildEvent.START)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = self.FIRST_PAUSE_S
        while True:
            assert self._process is not None
            began_s = loop.time()
            code = await self._process.wait()
            self._move(ChildEvent.EXITED)
            log.error("child %s ended with %s; its log is %s", self.name, _ending(code), self._log_file.name)
            if self._on_exit is not None:
                self._on_exit(code)
            if loop.time() - began_s >= self._ran_well_s:
                pause_s = self.FIRST_PAUSE_S
            while self.state is not ChildState.RUNNING:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, self.LONGEST_PAUSE_S)
                try:
                    await self._spawn()
                except OSError as error:
                    log.error("child %s cannot be started: %s; tried again in %.0f s", self.name, error, pause_s)
            self.restarts += 1

    def _move(self, event: ChildEvent) -> None:
        self.state, transition = CHILD_TABLE.advance(self.name, self.state, event)
        if transition is not None:
            log.info("%s", transition)


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
