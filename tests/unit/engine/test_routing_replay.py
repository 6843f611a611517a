"""What ten seconds more would have changed: the router of back then, built again from a real journal."""

import contextlib

import pytest

from acd.router import Router
from acd.setup import AgentSetup, QueueSetup, Relaxation, Setup
from core.agent_facts import AgentActed
from core.events import RoutingKept, TimerFired
from core.offer_facts import OfferAccepted, OfferMade
from core.queue_facts import QueueJoined
from core.routing import ROUTER
from core.talk_facts import TalkEnded
from engine.book import JournalBook
from engine.clock import AnchoredClock
from engine.metrics import Metrics
from engine.routing import KEPT_EVERY_S, Routing
from engine.routing_metrics import RoutingMetrics
from engine.routing_replay import later
from store.cipher import ContactCipher
from store.journal import Journal

NOW_S = 1_767_225_600.0
SALES = QueueSetup("main", "sales", skills="expert", relaxations=(Relaxation(5.0, ""),), wrap_up_s=6.0, ring_s=60.0)
SETUP = Setup(
    "r1",
    {
        ("main", "ana"): AgentSetup("main", "ana", skills={"expert": 5}, device="main-1"),
        ("main", "eva"): AgentSetup("main", "eva", device="main-2"),
    },
    {("main", "sales"): SALES},
    skills=frozenset({"expert"}),
)


class Past:
    def __init__(self, journal, book):
        self.journal, self.now_s = journal, NOW_S
        self.routing = Routing(Router(SETUP), book, RoutingMetrics(Metrics().registry))
        self.routing.restore({}, {}, self.now_s)
        self.offers = {}

    def take(self, fact, after_s=0.0):
        """The number of its event in the journal."""
        self.now_s += after_s
        seq = self.journal.last_seq + 1
        consequences = self.routing.take(fact, None, self.now_s)
        assert not consequences.refused
        self.offers |= {fact.stay_id: fact for fact in consequences.facts if isinstance(fact, OfferMade)}
        return seq

    def ready(self, agent, after_s=0.0):
        self.take(AgentActed("main", agent, "log_in"), after_s)
        return self.take(AgentActed("main", agent, "ready"))

    def joins(self, name, after_s=0.0):
        return self.take(QueueJoined(f"i-{name}", f"i-{name}.s", "main", "sales"), after_s)

    def offered(self, name):
        offer = self.offers.get(f"i-{name}.s")
        return offer.agent_id if offer is not None else ""

    async def later(self, seq, name, setup_for=lambda release_id: SETUP):
        await self.journal.durable(self.journal.last_seq)
        return later(self.journal.reader, seq, f"i-{name}.s", setup_for)


@pytest.fixture
async def past(tmp_path):
    with contextlib.ExitStack() as stack:
        cipher = stack.enter_context(ContactCipher.open(tmp_path))
        journal = Journal.open(tmp_path / "journal.db", cipher, lambda problem: None)
        yield Past(journal, JournalBook(journal, cipher, AnchoredClock()))
        await journal.close()


async def test_the_same_agent_would_have_had_it(past):
    past.ready("ana")
    found = await past.later(past.joins("1"), "1")
    assert (found["agent_id"], found["at_s"], found["later_s"]) == ("ana", 10.0, 10.0)


async def test_a_relaxed_requirement_would_have_let_somebody_else_have_it(past):
    past.ready("eva")
    past.joins("1", 1.0)
    assert not past.offered("1")
    cause = past.ready("ana", 2.0)
    assert past.offered("1") == "ana"
    found = await past.later(cause, "1")
    assert (found["agent_id"], found["at_s"]) == ("eva", 3.0), "five seconds after it joined anybody may have it"


async def test_a_wrap_up_ten_seconds_longer_is_waited_for(past):
    past.ready("ana")
    past.joins("1")
    past.joins("2", 1.0)
    past.take(OfferAccepted("i-1", past.offers["i-1.s"].offer_id), 1.0)
    past.take(TalkEnded("i-1", "ana"), 1.0)
    cause = past.take(TimerFired(ROUTER, "acd:agent:main/ana"), 6.0)
    assert past.offered("2") == "ana"
    found = await past.later(cause, "2")
    assert (found["agent_id"], found["at_s"]) == ("ana", 10.0)


async def test_who_would_still_wait_is_told_why(past):
    past.ready("ana")
    past.joins("1")
    past.joins("2", 1.0)
    found = await past.later(past.journal.last_seq, "2")
    assert found["agent_id"] == ""
    assert "busy" in found["paragraph"]


async def test_a_kept_router_is_enough_and_what_is_gone_is_not_guessed(past):
    past.ready("ana")
    past.joins("1", KEPT_EVERY_S + 1)
    await past.journal.durable(past.journal.last_seq)
    kept = past.journal.reader.last_of("RoutingKept", past.journal.last_seq + 1)
    assert isinstance(kept.event, RoutingKept)
    assert "acd:agent:main/ana" in kept.event.rows
    past.ready("eva", 1.0)
    cause = past.joins("2", 1.0)
    assert await past.later(cause, "2") is not None
    assert await past.later(cause, "2", lambda release_id: None) is None
    assert await past.later(1, "2") is None
