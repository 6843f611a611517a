"""`centralita up`: keeps Asterisk, the engine and its workers alive, and minds the callers when the engine is not.

    Asterisk died             -> started again; the engine reconnects by itself
    engine died or hangs      -> a second one, warm and waiting for the lease, takes over at once; the dead one is
                                 started again and waits in its turn; calls stay up in Asterisk meanwhile
    engine away too long      -> legs waiting for it are sent to the dialplan's overflow, legs we dialed to the
                                 safe-harbour message, so nobody listens to silence

The supervisor itself decides nothing about calls and imports little: what can break is elsewhere.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

import httpx

from engine import left_playing, running_node
from engine.absence import NO_TLS, in_words, reached, send_everywhere
from engine.children import Child
from engine.commanded import Commanded, local
from engine.home import Home
from engine.left_playing import LeftPlaying
from telephony.node.errors import StartFailed
from telephony.node.installation import Installation, default_root
from telephony.node.launcher import Launcher
from telephony.node.ports import require_free
from telephony.node.settings import NodeSettings

log = logging.getLogger("centralita.supervisor")

HEALTH_EVERY_S = 1.0
CALLED_WAIT_S = 3.0
"""Whom a campaign called, and who answered, waits no longer than this for an engine: then the node says who called."""
HANGS_AFTER_S = 10.0
"""An engine whose loop does not answer for this long is killed: a fresh one takes its calls over in seconds."""
STARTS_WITHIN_S = 30.0
ASTERISK_HANGS_AFTER_S = 30.0
"""An Asterisk silent for this long serves nobody: starting it again costs its calls, leaving it costs all others."""
_ASK_ASTERISK_EVERY_S = 5.0
_ANSWERS_WITHIN_S = 1.0
_READY = 200
_MODULES = {"engine": "engine.process", "desk": "desk.__main__"}


def _locked(lock: IO[str]) -> bool:
    """Whether it is ours now. Somebody may just be looking whether anything runs (started.py)."""
    for attempt in range(4):
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02 * attempt)
    return False


class AlreadyUp(Exception):
    """Another `centralita up` runs on this state directory: stop it, or set CENTRALITA_STATE to another one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run. `absence_s`: how long callers wait for an engine before they are sent to overflow; `media_workers`:
    how many processes listen to legs; `others`: the site's other nodes, which run elsewhere."""

    home: Home
    node: NodeSettings
    installation: Installation
    absence_s: float
    workers: tuple[str, ...] = ("projection", "node_watch", "desk")
    media_workers: int = 0
    others: tuple[Commanded, ...] = ()


