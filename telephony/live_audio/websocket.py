"""Audio over the WebSocket of a media leg (Asterisk's `chan_websocket`, which waits for us to connect).

Asterisk paces what we say and forgets what is queued when told to. The leg ends with the connection, so it outlives
neither its worker nor the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from websockets.uri import WebSocketURI

from telephony.ari.wire import Wire
from telephony.live_audio.hearing import Hearing
from telephony.live_audio.mouth import Frames
from telephony.live_audio.samples import from_mu_law, to_mu_law

CONNECTS_WITHIN_S = 3.0
_SUBPROTOCOL = "media"
_STARTED = b"MEDIA_START"
_FLUSH = b"FLUSH_MEDIA"
_BYTES_PER_BLOCK = {8000: 320, 16000: 640}


class WebSocketMouth:
    def __init__(self, wire: Wire, rate_hz: int) -> None:
        self._wire = wire
        self._mu_law = rate_hz == 8000
        self._frames = Frames(_BYTES_PER_BLOCK[rate_hz], wire.loop.time)

    def say(self, pcm: bytes) -> None:
        for frame in self._frames.cut(pcm):
            self._send(frame)

    def flush(self) -> None:
        self._frames.flush()
        if self._wire.is_open:
            self._wire.send(_FLUSH)

    @property
    def queued_s(self) -> float:
        return self._frames.queued_s

    def send_rest(self) -> None:
        if rest := self._frames.rest():
            self._send(rest)

    def _send(self, frame: bytes) -> None:
        if self._wire.is_open:
            self._wire.send_bytes(to_mu_law(frame) if self._mu_law else frame)


class WebSocketStream:
    """`on_connected`: Asterisk has said that audio may flow."""

    def __init__(self, hearing: Hearing, rate_hz: int, on_connected: Callable[[], None]) -> None:
        self._hearing = hearing
        self._mu_law = rate_hz == 8000
        self._rate_hz = rate_hz
        self._on_connected = on_connected
        self._wire: Wire | None = None
        self._closed = False
        self.mouth: WebSocketMouth

    async def open(self, host: str, port: int, path: str) -> None:
        """Raises OSError or TimeoutError."""
        uri = WebSocketURI(secure=False, host=host, port=port, path=path, query="", username=None, password=None)
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECTS_WITHIN_S):
            _, wire = await loop.create_connection(
                lambda: Wire(uri, self._opened, self._told, self._lost, self._heard, _SUBPROTOCOL), host, port
            )
            try:
                await wire.opened
            except BaseException:
                wire.abort("handshake not finished")
                raise

    def close(self) -> None:
        self._closed = True
        if self._wire is not None:
            self._wire.close()

    def tick(self, now_s: float) -> None:
        self.mouth.send_rest()

    def _opened(self, wire: Wire) -> None:
        if self._closed:
            wire.close()
            return
        self._wire = wire
        self.mouth = WebSocketMouth(wire, self._rate_hz)

    def _told(self, text: bytes) -> None:
        if text.startswith(_STARTED) and self._wire is not None:
            self._on_connected()
            self._hearing.begin(self._wire.loop.time(), self)

    def _heard(self, data: bytes) -> None:
        assert self._wire is not None
        self._hearing.take(from_mu_law(data) if self._mu_law else data, self._wire.loop.time())

    def _lost(self, why: str) -> None:
        """The media leg has ended, and mostly because the leg has: what was heard is worth a verdict."""
        if not self._closed:
            self._closed = True
            self._hearing.conclude()
