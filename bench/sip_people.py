"""People at the other end of a trunk, and agents' held lines: SIP and audio by hand, timed on the wire.

    people = await answering("127.0.0.4", port, lambda number: Person(ring_s=1.0, hz=700.0))
    people.calls[-1].heard_hz(since_s)          # what she hears

A `Person` answers, is busy, rings on, hangs up at once ...; a `Line` is an agent's phone that dials in and stays. Every
call speaks one tone and keeps what it hears, with the time of each packet on the loop's clock (seconds).
"""

from __future__ import annotations

import asyncio
import math
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

import numpy as np
import numpy.typing as npt

from bench.sip_phones import Behaviour, Phone, _digest, _header, _headers

PACKET_S, RATE_HZ, SAMPLES = 0.02, 8000, 160
AUDIBLE_RMS = 300.0
_WITHIN_S = 30.0
"""How long a line waits to be registered, and to be answered."""
_LINGERS_S = 1.0
"""After the end of a call what is on its way is still heard: a busy machine reads the end before the last audio."""
_SILENCE = b"\xd5" * SAMPLES

LOOKS_UP_S = 0.1
"""What a network takes to find out that it knows no such number."""
Does = Literal["answer", "refuse", "ring", "crossing", "vanish"]


@dataclass(frozen=True, slots=True)
class Person:
    """`refuse`: with `status`; `crossing`: rings, and answers in the moment in which she is cancelled; `vanish`: never
    says anything, not even that it rings. `early`: what she says is heard before the answer. `talk_s` 0: she stays on.
    `sound`: A-law that is heard once, instead of the tone."""

    does: Does = "answer"
    ring_s: float = 0.2
    talk_s: float = 0.0
    hz: float = 700.0
    status: str = "486 Busy Here"
    early: bool = False
    sound: bytes = b""


@cache
def _alaw_table() -> npt.NDArray[np.uint8]:
    """G.711 A-law by 16-bit sample + 32768."""
    samples = np.arange(-32768, 32768)
    positive = samples >= 0
    magnitude = np.where(positive, samples, -samples - 1) >> 3
    exponent = np.clip(np.floor(np.log2(np.maximum(magnitude, 1))).astype(int) - 4, 0, 7)
    mantissa = np.where(exponent < 2, magnitude >> 1, magnitude >> exponent) & 0x0F
    return ((exponent << 4 | mantissa) ^ np.where(positive, 0xD5, 0x55)).astype(np.uint8)


@cache
def _linear_table() -> npt.NDArray[np.float64]:
    table = _alaw_table()
    back = np.zeros(256)
    for sample in range(-32768, 32768, 8):
        back[table[sample + 32768]] = sample
    return back


