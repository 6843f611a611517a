"""One ARI WebSocket that comes back by itself, and the requests on it.

Its states stand in connection_state.py.

Asterisk runs the requests of one socket one after another, so the oldest unanswered one is the one it works on.
If nothing is answered for `deadline_s`, that one is stuck: the owner may free it (`on_slow`), and `rescue_s`
later it fails and the socket is replaced. A socket that goes on answering, only slowly, is left alone: Asterisk
has too much to do, and more connections would not help. A request fails with `DeadlineExceeded` after both.

Each connection for requests has an application name of its own: one that comes while a former one of its name ends
may be left without answers (see echo.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from websockets.uri import WebSocketURI

from core.errors import DeadlineExceeded, NodeUnavailable
from telephony.ari.connection_state import CONNECTION_TABLE, ConnectionEvent, ConnectionState
from telephony.ari.echo import Echo
from telephony.ari.messages import (
    ApplicationReplaced,
    ChannelUserevent,
    Event,
    RestRequest,
    RestResponse,
    decode,
    encode_request,
)
from telephony.ari.settings import AriSettings
from telephony.ari.wire import Wire

log = logging.getLogger(__name__)

SWEEP_S = 0.1
"""How often deadlines are looked at; one timer a connection is cheaper than one a request."""


@dataclass(slots=True)
class Pending:
    """An unanswered request. `about`: the leg it is for, empty when none; `due`: when it fails, loop seconds."""

    answer: asyncio.Future[RestResponse]
    method: str
    uri: str
    about: str
    due: float

    @property
    def what(self) -> str:
        return _what(self.method, self.uri)


class AriConnection:
    """`app`: the application name of this socket, or how it begins. The callbacks never block.

    `on_event` gets each event at once; `on_state` each change of state; `on_slow(leg_id)` is told that the
    oldest request, for that leg, has passed its deadline. `on_heard` is given for the one connection over which events
    come, and called whenever one did that `listen` asked for.
    """

    def __init__(
        self,
        settings: AriSettings,
        app: str,
        on_event: Callable[[Event], None],
        on_state: Callable[[ConnectionState], None],
        on_slow: Callable[[str], None] | None = None,
        on_heard: Callable[[], None] | None = None,
    ) -> None:
        self.app = app
        self.state = ConnectionState.IDLE
        self._settings = settings
        self._on_event = on_event
        self._on_state = on_state
        self._on_slow = on_slow
        self._echo = Echo(app, settings.ping_s, on_heard) if on_heard is not None else None
        self._wire: Wire | None = None
        self._pending: dict[str, Pending] = {}
        self._progress_at = 0.0
        self._rescued = False
        self._number = 0
        self._down = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._ping_at = 0.0
        self._pinged: int | None = None

    @property
    def name(self) -> str:
        return f"{self._settings.node}/{self.app}"

    @property
    def _patience_s(self) -> float:
        return self._settings.deadline_s + self._settings.rescue_s

    @property
    def is_open(self) -> bool:
        return self.state is ConnectionState.OPEN

    def start(self) -> None:
        self._task = asyncio.create_task(self._stay_connected(), name=f"ari {self.name}")

    async def close(self) -> None:
        """Hangs up; unanswered requests fail."""
        self._move(ConnectionEvent.CLOSE)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._wire is not None:
            self._wire.close()
        self._ended("closed by us")

    def request(self, method: str, uri: str, about: str = "", body: bytes = b"") -> asyncio.Future[RestResponse]:
        """Sends now; the future ends with the response, whatever its status.

        Raises:
            NodeUnavailable: not connected, nothing was sent.
        The future raises:
            DeadlineExceeded: no answer in time, or the connection broke before it; it may have been done.
        """
        wire = self._wire
        if wire is None or self.state is not ConnectionState.OPEN:
            raise NodeUnavailable(f"{self.name}: not connected, {_what(method, uri)} was not sent")
        self._number += 1
        request_id = str(self._number)
        loop = wire.loop
        future: asyncio.Future[RestResponse] = loop.create_future()
        message = RestRequest(request_id, method, uri, "application/json" if body else "", body.decode())
        try:
            wire.send(encode_request(message))
        except ConnectionError as problem:
            raise NodeUnavailable(f"{self.name}: {problem}, {_what(method, uri)} was not sent") from problem
        now = loop.time()
        if not self._pending:
            self._progress_at = now
        self._pending[request_id] = Pending(future, method, uri, about, now + self._patience_s)
        return future

    def listen(self) -> None:
        """Asks for an event, on the connection over which events come. If none comes, it is replaced."""
        wire = self._wire
        if wire is None or self._echo is None or self.state is not ConnectionState.OPEN:
            return
        self._number += 1
        request = self._echo.request(str(self._number), wire.loop.time())
        with contextlib.suppress(ConnectionError):  # whoever is lost hears of it otherwise
            wire.send(encode_request(request))

    # -- connecting
    async def _stay_connected(self) -> None:
        attempt = 0
        event = ConnectionEvent.CONNECT
        while self.state not in (ConnectionState.STOLEN, ConnectionState.CLOSED):
            self._move(event)
            event = ConnectionEvent.RETRY
            try:
                await self._connect()
            except (OSError, TimeoutError) as problem:
                self._move(ConnectionEvent.FAILED)
                if attempt == 0:
                    log.warning("%s: cannot connect: %s; trying again", self.name, problem)
            else:
                attempt = 0
                await self._down.wait()
            attempt += 1
            ceiling = min(self._settings.reconnect_max_s, 0.05 * 2**attempt)
            await asyncio.sleep(ceiling * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret

    async def _connect(self) -> None:
        settings = self._settings
        app = self.app if self._echo is not None else f"{self.app}-{secrets.token_hex(4)}"
        uri = WebSocketURI(
            secure=False,
            host=settings.host,
            port=settings.port,
            path="/ari/events",
            query=f"app={app}&subscribeAll=false",
            username=settings.user,
            password=settings.password,
        )
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(settings.deadline_s):
            _, wire = await loop.create_connection(
                lambda: Wire(uri, self._opened, self._took, self._lost), settings.host, settings.port
            )
            try:
                await wire.opened
            except BaseException:
                wire.abort("handshake not finished")
                raise

    def _opened(self, wire: Wire) -> None:
        """Before its first message is read."""
        if self.state is not ConnectionState.CONNECTING:
            wire.abort("not wanted any more")
            return
        now = wire.loop.time()
        self._wire = wire
        self._down.clear()
        self._rescued = False
        self._pinged = None
        if self._echo is not None:
            self._echo.forget()
        self._ping_at = now + self._settings.ping_s
        self._sweep_later(wire, now)
        self._move(ConnectionEvent.OPENED)

    def _lost(self, why: str) -> None:
        if self._wire is None:
            return
        if self.state is ConnectionState.OPEN:
            log.warning("%s: connection lost: %s", self.name, why)
        self._ended(why)
        self._move(ConnectionEvent.LOST)
        self._down.set()

    def _ended(self, why: str) -> None:
        self._wire = None
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        unanswered, self._pending = self._pending, {}
        for pending in unanswered.values():
            self._fail(pending, f"the connection ended ({why}) before the answer")

    def _move(self, event: ConnectionEvent) -> None:
        state, transition = CONNECTION_TABLE.advance(self.name, self.state, event)
        if transition is not None:
            self.state = state
            log.info("%s", transition)
            self._on_state(state)

    # -- reading
    def _took(self, text: bytes) -> None:
        try:
            message = decode(text)
        except ValueError as problem:
            log.warning("%s: message not understood, ignored: %s", self.name, problem)
            return
        if message is None:
            return
        if isinstance(message, RestResponse):
            now = asyncio.get_running_loop().time()
            self._progress_at = now
            self._rescued = False
            if self._echo is not None and self._echo.answered(message.request_id, now):
                return
            pending = self._pending.pop(message.request_id, None)
            if pending is not None and not pending.answer.done():
                pending.answer.set_result(message)
        elif isinstance(message, ApplicationReplaced):
            log.error("%s: another program connected to Asterisk under this name: this connection is over", self.name)
            self._move(ConnectionEvent.REPLACED)
            if self._wire is not None:
                self._wire.close()
        elif isinstance(message, ChannelUserevent):
            if self._echo is not None:
                self._echo.hear(message)
        else:
            try:
                self._on_event(message)
            except Exception:  # a bug in what one event leads to must not cost the connection and every other leg
                log.exception("%s: a %s could not be handled", self.name, type(message).__name__)

    # -- deadlines and pings
    def _sweep_later(self, wire: Wire, now: float) -> None:
        # At the same moments for every connection: the loop wakes up once for all of them.
        due = (now // SWEEP_S + 1) * SWEEP_S
        self._sweeper = wire.loop.call_at(due, self._sweep)

    def _sweep(self) -> None:
        wire = self._wire
        if wire is None:
            return
        now = wire.loop.time()
        self._sweep_later(wire, now)
        if now >= self._ping_at:
            if self._pinged is not None and self._pinged == wire.reads:
                wire.abort(f"no sign of life for {self._settings.ping_s} s")
                return
            self._pinged = wire.reads
            wire.ping()
            self._ping_at = now + self._settings.ping_s
            if self._echo is not None and not self._echo.is_awaited:
                self.listen()
        if self._echo is not None and self._echo.is_deaf(now):
            wire.abort("no event comes over it")
            return
        if self._pending:
            self._sweep_requests(wire, now)

    def _sweep_requests(self, wire: Wire, now: float) -> None:
        oldest = next(iter(self._pending.values()))
        stuck_s = now - self._progress_at
        if stuck_s >= self._settings.deadline_s and not self._rescued:
            self._rescued = True
            if self._on_slow is not None:
                self._on_slow(oldest.about)
        for request_id in [request_id for request_id, pending in self._pending.items() if now >= pending.due]:
            self._fail(self._pending.pop(request_id), "no answer in time")
        if stuck_s >= self._patience_s:
            wire.abort(f"held up by {oldest.what}")

    def _fail(self, pending: Pending, why: str) -> None:
        if not pending.answer.done():
            pending.answer.set_exception(DeadlineExceeded(f"{self.name}: {pending.what}: {why}; it may have happened"))
            pending.answer.exception()  # whoever sent it without waiting is not told by the garbage collector


def _what(method: str, uri: str) -> str:
    """For messages: without the query, where digits stand."""
    return f"{method} {uri.partition('?')[0]}"
