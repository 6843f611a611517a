"""Who or what answered: recorded voices and tones over a real trunk, heard by the detector of a running system."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import numpy as np
import pytest
import pytest_asyncio

from bench.sip_people import Person, alaw
from engine.supervisor import Supervisor
from telephony.node.install import install
from tests.outbound import House, calling, campaign
from tests.system_fixture import systems
from tests.unit.dialer.amd_sounds import silence, tone

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

DROP = "drop: {action: message, flow: sorry}"
CAMPAIGNS = {"screened": campaign("screened", "power", DROP, "screen: yes", "pacing: {ratio: 4}")}


def recorded(name: str) -> np.ndarray:
    """One of the prompts that come with Asterisk: a woman's voice, English, 8 kHz."""
    installation = install()
    place = installation.sounds("en")
    assert place is not None
    with wave.open(str(installation.outside(place / f"{name}.wav"))) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def line(*parts: np.ndarray) -> bytes:
    return alaw(np.concatenate([part if part.dtype == np.int16 else (part * 32767).astype(np.int16) for part in parts]))


@pytest.fixture(scope="module")
def people() -> dict[str, Person]:
    sit = [tone(950, 0.33), tone(1400, 0.33), tone(1800, 0.33)]
    busy = [part for _ in range(12) for part in (tone(425, 0.2), silence(0.2))]
    return {
        "201": Person(sound=line(silence(0.4), recorded("hello-world"))),
        "202": Person(sound=line(silence(0.4), recorded("basic-pbx-ivr-main"))),
        "203": Person(sound=line(silence(0.4), recorded("vm-isunavail"), silence(0.1), tone(1000, 0.2))),
        "204": Person(sound=line(silence(0.6), tone(1100, 0.5), silence(3.0), tone(1100, 0.5))),
        "205": Person(sound=line(silence(0.3), *sit, recorded("hello-world"))),
        "206": Person("ring", early=True, sound=line(silence(0.2), *busy)),
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, people: dict[str, Person]) -> AsyncIterator[House]:
    async def with_ears(supervisor: Supervisor) -> None:
        supervisor.workers += [supervisor._child("media_worker-1")]

    place: Path = tmp_path_factory.mktemp("screened")
    async with (
        systems(place) as up,
        calling(up, CAMPAIGNS, lambda number: people[number[-3:]], before_start=with_ears) as house,
    ):
        await house.line("ana")
        await house.until_async(lambda: _ears(house), 20, "no media worker came")
        yield house


async def _ears(house: House) -> bool:
    transport = httpx.AsyncHTTPTransport(uds=str(house.system.home.control_socket), verify=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine") as client:
        return "centralita_media_workers 1.0" in (await client.get("/metrics")).text


async def test_people_meet_an_agent_and_whatever_else_answers_does_not(house: House, people: dict[str, Person]) -> None:
    numbers = {ending: f"+34911222{ending}" for ending in people}
    await house.act("screened", "start")
    await house.leads("screened", *(numbers[ending] for ending in people if ending != "201"))
    expected = {"202": "machine", "203": "machine", "204": "fax", "205": "machine", "206": "busy"}
    found = {ending: (await house.attempt(numbers[ending], 60)).state for ending in expected}
    assert found == expected
    await house.leads("screened", numbers["201"])
    call = await house.called(numbers["201"])
    await house.until(lambda: call.answered_s)
    agent = house.held["ana"]
    await house.until(
        lambda: agent.voice.audible_s(call.answered_s) is not None or call.voice.audible_s(call.answered_s)
    )
    await asyncio.sleep(0.3)
    house.people.hang_up(call)
    attempt = await house.attempt(numbers["201"])
    assert (attempt.state, attempt.agent_id) == ("completed", "ana")
    await house.idle()
