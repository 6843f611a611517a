"""A WebSocket client without a task of its own: bytes in, callbacks out.

`websockets` does the protocol (its Sans-I/O layer); here it meets asyncio's transports. Every message is handed
over within `data_received`, so reading costs no task switch and nothing is queued in between.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

try:
    from websockets.speedups import apply_mask
except ImportError:  # built without its C part
    from websockets.utils import apply_mask

# The library would write every frame at DEBUG: passwords in the handshake, callers' digits afterwards.
_frames = logging.getLogger("telephony.ari.frames")
_frames.setLevel(logging.INFO)

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""A survey of tens of thousands of channels is one message."""
MAX_HEADER_BYTES = 64 * 1024
_END_OF_HEADERS = b"\r\n\r\n"
_WHOLE_TEXT = 0x81
_WHOLE_BINARY = 0x82
_MASKED = 0x80
_MASKS_AT_ONCE = 256
_IN_TWO_BYTES = 126
_IN_EIGHT_BYTES = 127


class Wire(asyncio.Protocol):
    """One connection. `on_open` is called when the handshake is done and before any message; `on_text` gets each
    message, `on_binary` those of bytes; `on_lost` is called once, with why, after it was open.

    `opened` ends when the handshake does; it raises ConnectionError when the peer declines. `reads` counts what
    was read: any of it, a pong or else, is a sign of life.
    """

    def __init__(
        self,
        uri: WebSocketURI,
        on_open: Callable[[Wire], None],
        on_text: Callable[[bytes], None],
        on_lost: Callable[[str], None],
        on_binary: Callable[[bytes], None] | None = None,
        subprotocol: str = "",
    ) -> None:
        subprotocols = [Subprotocol(subprotocol)] if subprotocol else None
        self._protocol = ClientProtocol(uri, subprotocols=subprotocols, max_size=MAX_MESSAGE_BYTES, logger=_frames)
        self._on_open = on_open
        self._on_text = on_text
        self._on_lost = on_lost
        self._on_binary = on_binary
        self._transport: asyncio.Transport | None = None
        self._pieces: list[bytes] = []
        self._unread = bytearray()
        self._masks: list[bytes] = []
        self._why = ""
        self._shaken = False
        self._declined = False
        self.loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self.loop.create_future()
        self.reads = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the interface and not the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self.reads += 1
        self._unread += data
        if not self._shaken:
            self._shake_hands()
        if self._shaken:
            self._read_frames()

    def _shake_hands(self) -> None:
        """Hands over the response: its headers alone, for frames may follow; all of it when we are declined."""
        headers, end, _ = self._unread.partition(_END_OF_HEADERS)
        if end and not self._declined:
            size = len(headers) + len(end)
            self._hand_over(bytes(self._unread[:size]))
            del self._unread[:size]
            self._shaken = self._protocol.state is State.OPEN
            self._declined = not self._shaken
        if self._declined or (not self._shaken and len(self._unread) > MAX_HEADER_BYTES):
            self._hand_over(bytes(self._unread))
            self._unread.clear()

    def _read_frames(self) -> None:
        """Whole messages, nearly all there is, are taken here: the library needs ten times as long for each."""
        unread = self._unread
        at, end = 0, len(unread)
        while end - at >= 2:
            size, start = unread[at + 1], at + 2
            if size == _IN_TWO_BYTES:
                size, start = int.from_bytes(unread[start : start + 2], "big"), start + 2
            elif size == _IN_EIGHT_BYTES:
                size, start = int.from_bytes(unread[start : start + 8], "big"), start + 8
            elif size > _IN_EIGHT_BYTES:
                self.abort("the peer masked a frame: it is no WebSocket server")
                return
            if size > MAX_MESSAGE_BYTES:
                self.abort(f"a message of {size} bytes; at most {MAX_MESSAGE_BYTES} are taken")
                return
            if start + size > end:
                break
            frame = bytes(unread[at : start + size])
            at = start + size
            if frame[0] == _WHOLE_TEXT:
                self._on_text(frame[-size:] if size else b"")
            elif frame[0] == _WHOLE_BINARY and self._on_binary is not None:
                self._on_binary(frame[-size:] if size else b"")
            else:
                self._hand_over(frame)
        del unread[:at]

    def _hand_over(self, data: bytes) -> None:
        """The library sees the handshake, and every frame that is not a whole text."""
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._take(event)
            elif isinstance(event, Response):
                self._handshake_ended(event)
        self._flush()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._flush()

    def connection_lost(self, problem: Exception | None) -> None:
        self._transport = None
        why = self._why or (str(problem) if problem else "closed by the peer")
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(why))
        elif not self.opened.cancelled() and self.opened.exception() is None:
            self._on_lost(why)

    @property
    def is_open(self) -> bool:
        return self._transport is not None and self._protocol.state is State.OPEN

    def send(self, text: bytes) -> None:
        """Raises ConnectionError when the connection is not open."""
        self._send(_WHOLE_TEXT, text)

    def send_bytes(self, data: bytes) -> None:
        """Raises ConnectionError when the connection is not open."""
        self._send(_WHOLE_BINARY, data)

    def _send(self, kind: int, text: bytes) -> None:
        if self._transport is None or self._protocol.state is not State.OPEN:
            raise ConnectionError("not connected")
        # As with reading: the library needs ten times as long for a whole message.
        size, mask = len(text), self._next_mask()
        if size < _IN_TWO_BYTES:
            head = bytes((kind, _MASKED | size))
        elif size < 1 << 16:
            head = bytes((kind, _MASKED | _IN_TWO_BYTES)) + size.to_bytes(2, "big")
        else:
            head = bytes((kind, _MASKED | _IN_EIGHT_BYTES)) + size.to_bytes(8, "big")
        self._transport.write(head + mask + apply_mask(text, mask))

    def _next_mask(self) -> bytes:
        """A frame's own, from the system's randomness, many at a time."""
        if not self._masks:
            chance = os.urandom(4 * _MASKS_AT_ONCE)
            self._masks = [chance[n : n + 4] for n in range(0, len(chance), 4)]
        return self._masks.pop()

    def ping(self) -> None:
        if self.is_open:
            self._protocol.send_ping(b"")
            self._flush()

    def close(self) -> None:
        """Says good-bye and hangs up; `on_lost` follows."""
        if self.is_open:
            self._why = self._why or "closed by us"
            self._protocol.send_close(1000)
            self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self, why: str) -> None:
        """Gives the connection up without a word."""
        self._why = why
        if self._transport is not None:
            self._transport.abort()

    def _handshake_ended(self, response: Response) -> None:
        if self.opened.done():
            return
        problem = self._protocol.handshake_exc
        if problem is None:
            self.opened.set_result(None)
            self._on_open(self)
            return
        hint = {401: ": check its user and password", 404: ": is res_ari loaded?"}.get(response.status_code, "")
        self.opened.set_exception(ConnectionError(f"refused with status {response.status_code}{hint}"))

    def _take(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._pieces.append(bytes(frame.data))
            if frame.fin:
                whole, self._pieces = b"".join(self._pieces), []
                self._on_text(whole)

    def _flush(self) -> None:
        if self._transport is None:
            return
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:
                self._transport.close()
