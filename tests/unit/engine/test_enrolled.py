"""Agents of the API: in force at once, there after a restart and a reload, gone when they are removed."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from acd.router import Router
from core.events import AgentEnrolled
from core.routing import AgentActed
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.config.configuration import Configuration
from engine.config.loader import load
from engine.enrolled import ROWS, Enrolled, agents_from
from engine.enrolled_api import EnrolledApi
from engine.metrics import Metrics
from engine.routing import ROWS as ROUTER_ROWS
from engine.routing import Routing
from engine.routing_metrics import RoutingMetrics
from store.cipher import ContactCipher
from store.errors import StoreError
from store.journal import Journal
from tests.unit.engine.routing_files import GOOD

FILES = {**GOOD, "config/devices/1003.yaml": 'device: "1003"\n'}
EVA = {"name": "Eva", "device": "1003", "queues": ["sales"], "skills": {"language.es": 9, "billing": 2}}


def configured(**more: str) -> Configuration:
    loaded = load({**FILES, **more})
    assert loaded.configuration is not None, str(loaded.problems)
    return loaded.configuration


class House:
    """An engine's routing with a journal of its own. `takes`: what the router would say of a new setup."""

    def __init__(self, journal: Journal, book: JournalBook, configuration: Configuration) -> None:
        self.journal, self.configuration = journal, configuration
        self.clock = AnchoredClock()
        self.refuses = ""
        self.full = False
        rows = list(journal.load_states(ROWS))
        self.enrolled = Enrolled(rows, book, self.durable, self.apply, lambda: self.configuration, self.clock.now_s)
        self.routing = Routing(
            Router(self.enrolled.beside(configuration.routing)), book, RoutingMetrics(Metrics().registry)
        )
        kept = {row.name: row.body for row in journal.load_states(ROUTER_ROWS) if row.body is not None}
        self.routing.restore(kept, {}, self.clock.now_s())
        app = Starlette(routes=EnrolledApi(self.enrolled).routes())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engine")

    async def durable(self, seq: int) -> None:
        if self.full:
            raise StoreError("no space left")
        await self.journal.durable(seq)

    def apply(self) -> str:
        if self.refuses:
            return self.refuses
        setup = self.enrolled.beside(self.configuration.routing)
        return self.routing.change(setup, self.clock.now_s()).refused

    def reload(self, configuration: Configuration) -> None:
        self.configuration = configuration
        assert self.apply() == ""

    def acts(self, agent_id: str, action: str) -> str:
        fact = AgentActed("main", agent_id, action)  # type: ignore[arg-type]
        return self.routing.take(fact, None, self.clock.now_s()).refused

    def presence(self) -> dict[str, str]:
        return {view["agent_id"]: view["presence"] for view in self.routing.router.board(self.clock.now_s()).agents}

    async def put(self, change: str, agent_id: str, tenant: str = "main", **fields: Any) -> tuple[int, dict[str, Any]]:
        body = {"change": change, "tenant": tenant, "agent_id": agent_id, "fields": fields}
        answer = await self.http.post("/acd/agents", json=body)
        return answer.status_code, answer.json()

    async def known(self, tenant: str = "main") -> dict[str, dict[str, Any]]:
        answer = await self.http.get("/acd/agents", params={"tenant": tenant})
        return {each["agent_id"]: each for each in answer.json()["agents"]}


@contextlib.asynccontextmanager
async def opened(path: Path, configuration: Configuration | None = None) -> AsyncIterator[House]:
    async with contextlib.AsyncExitStack() as stack:
        cipher = stack.enter_context(ContactCipher.open(path))
        journal = Journal.open(path / "journal.db", cipher, lambda problem: None)
        stack.push_async_callback(journal.close)
        house = House(journal, JournalBook(journal, cipher, AnchoredClock()), configuration or configured())
        stack.push_async_callback(house.http.aclose)
        yield house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as found:
        yield found


async def test_she_is_an_agent_at_once(house: House) -> None:
    assert house.acts("eva", "log_in") != ""
    assert await house.put("add", "eva", **EVA) == (200, {"ok": True, "warnings": []})
    assert (house.acts("eva", "log_in"), house.acts("eva", "ready")) == ("", "")
    assert house.presence() == {"ana": "logged_out", "eva": "ready", "luis": "logged_out"}
    eva = house.routing.setup.agents["main", "eva"]
    assert (eva.device, eva.queues, eva.skills) == (
        "main-1003",
        frozenset({"sales"}),
        {"language.es": 9, "billing": 2},
    )


