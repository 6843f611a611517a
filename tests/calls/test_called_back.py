"""Callers hang up and keep their places: real Asterisk, real engine, a carrier, and what everybody heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from bench.sip_people import Person
from core.decisions import Moved, StayEnded
from telephony.softphone import ear
from telephony.softphone.client import Softphone
from tests.callers import Caller, prompt, registered
from tests.outbound import House, calling
from tests.phone_fixture import tone_wav
from tests.system_fixture import systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

FLOWS = {
    "desk": f"""
flow: desk
languages: [es]
start: wait
nodes:
  wait: {{type: queue, queue: sales, keys: {{"5": call_me}}, next: bye}}
  call_me:
    type: callback
    prompt: "{prompt("hotel")}"
    confirm: {{prompt: "{prompt("quebec")}"}}
    no_input: {{then: wait}}
    no_match: {{then: wait}}
    next: promised
  promised: {{type: hangup, prompt: "{prompt("delta")}"}}
  bye: {{type: hangup}}
"""
}
FILES = {
    "config/queues/sales.yaml": "queue: sales\nring_s: 10\nwrap_up_s: 0\nno_agents: wait\nannouncements: {}\n"
    f"callback: {{retry_s: 10, attempts: 3, ring_back: either}}\nprompts: {{back: '{prompt('foxtrot')}'}}\n",
    "config/devices/1003.yaml": 'device: "1003"\n',
    "config/numbers/100.yaml": 'number: "100"\nflow: desk\n',
}
HER_HZ, AGENT_HZ = 700.0, 1300.0
ANSWERS, RINGS = "+34911000200", "+34911000180"


@dataclass
class Place:
    house: House
    phone: Softphone
    folder: Path

    async def away(self, number: str) -> Caller:
        """A caller who waits, asks to be called at that number, and hangs up when it is promised."""
        caller = await Caller.dial(self.house.system, self.phone, "100", self.folder)
        await caller.at("wait")
        await caller.press("5")
        await caller.at("call_me")
        await caller.hears("hotel")
        await caller.press(f"{number.removeprefix('+34')}#")
        await caller.hears("quebec")
        await caller.press("1")
        await caller.hears("delta")
        await caller.call.until("disconnected")
        await self.stays(lambda stay: stay["mode"] == "virtual")
        return caller

    async def stays(self, what: Any, within_s: float = 40.0) -> None:
        """Returns when there is one stay, and it is so. An engine that is not there is waited for."""

        async def seen() -> bool:
            try:
                stays = (await self.house.system.ask("GET", "/acd/snapshot"))["stays"]
            except (httpx.HTTPError, OSError):
                return False
            return len(stays) == 1 and bool(what(stays[0]))

        await self.house.until_async(seen, within_s, "the stay is not so")

    def ends(self, caller: Caller) -> list[tuple[str, bool]]:
        found = self.house.system.decisions(caller.interaction_id)
        return [(each.how, each.virtual) for each in found if isinstance(each, StayEnded)]

    def moves(self, caller: Caller) -> list[str]:
        """What became of the callback, in order."""
        found = self.house.system.decisions(caller.interaction_id)
        return [
            each.transition.new for each in found if isinstance(each, Moved) and each.transition.thing == "callback"
        ]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder: Path = tmp_path_factory.mktemp("called_back")

    def behave(number: str) -> Person:
        return Person("ring") if number == RINGS else Person(hz=HER_HZ)

    async with (
        systems(folder) as up,
        calling(up, {}, behave, flows=FLOWS, files=FILES) as house,
        Softphone.start(rate_hz=8000, rtp_ports=(34000, 400)) as phone,
    ):
        await registered(house.system, phone, "main-1003")
        yield Place(house, phone, folder)


async def test_who_hung_up_is_called_back_after_a_crash_and_talks_with_an_agent(place: Place) -> None:
    house = place.house
    caller = await place.away(ANSWERS)
    house.system.kill_engine()
    await place.stays(lambda stay: stay["mode"] == "virtual")
    await house.system.until(lambda body: body["ready"])
    line = await house.line("ana", AGENT_HZ)
    call = await house.called(ANSWERS)
    await house.until(lambda: call.answered_s)
    await house.until(lambda: call.voice.audible_s(call.answered_s, AGENT_HZ))
    await house.until(lambda: line.voice.audible_s(call.answered_s, HER_HZ))
    house.people.hang_up(call)
    await house.idle()
    assert len(house.people.of(ANSWERS)) == 1
    assert place.ends(caller) == [("answered", True)]
    assert place.moves(caller) == ["waiting", "calling", "back", "reached"]


async def test_who_rings_back_while_her_phone_rings_has_her_agent(place: Place) -> None:
    house = place.house
    await house.presence("ana", "not_ready")
    caller = await place.away(RINGS)
    await house.presence("ana", "ready")
    ours = await house.called(RINGS)
    line = house.held["ana"]
    since_s = asyncio.get_running_loop().time()
    hers = await place.phone.call(f"sip:100@{house.system.sip}")
    heard = await hers.record(place.folder / "back.wav")
    await hers.until("confirmed")
    await hers.play(tone_wav(place.folder / "hers.wav", HER_HZ, seconds=0.7), loop=True)
    await house.until(lambda: line.voice.audible_s(since_s, HER_HZ))
    await house.until(lambda: _hears(heard.path, AGENT_HZ))
    await house.until(lambda: ours.is_over)
    await hers.hangup()
    await house.idle()
    assert place.ends(caller) == [("answered", True)]
    assert place.moves(caller) == ["waiting", "calling", "back", "reached"]


def _hears(path: Path, hz: float) -> bool:
    try:
        return bool(ear.tone_spans(ear.load(path), hz))
    except ValueError:  # nothing of it has reached the file yet
        return False
