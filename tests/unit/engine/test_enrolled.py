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
from core.agent_facts import AgentActed
from core.events import AgentEnrolled
from engine.book import JournalBook
from engine.cli.phones import with_kept_phones
from engine.clock import AnchoredClock
from engine.config.configuration import Configuration
from engine.config.loader import load
from engine.enrolled import ROWS, Enrolled, agents_from
from engine.enrolled_api import EnrolledApi
from engine.home import Home, SecretBox
from engine.metrics import Metrics
from engine.node_settings import node_settings
from engine.own_phones import OwnPhones
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

    def __init__(self, journal: Journal, book: JournalBook, configuration: Configuration, path: Path) -> None:
        self.journal, self.configuration = journal, configuration
        self.clock = AnchoredClock()
        self.refuses = ""
        self.full = False
        self.box, self.brought, self.down = SecretBox(path / "secrets.json"), 0, ""
        self.phones = OwnPhones(self.box, self.bring, lambda: ("192.0.2.1", 5060, 5061))
        rows = list(journal.load_states(ROWS))
        self.enrolled = Enrolled(
            rows, book, self.durable, self.apply, lambda: self.configuration, self.clock.now_s, self.phones
        )
        self.routing = Routing(
            Router(self.enrolled.beside(self.whole().routing)), book, RoutingMetrics(Metrics().registry)
        )
        kept = {row.name: row.body for row in journal.load_states(ROUTER_ROWS) if row.body is not None}
        self.routing.restore(kept, {}, self.clock.now_s())
        app = Starlette(routes=EnrolledApi(self.enrolled).routes())
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engine")

    async def durable(self, seq: int) -> None:
        if self.full:
            raise StoreError("no space left")
        await self.journal.durable(seq)

    async def bring(self) -> str:
        self.brought += 1
        return self.down

    def whole(self) -> Configuration:
        return self.enrolled.with_phones(self.configuration)

    def apply(self) -> str:
        if self.refuses:
            return self.refuses
        setup = self.enrolled.beside(self.whole().routing)
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
        house = House(journal, JournalBook(journal, cipher, AnchoredClock()), configuration or configured(), path)
        stack.push_async_callback(house.http.aclose)
        yield house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with opened(tmp_path) as found:
        yield found


async def test_she_is_an_agent_at_once(house: House) -> None:
    assert house.acts("eva", "log_in") != ""
    assert await house.put("add", "eva", **EVA) == (200, {"ok": True, "warnings": [], "account": None})
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
        ("add", "pau", {"phone": "any"}, 422, "phone: 'any' is no kind of phone: write `own`"),
        ("add", "pau", {"phone": "own", "queues": ["salez"]}, 422, "queues: there is no queue 'salez'"),
        ("new_phone", "pau", {}, 404, "there is no agent pau"),
        ("new_phone", "ana", {}, 409, "config/agents.yaml:2 declares ana"),
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
        assert {fault["field"] for fault in told["faults"]} == set(fields) - (
            {"phone"} if "own" in fields.values() else set()
        )


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


PAU: dict[str, Any] = {"name": "Pau (<ventas>)", "queues": ["sales"], "phone": "own"}


def node_of(house: House, path: Path) -> dict[str, str]:
    """The phones that Asterisk is given: name -> secret."""
    node = node_settings(Home(path, path), house.whole(), house.box, "127.0.0.1")
    return {device.name: device.secret for device in node.devices}


async def test_a_phone_of_her_own_is_like_a_declared_one_and_told_once(house: House, tmp_path: Path) -> None:
    _, told = await house.put("add", "pau", **PAU)
    account, pau = told["account"], house.routing.setup.agents["main", "pau"]
    assert (account["username"], account["server"], account["port"], account["tls_port"]) == (
        pau.device,
        "192.0.2.1",
        5060,
        5061,
    )
    assert (house.brought, node_of(house, tmp_path)[pau.device]) == (1, account["password"])
    whole = house.whole()
    assert pau.device in whole.outbound.devices & whole.routing.devices
    assert whole.numbers.entry_tenants[pau.device] == "main"
    assert whole.devices[pau.device].title == "Pau ventas", "what Asterisk's files cannot hold is left out"
    assert (house.acts("pau", "log_in"), house.acts("pau", "ready")) == ("", "")
    # Asked again it is the same phone, and nobody is told anything.
    assert (await house.put("change", "pau", phone="own", rest_s=2.0))[1]["account"] is None
    device = pau.device.removeprefix("main-")
    assert (await house.put("change", "pau", device=device))[1]["account"] is None, "her own, by its name"
    assert house.routing.setup.agents["main", "pau"].device == pau.device
    known = (await house.known())["pau"]
    assert (known["phone"], known["device"], account["password"] in str(known)) == ("own", device, False)
    assert house.brought == 1
    status, refused = await house.put("change", "pau", phone="own", device="1003")
    assert (status, refused["faults"][0]["field"]) == (422, "phone")
    assert (await house.put("add", "eva", device=device))[0] == 422, "it is nobody else's"


