"""Campaigns over the control socket, on a real journal: how they look, what people ask, what outlives a restart."""

import asyncio
import contextlib
import json
from dataclasses import replace

import httpx
import pytest
from prometheus_client import generate_latest
from starlette.applications import Starlette

from acd.router import Router
from acd.setup import AgentSetup, QueueSetup, Setup
from core.agent_facts import AgentActed
from core.dialing import AttemptProgressed, AttemptWanted, NumberListed
from core.events import HttpReplied
from core.lead import LeadState
from core.lead_record import LeadNumber, LeadRecord, Promise
from core.lead_store import ListShare, Save
from dialer.compliance.rules import Mode
from dialer.dnc import DoNotCall, NumberSet
from dialer.memory_store import MemoryLeadStore
from dialer.setup import DialerSetup, Webhook
from engine import lead_keeper
from engine import outreach as room
from engine.acd_api import AcdApi
from engine.acd_feed import Feed
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.config.numbers import NumberPlan
from engine.config.outbound import OutboundRules
from engine.interaction import Surroundings
from engine.metrics import Metrics
from engine.outreach import CAMPAIGN, Leads, Outreach
from engine.routing import Routing
from engine.routing_metrics import RoutingMetrics
from engine.routing_views import Views
from engine.runtime import Runtime
from ivr.model import Release
from store.cipher import ContactCipher
from store.journal import Journal
from tests.unit.dialer.house import campaign

ROUTED = Setup(
    "r1",
    {("main", "ana"): AgentSetup("main", "ana", "Ana", device="main-ana")},
    {("main", "sales"): QueueSetup("main", "sales", "Sales", wrap_up_s=1.0)},
)
LISTED = "+34600000009"


def lead(n, **more):
    return LeadRecord(f"l{n}", "main", "spring", (LeadNumber(f"+3460000000{n}"),), "Lucía", basis="contract", **more)


class Crm:
    """Takes every notice."""

    def __init__(self):
        self.got = []

    async def ask(self, command):
        self.got.append(json.loads(command.body))
        return HttpReplied("", command.request_id, 200)


class House:
    """One engine's life after another, over one state directory, store and world."""

    def __init__(self, place, **setup):
        self.place, self.store, self.crm = place, MemoryLeadStore(), Crm()
        given = {"lists": (ListShare("spring"),), "held_lines": False, **setup}
        made = campaign("spring", **given)
        self.setup = DialerSetup("r1", {made.key: made})
        self.wanted, self.registers = [], {}

    @contextlib.asynccontextmanager
    async def life(self):
        clock, metrics = AnchoredClock(), Metrics()
        async with contextlib.AsyncExitStack() as stack:
            cipher = stack.enter_context(ContactCipher.open(self.place))
            self.journal = Journal.open(self.place / "journal.db", cipher, lambda problem: None)
            stack.push_async_callback(self.journal.close)
            book = JournalBook(self.journal, cipher, clock)
            routing = Routing(Router(ROUTED), book, RoutingMetrics(metrics.registry))
            campaigns = room.dialing(self.setup, routing, book, metrics, lambda transition, at_s: None)
            self.runtime = runtime = Runtime(
                clock=clock,
                book=book,
                surroundings=Surroundings(
                    {"r1": Release("r1", {})}, "r1", NumberPlan({}, (), {}), OutboundRules("ES", ())
                ),
                http=None,
                metrics=metrics,
                max_interactions=10,
                on_overflow=lambda: None,
                routing=routing,
                campaigns=campaigns,
            )
            stack.push_async_callback(runtime.close)
            views = Views(routing, runtime.interactions)
            feed = Feed(
                "e1",
                lambda key, at_s: outreach.view(key, at_s) if key[0] == CAMPAIGN else views.view(key, at_s),
                clock.now_s,
            )
            stack.callback(feed.close)
            leads = Leads(self.store, registers=lambda: self.registers)
            outreach = Outreach(runtime, self.journal, leads, feed, self.crm, lambda name: f"secret of {name}")
            self.outreach, self.feed, self.metrics = outreach, feed, metrics
            stack.push_async_callback(outreach.close)
            runtime.watch(outreach.board_changed)
            outreach.restore()
            routes = [*AcdApi(runtime, self.journal, feed, views, outreach.views).routes(), *outreach.routes()]
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(Starlette(routes=routes)), base_url="http://engine"
            )
            self.client = await stack.enter_async_context(client)
            task = asyncio.create_task(outreach.run())
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def do(self, fact, **fields):
        return await self.client.post("/dialer/do", json={"fact": fact, "fields": {"tenant": "main", **fields}})

    async def act(self, action):
        return (await self.do("CampaignActed", campaign="spring", action=action)).json()

    async def view(self):
        return (await self.client.get("/dialer/campaign/main/spring")).json()

    async def until(self, what):
        async with asyncio.timeout(30):
            while not (found := what()):
                await asyncio.sleep(0.005)
        return found

    def attempts(self):
        return [
            record.event
            for id_ in self.journal.reader.newest(100)
            for record in self.journal.reader.show(id_)
            if isinstance(record.event, AttemptWanted)
        ]

    async def seed(self, *leads):
        await self.store.save([Save(f"seed:{each.lead_id}", 0, lead=each) for each in leads])

    def agents_ready(self):
        for fact in ("log_in", "ready"):
            self.runtime.ask(AgentActed("main", "ana", fact))


