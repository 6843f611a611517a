"""Simulated people behind a trunk: each number answers in its own way. SIP by hand over UDP, with a voice in RTP.

    people = People({"+34600000001": Person("talk", ring_s=2, talk_s=5), ...}, on_call)
    await people.open("127.0.0.2", 5060)          the address of the trunk
    people.calls                                  every INVITE that began a call: nobody is dialed twice unseen

For demonstrations and tests: what they count is what really went out on the wire.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Way = Literal["talk", "machine", "fax", "network", "busy", "no_answer", "hang_up", "unavailable", "decline"]
"""`talk`, `machine` and `fax`: answer and are heard, hang up in the end; `network`: is heard before anybody answers
(early media), then 404; `hang_up`: answer and hang up at once; `unavailable`: 503, `decline`: 603."""
_REFUSALS: Mapping[Way, str] = {
    "busy": "486 Busy Here",
    "network": "404 Not Found",
    "unavailable": "503 Service Unavailable",
    "decline": "603 Decline",
}
_FRAME = 160
"""Bytes of µ-law in a packet of 20 ms."""
_SILENCE = b"\xff" * _FRAME
_AGAIN_S = (0.5, 1.5, 3.5)
"""An answer is repeated until it is acknowledged (RFC 3261, timer G)."""


@dataclass(frozen=True, slots=True)
class Person:
    """`ring_s`: how long it rings first; `talk_s`: how long she stays. `says`: µ-law, spoken once and then silence."""

    way: Way = "talk"
    ring_s: float = 1.0
    talk_s: float = 5.0
    says: bytes = b""


@dataclass(slots=True)
class Call:
    """One call that reached somebody. Times are the loop's; None: it did not happen. `by_us`: she hung up herself."""

    number: str
    began_s: float
    answered_s: float | None = None
    ended_s: float | None = None
    cancelled: bool = False
    by_us: bool = False
    heard_frames: int = 0
    identity: str = ""
    _invite: str = ""
    _from: tuple[str, int] = ("", 0)
    _tag: str = ""
    _acked: bool = False
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)
    _voice: _Voice | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        return self.ended_s is None