class Supervisor:
    """`on_event(text)` narrates what happens, for the terminal."""

    def __init__(self, plan: Plan, on_event: Callable[[str], None] = lambda text: None) -> None:
        self.plan = plan
        self.launcher = Launcher(plan.node, plan.installation)
        self._on_event = on_event
        self._tasks: list[asyncio.Task[None]] = []
        self._lock: IO[str] | None = None
        self._left_playing = LeftPlaying(plan.home.environment)
        self._silent: set[str] = set()
        """The nodes that did not answer when the engine was away, so that each is told of once."""
        self.engines = [self._child("engine", ran_well_s=5.0, on_exit=self._engine_exited) for _ in range(2)]
        listening = [f"media_worker-{number}" for number in range(1, plan.media_workers + 1)]
        self.workers = [self._child(name) for name in (*plan.workers, *listening)]

    @property
    def engine(self) -> Child:
        """The one that serves: it holds the lease. While nobody does, the first."""
        with suppress(OSError, ValueError):
            pid = int(self.plan.home.engine_lease.read_text())
            for engine in self.engines:
                if engine.pid == pid:
                    return engine
        return self.engines[0]

    async def start(self, ports: Mapping[str, tuple[str, int]] | None = None) -> None:
        """Returns when Asterisk is ready and the engine takes calls. `ports`: what else must be free, (address, port).

        Raises:
            PortTaken: one of them, or of Asterisk's, is not.
            AlreadyUp: a second instance.
            StartFailed: Asterisk or the engine did not start; the message says why.
        """
        self._take_lock()
        self.plan.home.bind_file.write_text(f"{self.plan.node.bind}\n")
        running_node.save(self.plan.home, self.plan.node)
        self.plan.home.active_release.unlink(missing_ok=True)
        try:
            require_free(self.launcher.settings, ports)
            # The kernel ties Asterisk's life to the thread that spawned it, so it is spawned right here.
            self.launcher.spawn()
            serving, standby = self.engines
            await serving.start()
            await asyncio.to_thread(self.launcher.wait_ready)
            await self._engine_ready()
            for child in (standby, *self.workers):
                await child.start()
        except BaseException:
            await self.stop()
            raise
        self._tasks = [
            asyncio.create_task(self._mind_asterisk(), name="mind asterisk"),
            asyncio.create_task(self._mind_engine(), name="mind engine"),
        ]

    async def stop(self) -> None:
        """Ends everything that was started, in the order that leaves nothing behind."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._left_playing.close()
        # The standby first, or it would take over from the one that is stopped.
        serving = self.engine
        for child in (*self.workers, *(engine for engine in self.engines if engine is not serving), serving):
            await child.stop()
        await asyncio.to_thread(self.launcher.stop)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _child(self, name: str, ran_well_s: float = 10.0, on_exit: Callable[[int], None] | None = None) -> Child:
        return Child(
            name,
            _MODULES.get(name, f"engine.{name.partition('-')[0]}"),
            log_file=self.plan.home.logs / f"{name}.out",
            env={
                **self.plan.home.environment,
                # What they start themselves (a voice, an import) is not compiled anew each time, whatever ours says.
                "PYTHONPYCACHEPREFIX": str(default_root().parent / "pycache"),
                "PYTHONDONTWRITEBYTECODE": "",
            },
            ran_well_s=ran_well_s,
            on_exit=on_exit,
        )

    def _take_lock(self) -> None:
        home = self.plan.home
        home.prepare()
        lock = home.up_lock.open("a+")
        if not _locked(lock):
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyUp(
                f"Centralita already runs on {home.state} (process {holder}): stop it with Ctrl-C in its terminal, "
                "or set CENTRALITA_STATE to another directory"
            )
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    # -- the engine --------------------------------------------------------------------------------------
    def _engine_exited(self, code: int) -> None:
        self._on_event("the engine ended; calls stay up, it is coming back")

    async def _engine_ready(self) -> None:
        until_s = asyncio.get_running_loop().time() + STARTS_WITHIN_S
        async with _control_client(self.plan.home) as client:
            while await _status(client, "/ready") != _READY:
                if self.engine.restarts >= 2 or asyncio.get_running_loop().time() > until_s:
                    raise StartFailed(f"the engine did not become ready: {self._last_words()}")
                await asyncio.sleep(0.05)

    def _last_words(self) -> str:
        path = self.plan.home.logs / "engine.out"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        # It was started several times and said the same; what libraries warn of was no reason to end.
        return " | ".join(dict.fromkeys(line for line in lines[-8:] if line[:7] != "WARNING")) or f"see {path}"

    async def _mind_engine(self) -> None:
        loop = asyncio.get_running_loop()
        pid, answered_s, ready_s = self.engine.pid, loop.time(), loop.time()
        patience_s = HANGS_AFTER_S
        async with _control_client(self.plan.home) as client:
            while True:
                await asyncio.sleep(HEALTH_EVERY_S)
                body, now_s = await _ask(client, "/ready"), loop.time()
                if self.engine.pid != pid:
                    self._left_playing.forget()
                    pid, answered_s, patience_s = self.engine.pid, now_s, STARTS_WITHIN_S
                if body is not None:
                    answered_s, patience_s = now_s, HANGS_AFTER_S
                elif pid is not None and now_s - answered_s > patience_s:
                    log.error("the engine does not answer: killed")
                    self._on_event("the engine does not answer; it is killed and started again")
                    self.engine.kill()
                if _commands(body):
                    if now_s - ready_s > HEALTH_EVERY_S + _ANSWERS_WITHIN_S:
                        self._on_event("the engine is back")
                    ready_s = now_s
                    self._left_playing.forget()
                    continue
                if now_s - ready_s >= self.plan.absence_s - left_playing.WITHIN_S:
                    self._left_playing.read()
                if now_s - ready_s >= self.plan.absence_s:
                    await self._send_callers_to_overflow()
                elif now_s - ready_s >= CALLED_WAIT_S:
                    await self._send_callers_to_overflow(only_called=True)

    async def _send_callers_to_overflow(self, only_called: bool = False) -> None:
        async with _control_client(self.plan.home) as engine:

            async def is_back() -> bool:
                return _commands(await _ask(engine, "/ready"))

            nodes = (local(self.plan.node), *self.plan.others)
            sent = await send_everywhere(nodes, is_back, self._left_playing.known(), only_called)
        if told := in_words(sent, only_called):
            log.error("%s", told)
            self._on_event(told)
        silent = {node for node, number in sent.items() if number is None}
        for node in sorted(silent - self._silent):
            log.error("engine away, and node %s does not answer the supervisor: its callers are on their own", node)
            self._on_event(f"the engine is away and node {node} does not answer: nobody looks after callers there")
        self._silent = silent

    # -- Asterisk ----------------------------------------------------------------------------------------
    async def _mind_asterisk(self) -> None:
        pause_s, loop = 0.2, asyncio.get_running_loop()
        asked_s = answered_s = loop.time()
        while True:
            await asyncio.sleep(0.2)
            if self.launcher.alive:
                if loop.time() - asked_s >= _ASK_ASTERISK_EVERY_S:
                    asked_s = loop.time()
                    if await self._asterisk_answers():
                        answered_s = loop.time()
                    elif loop.time() - answered_s > ASTERISK_HANGS_AFTER_S:
                        log.error("asterisk has not answered for %.0f s: killed", ASTERISK_HANGS_AFTER_S)
                        self._on_event("Asterisk does not answer any more; it is killed and started again")
                        await asyncio.to_thread(self.launcher.kill)
                continue
            log.error("asterisk ended; starting it again")
            self._on_event("Asterisk ended; it is started again")
            try:
                # With the phones and trunks of the last reload, not those of our own start.
                self.launcher.settings = running_node.saved(self.plan.home) or self.plan.node
                await asyncio.sleep(self.launcher.pause_s())
                self.launcher.spawn()
                await asyncio.to_thread(self.launcher.wait_ready)
                self._on_event("Asterisk is back")
                pause_s, answered_s = 0.2, loop.time()
            except StartFailed as failure:
                log.error("%s", failure)
                self._on_event(str(failure))
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 10.0)

    async def _asterisk_answers(self) -> bool:
        async with reached(local(self.plan.node), within_s=2.0) as ari:
            return await _status(ari, "/asterisk/ping") == _READY


def _control_client(home: Home) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(home.control_socket), verify=NO_TLS)
    return httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=_ANSWERS_WITHIN_S)


async def _ask(client: httpx.AsyncClient, path: str) -> dict[str, Any] | None:
    """What it answers, whatever the status; None when nobody answers in time."""
    try:
        body: dict[str, Any] = (await client.get(path)).json()
        return body
    except (httpx.HTTPError, OSError, ValueError):
        return None


def _commands(ready: dict[str, Any] | None) -> bool:
    """One that takes no new calls (it drains, its disk is full) still looks after those it has."""
    return ready is not None and bool(ready.get("commanding"))


async def _status(client: httpx.AsyncClient, path: str) -> int | None:
    """The HTTP status, or None when nobody answers in time."""
    try:
        return (await client.get(path)).status_code
    except (httpx.HTTPError, OSError):
        return None
