"""Agents' phones and callers in one process, for benchmarks and the soak: SIP by hand, no audio.

By hand because what is measured is the moment a packet arrives or leaves, on the loop's clock (seconds). A `Phone`
registers and does what its `Behaviour` of that call says; `Callers` are a trunk known by its address.
"""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Literal

_REGISTERED_WITHIN_S = 10.0
_INVITE_AGAIN_S = (0.5, 1.5, 3.5, 7.5)
CallEnd = Literal["hung up", "was hung up on", "refused"]


def _header(text: str, name: str) -> str:
    match = re.search(rf"^{name}\s*:\s*(.*?)\s*$", text, re.IGNORECASE | re.MULTILINE)
    return match[1] if match else ""


def _headers(text: str, name: str) -> list[str]:
    return re.findall(rf"^{name}\s*:\s*(.*?)\s*$", text, re.IGNORECASE | re.MULTILINE)


def _digest(challenge: str, user: str, password: str, method: str, uri: str) -> str:
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.partition(" ")[2]))
    realm, nonce = given["realm"], given["nonce"]

    def h(text: str) -> str:
        return md5(text.encode()).hexdigest()

    answer = f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", algorithm=MD5'
    ha1, ha2 = h(f"{user}:{realm}:{password}"), h(f"{method}:{uri}")
    if "qop" in given:
        cnonce = secrets.token_hex(8)
        response = h(f"{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}")
        answer += f', qop=auth, nc=00000001, cnonce="{cnonce}"'
    else:
        response = h(f"{ha1}:{nonce}:{ha2}")
    answer += f', response="{response}"'
    return answer + (f', opaque="{given["opaque"]}"' if "opaque" in given else "")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a phone does with one call: rings `ring_s`, then answers, refuses (486) or rings on; talks `talk_s`."""

    talk_s: float = 3.0
    ring_s: float = 0.0
    what: Literal["answer", "refuse", "ring"] = "answer"


@dataclass
class Phone(asyncio.DatagramProtocol):
    """One account. `offered`, `answered`: how many calls it was rung for, and took."""

    user: str
    password: str
    server: tuple[str, int]
    behave: Callable[[], Behaviour]
    on_invite: Callable[[Phone, float], None]
    on_free: Callable[[Phone, float], None]
    audio_port: int
    offered: int = 0
    answered: int = 0
    registered: asyncio.Event = field(default_factory=asyncio.Event)
    _transport: asyncio.DatagramTransport | None = None
    _calls: dict[str, dict[str, str]] = field(default_factory=dict)
    _cseq: int = 0
    _call_id: str = field(default_factory=lambda: secrets.token_hex(8))

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        self.register()

    @property
    def here(self) -> str:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    def register(self, authorization: str = "") -> None:
        self._cseq += 1
        uri = f"sip:{self.server[0]}:{self.server[1]}"
        self._send(
            f"REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {self.here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: <sip:{self.user}@{self.server[0]}>;tag=r{self._call_id}\r\n"
            f"To: <sip:{self.user}@{self.server[0]}>\r\n"
            f"Call-ID: {self._call_id}\r\nCSeq: {self._cseq} REGISTER\r\nMax-Forwards: 70\r\nExpires: 3600\r\n"
            f"Contact: <sip:{self.user}@{self.here}>\r\n{authorization}Content-Length: 0\r\n\r\n"
        )

    def _send(self, text: str, to: tuple[str, int] | None = None) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode(), to or self.server)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        now_s = asyncio.get_running_loop().time()
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]
        if first.startswith("SIP/2.0"):
            self._answered(int(first.split()[1]), text)
        elif first.startswith("INVITE"):
            self._invited(text, addr, now_s)
        elif first.startswith(("BYE", "CANCEL")):
            self._reply(text, addr, "200 OK")
            call_id = _header(text, "Call-ID")
            if first.startswith("CANCEL") and call_id in self._calls:
                self._reply(self._calls[call_id]["invite"], addr, "487 Request Terminated")
            if self._calls.pop(call_id, None) is not None:
                self.on_free(self, now_s)
        elif first.startswith(("OPTIONS", "NOTIFY", "INFO", "UPDATE")):
            self._reply(text, addr, "200 OK")

    def _answered(self, code: int, text: str) -> None:
        if "REGISTER" not in _header(text, "CSeq"):
            return
        if code == 200:
            self.registered.set()
        elif code == 401:
            uri = f"sip:{self.server[0]}:{self.server[1]}"
            digest = _digest(_header(text, "WWW-Authenticate"), self.user, self.password, "REGISTER", uri)
            self.register(f"Authorization: {digest}\r\n")

    def _invited(self, text: str, addr: tuple[str, int], now_s: float) -> None:
        call_id = _header(text, "Call-ID")
        if call_id in self._calls:
            if ";tag=" in _header(text, "To"):  # a change of the session: it stays as it is
                self._reply(text, addr, "200 OK", sdp=self._session(text))
            return
        self.on_invite(self, now_s)
        tag = secrets.token_hex(4)
        self._calls[call_id] = {"invite": text, "tag": tag}
        sdp, behaviour = self._session(text), self.behave()
        self.offered += 1
        self._reply(text, addr, "180 Ringing", tag)

        def act() -> None:
            if call_id not in self._calls:
                return
            if behaviour.what == "refuse":
                self._reply(text, addr, "486 Busy Here", tag)
                del self._calls[call_id]
            elif behaviour.what == "answer":
                self.answered += 1
                self._reply(text, addr, "200 OK", tag, sdp)
                loop.call_later(behaviour.talk_s, self._hang_up, call_id, addr)

        loop = asyncio.get_running_loop()
        if behaviour.ring_s:
            loop.call_later(behaviour.ring_s, act)
        else:
            act()

    def _session(self, offer: str) -> str:
        host = self.here.partition(":")[0]
        payload = re.search(r"m=audio \d+ RTP/AVP (\d+)", offer)
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {self.audio_port} RTP/AVP {payload[1] if payload else 8}\r\n"
        )

    def hang_up(self) -> None:
        """Ends the call it is in."""
        for call_id in list(self._calls):
            self._hang_up(call_id, self.server)

    def _hang_up(self, call_id: str, addr: tuple[str, int]) -> None:
        call = self._calls.pop(call_id, None)
        if call is None:
            return
        invite = call["invite"]
        contact = re.search(r"<([^>]+)>", _header(invite, "Contact"))
        self._send(
            f"BYE {contact[1] if contact else 'sip:asterisk'} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {self.here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: {_header(invite, 'To')};tag={call['tag']}\r\nTo: {_header(invite, 'From')}\r\n"
            f"Call-ID: {call_id}\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            addr,
        )
        self.on_free(self, asyncio.get_running_loop().time())

    def _reply(self, text: str, addr: tuple[str, int], status: str, tag: str = "", sdp: str = "") -> None:
        to = _header(text, "To")
        to += f";tag={tag}" if tag and ";tag=" not in to else ""
        vias = "".join(f"Via: {via}\r\n" for via in _headers(text, "Via"))
        kind = "Content-Type: application/sdp\r\n" if sdp else ""
        self._send(
            f"SIP/2.0 {status}\r\n{vias}From: {_header(text, 'From')}\r\nTo: {to}\r\n"
            f"Call-ID: {_header(text, 'Call-ID')}\r\nCSeq: {_header(text, 'CSeq')}\r\n"
            f"Contact: <sip:{self.user}@{self.here}>\r\n{kind}Content-Length: {len(sdp)}\r\n\r\n{sdp}",
            addr,
        )


class Callers(asyncio.DatagramProtocol):
    """Callers of one trunk, known by its address, who dial `number`. `open`: Call-ID -> when it was placed; `ends`: by
    the caller's number, how each of her calls ended at her phone."""

    def __init__(self, server: tuple[str, int], number: str) -> None:
        self._server = server
        self._number = number
        self._dialogs: dict[str, tuple[str, str, str]] = {}
        self._heard: set[str] = set()
        self._leaving: set[str] = set()
        self._transport: asyncio.DatagramTransport | None = None
        self._caller: dict[str, str] = {}
        self.open: dict[str, float] = {}
        self.ends: dict[str, list[CallEnd]] = {}
        self.answered = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def call(self, caller: str = "600") -> str:
        """Places one call; returns its Call-ID. `caller`: the number she calls from."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        call_id = secrets.token_hex(8)
        loop = asyncio.get_running_loop()
        self.open[call_id] = loop.time()
        self._caller[call_id] = caller
        invite = (
            f"INVITE sip:{self._number}@{self._server[0]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: <sip:{caller}@{host}>;tag={call_id}\r\nTo: <sip:{self._number}@{self._server[0]}>\r\n"
            f"Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n{self._described()}"
        )
        self._send(invite)
        for again_s in _INVITE_AGAIN_S:
            loop.call_later(again_s, self._send_again, call_id, invite)
        return call_id

    def _send_again(self, call_id: str, invite: str) -> None:
        """A packet may be lost (RFC 3261, timer A)."""
        if call_id in self.open and call_id not in self._heard and self._transport is not None:
            self._send(invite)

    def _described(self) -> str:
        """The rest of a message, from Contact on: where audio would be heard."""
        host, _, port = self._here.partition(":")
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            "m=audio 39996 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        )
        return (
            f"Contact: <sip:600@{host}:{port}>\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]

        def header(name: str) -> str:
            match = re.search(rf"^{name}\s*:\s*(.*?)\s*$", text, re.IGNORECASE | re.MULTILINE)
            return match[1] if match else ""

        call_id = header("Call-ID")
        if first.startswith("SIP/2.0"):
            self._heard.add(call_id)
        if first.startswith("SIP/2.0") and "INVITE" in header("CSeq") and int(first.split()[1]) >= 200:
            contact = re.search(r"<([^>]+)>", header("Contact"))
            if first.split()[1] != "200":
                self._over(call_id, "refused")
            elif call_id in self.open and call_id not in self._dialogs:
                self.answered += 1
                self._dialogs[call_id] = (header("From"), header("To"), contact[1] if contact else "")
            self._send(
                f"ACK {contact[1] if contact else f'sip:{self._number}@{self._server[0]}'} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self._here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
                f"From: {header('From')}\r\nTo: {header('To')}\r\nCall-ID: {call_id}\r\n"
                "CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
            if call_id in self._leaving:
                self.hang_up(call_id)
        elif first.startswith(("BYE", "OPTIONS", "INVITE")):
            again = first.startswith("INVITE")  # a change of the session: it stays as it is
            vias = "".join(f"Via: {via}\r\n" for via in re.findall(r"^Via\s*:\s*(.*?)\s*$", text, re.I | re.M))
            self._send(
                f"SIP/2.0 200 OK\r\n{vias}From: {header('From')}\r\nTo: {header('To')}\r\n"
                f"Call-ID: {call_id}\r\nCSeq: {header('CSeq')}\r\n"
                + (self._described() if again else "Content-Length: 0\r\n\r\n")
            )
            if first.startswith("BYE"):
                self._over(call_id, "was hung up on")

    def hang_up(self, call_id: str) -> bool:
        """False when there is no conversation to hang up. One whose answer is still on its way ends when it is here."""
        dialog = self._dialogs.get(call_id)
        if dialog is None:
            if call_id in self.open:
                self._leaving.add(call_id)
            return False
        self._send(
            f"BYE {dialog[2]} SIP/2.0\r\nVia: SIP/2.0/UDP {self._here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: {dialog[0]}\r\nTo: {dialog[1]}\r\nCall-ID: {call_id}\r\nCSeq: 2 BYE\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        self._over(call_id, "hung up")
        return True

    def _over(self, call_id: str, how: CallEnd) -> None:
        if self.open.pop(call_id, None) is not None:
            self.ends.setdefault(self._caller.pop(call_id), []).append(how)
        self._dialogs.pop(call_id, None)
        self._leaving.discard(call_id)

    @property
    def _here(self) -> str:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    def _send(self, text: str) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode(), self._server)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None


async def phones(
    accounts: Mapping[str, str],
    server: tuple[str, int],
    behave: Callable[[], Behaviour],
    on_invite: Callable[[Phone, float], None],
    on_free: Callable[[Phone, float], None],
    address: str = "127.0.0.1",
    audio_port: int = 39_998,
) -> list[Phone]:
    """Every account registered.

    Raises:
        TimeoutError: one of them was not let in within ten seconds.
    """
    loop = asyncio.get_running_loop()
    made: list[Phone] = []
    for user, password in accounts.items():
        phone = Phone(user, password, server, behave, on_invite, on_free, audio_port)
        await loop.create_datagram_endpoint(lambda phone=phone: phone, local_addr=(address, 0))  # type: ignore[misc]
        made.append(phone)
    async with asyncio.timeout(_REGISTERED_WITHIN_S):
        while late := [phone for phone in made if not phone.registered.is_set()]:
            await asyncio.sleep(0.5)
            for phone in late:
                if not phone.registered.is_set():
                    phone.register()
    return made


def close(made: list[Phone]) -> None:
    for phone in made:
        if phone._transport is not None:
            phone._transport.close()
