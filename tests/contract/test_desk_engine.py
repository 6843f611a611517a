"""What the desk and its engine say to each other: the engine in memory that tests of pages use, and the real routing on
a real journal, are asked the same."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from acd.router import Router
from acd.setup import AgentSetup, Disposition, NotReadyReason, QueueSetup, Setup
from core.decisions import InteractionOpened, NodeEntered
from core.events import LegArrived
from core.offer_facts import OfferAccepted, OfferRinging
from core.queue_facts import QueueJoined
from core.talk_facts import TalkEnded
from desk.api.models_agents import AgentDefinition, SipAccount
from desk.api.models_contacts import Contact
from desk.api.models_floor import AgentView, QueueView, StayView
from desk.engine_client import EngineClient, EngineRefused, FieldsWrong, NotKnown
from desk.fake_engine import FakeEngine, serving, serving_app
from desk.live.hub import Hub
from desk.services import WallClock
from engine import acd_api
from engine.acd_api import AcdApi
from engine.acd_feed import Feed
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.config.loader import load
from engine.config.numbers import NumberPlan
from engine.config.outbound import OutboundRules
from engine.enrolled import Enrolled
from engine.enrolled_api import EnrolledApi
from engine.home import SecretBox
from engine.interaction import Surroundings
from engine.metrics import Metrics
from engine.own_phones import OwnPhones
from engine.routing import Routing
from engine.routing_metrics import RoutingMetrics
from engine.routing_views import Views
from engine.runtime import Runtime
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from tests.unit.engine.routing_files import GOOD
from tests.unit.engine.talk_case import PLAIN

CHOICES = (
    Disposition("sold", {"es": "Venta", "en": "Sold"}, leaf=False),
    Disposition("sold/new", {"es": "Cliente nuevo", "en": "New customer"}),
    Disposition("not_now", {"es": "Ahora no", "en": "Not now"}),
)
SETUP = Setup(
    "r1",
    {("main", name): AgentSetup("main", name, name.title(), device=f"main-{name}") for name in ("ana", "eva")},
    {("main", "sales"): QueueSetup("main", "sales", "Sales", dispositions=CHOICES, disposition_required=True)},
    {("main", "lunch"): NotReadyReason("lunch", {"es": "Comida", "en": "Lunch"})},
)

FILES = {
    "config/queues/sales.yaml": "queue: sales\n",
    "config/agents.yaml": "agents:\n  ana: {device: ana}\n  eva: {device: eva}\n",
    "config/devices/ana.yaml": "device: ana\n",
}


class InMemory:
    def __init__(self, fake: FakeEngine) -> None:
        self.fake = fake
        self.interaction_id = ""

    async def arrive(self) -> None:
        self.interaction_id = self.fake.arrive("sales", caller="+34600112233")

    async def accept(self) -> None:
        self.fake.accept("ana")

    async def ends(self) -> None:
        self.fake.hang_up(self.interaction_id)


class Real:
    interaction_id = "i-1"

    def __init__(self, journal: Journal, clock: AnchoredClock, runtime: Runtime) -> None:
        self.journal, self.clock, self.runtime = journal, clock, runtime

    async def arrive(self) -> None:
        opened = InteractionOpened(
            "i-1", "main", "call", "inbound", "+34911", "+34600112233", "reception", "v1", "es", ""
        )
        entered = NodeEntered("reception", "sales", 1)
        arrived = LegArrived("i-1-c", "n1", "+34911", "+34600112233")
        self.journal.append(Entry("i-1", "carmen", self.clock.now_s(), arrived, [opened, entered], []))
        self.runtime.ask(QueueJoined("i-1", "i-1.s1", "main", "sales"))
        self.runtime.ask(OfferRinging("i-1", self._offer()))

    async def accept(self) -> None:
        self.runtime.ask(OfferAccepted("i-1", self._offer()))

    async def ends(self) -> None:
        self.runtime.ask(TalkEnded("i-1", "ana"))

    def _offer(self) -> str:
        board = self.runtime.routing.router.board(self.clock.now_s())
        return next(str(work["offer_id"]) for agent in board.agents for work in agent["assignments"])


@contextlib.asynccontextmanager
async def _real(tmp_path: Path, socket: Path) -> AsyncIterator[Real]:
    clock, metrics = AnchoredClock(), Metrics()
    async with contextlib.AsyncExitStack() as stack:
        cipher = stack.enter_context(ContactCipher.open(tmp_path))
        journal = Journal.open(tmp_path / "journal.db", cipher, lambda problem: None)
        stack.push_async_callback(journal.close)
        book = JournalBook(journal, cipher, clock)
        routing = Routing(Router(SETUP), book, RoutingMetrics(metrics.registry))
        runtime = Runtime(
            clock=clock,
            book=book,
            surroundings=Surroundings(
                {"r1": PLAIN.releases[PLAIN.release_id]}, "r1", NumberPlan({}, (), {}), OutboundRules()
            ),
            http=None,  # type: ignore[arg-type]
            metrics=metrics,
            max_interactions=10,
            on_overflow=lambda: None,
            routing=routing,
        )
        stack.push_async_callback(runtime.close)
        views = Views(routing, runtime.interactions)
        feed = Feed("e1", views.view, clock.now_s, views.queues_of)
        stack.callback(feed.close)
        runtime.watch(feed.changed)
        loaded = load(GOOD).configuration
        assert loaded is not None
        around = replace(loaded, sources=FILES, routing=SETUP)

        def apply() -> str:
            return runtime.change_routing(enrolled.beside(SETUP))

        async def brought() -> str:
            return ""

        phones = OwnPhones(SecretBox(tmp_path / "secrets.json"), brought, lambda: ("192.0.2.1", 5060, None))
        enrolled = Enrolled([], book, journal.durable, apply, lambda: around, clock.now_s, phones)
        routes = [*AcdApi(runtime, journal, feed, views).routes(), *EnrolledApi(enrolled).routes()]
        await stack.enter_async_context(serving_app(Starlette(routes=routes), socket))
        yield Real(journal, clock, runtime)


def _floor() -> FakeEngine:
    fake = FakeEngine()
    fake.add_queue("sales", "Sales")
    for name in ("ana", "eva"):
        fake.add_agent(name)
    return fake


@pytest.fixture(params=["in memory", "real"])
async def stage(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Any, EngineClient]]:
    monkeypatch.setattr(acd_api, "WRITTEN_WITHIN_S", 30.0)
    socket = tmp_path / "e.sock"
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "real":
            engine: InMemory | Real = await stack.enter_async_context(_real(tmp_path, socket))
        else:
            engine = InMemory(await stack.enter_async_context(serving(_floor(), socket)))
        yield engine, await stack.enter_async_context(EngineClient(socket))


async def _acts(client: EngineClient, agent_id: str, action: str, reason: str = "") -> None:
    await client.do("AgentActed", {"tenant": "main", "agent_id": agent_id, "action": action, "reason": reason})


async def _until(hub: Hub, what: Any) -> None:
    async with asyncio.timeout(30):
        while not what(hub.board):
            await asyncio.sleep(0.01)


async def test_the_board_is_followed_from_its_snapshot_through_a_conversation(stage: Any) -> None:
    engine, client = stage
    hub = Hub(client, WallClock())
    following = asyncio.create_task(hub.run())
    try:
        await _until(hub, lambda board: board.agent("main", "ana"))
        await _acts(client, "ana", "log_in")
        await _acts(client, "ana", "ready")
        await _until(hub, lambda board: board.agent("main", "ana")["looks"] == "ready")
        await engine.arrive()
        await _until(hub, lambda board: board.agent("main", "ana")["looks"] == "ringing")
        (offered,) = hub.board.assignments("main", "ana")
        assert hub.board.offer(offered["offer_id"])
        assert hub.board.tenants_of(engine.interaction_id) == {"main"}
        for kind, model in (("agent", AgentView), ("queue", QueueView), ("stay", StayView)):
            for view in hub.board.things[kind].values():
                assert set(model.model_fields) - set(view) == set(), kind
                model.model_validate(view)
        card = await client.contact(engine.interaction_id)
        shown = Contact.model_validate({**card, "interaction_id": engine.interaction_id})
        assert (shown.tenant, shown.caller, shown.path[-1]) == ("main", "+34600112233", "reception.sales")
        await engine.accept()
        await _until(hub, lambda board: board.agent("main", "ana")["looks"] == "talking" and not board.stays())
        await engine.ends()
        await _until(hub, lambda board: board.agent("main", "ana")["looks"] == "wrap_up")
        assert hub.board.assignments("main", "ana")[0]["wrap_up_ends_s"] > hub.engine_now_s()
        over_s = hub.board.assignments("main", "ana")[0]["since_s"]
        about = {"interaction_id": engine.interaction_id, "tenant": "main", "agent_id": "ana"}
        with pytest.raises(EngineRefused, match="disposition"):
            await client.do("WrapUpActed", {**about, "finish": True})
        await client.do("WrapUpActed", {**about, "text": "rings back", "disposition": "sold/new", "finish": True})
        await _until(hub, lambda board: not board.assignments("main", "ana"))
        ana = hub.board.agent("main", "ana") or {}
        assert (ana["handled"], ana["looks"]) == (1, "ready")
        assert ana["looks_since_s"] >= over_s, "free since her work is over"
    finally:
        following.cancel()


async def test_who_waits_is_given_priority_and_stays_where_a_queue_cannot_be(stage: Any) -> None:
    engine, client = stage
    await _acts(client, "ana", "log_in")
    await _acts(client, "ana", "ready")
    await engine.arrive()
    (stay,) = (await client.snapshot())["stays"]
    about = {"tenant": "main", "interaction_id": engine.interaction_id, "stay_id": stay["stay_id"], "by": "@sue"}
    await client.do("StayActed", {**about, "action": "prioritise", "priority": 7})
    (stay,) = (await client.snapshot())["stays"]
    assert (stay["priority"], stay["state"]) == (7, "offered")
    refused = {
        "there is no queue nowhere": {"action": "move", "queue": "nowhere"},
        "this contact waits in sales already": {"action": "move", "queue": "sales"},
        "a priority is a number from 0 to 1000": {"action": "prioritise", "priority": 1001},
        "nobody waits here any more": {"action": "prioritise", "priority": 1, "tenant": "acme"},
    }
    for why, asked in refused.items():
        with pytest.raises(EngineRefused, match=why):
            await client.do("StayActed", {**about, **asked})
    (stay,) = (await client.snapshot())["stays"]
    assert (stay["priority"], stay["queue"], stay["state"]) == (7, "sales", "offered")


async def test_changes_are_numbered_and_told_again_to_who_comes_back(stage: Any) -> None:
    _, client = stage
    snapshot = await client.snapshot()

    async def after(seq: int, until: int) -> list[int]:
        seen: list[int] = []
        async with asyncio.timeout(30):
            async for line in client.events(snapshot["epoch"], seq):
                if "seq" in line:
                    seen.append(line["seq"])
                if seen and seen[-1] >= until:
                    return seen
        return seen

    await _acts(client, "ana", "log_in")
    await _acts(client, "eva", "log_in")
    last = (await client.snapshot())["seq"]
    seen = await after(snapshot["seq"], last)
    assert seen == sorted(set(seen))
    assert await after(seen[0], last) == seen[1:]


@pytest.mark.parametrize(("epoch", "seq"), [("other", 0), ("", 0), (None, 10**9)])
async def test_who_asks_for_what_is_not_held_begins_anew(stage: Any, epoch: str | None, seq: int) -> None:
    _, client = stage
    here = (await client.snapshot())["epoch"]
    lines = [line async for line in client.events(here if epoch is None else epoch, seq)]
    assert lines == [{"opened": True}, {"reset": True}]


@pytest.mark.parametrize(
    ("fact", "fields"),
    [
        ("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "ready"}),
        ("AgentActed", {"tenant": "main", "agent_id": "nobody", "action": "log_in"}),
        ("AgentActed", {"tenant": "main", "agent_id": "ana", "action": "fly"}),
        ("AgentActed", {"tenant": "main"}),
        ("QueueActed", {"tenant": "main", "queue": "nothing", "action": "open"}),
        (
            "StayActed",
            {"tenant": "main", "interaction_id": "i-9", "stay_id": "i-9.s1", "action": "move", "queue": "sales"},
        ),
        ("OfferRefused", {"tenant": "main", "agent_id": "ana", "offer_id": "x", "interaction_id": "i-9"}),
        (
            "ConversationActed",
            {"interaction_id": "i-9", "agent_id": "ana", "action": "hold", "target": "", "values": {}},
        ),
        ("Nonsense", {}),
    ],
)
async def test_what_cannot_be_is_refused_in_words(stage: Any, fact: str, fields: dict[str, Any]) -> None:
    with pytest.raises(EngineRefused) as refused:
        await stage[1].do(fact, fields)
    assert str(refused.value)


async def test_what_nobody_knows_is_said_to_be_unknown(stage: Any) -> None:
    for ask in (stage[1].contact, stage[1].explain):
        with pytest.raises(NotKnown):
            await ask("i-404")
        with pytest.raises(NotKnown):
            await ask("../snapshot")


async def test_the_setup_has_what_people_choose_from(stage: Any) -> None:
    setup = await stage[1].setup()
    (queue,) = setup["queues"]
    assert {"tenant", "queue", "title", "script", "service_level", "disposition_required"} <= set(queue)
    assert [(each["path"], each["leaf"]) for each in queue["dispositions"]][:2] == [("sold", False), ("sold/new", True)]
    assert all({"tenant", "reason", "title", "chosen", "limit_s"} <= set(each) for each in setup["reasons"])
    assert {each["agent_id"] for each in setup["agents"]} == {"ana", "eva"}
    assert all({"tenant", "flow", "title"} == set(each) for each in setup["flows"])
    assert setup["flows"]


async def test_agents_are_added_changed_and_removed_where_no_file_declares_them(stage: Any) -> None:
    _, client = stage
    said = {"name": "Pau", "queues": ["sales"], "code": "2003", "pin": "4321"}
    assert await client.enrol("add", "main", "pau", said) == ([], None)
    assert "pau" in [agent["agent_id"] for agent in (await client.snapshot())["agents"]]
    assert await client.enrol("change", "main", "pau", {"name": None, "rest_s": 3.0}) == ([], None)
    known = {each["agent_id"]: each for each in await client.agents("main")}
    for each in known.values():
        assert set(AgentDefinition.model_fields) - set(each) == set()
    pau = AgentDefinition.model_validate(known["pau"])
    assert (pau.name, pau.rest_s, pau.has_pin, pau.declared, pau.queues) == ("", 3.0, True, "", ["sales"])
    assert known["ana"]["declared"].startswith("config/agents.yaml:")
    for change, agent_id in (("add", "pau"), ("add", "ana"), ("change", "ana"), ("remove", "ana")):
        with pytest.raises(EngineRefused):
            await client.enrol(change, "main", agent_id, said)
    with pytest.raises(FieldsWrong) as wrong:
        await client.enrol("change", "main", "pau", {"queues": ["gone"]})
    assert [(fault["field"], fault["what"]) for fault in wrong.value.faults] == [("queues", "there is no queue 'gone'")]
    await client.enrol("remove", "main", "pau", {})
    assert "pau" not in [agent["agent_id"] for agent in (await client.snapshot())["agents"]]
    for change in ("change", "remove"):
        with pytest.raises(NotKnown):
            await client.enrol(change, "main", "pau", {})


async def test_a_phone_of_her_own_is_told_when_it_is_made(stage: Any) -> None:
    _, client = stage

    async def pau() -> AgentDefinition:
        known = {each["agent_id"]: each for each in await client.agents("main")}
        return AgentDefinition.model_validate(known["pau"])

    _, first = await client.enrol("add", "main", "pau", {"phone": "own", "queues": ["sales"]})
    assert SipAccount.model_validate(first).username == f"main-{(await pau()).device}"
    assert (await client.enrol("change", "main", "pau", {"name": "Pau", "phone": "own"}))[1] is None
    assert ((await pau()).phone, f"main-{(await pau()).device}") == ("own", first["username"])
    _, second = await client.enrol("new_phone", "main", "pau", {})
    assert (second["username"] != first["username"], second["password"] != first["password"]) == (True, True)
    assert await client.enrol("change", "main", "pau", {"phone": None, "code": "2003", "pin": "4321"}) == ([], None)
    assert ((await pau()).phone, (await pau()).device) == (None, None)
