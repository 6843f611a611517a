"""Audio over RTP with a media leg of Asterisk's `chan_rtp`: for nodes without `chan_websocket`.

We pace what we say. Nothing on the wire says that the other side is gone: the engine ends the leg.
"""

from __future__ import annotations

import asyncio
import secrets
import struct
from collections import deque
from collections.abc import Callable

from core.live_audio import BLOCK_S
from telephony.live_audio.hearing import Hearing
from telephony.live_audio.mouth import Frames
from telephony.live_audio.samples import from_mu_law, from_network, to_mu_law, to_network

_HEADER = struct.Struct("!BBHII")
_VERSION = 0x80
_MARKED = 0x80
_MU_LAW, _L16_16000 = 0, 118
_BYTES_PER_BLOCK = {8000: 320, 16000: 640}


def payload(packet: bytes) -> tuple[int, bytes]:
    """Payload type and payload of an RTP packet, extensions and padding left out; (-1, nothing) when it is none."""
    if len(packet) < _HEADER.size or packet[0] & 0xC0 != _VERSION:
        return -1, b""
    at, end = _HEADER.size + 4 * (packet[0] & 0x0F), len(packet)
    if packet[0] & 0x10:
        if len(packet) < at + 4:
            return -1, b""
        at += 4 + 4 * int.from_bytes(packet[at + 2 : at + 4], "big")
    if packet[0] & 0x20:
        end -= packet[-1]
    return (packet[1] & 0x7F, packet[at:end]) if at <= end else (-1, b"")


class RtpMouth:
    def __init__(self, loop: asyncio.AbstractEventLoop, rate_hz: int, send: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._send = send
        self._mu_law = rate_hz == 8000
        self._step = round(rate_hz * BLOCK_S)
        self._frames = Frames(_BYTES_PER_BLOCK[rate_hz], loop.time)
        self._queue: deque[bytes] = deque()
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ssrc = secrets.randbits(32)
        self._seq = secrets.randbits(15)
        self._began_s = loop.time()
        self._quiet = True

    def say(self, pcm: bytes) -> None:
        self._queue.extend(self._frames.cut(pcm))
        self._go_on()

    def flush(self) -> None:
        self._frames.flush()
        self._queue.clear()

    @property
    def queued_s(self) -> float:
        return len(self._queue) * BLOCK_S

    def send_rest(self) -> None:
        if rest := self._frames.rest():
            self._queue.append(rest)
            self._go_on()

    def close(self) -> None:
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _go_on(self) -> None:
        if self._timer is None and self._queue:
            self._next_s = max(self._next_s, self._loop.time())
            self._timer = self._loop.call_at(self._next_s, self._next_frame)

    def _next_frame(self) -> None:
        self._timer = None
        if not self._queue:
            self._quiet = True
            return
        pcm = self._queue.popleft()
        kind = _MU_LAW if self._mu_law else _L16_16000
        clock = round((self._next_s - self._began_s) / BLOCK_S) * self._step & 0xFFFFFFFF
        head = _HEADER.pack(_VERSION, kind | (_MARKED if self._quiet else 0), self._seq, clock, self._ssrc)
        self._send(head + (to_mu_law(pcm) if self._mu_law else to_network(pcm)))
        self._seq = (self._seq + 1) & 0xFFFF
        self._quiet = False
        self._next_s += BLOCK_S
        self._timer = self._loop.call_at(self._next_s, self._next_frame)


class RtpStream(asyncio.DatagramProtocol):
    """`open` binds a port on `host`, and audio may come at once; `peer` says where to send what is said."""

    def __init__(self, hearing: Hearing, rate_hz: int) -> None:
        self._hearing = hearing
        self._rate_hz = rate_hz
        self._kind = _MU_LAW if rate_hz == 8000 else _L16_16000
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._peer: tuple[str, int] | None = None
        self.mouth = RtpMouth(self._loop, rate_hz, self._send)

    async def open(self, host: str) -> int:
        """The port. Raises OSError."""
        transport, _ = await self._loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        self._transport = transport
        return int(transport.get_extra_info("sockname")[1])

    def peer(self, host: str, port: int) -> None:
        self._peer = host, port
        self._hearing.begin(self._loop.time(), self)

    def close(self) -> None:
        self.mouth.close()
        if self._transport is not None:
            self._transport.close()

    def tick(self, now_s: float) -> None:
        self.mouth.send_rest()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr != self._peer:
            return
        kind, audio = payload(data)
        if kind == self._kind and audio:
            self._hearing.take(from_mu_law(audio) if kind == _MU_LAW else from_network(audio), self._loop.time())

    def _send(self, packet: bytes) -> None:
        if self._transport is not None and self._peer is not None:
            self._transport.sendto(packet, self._peer)
