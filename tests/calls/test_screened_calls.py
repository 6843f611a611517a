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

from bench.sip_people import AUDIBLE_RMS, PACKET_S, Person, alaw, loudness
from engine.supervisor import Supervisor
from telephony.node.install import install
from tests.callers import pitch_hz, prompt
from tests.outbound import PACK, House, calling, campaign
from tests.system_fixture import systems
from tests.unit.dialer.amd_sounds import silence, tone

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

DROP = "drop: {action: message, flow: sorry}"
LINES = "pacing: {ratio: 4}"
MESSAGE = "on_machine: {action: message, flow: mailbox}"
CAMPAIGNS = {
    "screened": campaign("screened", "power", DROP, "screen: yes", LINES),
    "message": campaign("message", "power", DROP, "screen: yes", MESSAGE, LINES),
    "first": campaign("first", "power", DROP, "screen: bridge_first", LINES),
}
FLOWS = {
    "mailbox": f"""
flow: mailbox
languages: [es]
start: message
nodes:
  message: {{type: play, prompt: "{prompt("victor", 2.0)}", next: bye}}
  bye: {{type: hangup}}
""",
}
FILES = {"config/compliance/tests.yaml": PACK.replace("since: answer", "since: greeting_end")}
BEEP_S = 0.2
TRIES = 3
"""Machines speak in the test's own process, which may stand still for a moment: what then was heard is no recording any
more, and an agent may get it. It does not happen each time."""
GIVES_UP_S = 25.0
"""After so long a machine hangs up."""


def numbers(ending: str) -> list[str]:
    """All of them reach the same person."""
    return [f"+3491122{2 + n}{ending}" for n in range(TRIES)]


def machine(*parts: np.ndarray) -> Person:
    return Person(sound=line(*parts), talk_s=GIVES_UP_S)


def recorded(name: str, language: str = "en") -> np.ndarray:
    """One of the prompts that come with Asterisk: a woman's voice, 8 kHz."""
    installation = install()
    place = installation.sounds(language)
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
        "202": machine(silence(0.4), recorded("basic-pbx-ivr-main")),
        "203": machine(silence(0.4), recorded("vm-isunavail"), silence(0.1), tone(1000, 0.2)),
        "204": machine(silence(0.6), tone(1100, 0.5), silence(3.0), tone(1100, 0.5)),
        "205": machine(silence(0.3), *sit, recorded("ss-noservice")),
        "207": machine(silence(0.4), recorded("vm-isunavail"), silence(0.1), tone(1000, BEEP_S)),
        "208": machine(silence(0.4), recorded("vm-isunavail"), silence(0.1), tone(1000, BEEP_S)),
        "209": Person(sound=line(silence(10.0))),
        "206": Person("ring", early=True, sound=line(silence(0.2), *busy)),
    }


async def with_ears(supervisor: Supervisor) -> None:
    supervisor.workers += [supervisor._child("media_worker-1")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory, people: dict[str, Person]) -> AsyncIterator[House]:
    place: Path = tmp_path_factory.mktemp("screened")
    async with (
        systems(place) as up,
        calling(
            up, CAMPAIGNS, lambda number: people[number[-3:]], before_start=with_ears, files=FILES, flows=FLOWS
        ) as house,
    ):
        await house.line("ana")
        await house.until_async(lambda: are_heard(house), 60, "no media worker came")
        yield house


async def are_heard(house: House) -> bool:
    transport = httpx.AsyncHTTPTransport(uds=str(house.system.home.control_socket), verify=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=30) as client:
        return "centralita_media_workers 1.0" in (await client.get("/metrics")).text


async def test_people_meet_an_agent_and_whatever_else_answers_does_not(house: House) -> None:
    expected = {"202": "machine", "203": "machine", "204": "fax", "205": "machine", "206": "busy"}
    await house.leads("screened", *(numbers(ending)[0] for ending in expected))
    await house.act("screened", "start")
    found: dict[str, str] = {}
    for once in range(TRIES):
        again = [ending for ending in expected if found.get(ending) != expected[ending]]
        if once and again:
            await house.leads("screened", *(numbers(ending)[once] for ending in again))
        found |= {ending: (await house.attempt(numbers(ending)[once], 90)).state for ending in again}
    assert found == expected
    person = numbers("201")[0]
    await house.leads("screened", person)
    call = await house.called(person)
    await house.until(lambda: call.answered_s)
    agent = house.held["ana"]
    await house.until(
        lambda: agent.voice.audible_s(call.answered_s) is not None or call.voice.audible_s(call.answered_s)
    )
    await asyncio.sleep(0.3)
    house.people.hang_up(call)
    attempt = await house.attempt(person)
    assert (attempt.state, attempt.agent_id, attempt.verdict) == ("completed", "ana", "human")
    await house.act("screened", "stop")
    await house.idle()


async def test_who_says_nothing_meets_an_agent_within_the_laws_time_from_her_answer(house: House) -> None:
    await house.act("screened", "start")
    for number in numbers("209"):
        await house.leads("screened", number)
        call = await house.called(number)
        await house.until(lambda call=call: call.answered_s)
        await house.until(lambda call=call: call.is_over or call.voice.audible_s(call.answered_s))
        if not call.is_over:
            house.people.hang_up(call)
        attempt = await house.attempt(number)
        if attempt.connected_s is not None:
            break
    assert (attempt.state, attempt.agent_id, attempt.greeted_s) == ("completed", "ana", None)
    assert attempt.connected_s - attempt.answered_s <= 2.0
    await house.act("screened", "stop")
    await house.idle()


async def test_a_machine_hears_the_message_after_its_beep(house: House) -> None:
    greeting_s = 0.4 + len(recorded("vm-isunavail")) / 8000 + 0.1
    await house.act("message", "start")
    for number in numbers("207"):
        await house.leads("message", number)
        attempt = await house.attempt(number, 90)
        if attempt.verdict == "machine":
            break
    assert (attempt.state, attempt.verdict, attempt.agent_id) == ("message_left", "machine", "")
    call = await house.called(number)
    heard_s = call.voice.audible_s(call.answered_s)
    assert heard_s - call.answered_s >= greeting_s + BEEP_S, "nobody talks into its greeting"
    assert call.heard_hz(heard_s + 0.2) == pytest.approx(pitch_hz("victor"), abs=10)

    def said_s() -> float:
        """From its first packet to its last, counted in packets: when they are read is a matter of this process."""
        audible = (loudness(packet, pitch_hz("victor")) >= AUDIBLE_RMS for _, packet in call.voice.heard)
        said = [n for n, is_it in enumerate(audible) if is_it]
        return PACKET_S * (said[-1] - said[0]) if said else 0.0

    await house.until(lambda: said_s() > 1.7)  # to its end
    assert said_s() == pytest.approx(2.0, abs=0.3)
    await house.act("message", "stop")
    await house.idle()


async def test_an_agent_hears_a_machine_first_and_loses_it(house: House) -> None:
    agent = house.held["ana"]
    await house.act("first", "start")
    for number in numbers("208"):
        await house.leads("first", number)
        call = await house.called(number)
        await house.until(lambda call=call: call.answered_s)
        await house.until(lambda call=call: agent.voice.audible_s(call.answered_s))
        attempt = await house.attempt(number, 90)
        if attempt.verdict == "machine":
            break
    assert (attempt.state, attempt.verdict, attempt.agent_id) == ("machine", "machine", "ana")
    await house.until(lambda: call.is_over)
    await house.quiet(agent)  # her line is silent again
    await house.act("first", "stop")
    await house.idle()