async def test_she_is_there_after_a_restart_with_her_presence(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await house.put("add", "eva", **EVA)
        assert house.acts("eva", "log_in") == ""
        await house.journal.durable(house.journal.last_seq)
    async with opened(tmp_path) as house:
        assert house.presence()["eva"] == "not_ready"
        assert (await house.known())["eva"]["skills"] == {"language.es": 9, "billing": 2}


async def test_she_outlives_a_reload_until_a_file_declares_her(house: House) -> None:
    await house.put("add", "eva", **EVA)
    assert house.acts("eva", "log_in") == ""
    house.reload(configured(**{"config/queues/new.yaml": "queue: new\n"}))
    assert house.presence()["eva"] == "not_ready"
    declared = FILES["config/agents.yaml"] + "  eva: {device: 1003, queues: [help]}\n"
    house.reload(configured(**{"config/agents.yaml": declared}))
    assert house.routing.setup.agents["main", "eva"].queues == frozenset({"help"})
    status, told = await house.put("change", "eva", queues=["sales"])
    assert (status, told["why"]) == (
        409,
        "config/agents.yaml:10 declares eva: change her there, then `centralita reload`",
    )
    assert (await house.known())["eva"]["declared"] == "config/agents.yaml:10"
    # What the API had said of her can still be forgotten.
    assert (await house.put("remove", "eva"))[0] == 200
    assert house.routing.setup.agents["main", "eva"].queues == frozenset({"help"})
    assert list(house.journal.load_states(ROWS)) == []


async def test_changes_keep_what_they_do_not_name(house: House) -> None:
    await house.put("add", "eva", **EVA, code="2003", pin="4321")
    assert house.acts("eva", "log_in") == ""
    assert (await house.put("change", "eva", queues="all", device=None, name="Eva Ruiz"))[0] == 200
    eva = house.routing.setup.agents["main", "eva"]
    assert (eva.name, eva.queues, eva.device, eva.code, eva.pin) == ("Eva Ruiz", None, "", "2003", "4321")
    assert eva.skills == {"language.es": 9, "billing": 2}
    assert house.presence()["eva"] == "not_ready", "she stays where she is"
    shown = (await house.known())["eva"]
    assert (shown["has_pin"], "pin" in shown, shown["declared"]) == (True, False, "")


async def test_removed_she_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        await house.put("add", "eva", **EVA)
        assert house.acts("eva", "log_in") == ""
        assert (await house.put("remove", "eva"))[0] == 200
        assert "eva" not in house.presence()
        assert await house.put("remove", "eva") == (
            404,
            {"ok": False, "why": "there is no agent eva in this tenant", "faults": []},
        )
    async with opened(tmp_path) as house:
        assert "eva" not in house.presence()
        assert list(house.journal.load_states(ROWS)) == []


@pytest.mark.parametrize(
    ("change", "agent_id", "fields", "status", "why"),
    [
        ("add", "ana", {}, 409, "config/agents.yaml:2 declares ana"),
        ("change", "luis", {"name": "Luis"}, 409, "config/agents.yaml:9 declares luis"),
        ("remove", "luis", {}, 409, "config/agents.yaml:9 declares luis"),
        ("change", "pau", {"name": "Pau"}, 404, "there is no agent pau"),
        ("add", "Pau!", {}, 422, "'Pau!' cannot be a name"),
        ("add", "pau", {"queues": ["salez"], "skills": {"x": 1}}, 422, "queues: there is no queue 'salez'"),
        ("add", "pau", {"pin": "secret:pau"}, 422, "pin: a PIN of the API"),
        ("add", "pau", {"device": "1001"}, 422, "device: the device 1001 is ana's already"),
    ],
)
async def test_what_cannot_be_changes_nothing(
    house: House, change: str, agent_id: str, fields: dict[str, Any], status: int, why: str
) -> None:
    before = house.routing.setup
    found, told = await house.put(change, agent_id, **fields)
    assert (found, told["why"][: len(why)]) == (status, why)
    assert house.routing.setup is before
    assert list(house.journal.load_states(ROWS)) == []
    if status == 422 and agent_id == "pau":
        assert {fault["field"] for fault in told["faults"]} == set(fields)


async def test_another_tenants_agent_is_another(house: House) -> None:
    status, told = await house.put("add", "eva", tenant="acme", queues="all", code="1", pin="1234")
    assert (status, told["why"]) == (409, "there is no tenant acme with queues")


async def test_the_same_id_is_taken_once(house: House) -> None:
    assert (await house.put("add", "eva", **EVA))[0] == 200
    assert (await house.put("add", "eva", **EVA))[0] == 409
    status, told = await house.put("add", "pau", device="1003")
    assert (status, told["why"][:43]) == (422, "device: the device 1003 is eva's already: w")


async def test_a_full_disk_changes_nothing(house: House) -> None:
    house.full = True
    status, told = await house.put("add", "eva", **EVA)
    assert (status, told["why"][:19]) == (503, "nothing was changed")
    assert "eva" not in await house.known()
    house.full = False
    await house.journal.durable(house.journal.last_seq)
    assert list(house.journal.load_states(ROWS)) == []


async def test_what_the_router_refuses_is_not_kept(house: House) -> None:
    house.refuses = "a fault in the routing"
    assert await house.put("add", "eva", **EVA) == (
        409,
        {"ok": False, "why": "a fault in the routing", "faults": []},
    )
    await house.journal.durable(house.journal.last_seq)
    assert agents_from(house.journal.load_states(ROWS)) == {}


async def test_the_journal_tells_who_was_changed_and_not_what_was_said(house: House) -> None:
    await house.put("add", "eva", **EVA, code="2003", pin="4321")
    await house.put("remove", "eva")
    await house.journal.durable(house.journal.last_seq)
    found = [house.journal.reader.at(seq) for seq in range(1, house.journal.last_seq + 1)]
    events = [record.event for record in found if record is not None and isinstance(record.event, AgentEnrolled)]
    assert events == [AgentEnrolled("main", "eva", "added"), AgentEnrolled("main", "eva", "removed")]