@cache
def tone(hz: float) -> bytes:
    """One second."""
    return alaw((8000 * np.sin(2 * math.pi * hz * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16))


def alaw(samples: npt.NDArray[np.int16]) -> bytes:
    """Samples of 8 kHz."""
    return bytes(_alaw_table()[samples.astype(int) + 32768])


@dataclass(slots=True)
class Voice(asyncio.DatagramProtocol):
    """The audio of one call: a tone, or `sound` once. `heard`: (when, 20 ms of A-law)."""

    hz: float
    sound: bytes = b""
    heard: list[tuple[float, bytes]] = field(default_factory=list)
    peer: tuple[str, int] | None = None
    _transport: asyncio.DatagramTransport | None = None
    _task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    @property
    def port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if len(data) > 12 and data[1] & 0x7F == 8:
            self.heard.append((asyncio.get_running_loop().time(), data[12:]))

    def speak(self, described: str) -> None:
        """To where the other side's session says."""
        host = re.search(r"^c=IN IP4 (\S+)", described, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", described, re.MULTILINE)
        if host is None or port is None:
            return
        self.peer = (host[1], int(port[1]))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._speak())

    async def _speak(self) -> None:
        loop = asyncio.get_running_loop()
        said, source, due_s = tone(self.hz) if self.hz else _SILENCE * 50, secrets.token_bytes(4), loop.time()
        number, once = 0, self.sound
        while self._transport is not None and not self._transport.is_closing():
            start = number * SAMPLES % RATE_HZ
            head = bytes((0x80, 8)) + (number & 0xFFFF).to_bytes(2, "big")
            stamp = (number * SAMPLES & 0xFFFFFFFF).to_bytes(4, "big")
            if self.peer is not None:
                if once:
                    start = number * SAMPLES
                    packet = once[start : start + SAMPLES].ljust(SAMPLES, _SILENCE[:1])
                else:
                    packet = said[start : start + SAMPLES]
                self._transport.sendto(head + stamp + source + packet, self.peer)
            number += 1
            due_s += PACKET_S
            await asyncio.sleep(max(0.0, due_s - loop.time()))

    def audible_s(self, since_s: float = 0.0, hz: float = 0.0) -> float | None:
        """When the first audible packet came; `hz`: of that tone."""
        for at_s, payload in self.heard:
            if at_s >= since_s and loudness(payload, hz) >= AUDIBLE_RMS:
                return at_s
        return None

    def heard_hz(self, since_s: float = 0.0) -> float:
        """The strongest tone of what was heard since then; 0 for silence."""
        payload = b"".join(packet for at_s, packet in self.heard if at_s >= since_s)
        if not payload:
            return 0.0
        samples = _linear_table()[np.frombuffer(payload, np.uint8)]
        if np.sqrt(np.mean(samples**2)) < AUDIBLE_RMS:
            return 0.0
        spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
        return float(np.argmax(spectrum) * RATE_HZ / len(samples))

    def hush(self) -> None:
        """Says no more, and listens on for a moment."""
        if self._task is not None:
            self._task.cancel()
        asyncio.get_running_loop().call_later(_LINGERS_S, self.close)

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.close()


def loudness(payload: bytes, hz: float = 0.0) -> float:
    """RMS of a packet, or of one tone within it."""
    samples = _linear_table()[np.frombuffer(payload, np.uint8)]
    if not hz:
        return float(np.sqrt(np.mean(samples**2)))
    wave = np.exp(-2j * math.pi * hz * np.arange(len(samples)) / RATE_HZ)
    return float(abs(np.sum(samples * wave)) * math.sqrt(2) / max(1, len(samples)))


async def _voice(host: str, hz: float, sound: bytes = b"") -> Voice:
    loop = asyncio.get_running_loop()
    _, voice = await loop.create_datagram_endpoint(lambda: Voice(hz, sound), local_addr=(host, 0))
    return voice


def _session(host: str, port: int) -> str:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\n"
    )


@dataclass(slots=True)
class Call:
    """One call to a person. Times are the loop's seconds, 0 for what did not happen. `shown`: From and
    P-Asserted-Identity as they came."""

    number: str
    person: Person
    invite: str
    from_: tuple[str, int]
    voice: Voice
    invited_s: float
    shown: tuple[str, str]
    tag: str = field(default_factory=lambda: secrets.token_hex(4))
    answered_s: float = 0.0
    cancelled_s: float = 0.0
    ended_s: float = 0.0
    ended_by: str = ""
    seq: int = 1
    last: str = ""
    """The final response: sent again when asked again."""

    def heard_hz(self, since_s: float = 0.0) -> float:
        return self.voice.heard_hz(since_s)

    @property
    def is_over(self) -> bool:
        return bool(self.ended_s)