async def test_her_phone_is_there_after_a_restart_and_a_reload(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        account = (await house.put("add", "pau", **PAU))[1]["account"]
        await house.journal.durable(house.journal.last_seq)
    async with opened(tmp_path) as house:
        assert node_of(house, tmp_path)[account["username"]] == account["password"]
        house.reload(configured(**{"config/queues/new.yaml": "queue: new\n"}))
        assert node_of(house, tmp_path)[account["username"]] == account["password"]
        assert house.routing.setup.agents["main", "pau"].device == account["username"]
    # What is not the engine knows it too: `up` before there is an engine, `centralita accounts`.
    kept = with_kept_phones(Home(tmp_path, tmp_path), configured())
    assert kept.devices.keys() - configured().devices.keys() == {account["username"]}
    assert with_kept_phones(Home(tmp_path, tmp_path / "nothing"), configured()).devices == configured().devices


async def test_another_phone_or_none_takes_her_own_away(house: House, tmp_path: Path) -> None:
    first = (await house.put("add", "pau", **PAU))[1]["account"]
    second = (await house.put("new_phone", "pau"))[1]["account"]
    assert (second["username"] != first["username"], second["password"] != first["password"]) == (True, True)
    assert house.box.named("device/").keys() & {first["username"], second["username"]} == {second["username"]}
    assert house.routing.setup.agents["main", "pau"].device == second["username"]
    assert (await house.put("change", "pau", device="1003"))[0] == 200
    assert (house.routing.setup.agents["main", "pau"].device, (await house.known())["pau"]["phone"]) == (
        "main-1003",
        None,
    )
    assert set(node_of(house, tmp_path)) == set(house.configuration.devices)
    third = (await house.put("change", "pau", device=None, phone="own"))[1]["account"]
    assert (await house.put("change", "pau", phone=None))[1]["account"] is None
    assert house.routing.setup.agents["main", "pau"].device == ""
    assert third["username"] not in house.box.named("device/")


async def test_removed_she_leaves_no_phone(house: House, tmp_path: Path) -> None:
    account = (await house.put("add", "pau", **PAU))[1]["account"]
    assert (await house.put("remove", "pau"))[0] == 200
    assert (house.brought, account["username"] in house.box.named("device/")) == (2, False)
    assert set(node_of(house, tmp_path)) == set(house.configuration.devices)
    again = (await house.put("add", "pau", **PAU))[1]["account"]
    assert again["username"] != account["username"], "what is registered as the old one is not hers"


async def test_what_is_not_done_makes_no_phone(house: House, tmp_path: Path) -> None:
    house.refuses = "a fault in the routing"
    assert (await house.put("add", "pau", **PAU))[0] == 409
    assert (house.brought, house.box.named("device/")) == (0, {})
    house.refuses, house.full = "", True
    assert (await house.put("add", "pau", **PAU))[0] == 503
    assert (house.brought, house.box.named("device/")) == (0, {})


async def test_an_asterisk_that_does_not_read_them_is_said(house: House) -> None:
    house.down = "node-1: AMI is not connected"
    status, told = await house.put("add", "pau", **PAU)
    assert (status, told["account"]["username"][:9]) == (200, "main-pau-")
    assert [(each["field"], house.down in each["what"]) for each in told["warnings"]] == [("phone", True)]


async def test_who_is_declared_later_has_the_phone_of_her_file(house: House, tmp_path: Path) -> None:
    account = (await house.put("add", "pau", **PAU))[1]["account"]
    declared = FILES["config/agents.yaml"] + "  pau: {device: 1003, queues: [help]}\n"
    house.reload(configured(**{"config/agents.yaml": declared}))
    assert account["username"] not in node_of(house, tmp_path)
    assert house.routing.setup.agents["main", "pau"].device == "main-1003"


async def test_who_supervises_may_serve_no_queue(house: House) -> None:
    assert (await house.put("add", "pau", queues=[], phone="own"))[0] == 422
    assert (await house.put("add", "pau", queues=[], phone="own", supervises=True))[0] == 200
    assert house.routing.setup.agents["main", "pau"].supervises
