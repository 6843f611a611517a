"""What an answering machine says tells on it while it says it: a running system, a real recogniser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.calls.test_screened_calls import CAMPAIGNS, FILES, FLOWS, TRIES, are_heard, machine, recorded, with_ears
from tests.outbound import House, calling
from tests.system_fixture import systems
from tests.unit.dialer.amd_sounds import silence

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    mailbox = machine(silence(0.4), recorded("vm-intro", "es"))
    place: Path = tmp_path_factory.mktemp("words")
    async with (
        systems(place) as up,
        calling(
            up,
            {"screened": CAMPAIGNS["screened"]},
            lambda number: mailbox,
            before_start=with_ears,
            files=FILES,
            flows=FLOWS,
            site="detection: {words: yes}",
        ) as house,
    ):
        await house.line("ana")
        await house.until_async(lambda: are_heard(house), 60, "no media worker came")
        yield house


async def test_a_mailbox_is_told_by_what_it_says_and_the_evidence_names_the_phrase(house: House) -> None:
    await house.act("screened", "start")
    found = []
    for once in range(TRIES):  # a recogniser that has no time for a call says nothing about it
        number = f"+3491122{2 + once}401"
        await house.leads("screened", number)
        attempt = await house.attempt(number, 90)
        found.append((attempt.state, attempt.verdict, attempt.agent_id, attempt.evidence))
        if "it said \u201c" in attempt.evidence:
            break
    assert found[-1] == ("machine", "machine", "", "it said \u201cdeje su mensaje\u201d"), found
    await house.act("screened", "stop")
    await house.idle()