class People(asyncio.DatagramProtocol):
    """Everybody behind one trunk. `behave(number)`: what who has that number does this time."""

    def __init__(self, behave: Callable[[str], Person]) -> None:
        self.behave = behave
        self.calls: list[Call] = []
        self._by_id: dict[str, Call] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    @property
    def host(self) -> str:
        assert self._transport is not None
        return str(self._transport.get_extra_info("sockname")[0])

    def of(self, number: str) -> list[Call]:
        return [call for call in self.calls if call.number.lstrip("+") == number.lstrip("+")]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]
        call = self._by_id.get(_header(text, "Call-ID"))
        if first.startswith("INVITE") and call is None:
            task = asyncio.get_running_loop().create_task(self._invited(text, addr))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif first.startswith("INVITE") and call is not None:
            if ";tag=" in _header(text, "To"):
                self._reply(call, text, "200 OK", self._described(call))
            elif call.last:
                self._send(call.last, addr)
        elif first.startswith("CANCEL") and call is not None:
            self._cancelled(call, text)
        elif first.startswith("BYE") and call is not None:
            self._reply(call, text, "200 OK")
            self._over(call, "them")
        elif first.startswith(("OPTIONS", "BYE", "CANCEL", "UPDATE", "INFO")):
            self._send(_response(text, "200 OK", "x", self.host, ""), addr)

    async def _invited(self, text: str, addr: tuple[str, int]) -> None:
        number = re.search(r"^INVITE sip:([^@;>]+)", text)
        assert number is not None
        call_id, person = _header(text, "Call-ID"), self.behave(number[1])
        if call_id in self._by_id:
            return
        invited_s = asyncio.get_running_loop().time()
        shown = (_header(text, "From"), _header(text, "P-Asserted-Identity"))
        call = Call(number[1], person, text, addr, Voice(person.hz), invited_s, shown)
        self._by_id[call_id] = call
        self.calls.append(call)
        self._reply(call, text, "100 Trying")
        call.voice = await _voice(self.host, person.hz, person.sound)
        if person.does == "vanish":
            return
        if person.does == "refuse" and not person.ring_s:
            await asyncio.sleep(LOOKS_UP_S)
            self._final(call, person.status)
            return
        if person.early:
            self._reply(call, text, "183 Session Progress", self._described(call))
            call.voice.speak(text)
        else:
            self._reply(call, text, "180 Ringing")
        await asyncio.sleep(person.ring_s)
        if call.cancelled_s or call.is_over:
            return
        if person.does == "refuse":
            self._final(call, person.status)
        elif person.does == "answer":
            self.answer(call)
            if person.talk_s:
                await asyncio.sleep(person.talk_s)
                self.hang_up(call)

    def answer(self, call: Call) -> None:
        call.last = _response(call.invite, "200 OK", call.tag, self.host, self._described(call))
        self._send(call.last, call.from_)
        call.answered_s = asyncio.get_running_loop().time()
        call.voice.speak(call.invite)

    def hang_up(self, call: Call) -> None:
        """She does. A call that is over stays so."""
        if call.is_over or not call.answered_s:
            return
        contact = re.search(r"<([^>]+)>", _header(call.invite, "Contact"))
        call.seq += 1
        self._send(
            f"BYE {contact[1] if contact else 'sip:asterisk'} SIP/2.0\r\n{self._head(call, 'BYE')}"
            "Content-Length: 0\r\n\r\n",
            call.from_,
        )
        self._over(call, "her")

    def press(self, call: Call, digit: str) -> None:
        """A key, told as SIP INFO."""
        contact = re.search(r"<([^>]+)>", _header(call.invite, "Contact"))
        body = f"Signal={digit}\r\nDuration=160\r\n"
        call.seq += 1
        self._send(
            f"INFO {contact[1] if contact else 'sip:asterisk'} SIP/2.0\r\n{self._head(call, 'INFO')}"
            f"Content-Type: application/dtmf-relay\r\nContent-Length: {len(body)}\r\n\r\n{body}",
            call.from_,
        )

    def _head(self, call: Call, method: str) -> str:
        return (
            f"Via: SIP/2.0/UDP {self._here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: {_header(call.invite, 'To')};tag={call.tag}\r\nTo: {_header(call.invite, 'From')}\r\n"
            f"Call-ID: {_header(call.invite, 'Call-ID')}\r\nCSeq: {call.seq} {method}\r\nMax-Forwards: 70\r\n"
        )

    def _cancelled(self, call: Call, text: str) -> None:
        self._send(_response(text, "200 OK", call.tag, self.host, ""), call.from_)
        if call.answered_s or call.last:
            return
        call.cancelled_s = asyncio.get_running_loop().time()
        if call.person.does == "crossing":
            self.answer(call)
        else:
            self._final(call, "487 Request Terminated")

    def _final(self, call: Call, status: str) -> None:
        call.last = _response(call.invite, status, call.tag, self.host, "")
        self._send(call.last, call.from_)
        self._over(call, "refused")

    def _over(self, call: Call, by: str) -> None:
        if not call.is_over:
            call.ended_s, call.ended_by = asyncio.get_running_loop().time(), by
            call.voice.hush()

    @property
    def _here(self) -> str:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    def _described(self, call: Call) -> str:
        return _session(self.host, call.voice.port)

    def _reply(self, call: Call, text: str, status: str, sdp: str = "") -> None:
        self._send(_response(text, status, call.tag if status != "100 Trying" else "", self.host, sdp), call.from_)

    def _send(self, text: str, to: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(text.replace("HERE", self._here, 1).encode(), to)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for call in self.calls:
            call.voice.close()
        if self._transport is not None:
            self._transport.close()


def _response(text: str, status: str, tag: str, host: str, sdp: str) -> str:
    to = _header(text, "To")
    to += f";tag={tag}" if tag and ";tag=" not in to else ""
    vias = "".join(f"Via: {via}\r\n" for via in _headers(text, "Via"))
    kind = "Content-Type: application/sdp\r\n" if sdp else ""
    return (
        f"SIP/2.0 {status}\r\n{vias}From: {_header(text, 'From')}\r\nTo: {to}\r\n"
        f"Call-ID: {_header(text, 'Call-ID')}\r\nCSeq: {_header(text, 'CSeq')}\r\n"
        f"Contact: <sip:HERE>\r\n{kind}Content-Length: {len(sdp)}\r\n\r\n{sdp}"
    )


async def answering(host: str, port: int, behave: Callable[[str], Person]) -> People:
    """They are there from now on; `close` ends it."""
    _, people = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: People(behave), local_addr=(host, port)
    )
    return people