@pytest.fixture
def house(tmp_path, monkeypatch):
    monkeypatch.setattr(lead_keeper, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(lead_keeper, "LONGEST_WAIT_S", 0.05)
    return House(tmp_path)


async def test_a_campaign_is_seen_started_and_explained(house):
    await house.seed(lead(1), lead(2))
    async with house.life():
        snapshot = (await house.client.get("/acd/snapshot")).json()
        assert [view["campaign"] for view in snapshot["campaigns"]] == ["spring"]
        assert (await house.client.get("/acd/setup")).json()["campaigns"][0]["queue"] == "sales"
        lines = house.feed.lines("e1", snapshot["seq"])
        assert await house.act("start") == {"ok": True}
        assert house.journal.durable_seq > 0
        seen = json.loads((await anext(lines)).splitlines()[-1])
        assert (seen["kind"], seen["id"], seen["tenant"]) == ("campaign", "spring", "main")
        view = await house.view()
        assert view["state"] == "running"
        assert view["store"] == {"away": "", "away_s": 0.0, "unsaved": 0}
        assert sum(view["leads"].values()) == 2
        told = (await house.client.get("/dialer/why/main/l1")).json()
        assert (told["lead_id"], told["campaign"]) == ("l1", "spring")
        assert (await house.client.get("/dialer/why/main/nobody")).status_code == 404
        assert (await house.client.get("/dialer/campaign/main/other")).status_code == 404
        text = generate_latest(house.metrics.registry).decode()
        assert 'centralita_campaign_state{campaign="spring",state="running",tenant="main"} 1.0' in text


async def test_who_starts_a_campaign_is_told_when_it_has_nobody_to_dial(house):
    async with house.life():
        await house.until(lambda: house.outreach.keeper.ready)
        told = await house.act("start")
        assert told == {
            "ok": True,
            "told": "there is no lead to dial, spring is empty: centralita lists import FILE --list spring",
        }
        assert (await house.view())["leads"]["new"] == 0
        # What was counted a moment ago says nothing about now.
        await house.seed(lead(1), lead(2, state=LeadState.DONE))
        assert await house.act("start") == {"ok": True}
        await house.store.save([Save("seed:l1", 10**15, lead=lead(1, state=LeadState.EXHAUSTED))])
        again = await house.act("start")
        assert again["told"] == "there is no lead to dial, all 2 of spring are done, used up or blocked"
        assert await house.act("pause") == {"ok": True}
        house.store.away = "the disk is gone"
        assert await house.act("start") == {"ok": True}, "nobody knows"
        house.store.away = ""


async def test_whether_a_promise_was_kept_is_told_about_a_lead_of_the_store(house):
    ahead, past = Promise("promise", "2099-01-01", 4e9, 4.1e9), Promise("promise", "2026-01-01", 1.7e9, 1.8e9, "90.00")
    waiting = {"state": LeadState.WAITING, "not_before_s": 4e9}
    await house.seed(lead(1, promise=ahead, **waiting), lead(2, promise=past, **waiting), lead(3))
    async with house.life():
        await house.until(lambda: house.outreach.keeper.ready)
        told = (await house.client.get("/dialer/why/main/l1")).json()
        assert told["promise"]["on"] == "2099-01-01"
        assert told["next_s"] == 4.1e9
        early = await house.do("LeadActed", campaign="", lead_id="l1", action="broken")
        assert (early.status_code, early.json()["why"].partition(":")[0]) == (409, "what she promised still lies ahead")
        assert (await house.do("LeadActed", campaign="", lead_id="l3", action="kept")).status_code == 409
        for lead_id, action in (("l1", "kept"), ("l2", "broken")):
            assert (await house.do("LeadActed", campaign="", lead_id=lead_id, action=action)).json() == {"ok": True}
        await house.until(lambda: not house.outreach.keeper.unsaved)
        kept, broken = [(await house.store.lead("main", n, 0.0)).record for n in ("l1", "l2")]
        assert (kept.state, kept.reason, kept.promise.outcome) == (LeadState.DONE, "promise_kept", "kept")
        assert (broken.state, broken.promise.outcome) == (LeadState.WAITING, "broken")
        assert broken.not_before_s <= house.runtime.clock.now_s()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"fact": "CampaignActed", "fields": {"tenant": "main", "campaign": "x", "action": "start"}}, 409, "x"),
        ({"fact": "CampaignActed", "fields": {"tenant": "main", "campaign": "spring", "action": "fly"}}, 422, "fly"),
        ({"fact": "AttemptProgressed", "fields": {}}, 422, "cannot be asked"),
        ({"fact": "LeadActed", "fields": {"tenant": "main", "lead": {}}}, 422, "lead"),
        ({"fact": "NumberListed", "fields": {"tenant": "main", "called": "911"}}, 409, "E.164"),
        (
            {
                "fact": "LeadActed",
                "fields": {"tenant": "main", "campaign": "spring", "lead_id": "l9", "action": "finish"},
            },
            409,
            "no lead",
        ),
    ],
)
async def test_what_cannot_be_is_refused_in_words(house, body, status, words):
    async with house.life():
        await house.until(lambda: house.outreach.keeper.ready)
        answer = await house.client.post("/dialer/do", json=body)
        assert answer.status_code == status
        assert words in answer.json()["why"]


