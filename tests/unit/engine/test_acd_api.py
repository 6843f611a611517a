"""Routing over the control socket, on a real journal: the board, requests and their refusals, who it is, and why."""

import asyncio
import contextlib
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette

from acd.router import Router
from acd.setup import AgentSetup, NotReadyReason, QueueSetup, Setup
from core.commands import NoteInteraction, TagInteraction
from core.decisions import InteractionOpened, NodeEntered, VariablesSet
from core.events import LegArrived
from core.offer_facts import OfferAccepted, OfferFailed
from core.queue_facts import QueueJoined
from core.talk_facts import TalkEnded
from engine import acd_api
from engine.acd_api import AcdApi
from engine.acd_feed import Feed
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.config.numbers import NumberPlan
from engine.config.outbound import OutboundRules
from engine.interaction import Surroundings
from engine.metrics import Metrics
from engine.routing import Routing
from engine.routing_metrics import RoutingMetrics
from engine.routing_views import Views
from engine.runtime import Runtime
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from tests.unit.engine.talk_case import PLAIN

SETUP = Setup(
    "r1",
    {("main", name): AgentSetup("main", name, name.title(), device=f"main-{name}") for name in ("ana", "eva")},
    {("main", "sales"): QueueSetup("main", "sales", "Sales", wrap_up_s=30.0)},
    {("main", "lunch"): NotReadyReason("lunch", {"es": "comida"}, "2")},
)


class House:
    def __init__(self, journal, clock, runtime, client):
        self.journal, self.clock, self.runtime, self.client = journal, clock, runtime, client

    async def do(self, fact, **fields):
        return await self.client.post("/acd/do", json={"fact": fact, "fields": fields})

    async def acts(self, agent, action, **more):
        return await self.do("AgentActed", tenant="main", agent_id=agent, action=action, **more)

    async def ready(self, *agents):
        for agent in agents:
            assert (await self.acts(agent, "log_in")).json() == {"ok": True}
            assert (await self.acts(agent, "ready")).json() == {"ok": True}

    def offered(self):
        board = self.runtime.routing.router.board(self.clock.now_s())
        return {stay["offer_id"]: stay["agent_id"] for stay in board.stays if stay["offer_id"]}

    def tell(self, fact):
        self.runtime.ask(fact)

    def record(self, event, decisions=(), commands=()):
        self.journal.append(Entry("i-1", "ana", self.clock.now_s(), event, decisions, commands))


@pytest.fixture
async def house(tmp_path, monkeypatch):
    monkeypatch.setattr(acd_api, "WRITTEN_WITHIN_S", 30.0)
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
                {"r1": PLAIN.releases[PLAIN.release_id]}, "r1", NumberPlan({}, (), {}), OutboundRules((), frozenset())
            ),
            http=None,
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
        app = Starlette(routes=AcdApi(runtime, journal, feed, views).routes())
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://engine")
        await stack.enter_async_context(client)
        yield House(journal, clock, runtime, client)


async def test_the_board_shows_everything_and_what_is_done_shows_on_it(house):
    await house.ready("ana")
    body = (await house.client.get("/acd/snapshot")).json()
    assert (body["epoch"], [agent["looks"] for agent in body["agents"]]) == ("e1", ["ready", "logged_out"])
    assert [(queue["queue"], queue["available"]) for queue in body["queues"]] == [("sales", 1)]
    assert (body["stays"], body["talks"]) == ([], [])
    house.tell(QueueJoined("i-1", "i-1.s1", "main", "sales"))
    later = (await house.client.get("/acd/snapshot")).json()
    assert later["seq"] > body["seq"]
    assert [stay["state"] for stay in later["stays"]] == ["offered"]
    assert later["agents"][0]["looks"] == "reserved"


