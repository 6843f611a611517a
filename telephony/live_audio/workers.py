"""The engine's side of its media workers: who is there, who listens to which leg, and what becomes of it.

Workers come by themselves, over a Unix socket that only the owner may open. One that dies, or hangs, loses the streams
it had; the others and the engine go on. Nothing here waits for a worker but whoever asked it something.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import signal
import socket
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from core.errors import CommandRefused
from core.live_audio import ListenerKind
from telephony.live_audio.messages import (
    LONGEST_LINE,
    Alive,
    Answered,
    Begin,
    Bound,
    Connected,
    End,
    Failed,
    Found,
    Hello,
    Message,
    Peer,
    line,
    to_engine,
)

log = logging.getLogger("centralita.live_audio")

HANGS_AFTER_S = 4.0
"""A worker that has not said for so long that it is alive is killed: whoever minds it starts another."""
_LOOK_EVERY_S = 1.0
_CREDENTIALS = struct.Struct("3i")


class Stream:
    """One leg's audio in one worker. `bound`: the port it listens on; `connected`: audio may flow. Both fail, with
    CommandRefused, when the stream is lost."""

    def __init__(self, number: int, worker: _Worker, on_found: Callable[[Found], None]) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.bound: asyncio.Future[int] = loop.create_future()
        self.connected: asyncio.Future[None] = loop.create_future()
        self.on_found = on_found
        self.on_lost: Callable[[str], None] = lambda why: None
        self.pid = worker.pid
        self._worker = worker

    def peer(self, host: str, port: int) -> None:
        self._worker.tell(Peer(self.number, host, port))

    def answered(self) -> None:
        self._worker.tell(Answered(self.number))

    def end(self) -> None:
        """Its last verdict will be told, unless it is over already."""
        self._worker.tell(End(self.number))

    def lose(self, why: str) -> None:
        for waiting in (self.bound, self.connected):
            if not waiting.done():
                waiting.set_exception(CommandRefused(why))
                waiting.exception()  # nobody may be waiting
        self.on_lost(why)


class _Worker:
    def __init__(self, writer: asyncio.StreamWriter, pid: int) -> None:
        self.pid = pid
        self.streams: dict[int, Stream] = {}
        self.heard_s = asyncio.get_running_loop().time()
        self.is_ready = False
        self._writer = writer

    def tell(self, message: Message) -> None:
        if not self._writer.is_closing():
            self._writer.write(line(message))

    def take(self, message: Any) -> None:
        match message:
            case Hello():
                self.is_ready = True
            case Alive():
                pass
            case Bound(number, port):
                if (stream := self.streams.get(number)) is not None and not stream.bound.done():
                    stream.bound.set_result(port)
            case Connected(number):
                if (stream := self.streams.get(number)) is not None and not stream.connected.done():
                    stream.connected.set_result(None)
            case Found(number):
                stream = self.streams.pop(number, None) if message.final else self.streams.get(number)
                if stream is not None:
                    stream.on_found(message)
            case Failed(number, why):
                if (stream := self.streams.pop(number, None)) is not None:
                    stream.lose(why)

    def lost(self, why: str) -> None:
        self._writer.close()
        while self.streams:
            _, stream = self.streams.popitem()
            stream.lose(why)


class MediaWorkers:
    """`kinds`: the listeners there are."""

    def __init__(self, path: Path, kinds: Mapping[str, ListenerKind]) -> None:
        self.kinds = kinds
        self._path = path
        self._workers: list[_Worker] = []
        self._numbers = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._minding: asyncio.Task[None] | None = None
        self._serving: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        """Legs that are listened to."""
        return sum(len(worker.streams) for worker in self._workers)

    @property
    def pids(self) -> list[int]:
        """Of the workers that are ready."""
        return [worker.pid for worker in self._workers if worker.is_ready]

    async def start(self) -> None:
        """Raises OSError."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._came, str(self._path), limit=LONGEST_LINE)
        self._path.chmod(0o600)
        self._minding = asyncio.create_task(self._mind(), name="mind media workers")

    async def close(self) -> None:
        """Every worker drops its legs, and looks for the next engine."""
        if self._server is None:
            return
        self._server.close()
        if self._minding is not None:
            self._minding.cancel()
        for worker in list(self._workers):
            worker.lost("the engine stops")
        await asyncio.gather(*self._serving, *([self._minding] if self._minding else []), return_exceptions=True)
        self._path.unlink(missing_ok=True)

    def begin(
        self,
        leg_id: str,
        listener: str,
        options: Mapping[str, str],
        *,
        transport: Literal["websocket", "rtp"],
        limit_s: float,
        answered: bool,
        on_found: Callable[[Found], None],
        where: tuple[str, int, str] = ("", 0, ""),
    ) -> Stream:
        """Asks the worker with the fewest legs. `where`: host, port and path of the WebSocket to connect to.

        Raises:
            CommandRefused: no such listener, or no worker.
        """
        kind = self.kind(listener)
        ready = [worker for worker in self._workers if worker.is_ready]
        if not ready:
            raise CommandRefused("no media worker is there: look into its log, or wait until it is started again")
        worker = min(ready, key=lambda one: len(one.streams))
        stream = Stream(next(self._numbers), worker, on_found)
        worker.streams[stream.number] = stream
        host, port, path = where
        worker.tell(
            Begin(
                stream.number,
                leg_id,
                listener,
                transport,
                kind.rate_hz,
                limit_s,
                dict(options),
                answered,
                host,
                port,
                path,
            )
        )
        return stream

    def kind(self, listener: str) -> ListenerKind:
        """Raises CommandRefused."""
        kind = self.kinds.get(listener)
        if kind is None:
            raise CommandRefused(f"there is no listener {listener!r}: it must be one of {', '.join(self.kinds)}")
        return kind

    # -- workers
    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        worker = _Worker(writer, _peer_pid(writer))
        self._workers.append(worker)
        why = f"media worker {worker.pid} ended"
        try:
            while data := await reader.readline():
                worker.heard_s = asyncio.get_running_loop().time()
                try:
                    worker.take(to_engine.decode(data))
                except ValueError as problem:
                    log.error("media worker %d said what cannot be understood: %s", worker.pid, problem)
                except Exception:
                    log.exception("media worker %d said what could not be handled", worker.pid)
        except (OSError, ValueError) as problem:
            why = f"media worker {worker.pid} is lost: {problem}"
        finally:
            self._workers.remove(worker)
            if worker.streams:
                log.warning("%s: %d legs are not listened to any more", why, len(worker.streams))
            worker.lost(why)

    async def _mind(self) -> None:
        loop = asyncio.get_running_loop()
        looked_s = loop.time()
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            now_s = loop.time()
            we_hung, looked_s = now_s - looked_s > 2 * _LOOK_EVERY_S, now_s
            for worker in list(self._workers):
                if we_hung:
                    worker.heard_s = now_s  # what it said has not been read yet
                elif worker.is_ready and now_s - worker.heard_s > HANGS_AFTER_S:
                    log.error("media worker %d hangs: killed", worker.pid)
                    worker.lost(f"media worker {worker.pid} hung")
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(worker.pid, signal.SIGKILL)


def _peer_pid(writer: asyncio.StreamWriter) -> int:
    """The kernel's word for who connected."""
    connection: socket.socket = writer.get_extra_info("socket")
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[0])