class People(asyncio.DatagramProtocol):
    """`otherwise`: who answers a number that nobody has. `on_change(call)` hears of each call that begins, is answered
    or ends."""

    def __init__(
        self,
        people: Mapping[str, Person],
        on_change: Callable[[Call], None] = lambda call: None,
        otherwise: Person | None = None,
    ) -> None:
        self.people = people
        self.calls: list[Call] = []
        self.otherwise = otherwise or Person("decline")
        self.on_change = on_change
        self._by_id: dict[str, Call] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._host = ""
        self.port = 0

    async def open(self, host: str, port: int = 0) -> None:
        """Raises OSError: somebody has that port."""
        self._host = host
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=(host, port))

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def close(self) -> None:
        for call in self.calls:
            self._over(call)
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def calls_to(self, number: str) -> list[Call]:
        return [call for call in self.calls if call.number == number]

    @property
    def open_calls(self) -> list[Call]:
        return [call for call in self.calls if call.is_open]

    # -- what comes in ---------------------------------------------------------------------------------
    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]
        call_id = _header(text, "Call-ID")
        call = self._by_id.get(call_id)
        if first.startswith("INVITE"):
            if call is None:
                self._invited(text, addr, call_id)
            elif ";tag=" in _header(text, "To") and call.answered_s is not None:  # the session stays as it is
                self._reply(text, addr, "200 OK", call._tag, self._sdp(call, text))
        elif first.startswith("ACK"):
            if call is not None:
                call._acked = True
        elif first.startswith("CANCEL"):
            self._reply(text, addr, "200 OK", call._tag if call is not None else "")
            if call is not None and call.is_open and call.answered_s is None:
                call.cancelled = True
                self._reply(call._invite, call._from, "487 Request Terminated", call._tag)
                self._over(call)
        elif first.startswith("BYE"):
            self._reply(text, addr, "200 OK")
            if call is not None:
                self._over(call)
        elif not first.startswith("SIP/2.0"):  # OPTIONS, INFO, UPDATE
            self._reply(text, addr, "200 OK")

    def _invited(self, text: str, addr: tuple[str, int], call_id: str) -> None:
        found = re.match(r"INVITE sips?:([^@;> ]+)@", text)
        number = found[1] if found else ""
        number = number if number in self.people or not number.isdecimal() else f"+{number}"
        shown = re.search(r"sips?:([^@;>]+)@", _header(text, "From"))
        loop = asyncio.get_running_loop()
        call = Call(number, loop.time(), identity=shown[1] if shown else "")
        call._invite, call._from, call._tag = text, addr, secrets.token_hex(4)
        self._by_id[call_id] = call
        self.calls.append(call)
        person = self.people.get(number, self.otherwise)
        self._reply(text, addr, "100 Trying")
        if person.way in ("unavailable", "decline"):
            self._refuse(call, _REFUSALS[person.way])
        elif person.way == "busy":
            call._timers.append(loop.call_later(person.ring_s, self._refuse, call, _REFUSALS["busy"]))
        elif person.way == "network":
            call._timers.append(loop.call_later(person.ring_s, self._announce, call, person))
        else:
            self._reply(text, addr, "180 Ringing", call._tag)
            if person.way != "no_answer":
                call._timers.append(loop.call_later(person.ring_s, self._answer, call, person))
        self.on_change(call)

    # -- what they do ----------------------------------------------------------------------------------
    def _refuse(self, call: Call, status: str) -> None:
        if call.is_open:
            self._reply(call._invite, call._from, status, call._tag)
            self._over(call)

    def _answer(self, call: Call, person: Person) -> None:
        if not call.is_open:
            return
        call.answered_s = asyncio.get_running_loop().time()
        self._give_voice(call, person)
        self.on_change(call)

    def _announce(self, call: Call, person: Person) -> None:
        if call.is_open:
            self._give_voice(call, person)

    def _give_voice(self, call: Call, person: Person) -> None:
        call._voice = _Voice(self._host, call, person.says)
        call._task = asyncio.get_running_loop().create_task(self._speak(call, person), name="a simulated person")

    async def _speak(self, call: Call, person: Person) -> None:
        loop, voice = asyncio.get_running_loop(), call._voice
        assert voice is not None
        await loop.create_datagram_endpoint(lambda: voice, local_addr=(self._host, 0))
        if not call.is_open:
            voice.close()
            return
        if person.way == "network":
            self._reply(call._invite, call._from, "183 Session Progress", call._tag, self._sdp(call, call._invite))
            voice.speak_to(call._invite)
            call._timers.append(loop.call_later(person.talk_s, self._refuse, call, _REFUSALS["network"]))
            return
        ok = (call._invite, call._from, "200 OK", call._tag, self._sdp(call, call._invite))
        self._reply(*ok)
        call._timers += [loop.call_later(again_s, self._again, call, ok) for again_s in _AGAIN_S]
        voice.speak_to(call._invite)
        stays_s = 0.0 if person.way == "hang_up" else person.talk_s
        call._timers.append(loop.call_later(stays_s, self.hang_up, call))

    def _again(self, call: Call, ok: tuple[str, tuple[str, int], str, str, str]) -> None:
        if call.is_open and not call._acked:
            self._reply(*ok)

    def hang_up(self, call: Call) -> None:
        """She hangs up, if she is still there."""
        if not call.is_open or call.answered_s is None:
            return
        contact = re.search(r"<([^>]+)>", _header(call._invite, "Contact"))
        self._send(
            f"BYE {contact[1] if contact else 'sip:asterisk'} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self._host}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: {_header(call._invite, 'To')};tag={call._tag}\r\nTo: {_header(call._invite, 'From')}\r\n"
            f"Call-ID: {_header(call._invite, 'Call-ID')}\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\n"
            "Content-Length: 0\r\n\r\n",
            call._from,
        )
        call.by_us = True
        self._over(call)

    def _over(self, call: Call) -> None:
        for timer in call._timers:
            timer.cancel()
        call._timers.clear()
        if call._voice is not None:
            call._voice.close()
        if call.is_open:
            call.ended_s = asyncio.get_running_loop().time()
            self.on_change(call)

    # -- what goes out ---------------------------------------------------------------------------------
    def _sdp(self, call: Call, offer: str) -> str:
        return (
            f"v=0\r\no=- 1 1 IN IP4 {self._host}\r\ns=-\r\nc=IN IP4 {self._host}\r\nt=0 0\r\n"
            f"m=audio {call._voice.port if call._voice is not None else 9} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )

    def _reply(self, text: str, addr: tuple[str, int], status: str, tag: str = "", sdp: str = "") -> None:
        to = _header(text, "To")
        to += f";tag={tag}" if tag and ";tag=" not in to else ""
        vias = "".join(f"Via: {via}\r\n" for via in re.findall(r"^Via\s*:\s*(.*?)\s*$", text, re.I | re.M))
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        self._send(
            f"SIP/2.0 {status}\r\n{vias}From: {_header(text, 'From')}\r\nTo: {to}\r\n"
            f"Call-ID: {_header(text, 'Call-ID')}\r\nCSeq: {_header(text, 'CSeq')}\r\n"
            f"Contact: <sip:people@{self._host}:{self.port}>\r\n{kind}Content-Length: {len(sdp)}\r\n\r\n{sdp}",
            addr,
        )

    def _send(self, text: str, addr: tuple[str, int]) -> None:
        if self._transport is not None:
            self._transport.sendto(text.encode(), addr)


class _Voice(asyncio.DatagramProtocol):
    """Speaks once, then is silent, 50 packets a second; counts what it hears."""

    def __init__(self, host: str, call: Call, says: bytes) -> None:
        self._call = call
        self._says = says
        self._host = host
        self._transport: asyncio.DatagramTransport | None = None
        self._task: asyncio.Task[None] | None = None
        self.port = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._call.heard_frames += 1

    def speak_to(self, offer: str) -> None:
        where = re.search(r"c=IN IP4 (\S+)", offer), re.search(r"m=audio (\d+)", offer)
        if where[0] and where[1]:
            to = (where[0][1], int(where[1][1]))
            self._task = asyncio.get_running_loop().create_task(self._speak(to), name="a voice")

    async def _speak(self, to: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        began_s, number, source = loop.time(), 0, secrets.token_bytes(4)
        while self._transport is not None and not self._transport.is_closing():
            said = self._says[number * _FRAME : (number + 1) * _FRAME]
            head = b"\x80\x00" + (number & 0xFFFF).to_bytes(2) + (number * _FRAME & 0xFFFFFFFF).to_bytes(4) + source
            self._transport.sendto(head + (said if len(said) == _FRAME else _SILENCE), to)
            number += 1
            await asyncio.sleep(max(0.0, began_s + number * 0.02 - loop.time()))

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None


def _header(text: str, name: str) -> str:
    match = re.search(rf"^{name}\s*:\s*(.*?)\s*$", text, re.IGNORECASE | re.MULTILINE)
    return match[1] if match else ""