async def test_what_was_done_is_on_disk_before_it_is_said_to_be(house):
    await house.acts("ana", "log_in")
    assert house.journal.durable_seq == house.journal.last_seq > 0


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"fact": "AgentActed", "fields": {"tenant": "main", "agent_id": "ana", "action": "ready"}}, 409, "log in"),
        ({"fact": "AgentActed", "fields": {"tenant": "main", "agent_id": "x", "action": "log_in"}}, 409, "no agent x"),
        (
            {"fact": "ConversationActed", "fields": {"interaction_id": "i-9", "agent_id": "ana", "action": "hold"}},
            409,
            "over",
        ),
        ({"fact": "AgentActed", "fields": {"tenant": "main", "agent_id": "ana", "action": "fly"}}, 422, "action"),
        ({"fact": "AgentActed", "fields": {"tenant": "main"}}, 422, "agent_id"),
        ({"fact": "AgentActed", "fields": {"tenant": "main", "colour": "red"}}, 422, "colour"),
        ({"fact": "QueueJoined", "fields": {}}, 422, "cannot be asked"),
        ({"fact": "TimerFired", "fields": {}}, 422, "cannot be asked"),
        ({"fact": 7}, 422, "str"),
        ([], 422, "object"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(house, body, status, words):
    answer = await house.client.post("/acd/do", json=body)
    assert answer.status_code == status
    assert answer.json()["ok"] is False
    assert words in answer.json()["why"]
    assert house.journal.last_seq <= 1


async def test_damaged_and_huge_requests_are_refused(house):
    assert (await house.client.post("/acd/do", content=b"{\xff")).status_code == 422
    assert (await house.client.post("/acd/do", content=b" " * 100_000)).status_code == 422


async def test_numbers_that_json_has_for_seconds_are_fine(house):
    await house.ready("ana")
    house.tell(QueueJoined("i-1", "i-1.s1", "main", "sales"))
    ((offer_id, _),) = house.offered().items()
    house.tell(OfferAccepted("i-1", offer_id))
    house.tell(TalkEnded("i-1", "ana"))
    wrap_up = {"interaction_id": "i-1", "tenant": "main", "agent_id": "ana"}
    assert (await house.do("WrapUpActed", **wrap_up, text="wants a call", extend_s=10)).json() == {"ok": True}
    assert (await house.do("WrapUpActed", **wrap_up, finish=True)).json() == {"ok": True}
    card = await house.client.get("/acd/contact/i-1")
    assert card.status_code == 404, "the journal knows of no call"


async def test_who_it_is_is_told_for_as_long_as_the_journal_knows(house):
    opened = InteractionOpened("i-1", "main", "voice", "inbound", "900", "+34600112233", "desk", "r1", "es", "default")
    house.record(LegArrived("leg-1", "n1", "900", "+34600112233", "Ana"), [opened, NodeEntered("desk", "main", 1)])
    chosen = VariablesSet({"contract": "77", "pin": "***"})
    house.record(
        LegArrived("leg-1", "n1", "900", "x"),
        [chosen, NodeEntered("desk", "main", 2), NodeEntered("desk", "sales", 3)],
        [TagInteraction("i-1", ("vip",)), NoteInteraction("i-1", "asked before")],
    )
    card = (await house.client.get("/acd/contact/i-1")).json()
    assert (card["caller"], card["caller_name"], card["called"], card["tenant"]) == (
        "+34600112233",
        "Ana",
        "900",
        "main",
    )
    assert card["path"] == ["desk.main", "desk.sales"]
    assert (card["variables"], card["tags"], card["language"]) == ({"contract": "77"}, ["vip"], "es")
    assert [note["text"] for note in card["notes"]] == ["asked before"]
    assert (await house.client.get("/acd/contact/i-2")).status_code == 404


async def test_why_is_told_while_it_waits_and_afterwards(house):
    house.tell(QueueJoined("i-1", "i-1.s1", "main", "sales"))
    assert (await house.client.get("/acd/explain/i-1")).json()["stays"][0]["how"] != "answered"
    await house.ready("ana", "eva")
    house.tell(QueueJoined("i-2", "i-2.s1", "main", "sales"))
    ((offer_id, first),) = house.offered().items()
    house.record(OfferFailed("i-1", "unknown", "rona"))
    house.runtime.put(OfferFailed("i-2", offer_id, "rona"))
    async with asyncio.timeout(30):
        while not house.offered().keys() - {offer_id}:
            await asyncio.sleep(0.01)
    ((offer_id, second),) = house.offered().items()
    house.tell(QueueJoined("i-3", "i-3.s1", "main", "sales"))
    waiting = (await house.client.get("/acd/explain/i-3")).json()
    assert waiting["now"]["now"]["position"] >= 1
    assert waiting["now"]["later_s"] == 10.0
    assert "waited" in waiting["now"]["now"]["paragraph"]
    house.tell(OfferAccepted("i-2", offer_id))
    told = (await house.client.get("/acd/explain/i-2")).json()
    (stay,) = told["stays"]
    assert (stay["how"], stay["answered_by"], told["now"]) == ("answered", second, None)
    assert first != second
    assert (await house.client.get("/acd/explain/i-99")).status_code == 404


async def test_what_a_supervisor_did_is_told_in_its_place(house):
    queues = {**SETUP.queues, ("main", "billing"): QueueSetup("main", "billing", no_agents="wait")}
    assert house.runtime.change_routing(replace(SETUP, release_id="r2", queues=queues)) == ""
    await house.ready("ana")
    house.tell(QueueJoined("i-1", "i-1.s1", "main", "sales"))
    about = {"tenant": "main", "interaction_id": "i-1", "stay_id": "i-1.s1", "by": "@sue"}
    assert (await house.do("StayActed", **about, action="prioritise", priority=3)).json() == {"ok": True}
    refused = await house.do("StayActed", **about, action="move", queue="sales")
    assert (refused.status_code, refused.json()["why"]) == (409, "this contact waits in sales already")
    assert (await house.do("StayActed", **about, action="move", queue="billing")).json() == {"ok": True}
    told = (await house.client.get("/acd/explain/i-1")).json()
    (stay,) = told["stays"]
    assert [(each["by"], each.get("priority"), each.get("queue")) for each in stay["changes"]] == [
        ("@sue", 3, None),
        ("@sue", None, "billing"),
    ]
    assert stay["how"] == "overflowed"
    order = ["sue gave it priority 3 instead of 0", "sue moved it to queue billing"]
    places = [told["paragraph"].index(words) for words in (*order, "ended as overflowed")]
    assert places == sorted(places)


async def test_a_flow_that_is_not_offered_is_no_place_to_send_a_customer_to(house):
    around = house.runtime.surroundings
    release = around.releases[around.release_id]
    hidden = {key: replace(flow, offered=False) for key, flow in release.flows.items()}
    house.runtime.surroundings = replace(around, releases={around.release_id: replace(release, flows=hidden)})
    assert (await house.client.get("/acd/setup")).json()["flows"] == []


async def test_what_people_choose_from(house):
    body = (await house.client.get("/acd/setup")).json()
    assert [reason["reason"] for reason in body["reasons"]] == ["lunch"]
    assert [(queue["queue"], queue["wrap_up_s"]) for queue in body["queues"]] == [("sales", 30.0)]
    assert [agent["agent_id"] for agent in body["agents"]] == ["ana", "eva"]
    assert [(flow["tenant"], flow["flow"]) for flow in body["flows"]] == [("main", "pay")], "desk works agents' phones"
    assert "pin" not in str(body)
