"""Agents and customers who talk, for benchmarks: each says a tone of her own, so that what reaches an ear tells whom
she hears. Audio lies on the loop of the benchmark's own process."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from bench.sip_people import AUDIBLE_RMS, PACKET_S, RATE_HZ, Call, Line, People, Person, Voice, _header, _linear_table
from bench.sip_phones import Behaviour, Phone

SAMPLES = 3200
"""Looked at: 0.4 s, in which tones 10 Hz apart are told apart."""
STALE_S = 1.0
"""After so long without a packet somebody hears nothing."""
_QUIET_RMS = 50.0


class AgentPhone(Phone):
    """A registered phone that answers as `people` behave, with audio."""

    people: People

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self.people.connection_made(transport)
        super().connection_made(transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        if text.startswith("SIP/2.0") and "REGISTER" in _header(text, "CSeq"):
            super().datagram_received(data, addr)
        else:
            self.people.datagram_received(data, addr)

    @property
    def talking(self) -> list[Call]:
        return [call for call in self.people.calls if call.answered_s and not call.is_over]


class Customer(Line):
    """Somebody at a registered phone who has dialed in, until either side hangs up. `since_s`: on the loop's clock."""

    is_over = False
    since_s = 0.0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text, call = data.decode(errors="replace"), getattr(self, "_call", None)
        if call is not None and _header(text, "Call-ID") == call["id"]:
            if text.startswith("SIP/2.0 200") and "INVITE" in _header(text, "CSeq"):
                contact = re.search(r"<([^>]+)>", _header(text, "Contact"))
                call |= {"remote": contact[1] if contact else call["uri"], "to": _header(text, "To")}
            elif text.startswith("BYE"):
                self._over()
        super().datagram_received(data, addr)

    def hang_up(self) -> None:
        call = self._call
        if self.is_over or "remote" not in call:
            return
        call["seq"] = str(int(call["seq"]) + 1)
        self._send(f"BYE {call['remote']} SIP/2.0\r\n{self._head(call, 'BYE', call['to'])}Content-Length: 0\r\n\r\n")
        self._over()

    def _over(self) -> None:
        if not self.is_over:
            self.is_over = True
            self.voice.hush()


async def agent_phone(
    user: str, password: str, server: tuple[str, int], behave: Callable[[str], Person], host: str = "127.0.0.1"
) -> AgentPhone:
    """Registered. Raises TimeoutError when it is not let in."""
    phone = AgentPhone(user, password, server, Behaviour, lambda *_: None, lambda *_: None, 0)
    phone.people = People(behave)
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: phone, local_addr=(host, 0))
    async with asyncio.timeout(10):
        await phone.registered.wait()
    return phone


async def customer(
    user: str, password: str, server: tuple[str, int], number: str, hz: float, host: str = "127.0.0.1"
) -> Customer:
    """Answered. Raises TimeoutError when she is not."""
    loop = asyncio.get_running_loop()
    made = Customer(user, password, server, Behaviour, lambda *_: None, lambda *_: None, 0)
    await loop.create_datagram_endpoint(lambda: made, local_addr=(host, 0))
    async with asyncio.timeout(10):
        await made.registered.wait()
    await made.dial(number, hz)
    made.since_s = loop.time()
    return made


@dataclass(frozen=True, slots=True)
class Ear:
    """Whose tones are heard, and whether it is silent otherwise."""

    whom: frozenset[str]
    is_silent: bool


def listen(voice: Voice, tones: dict[str, float]) -> Ear:
    """What reaches somebody now. `tones`: name -> Hz."""
    samples = _lately(voice)
    if len(samples) < SAMPLES:
        return Ear(frozenset(), True)
    whom = frozenset(_among(samples, tones))
    return Ear(whom, not whom and float(np.sqrt(np.mean(samples**2))) < _QUIET_RMS)


def _among(samples: npt.NDArray[np.float64], tones: dict[str, float]) -> Collection[str]:
    window = np.hanning(SAMPLES)
    turns = 2j * np.pi * np.arange(SAMPLES) / RATE_HZ
    probe = window * samples[:SAMPLES] * np.sqrt(2) / window.sum()
    return [name for name, hz in tones.items() if abs(np.sum(probe * np.exp(-turns * hz))) >= AUDIBLE_RMS]


def _lately(voice: Voice) -> npt.NDArray[np.float64]:
    packets = list(islice(reversed(voice.heard), round(SAMPLES / RATE_HZ / PACKET_S)))
    if not packets or packets[0][0] < asyncio.get_running_loop().time() - STALE_S:
        return np.zeros(0)
    return _linear_table()[np.frombuffer(b"".join(packet for _, packet in reversed(packets)), np.uint8)]