class Line(Phone):
    """An agent's phone that dials a number, and stays: her held line. `voice`: what she hears there."""

    voice: Voice
    up: asyncio.Event
    _call: dict[str, str]

    async def dial(self, number: str, hz: float) -> None:
        """Returns when it is answered.

        Raises:
            TimeoutError: it is not, within half a minute.
        """
        self.voice, self.up = await _voice(self.here.partition(":")[0], hz), asyncio.Event()
        self._call = {"id": secrets.token_hex(8), "number": number, "tag": secrets.token_hex(4), "seq": "1"}
        self._invite()
        async with asyncio.timeout(_WITHIN_S):
            await self.up.wait()

    def _invite(self, authorization: str = "") -> None:
        host, call = self.here.partition(":")[0], self._call
        sdp = _session(host, self.voice.port)
        uri = f"sip:{call['number']}@{self.server[0]}:{self.server[1]}"
        call["uri"] = uri
        self._send(
            f"INVITE {uri} SIP/2.0\r\n{self._head(call, 'INVITE')}{authorization}"
            f"Contact: <sip:{self.user}@{self.here}>\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
        )

    def _head(self, call: dict[str, str], method: str, to: str = "") -> str:
        return (
            f"Via: SIP/2.0/UDP {self.here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: <sip:{self.user}@{self.server[0]}>;tag={call['tag']}\r\n"
            f"To: {to or '<' + call['uri'] + '>'}\r\nCall-ID: {call['id']}\r\n"
            f"CSeq: {call['seq']} {method}\r\nMax-Forwards: 70\r\n"
        )

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        call = getattr(self, "_call", None)
        if call is None or _header(text, "Call-ID") != call["id"]:
            super().datagram_received(data, addr)
            return
        first = text.partition("\r\n")[0]
        if first.startswith("SIP/2.0") and "INVITE" in _header(text, "CSeq"):
            self._answer(int(first.split()[1]), text)
        elif not first.startswith(("SIP/2.0", "ACK")):
            sdp = _session(self.here.partition(":")[0], self.voice.port) if first.startswith("INVITE") else ""
            self._reply(text, addr, "200 OK", call["tag"], sdp)

    def _answer(self, code: int, text: str) -> None:
        call = self._call
        if code < 200:
            return
        contact = re.search(r"<([^>]+)>", _header(text, "Contact"))
        to = _header(text, "To")
        where = contact[1] if contact and code == 200 else call["uri"]
        self._send(f"ACK {where} SIP/2.0\r\n{self._head(call, 'ACK', to)}Content-Length: 0\r\n\r\n")
        if code == 200 and not self.up.is_set():
            self.voice.speak(text)
            self.up.set()
        elif code == 401 and call["seq"] == "1":
            digest = _digest(_header(text, "WWW-Authenticate"), self.user, self.password, "INVITE", call["uri"])
            call["seq"] = "2"
            self._invite(f"Authorization: {digest}\r\n")


async def lines(
    accounts: dict[str, str], server: tuple[str, int], host: str, hz: Callable[[int], float], number: str
) -> list[Line]:
    """Every account registered and on its line."""
    made: list[Line] = []
    for index, (user, password) in enumerate(accounts.items()):
        _, line = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda user=user, password=password: Line(  # type: ignore[misc]
                user, password, server, Behaviour, lambda *_: None, lambda *_: None, 0
            ),
            local_addr=(host, 0),
        )
        made.append(line)
        async with asyncio.timeout(_WITHIN_S):
            await line.registered.wait()
        await line.dial(number, hz(index))
    return made
