"""What the desk and its engine say to each other about campaigns: the engine in memory that tests of pages use, and the
real dialer on a real journal and a store of leads, are asked the same."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from acd.router import Router
from acd.setup import AgentSetup, QueueSetup, Setup
from core.lead_record import LeadNumber, LeadRecord
from core.lead_store import Save
from desk.api.models_campaigns import CampaignDetail, CampaignView, WhyLead
from desk.engine_client import EngineClient, EngineRefused, NotKnown
from desk.fake_engine import FakeEngine, serving, serving_app
from desk.live.hub import Hub
from desk.services import WallClock
from dialer.compliance.rules import Mode
from dialer.memory_store import MemoryLeadStore
from dialer.setup import DialerSetup, FormField
from engine.acd_api import AcdApi
from engine.acd_feed import Feed
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.config.numbers import NumberPlan
from engine.config.outbound import OutboundRules
from engine.interaction import Surroundings
from engine.metrics import Metrics
from engine.outreach import CAMPAIGN, Leads, Outreach, dialing
from engine.routing import Routing
from engine.routing_metrics import RoutingMetrics
from engine.routing_views import Views
from engine.runtime import Runtime
from ivr.model import Release
from store.cipher import ContactCipher
from store.journal import Journal
from tests.unit.dialer.house import campaign

AGENTS = {
    ("main", "ana"): AgentSetup("main", "ana", "Ana", device="main-1001"),
}
SETUP = Setup("r1", AGENTS, {("main", "sales"): QueueSetup("main", "sales", "Sales")}, {})
SHOWN = campaign(
    "renewals",
    Mode.PREVIEW,
    title="Renewals",
    held_lines=False,
    script={"es": "Saluda.", "en": "Greet."},
    form=(FormField("plan", {"es": "Plan", "en": "Plan"}, ("300", "600")),),
)


class InMemory:
    def __init__(self, fake: FakeEngine) -> None:
        self.fake = fake
        fake.dialer.count("renewals", leads={"new": 1})
        fake.dialer.explain("renewals", "lead-1", "it has never been dialed")

    async def show(self) -> None:
        self.fake.dialer.show_lead("renewals", "ana", "Carmen", called="+34911222333")


class Real:
    def __init__(self, client_socket: Path) -> None:
        self.socket = client_socket

    async def show(self) -> None:
        """An agent becomes ready: the dialer puts a lead before her."""
        async with EngineClient(self.socket) as client:
            for action in ("log_in", "ready"):
                await client.do("AgentActed", {"tenant": "main", "agent_id": "ana", "action": action})


@contextlib.asynccontextmanager
async def _real(tmp_path: Path, socket: Path) -> AsyncIterator[Real]:
    clock, metrics = AnchoredClock(), Metrics()
    store = MemoryLeadStore()
    lead = LeadRecord("lead-1", "main", "renewals-list", (LeadNumber("+34911222333"),), "Carmen", basis="contract")
    await store.save([Save("lead:main/lead-1", 1, lead=lead)])
    async with contextlib.AsyncExitStack() as stack:
        cipher = stack.enter_context(ContactCipher.open(tmp_path))
        journal = Journal.open(tmp_path / "journal.db", cipher, lambda problem: None)
        stack.push_async_callback(journal.close)
        book = JournalBook(journal, cipher, clock)
        routing = Routing(Router(SETUP), book, RoutingMetrics(metrics.registry))
        dialer_setup = DialerSetup("r1", {SHOWN.key: SHOWN})
        runtime = Runtime(
            clock=clock,
            book=book,
            surroundings=Surroundings({"r1": Release("r1", {})}, "r1", NumberPlan({}, (), {}), OutboundRules()),
            http=None,  # type: ignore[arg-type]
            metrics=metrics,
            max_interactions=10,
            on_overflow=lambda: None,
            routing=routing,
            campaigns=dialing(dialer_setup, routing, book, metrics, lambda transition, at_s: None),
        )
        stack.push_async_callback(runtime.close)
        views = Views(routing, runtime.interactions)

        def view(key: tuple[str, str], now_s: float) -> Any:
            return outreach.view(key, now_s) if key[0] == CAMPAIGN else views.view(key, now_s)

        feed = Feed("e1", view, clock.now_s, views.queues_of)
        stack.callback(feed.close)
        nowhere: Any = None
        outreach = Outreach(runtime, journal, Leads(store), feed, nowhere, lambda name: "")
        stack.push_async_callback(outreach.close)
        runtime.watch(outreach.board_changed)
        outreach.restore()
        keeping = asyncio.create_task(outreach.run())
        stack.callback(keeping.cancel)
        api = AcdApi(runtime, journal, feed, views, outreach.views)
        app = Starlette(routes=[*api.routes(), *outreach.routes()])
        await stack.enter_async_context(serving_app(app, socket, feed.close))
        yield Real(socket)


@pytest.fixture(params=["in memory", "real"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Any, EngineClient, Hub]]:
    socket = tmp_path / "e.sock"
    async with contextlib.AsyncExitStack() as stack:
        if request.param == "real":
            engine: InMemory | Real = await stack.enter_async_context(_real(tmp_path, socket))
        else:
            fake = FakeEngine()
            fake.add_queue("sales", "Sales")
            fake.add_agent("ana")
            fake.dialer.add_campaign("renewals", "Renewals", mode="preview")
            engine = InMemory(await stack.enter_async_context(serving(fake, socket)))
        client = await stack.enter_async_context(EngineClient(socket))
        hub = Hub(client, WallClock())
        following = asyncio.create_task(hub.run())
        stack.callback(following.cancel)
        await _until(hub, lambda board: board.campaign("main", "renewals"))
        yield engine, client, hub


async def _until(hub: Hub, what: Any) -> None:
    async with asyncio.timeout(30):
        while not what(hub.board):
            await asyncio.sleep(0.01)


async def _act(client: EngineClient, action: str) -> None:
    await client.dial("CampaignActed", {"tenant": "main", "campaign": "renewals", "action": action, "by": "max"})


async def test_a_campaign_is_followed_from_its_start_to_its_stop(stage: Any) -> None:
    _, client, hub = stage
    view = hub.board.campaign("main", "renewals")
    assert set(CampaignView.model_fields) - set(view) <= {"since_s", "quotas"}
    shown = CampaignView.model_validate(view)
    assert (shown.title, shown.mode, shown.state, shown.queue) == ("Renewals", "preview", "stopped", "sales")
    for action, state in (("start", "running"), ("pause", "paused"), ("drain", "stopped"), ("start", "running")):
        await _act(client, action)
        allowed = {state, "draining"} if action == "drain" else {state}
        await _until(hub, lambda board, these=allowed: board.campaign("main", "renewals")["state"] in these)
    assert hub.board.campaign("main", "renewals")["why"]
    await _act(client, "stop")
    await _until(hub, lambda board: board.campaign("main", "renewals")["state"] == "stopped")
    detail = CampaignDetail.model_validate(await client.campaign("main", "renewals"))
    assert sum(detail.leads.values()) == 1
    times = [each.at_s for each in detail.decisions]
    assert times == sorted(times, reverse=True)


async def test_a_lead_is_shown_to_an_agent_until_she_has_decided(stage: Any) -> None:
    engine, client, hub = stage
    await _act(client, "start")
    await engine.show()
    await _until(hub, lambda board: board.previews("main", "ana"))
    (shown,) = hub.board.previews("main", "ana")
    assert (shown["campaign"], shown["number"], shown["lead"]["name"]) == ("renewals", "+34911222333", "Carmen")
    assert {"lead_id", "fields"} <= set(shown["lead"])
    assert shown["ends_s"] > hub.engine_now_s()
    assert hub.board.preview(shown["attempt_id"])[:2] == ("main", "ana")
    asked = {"tenant": "main", "agent_id": "ana", "attempt_id": shown["attempt_id"], "action": "skip"}
    with pytest.raises(EngineRefused):
        await client.dial("PreviewActed", asked | {"agent_id": "eva"})
    await client.dial("PreviewActed", asked)
    await _until(hub, lambda board: not board.preview(shown["attempt_id"]))
    with pytest.raises(EngineRefused):
        await client.dial("PreviewActed", asked)


async def test_a_form_is_filled_in_or_refused_in_words(stage: Any) -> None:
    engine, client, hub = stage
    await _act(client, "start")
    await engine.show()
    await _until(hub, lambda board: board.previews("main", "ana"))
    attempt_id = hub.board.previews("main", "ana")[0]["attempt_id"]
    filled = {"tenant": "main", "agent_id": "ana", "attempt_id": attempt_id, "interaction_id": f"dial-{attempt_id}"}
    more = {"complete": False, "disposition": ""}
    await client.dial("FormFilled", {**filled, **more, "answers": {"plan": "600"}})
    with pytest.raises(EngineRefused, match="the form has no field 'wish'"):
        await client.dial("FormFilled", {**filled, **more, "answers": {"plan": "300", "wish": "x"}})


async def test_what_an_agents_page_needs_of_a_campaign_is_in_the_setup(stage: Any) -> None:
    (told,) = (await stage[1].setup())["campaigns"]
    assert {"tenant", "campaign", "title", "mode", "queue", "script", "form"} <= set(told)
    assert set(told["script"]) == {"es", "en"}
    assert {"name", "title", "type", "choices", "required"} == set(told["form"][0])


LISTED = {"tenant": "main", "called": "+34911222333", "campaign": "", "listed": True, "by": "api", "why": "asked"}


async def test_numbers_are_listed_and_taken_off(stage: Any) -> None:
    client = stage[1]
    await client.dial("NumberListed", LISTED)
    await _act(client, "start")
    manual = {"tenant": "main", "campaign": "renewals", "agent_id": "ana", "called": "+34911222333", "lead_id": ""}
    with pytest.raises(EngineRefused) as refused:
        await client.dial("ManualAsked", manual)
    assert str(refused.value)
    await client.dial("NumberListed", LISTED | {"listed": False})


async def test_a_lead_is_explained(stage: Any) -> None:
    client = stage[1]
    told = WhyLead.model_validate(await client.why("main", "lead-1"))
    assert told.campaign == "renewals"
    assert told.sentences
    for lead_id in ("nobody", "../../snapshot"):
        with pytest.raises(NotKnown):
            await client.why("main", lead_id)
    with pytest.raises(NotKnown):
        await client.campaign("main", "nothing")


@pytest.mark.parametrize(
    ("fact", "fields"),
    [
        ("CampaignActed", {"tenant": "main", "campaign": "nothing", "action": "start", "by": ""}),
        ("CampaignActed", {"tenant": "main", "campaign": "renewals", "action": "fly", "by": ""}),
        ("CampaignActed", {"tenant": "main"}),
        ("NumberListed", LISTED | {"called": "600"}),
        ("ManualAsked", {"tenant": "main", "campaign": "nothing", "agent_id": "ana", "called": "+34911222333"}),
        ("PreviewActed", {"tenant": "main", "agent_id": "ana", "attempt_id": "x", "action": "dial"}),
        (
            "LeadActed",
            {
                "tenant": "main",
                "campaign": "renewals",
                "lead_id": "lead-1",
                "action": "callback",
                "at_s": time.time() - 3600,
            },
        ),
        ("Nonsense", {}),
    ],
)
async def test_what_cannot_be_is_refused_in_words(stage: Any, fact: str, fields: dict[str, Any]) -> None:
    with pytest.raises(EngineRefused) as refused:
        await stage[1].dial(fact, fields)
    assert str(refused.value)