async def test_what_is_in_hand_outlives_a_restart_and_nobody_is_dialed_twice(house):
    await house.seed(lead(1), lead(2))
    async with house.life():
        await house.act("start")
        house.agents_ready()
        # No outbound rule permits anything: the attempt fails at once, on record.
        await house.until(lambda: len(house.attempts()) == 2)
        house.store.away = "the disk is gone"
        await house.until(lambda: house.outreach.keeper.away or not house.outreach.keeper.unsaved)
    first = {wanted.attempt_id for wanted in house.attempts()} if house.journal.healthy else set()
    house.store.away = ""
    async with house.life():
        await house.until(lambda: house.outreach.keeper.ready)
        assert (await house.view())["state"] == "running"
        async with asyncio.timeout(30):
            while True:  # what the end cut short is ended, and gets to the store
                states = {n: (await house.store.lead("main", n, 0.0)) for n in ("l1", "l2")}
                if not house.outreach.keeper.unsaved and all(each.history for each in states.values()):
                    break
                await asyncio.sleep(0.01)
        assert all(len(each.history) == 1 for each in states.values())
        assert {each.record.state for each in states.values()} <= {LeadState.WAITING, LeadState.EXHAUSTED}
        assert len(house.attempts()) == 2
        assert first <= {wanted.attempt_id for wanted in house.attempts()}


async def test_nobody_is_dialed_before_the_lists_are_read_nor_who_is_on_one(house):
    await house.seed(lead(1), lead(2), replace(lead(3), numbers=(LeadNumber(LISTED),)))
    await house.store.save([Save("dnc:x", 1, listed=NumberListed("main", LISTED))])
    house.store.away = "starting"
    async with house.life():
        await house.act("start")
        house.agents_ready()
        assert "do-not-call" in (await house.view())["halted"]
        refused = await house.do("ManualAsked", campaign="spring", agent_id="ana", called="+34911222333")
        assert refused.status_code in (409, 503)
        await asyncio.sleep(0.1)
        assert not house.attempts()
        house.store.away = ""
        await house.until(lambda: len(house.attempts()) == 2)
        await asyncio.sleep(0.2)
        assert LISTED not in {wanted.called for wanted in house.attempts()}


async def test_registers_are_read_again_when_lists_have_changed(house):
    async with house.life():
        await house.until(lambda: house.outreach.keeper.ready)
        house.registers = {"us-national": DoNotCall("us-national", "national", 1.0, NumberSet([LISTED]))}
        assert (await house.do("ListsChanged")).json() == {"ok": True}
        state = house.outreach.campaigns.dialer._state
        await house.until(lambda: "us-national" in state.book.national)


async def test_every_end_is_told_also_what_a_crash_cut_short(house):
    house.setup.campaigns["main", "spring"] = replace(
        house.setup.campaigns["main", "spring"], webhooks=(Webhook("https://crm.example/hook"),)
    )
    await house.seed(lead(1))
    async with house.life():
        house.outreach._webhooks.send = lambda rows: None  # dies before it could send
        await house.act("start")
        house.agents_ready()
        await house.until(lambda: house.attempts())
        await house.until(lambda: house.journal.durable_seq == house.journal.last_seq)
        assert not house.crm.got
    async with house.life():
        await house.until(lambda: house.crm.got)
        assert house.crm.got[0]["event"] == "attempt_ended"
        await house.until(lambda: not list(house.journal.load_states("hook:")))


async def test_an_unknown_attempt_is_late_news(house):
    async with house.life():
        assert not house.runtime.ask(AttemptProgressed("dial-x", "x", "busy"))


def test_an_agentless_campaign_needs_no_agents(tmp_path):
    assert House(tmp_path, mode=Mode.AGENTLESS, queue="", flow="reminder").setup
