"""A media worker: a process that listens to legs for the engine, any number at a time.

It connects to the engine's Unix socket and does what it is told there; when the connection ends it drops every leg,
whose media legs end with that, and connects again. Its listeners' modules are loaded before the first leg comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.live_audio import Ear, Listener, ListenerFactory, ListenerKind
from telephony.live_audio.hearing import Hearing
from telephony.live_audio.messages import (
    LONGEST_LINE,
    Alive,
    Answered,
    Begin,
    Bound,
    Connected,
    End,
    Hello,
    Message,
    Peer,
    line,
    to_worker,
)
from telephony.live_audio.rtp import RtpStream
from telephony.live_audio.websocket import WebSocketStream

log = logging.getLogger("centralita.media_worker")

TICK_S = 0.04
IDLE_TICK_S = 0.2
ALIVE_EVERY_S = 1.0
RECONNECT_S = 0.2


class Worker:
    """`kinds`: the listeners it knows, by name. `rtp_host`: where it listens for RTP. `ear`: makes a leg's own, for
    listeners that want words; None where nobody recognises any."""

    def __init__(
        self,
        kinds: Mapping[str, ListenerKind],
        rtp_host: str = "127.0.0.1",
        ear: Callable[[], Ear] | None = None,
    ) -> None:
        self._kinds = kinds
        self._ear = ear
        self._rtp_host = rtp_host
        self._factories: dict[str, ListenerFactory] = {}
        self._hearings: dict[int, Hearing] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._writer: asyncio.StreamWriter | None = None
        self._utc_s = time.time() - time.monotonic()

    def load(self) -> None:
        """Imports every listener. One that cannot be is refused by name later; the others work."""
        for name, kind in self._kinds.items():
            module, _, attribute = kind.factory.partition(":")
            try:
                self._factories[name] = getattr(importlib.import_module(module), attribute)
            except Exception:
                log.exception("the listener %s (%s) cannot be loaded", name, kind.factory)

    async def serve(self, socket: Path) -> None:
        """Until cancelled."""
        ticking = asyncio.create_task(self._tick(), name="tick")
        try:
            while True:
                with contextlib.suppress(OSError):
                    await self._serve_once(socket)
                await asyncio.sleep(RECONNECT_S)
        finally:
            ticking.cancel()
            self._drop_all()
            await asyncio.gather(ticking, *self._tasks, return_exceptions=True)

    async def _serve_once(self, socket: Path) -> None:
        reader, self._writer = await asyncio.open_unix_connection(str(socket), limit=LONGEST_LINE)
        log.warning("connected to the engine")
        try:
            self._tell(Hello(os.getpid()))
            while data := await reader.readline():
                self._take(to_worker.decode(data))
        except ValueError:
            log.exception("the engine said what cannot be understood")
        finally:
            log.warning("the engine is gone: %d legs are dropped", len(self._hearings))
            self._writer.close()
            self._writer = None
            self._drop_all()

    def _drop_all(self) -> None:
        for hearing in list(self._hearings.values()):
            hearing.close()

    def _tell(self, message: Message) -> None:
        if self._writer is not None:
            self._writer.write(line(message))

    async def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        said_s = 0.0
        while True:
            await asyncio.sleep(TICK_S if self._hearings else IDLE_TICK_S)
            now_s = loop.time()
            if now_s - said_s >= ALIVE_EVERY_S:
                said_s = now_s
                self._tell(Alive())
            for hearing in list(self._hearings.values()):
                hearing.tick(now_s)

    # -- what the engine says
    def _take(self, message: Any) -> None:
        match message:
            case Begin():
                self._begin(message)
            case Peer(number, host, port):
                hearing = self._hearings.get(number)
                if hearing is not None and isinstance(hearing.stream, RtpStream):
                    hearing.stream.peer(host, port)
                    self._tell(Connected(number))
            case Answered(number):
                if (hearing := self._hearings.get(number)) is not None:
                    hearing.answered = True
            case End(number):
                if (hearing := self._hearings.get(number)) is not None:
                    hearing.conclude()

    def _begin(self, begin: Begin) -> None:
        listener: Listener = _Deaf()
        problem = ""
        try:
            listener = self._factories[begin.listener](begin.options)
            if self._ear is not None and hasattr(listener, "hear_with"):
                listener.hear_with(self._ear())
        except KeyError:
            problem = f"this worker has no listener {begin.listener!r}: see its log"
        except Exception as bug:
            problem = f"the listener {begin.listener} does not take its options: {bug}"
        hearing = Hearing(
            begin.number,
            begin.leg_id,
            listener,
            rate_hz=begin.rate_hz,
            answered=begin.answered,
            limit_s=begin.limit_s,
            utc_s=self._utc_s,
            tell=self._tell,
            on_over=self._over,
        )
        self._hearings[begin.number] = hearing
        if problem:
            hearing.fail(problem)
            return
        task = asyncio.get_running_loop().create_task(self._open(begin, hearing), name=f"open {begin.leg_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open(self, begin: Begin, hearing: Hearing) -> None:
        try:
            if begin.transport == "rtp":
                rtp = RtpStream(hearing, begin.rate_hz)
                hearing.stream = rtp
                self._tell(Bound(begin.number, await rtp.open(self._rtp_host)))
            else:
                stream = WebSocketStream(hearing, begin.rate_hz, lambda: self._tell(Connected(begin.number)))
                hearing.stream = stream
                await stream.open(begin.host, begin.port, begin.path)
        except (OSError, TimeoutError) as problem:
            hearing.fail(f"no audio from the node: {problem or type(problem).__name__}")
        if hearing.is_over and hearing.stream is not None:
            hearing.stream.close()

    def _over(self, hearing: Hearing) -> None:
        self._hearings.pop(hearing.number, None)


class _Deaf:
    """In the place of one that could not be made."""

    def feed(self, block: object) -> None:
        return None

    def end(self) -> Any:
        raise NotImplementedError


async def run(socket: Path, kinds: Mapping[str, ListenerKind], ear: Callable[[], Ear] | None = None) -> None:
    """Until cancelled."""
    worker = Worker(kinds, ear=ear)
    worker.load()
    gc.collect()
    gc.freeze()  # what is loaded lives for ever: the collector need not look at it while legs are heard
    await worker.serve(socket)
