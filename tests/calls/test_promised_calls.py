"""An agent writes down what somebody promised, over real calls: the form is kept, and she is dialed when she agreed.
Campaigns beside it, in the same house: previews nobody looks at, and one that the command line creates."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from bench.sip_people import Person
from core.dialing import DIALED_PREFIX
from core.lead import LeadState
from core.lead_record import StagedLead
from engine.cli.app import app
from tests.outbound import IDENTITY, House, calling, campaign
from tests.system_fixture import systems

pytestmark = [pytest.mark.asterisk, pytest.mark.asyncio(loop_scope="module")]

NUMBER = "+34911020200"
MORE = """\
drop: {action: message, flow: sorry}
form:
  - {name: pay_on, type: date}
  - {name: sum, type: money, required: yes}
dispositions:
  promise: {then: promise, date: pay_on, amount: sum}
promises: {grace: 1d}
script_test:
  name: opening
  goal: [promise]
  scripts: [{name: soft, text: Le recordamos su factura.}, {name: plain, text: Su factura ha vencido.}]"""
TEXTS = {"opening/soft": "Le recordamos su factura.", "opening/plain": "Su factura ha vencido."}
FILES = {
    "config/dispositions.yaml": "dispositions:\n  debts:\n    promise: {title: Promise}\n    other: {title: Other}\n",
    "config/queues/sales.yaml": "queue: sales\nring_s: 5\nwrap_up_s: 300\nrefused_again_s: 0\nannouncements: {}\n"
    "dispositions: debts\ndisposition_required: yes\n",
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    place: Path = tmp_path_factory.mktemp("promised")
    debts = campaign("debts", "progressive", MORE)
    looked = campaign("looked", "preview", "preview: {for_s: 5, then: skip}", "drop: {action: hang_up}")
    wanted = {"debts": debts, "looked": looked}
    async with systems(place) as up, calling(up, wanted, lambda _: Person(), files=FILES) as house:
        await house.line("ana")
        yield house


async def test_what_she_promised_is_kept_and_says_when_she_is_dialed_again(house: House) -> None:
    day = datetime.now(ZoneInfo("Europe/Madrid")).date() + timedelta(days=3)
    await house.leads("debts", NUMBER)
    await house.act("debts", "start")
    call = await house.called(NUMBER)
    await house.until_async(lambda: house.talks("ana"), 30.0, "she talks with nobody")

    async def connected() -> bool:
        (view,) = [each for each in await house.campaigns() if each["campaign"] == "debts"]
        return bool(view["lines"]["connected"] == 1)

    await house.until_async(connected, 30.0, "the campaign has no line that is connected")
    house.people.hang_up(call)
    attempt = await house.attempt(NUMBER)
    interaction_id = f"{DIALED_PREFIX}{attempt.attempt_id}"

    async def fill(complete: bool, **answers: str) -> dict[str, Any]:
        fields = {"tenant": "main", "attempt_id": attempt.attempt_id, "agent_id": "ana", "disposition": "promise"}
        fields |= {"interaction_id": interaction_id}
        return await house.post("/dialer/do", "FormFilled", **fields, complete=complete, answers=answers)

    assert (await fill(True, sum="1.000"))["why"] == "fill in first: pay_on"
    assert await fill(True, sum="1.000,50 €", pay_on=f"{day}") == {"ok": True}
    card = await house.system.ask("GET", f"/acd/contact/{interaction_id}")
    assert card["answers"] == {"sum": "1000.50", "pay_on": f"{day}"}
    assert card["script_drawn"] == card["attempt"]["script"] == attempt.script
    assert set(card["script"].values()) == {TEXTS[attempt.script]}
    wrapped = {"tenant": "main", "agent_id": "ana", "interaction_id": interaction_id}
    told = await house.post("/acd/do", "WrapUpActed", **wrapped, disposition="promise", finish=True)
    assert told == {"ok": True}, told

    async def promised() -> StagedLead | None:
        found = await house.store.lead("main", NUMBER.lstrip("+"), 0.0)
        return found if found is not None and found.record.promise is not None else None

    lead: StagedLead = await house.until_async(promised, 30.0, "the store has heard of no promise")
    assert (lead.record.state, lead.record.promise.on) == (LeadState.WAITING, f"{day}")  # type: ignore[union-attr]
    due = datetime.combine(day + timedelta(days=2), datetime.min.time(), ZoneInfo("Europe/Madrid"))
    assert lead.record.not_before_s == due.timestamp()

    async def answered() -> bool:
        return (await house.attempt(NUMBER)).answers == {"sum": "1000.50", "pay_on": f"{day}"}

    await house.until_async(answered, 30.0, "the store has not what she filled in")
    why = await house.system.ask("GET", f"/dialer/why/main/{NUMBER.lstrip('+')}")
    assert why["sentences"][1].startswith(f"she promised to pay 1000.50 by {day}: she is not dialed about it before ")
    assert why["next_s"] >= due.timestamp()
    kept = {"tenant": "main", "campaign": "", "lead_id": NUMBER.lstrip("+"), "action": "kept", "by": "test"}
    assert await house.post("/dialer/do", "LeadActed", **kept) == {"ok": True}

    async def done() -> bool:
        found = await house.store.lead("main", NUMBER.lstrip("+"), 0.0)
        return found is not None and found.record.state is LeadState.DONE

    await house.until_async(done, 30.0, "she is not done with")
    await house.act("debts", "stop")
    await house.idle()


async def test_leads_are_not_shown_to_an_empty_chair(house: House) -> None:
    numbers = [f"+3491102021{n}" for n in range(3)]
    await house.leads("looked", *numbers)
    await house.act("looked", "start")

    async def absent() -> bool:
        return await house.looks("ana") == "not_ready"

    await house.until_async(absent, 30.0, "she does nothing, and stays ready")
    agents = (await house.system.ask("GET", "/acd/snapshot"))["agents"]
    assert [each["reason"] for each in agents if each["agent_id"] == "ana"] == ["rona"]

    async def skipped() -> int:
        whys = [await house.system.ask("GET", f"/dialer/why/main/{number.lstrip('+')}") for number in numbers]
        return sum("skipped" in " ".join(why["sentences"]) for why in whys)

    async def one_was() -> bool:
        return await skipped() > 0  # it is on its way to the store for a moment

    await house.until_async(one_was, 30.0, "none of them was skipped")
    assert await skipped() == 1, "more than one of them was skipped"
    assert await house.attempts(numbers[0]) == []
    await house.act("looked", "stop")
    await house.presence("ana", "ready")
    await house.idle()


async def test_a_campaign_created_from_the_command_line_is_in_force_at_once(house: House) -> None:
    project = str(house.system.home.project)

    async def run(*words: str) -> Result:
        runner = CliRunner(env={"CENTRALITA_STATE": str(house.system.home.state)})
        return await asyncio.to_thread(runner.invoke, app, ["campaign", *words, "-p", project])

    words = ("autumn", "--mode", "preview", "--purpose", "service", "--pack", "tests", "--list", "cold")
    more = ("--queue", "sales", "--caller-id", IDENTITY, "--drop", "hang_up")
    done = await run("create", *words, *more)
    assert done.exit_code == 0, done.output
    assert "in force; it is stopped" in " ".join(done.output.split())
    views = {each["campaign"]: each for each in await house.campaigns()}
    assert (views["autumn"]["state"], views["autumn"]["mode"]) == ("stopped", "preview")
    again = await run("create", *words, *more)
    assert (again.exit_code, "is there already" in " ".join(again.output.split())) == (1, True)
    started = await run("start", "autumn")
    assert (started.exit_code, "there is no lead to dial, cold is empty" in started.output) == (0, True), started.output
    await house.act("autumn", "stop")
