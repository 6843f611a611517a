"""People on real phones for tests of whole systems: they dial, press keys, listen, and know the words they hear.

    caller = await Caller.dial(system, phone, "100", tmp_path)
    await caller.at("menu")
    await caller.press("1")
    assert words_in(await caller.heard()) == ["sierra", "eco"]

The fake voice makes every word a tone of its own pitch; `WORDS` are some that no ear confuses. A prompt that shall be
recognised says one of them several times: `prompt("sierra", 12)` lasts 1.2 s.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.decisions import NodeEntered, NodeLeft, Noted, VariablesSet
from telephony.softphone import ear
from telephony.softphone.calls import PhoneCall, Recording
from telephony.softphone.client import Softphone
from tests.system_fixture import System, is_saved

WORDS = (
    "zulu", "hotel", "sierra", "eco", "papa", "nueve", "victor", "siete", "delta", "quebec", "julieta", "foxtrot"
)  # fmt: skip
_numbers = itertools.count(1)


def pitch_hz(word: str) -> float:
    """The fake voice's tone for a word."""
    return 300 + zlib.crc32(word.casefold().encode()) % 2400


def prompt(word: str, seconds: float = 0.6) -> str:
    """A text of that word alone that lasts so long."""
    assert word in WORDS
    return " ".join([word] * round(seconds * 10))


def words_in(sound: ear.Sound, at_least_s: float = 0.06) -> list[str]:
    """The words heard, in the order in which each was heard first."""
    first = {word: ear.tone_spans(sound, pitch_hz(word), at_least_s=at_least_s) for word in WORDS}
    return sorted((word for word, spans in first.items() if spans), key=lambda word: first[word][0])


def so_far(path: Path) -> ear.Sound:
    """What a recording that goes on holds already."""
    with contextlib.suppress(ValueError):  # nothing of it has reached the file yet
        return ear.load(path)
    return ear.Sound(np.zeros(0), 8000)


def heard_for_s(sound: ear.Sound, hz: float) -> float:
    """For how long a tone was heard, all told."""
    return sum(end_s - start_s for start_s, end_s in ear.tone_spans(sound, hz))


@dataclass(slots=True)
class Caller:
    """One call of a phone to a running system. `recording`: what she has heard since she dialled."""

    system: System
    call: PhoneCall
    interaction_id: str
    recording: Recording
    _written: set[str] = field(default_factory=set)

    @classmethod
    async def dial(cls, system: System, phone: Softphone, number: str, place: Path, **options: Any) -> Caller:
        """Returns when the system knows the call. One at a time: which interaction is hers shows by its being new."""
        before = {row["id"] for row in (await system.status())["interactions"]}
        call = await phone.call(f"sip:{number}@{system.sip}", **options)
        recording = await call.record(place / f"heard-{next(_numbers)}.wav")
        rows = (await system.until(lambda body: {row["id"] for row in body["interactions"]} - before))["interactions"]
        (interaction_id,) = {row["id"] for row in rows} - before
        return cls(system, call, interaction_id, recording)

    async def at(self, node: str, within_s: float = 30.0) -> dict[str, Any]:
        """Returns when her flow is at that node: her row of the status."""

        def mine(body: dict[str, Any]) -> list[dict[str, Any]]:
            rows: list[dict[str, Any]] = body["interactions"]
            return [row for row in rows if row["id"] == self.interaction_id and row["node"] == node]

        return mine(await self.system.until(mine, within_s))[0]

    async def press(self, digits: str, **options: Any) -> float:
        """The moment (monotonic) at which the last key began to sound; no sooner than her call is answered."""
        await self.call.until("confirmed", timeout_s=30.0)
        return (await self.call.dtmf(digits, **options))[-1].t_s

    async def gone(self, timeout_s: float = 30.0) -> None:
        """Waits until the other side has hung up, and all of it is in the journal."""
        await self.call.until("disconnected", timeout_s=timeout_s)
        await self.closed()

    async def hang_up(self) -> None:
        """She hangs up; returns when all of it is in the journal."""
        await self.call.hangup()
        await self.closed()

    async def closed(self, within_s: float = 30.0) -> None:
        """Her interaction is closed, and the journal knows."""

        def over(body: dict[str, Any]) -> bool:
            return is_saved(body) and not any(row["id"] == self.interaction_id for row in body["interactions"])

        await self.system.until(over, within_s)

    async def heard(self) -> ear.Sound:
        """Everything up to the end of the call, or up to now."""
        if self.call.state != "disconnected":
            await self.call.stop_recording()
        return ear.load(await self.recording.saved())

    def since_recording(self, t_s: float) -> float:
        """A monotonic moment as seconds of the recording."""
        return t_s - self.recording.t_s

    def has_heard(self, word: str) -> bool:
        return word in words_in(self._so_far())

    async def hears(self, word: str, within_s: float = 30.0) -> None:
        """Returns when that word has been heard (the recording so far is looked at)."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while word not in (heard := words_in(self._so_far())):
            if loop.time() > until_s:
                where = (await self.system.status())["interactions"]
                raise AssertionError(f"{word!r} not heard in {within_s} s: {heard}; {where}\n{self.system.log(4000)}")
            await asyncio.sleep(0.1)

    async def hears_hz(self, hz: float, seconds: float, within_s: float = 30.0) -> None:
        """Returns when she has heard that tone for so long, all told."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while (heard_s := heard_for_s(self._so_far(), hz)) < seconds:
            assert loop.time() < until_s, (
                f"{hz:g} Hz heard for {heard_s:g} s within {within_s} s\n{self.system.log(4000)}"
            )
            await asyncio.sleep(0.1)

    async def is_recorded(self, within_s: float = 30.0) -> None:
        """Returns when Asterisk has begun to write down what she says: its file is there, after the beep, and is none
        that this was told of before."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not (new := self._files() - self._written):
            assert loop.time() < until_s, f"nothing recorded within {within_s} s\n{self.system.log(4000)}"
            await asyncio.sleep(0.02)
        self._written |= new

    def _files(self) -> set[str]:
        return {file.name for file in self.system.home.recordings.iterdir() if self.interaction_id in file.name}

    def _so_far(self) -> ear.Sound:
        return so_far(self.recording.path)

    # -- what the journal says about her
    def visits(self) -> list[str]:
        return [d.node for d in self.system.decisions(self.interaction_id) if isinstance(d, NodeEntered)]

    def branches(self) -> list[tuple[str, str]]:
        return [(d.node, d.branch) for d in self.system.decisions(self.interaction_id) if isinstance(d, NodeLeft)]

    def variables(self) -> dict[str, Any]:
        given = [d.values for d in self.system.decisions(self.interaction_id) if isinstance(d, VariablesSet)]
        return {name: value for values in given for name, value in values.items()}

    def notes(self) -> list[tuple[str, str]]:
        return [(d.what, d.why) for d in self.system.decisions(self.interaction_id) if isinstance(d, Noted)]


async def registered(system: System, phone: Softphone, account: str) -> Softphone:
    await phone.register(account, system.account(account), port=system.node.sip_port)
    return phone
