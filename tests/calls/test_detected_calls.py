"""Who answered, told by Asterisk instead of media workers: people meet an agent, and nobody hears silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench.sip_people import Person
from tests.calls.test_screened_calls import CAMPAIGNS, FILES, FLOWS, line, recorded
from tests.outbound import House, calling
from tests.system_fixture import systems
from tests.unit.dialer.amd_sounds import silence

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

AGENT_HZ, ENDS_S = 1300.0, 5.0
HELLO, MACHINE, QUIET, GONE, ENDING = "301", "302", "303", "304", "305"


@pytest.fixture(scope="module")
def people() -> dict[str, Person]:
    return {
        HELLO: Person(sound=line(silence(0.4), recorded("hello-world")), hz=0.0),
        MACHINE: Person(sound=line(silence(0.4), recorded("basic-pbx-ivr-main")), hz=0.0),
        QUIET: Person(hz=0.0),
        GONE: Person(hz=0.0, talk_s=0.6),
        ENDING: Person(sound=line(silence(0.4), recorded("basic-pbx-ivr-main")[: int(8000 * ENDS_S)]), hz=0.0),
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["talk_detect", "app_amd"])
async def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, people: dict[str, Person]
) -> AsyncIterator[House]:
    place: Path = tmp_path_factory.mktemp("detected")
    site = f"detection: {{by: {request.param}}}"
    names = ["screened", "first", "message"] if request.param == "talk_detect" else ["screened"]
    campaigns = {name: CAMPAIGNS[name] for name in names}
    async with (
        systems(place) as up,
        calling(up, campaigns, lambda number: people[number[-3:]], files=FILES, flows=FLOWS, site=site) as house,
    ):
        await house.line("ana", AGENT_HZ)
        yield house


async def test_people_meet_an_agent_and_machines_do_not(house: House) -> None:
    hello, machine, gone = (f"+34911222{ending}" for ending in (HELLO, MACHINE, GONE))
    await house.leads("screened", machine, gone)
    await house.act("screened", "start")
    found = await house.attempt(machine)
    assert (found.state, found.verdict, found.agent_id) == ("machine", "machine", "")
    assert (await house.attempt(gone)).state == "customer_hung_up"
    await house.leads("screened", hello)
    call = await house.called(hello)
    await house.until(lambda: call.answered_s)
    await house.until(lambda: call.voice.audible_s(call.answered_s, AGENT_HZ))
    house.people.hang_up(call)
    attempt = await house.attempt(hello)
    assert (attempt.state, attempt.agent_id, attempt.verdict) == ("completed", "ana", "human")
    await house.act("screened", "stop")
    await house.idle()


@pytest.mark.parametrize("house", ["talk_detect"], indirect=True)
async def test_an_agent_who_hears_her_first_loses_a_machine(house: House) -> None:
    number = f"+34911333{MACHINE}"
    await house.leads("first", number)
    await house.act("first", "start")
    call = await house.called(number)
    attempt = await house.attempt(number)
    assert (attempt.state, attempt.verdict, attempt.agent_id) == ("machine", "machine", "ana")
    assert call.voice.audible_s(call.answered_s, AGENT_HZ), "she had it"
    await house.act("first", "stop")
    await house.idle()


@pytest.mark.parametrize("house", ["talk_detect"], indirect=True)
async def test_a_machine_hears_the_message_when_it_has_fallen_silent(house: House) -> None:
    number = f"+34911444{ENDING}"
    await house.leads("message", number)
    await house.act("message", "start")
    attempt = await house.attempt(number)
    assert (attempt.state, attempt.verdict, attempt.agent_id) == ("message_left", "machine", ""), attempt.evidence
    call = await house.called(number)
    heard_s = call.voice.audible_s(call.answered_s)
    assert heard_s - call.answered_s >= ENDS_S, "nobody talks into its greeting"
    await house.act("message", "stop")
    await house.idle()


async def test_who_answers_while_the_engine_dies_meets_the_next_one_or_is_told_who_called(house: House) -> None:
    number = f"+34911222{QUIET}"
    await house.leads("screened", number)
    await house.act("screened", "start")
    call = await house.called(number)
    await house.until(lambda: call.answered_s)
    house.system.kill_engine()
    await house.until(lambda: call.voice.audible_s(call.answered_s), 40)
    # She says nothing: an agent has her, or she hears the campaign's message, or the node's.
    if not call.is_over:
        house.people.hang_up(call)
    attempt = await house.attempt(number)
    assert attempt.state in ("completed", "abandoned", "customer_hung_up")
    assert attempt.answered_s
    await house.system.until(lambda body: body["ready"])
    await house.act("screened", "stop")
    await house.idle()
