"""The far side of a trunk, for benchmarks of live audio: answers every call and speaks packets that say when they left.

    python -m bench.stamped_lines ADDRESS SIP_PORT RTP_PORT

SIP by hand, RTP of every call on one socket, 50 packets a second each, spread over the 20 ms. A packet's first bytes
are the time it was sent and its number, in µ-law codes that pass through Asterisk untouched (`stamp`, `read_stamp`).
The end of its input ends it; then it prints, per dialed number, when BYE came (seconds since the epoch).
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import struct
import sys
import time
from dataclasses import dataclass, field

import numpy as np
import uvloop

_DIGITS, _BASE = 16, 16
_CODES = bytes(0x80 + 4 * n for n in range(_BASE))
"""All of one sign and far apart: each is another sample."""
_SECONDS_KEPT = 10_000
_NUMBERS = 1 << 20
_HEADER = struct.Struct("!BBHII")
_SIP = re.compile(r"^INVITE sip:([^@;>\s]+)@", re.ASCII)


def stamp(now_s: float, number: int) -> bytes:
    """16 bytes of µ-law."""
    value = (int(now_s % _SECONDS_KEPT * 1e6) * _NUMBERS) + number % _NUMBERS
    return bytes(_CODES[value >> 4 * n & 15] for n in range(_DIGITS))


def read_stamp(pcm: bytes, samples_of: dict[int, int]) -> tuple[float, int] | None:
    """(seconds modulo `_SECONDS_KEPT`, number) of a block's samples; None when there is none. `samples_of`: sample ->
    digit, from `digits_of_samples`."""
    value = 0
    for n, sample in enumerate(np.frombuffer(pcm[: 2 * _DIGITS], np.int16).tolist()):
        digit = samples_of.get(sample)
        if digit is None:
            return None
        value |= digit << 4 * n
    return value // _NUMBERS / 1e6, value % _NUMBERS


def digits_of_samples(linear: bytes) -> dict[int, int]:
    """`linear`: `_CODES` as the system under test decodes them."""
    return {sample: digit for digit, sample in enumerate(np.frombuffer(linear, np.int16).tolist())}


def codes() -> bytes:
    return _CODES


def late_s(sent_s: float, now_s: float) -> float:
    return (now_s % _SECONDS_KEPT - sent_s) % _SECONDS_KEPT


@dataclass
class _Line:
    number: str
    to: tuple[str, int]
    source: int
    sent: int = 0


@dataclass
class Lines(asyncio.DatagramProtocol):
    address: str
    rtp_port: int
    ended_s: dict[str, float] = field(default_factory=dict)
    _lines: dict[str, _Line] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((self.address, self.rtp_port))
        self._rtp.setblocking(False)

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._sip = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]
        call_id = _header(text, "Call-ID")
        if first.startswith("INVITE"):
            self._invited(text, call_id, addr)
        elif first.startswith(("BYE", "CANCEL")):
            line = self._lines.pop(call_id, None)
            if line is not None:
                self.ended_s[line.number] = time.time()
            self._reply(text, addr, "200 OK")
        elif first.startswith("OPTIONS"):
            self._reply(text, addr, "200 OK")

    def _invited(self, text: str, call_id: str, addr: tuple[str, int]) -> None:
        number = _SIP.match(text)
        port = re.search(r"^m=audio (\d+)", text, re.MULTILINE)
        if number is None or port is None:
            return
        host = self._sip.get_extra_info("sockname")
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {self.address}\r\ns=-\r\nc=IN IP4 {self.address}\r\nt=0 0\r\n"
            f"m=audio {self.rtp_port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
        )
        self._reply(text, addr, "180 Ringing")
        contact = f"Contact: <sip:line@{host[0]}:{host[1]}>\r\nContent-Type: application/sdp\r\n"
        self._reply(text, addr, "200 OK", contact, sdp)
        if call_id not in self._lines:
            self._lines[call_id] = _Line(number[1], (addr[0], int(port[1])), random.getrandbits(32))

    def _reply(self, request: str, addr: tuple[str, int], status: str, more: str = "", body: str = "") -> None:
        via = re.findall(r"^(Via: .*)\r$", request, re.MULTILINE)
        to = _header(request, "To")
        tag = "" if ";tag=" in to or status.startswith("100") else f";tag=t{_header(request, 'Call-ID')[:8]}"
        lines = [
            f"SIP/2.0 {status}",
            *via,
            f"From: {_header(request, 'From')}",
            f"To: {to}{tag}",
            f"Call-ID: {_header(request, 'Call-ID')}",
            f"CSeq: {_header(request, 'CSeq')}",
        ]
        self._sip.sendto(("\r\n".join(lines) + f"\r\n{more}Content-Length: {len(body)}\r\n\r\n{body}").encode(), addr)

    async def speak(self) -> None:
        """Until cancelled: every 2 ms a tenth of the lines."""
        loop = asyncio.get_running_loop()
        turn, due_s = 0, loop.time()
        tail = bytes(160 - _DIGITS).replace(b"\0", b"\xff")
        while True:
            due_s += 0.002
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            turn = (turn + 1) % 10
            while True:  # what Asterisk says is of no account
                try:
                    self._rtp.recv(2048)
                except BlockingIOError:
                    break
            for line in list(self._lines.values()):
                if line.source % 10 != turn:
                    continue
                head = _HEADER.pack(0x80, 0, line.sent & 0xFFFF, line.sent * 160, line.source)
                self._rtp.sendto(head + stamp(time.time(), line.sent) + tail, line.to)
                line.sent += 1


def _header(text: str, name: str) -> str:
    match = re.search(rf"^{name}\s*:\s*(.*?)\s*$", text, re.IGNORECASE | re.MULTILINE)
    return match[1] if match else ""


async def main(address: str, sip_port: int, rtp_port: int) -> None:
    loop = asyncio.get_running_loop()
    lines = Lines(address, rtp_port)
    await loop.create_datagram_endpoint(lambda: lines, local_addr=(address, sip_port))
    speaking = asyncio.create_task(lines.speak())
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    speaking.cancel()
    print(json.dumps(lines.ended_s), flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
