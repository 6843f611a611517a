"""Router and interactions agree whenever the engine may die; what does not fit all the same is mended."""

from dataclasses import replace

import pytest

from acd.router import Router
from acd.setup import AgentSetup, QueueSetup, Setup
from core.agent_facts import AgentActed, AgentKept, PhoneUsed
from core.events import QueueLeft
from core.leg import Leg, LegRole, LegState
from core.line_facts import LineChanged
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferWithdrawn,
)
from core.queue_facts import QueueJoined
from core.talk_facts import TalkEnded
from engine.contact import Conversation, Line, Offer, Party, Waiting
from engine.interaction import Interaction
from engine.routing_recovery import mend
from engine.runtime import Runtime
from tests.unit.engine.test_floor_soak import soak
from tests.virtual_time import run

NOW_S = 1_767_225_600.0
SETUP = Setup(
    "r1",
    {("main", name): AgentSetup("main", name, device=f"main-{name}") for name in ("ana", "eva")},
    {("main", "sales"): QueueSetup("main", "sales")},
    devices=frozenset(("main-ana", "main-eva")),
)
JOINED = QueueJoined("i-1", "i-1.s1", "main", "sales", waited_s=5.0)
LEG = Leg("leg-1", LegRole.CUSTOMER, "n1", state=LegState.UP)
CALLER = Interaction("i-1", "main", "voice", "900", "600", "t", NOW_S, "r1", legs=(LEG,))
WAITS = CALLER.but(waiting=Waiting(JOINED, NOW_S))


def floor(*facts):
    router = Router(SETUP)
    said = []
    for fact in facts:
        said += router.handle(fact, NOW_S).facts
    return router, [fact for fact in said if isinstance(fact, OfferMade)]


def ready(*agents):
    return [AgentActed("main", agent, action) for agent in agents for action in ("log_in", "ready")]


def mended(router, *interactions, after_s=0.0):
    return list(mend(router, interactions, NOW_S + after_s))


@pytest.mark.parametrize(("seed", "kills"), [(11, 0), (12, 2)])
def test_after_every_turn_both_believe_the_same(monkeypatch, seed, kills):
    real, turns = Runtime._take_all, []

    def watched(self, fact):
        refused = real(self, fact)
        wrong = list(mend(self.routing.router, tuple(self.interactions.values()), self.clock.now_s()))
        assert not wrong, f"after {fact}"
        turns.append(fact)
        return refused

    monkeypatch.setattr(Runtime, "_take_all", watched)
    run(soak(seed, callers=25, gaps=0, kills=kills))
    assert len(turns) > 500


def test_who_waits_and_is_not_known_to_wait_joins_again_with_her_time():
    router, _ = floor(*ready("ana"))
    (again,) = mended(router, WAITS, after_s=60.0)
    assert again == replace(JOINED, waited_s=65.0)
    router.handle(again, NOW_S + 60)
    assert router.stay("i-1.s1").waited_before_s == 65.0


def test_who_waits_and_is_known_to_is_left_alone():
    router, offers = floor(*ready("ana"), JOINED)
    offer = Offer(offers[0].offer_id, "i-1.s1", "ana")
    assert mended(router, WAITS.but(offers=(offer,))) == []


def test_who_has_hung_up_joins_nothing():
    router, _ = floor(*ready("ana"))
    gone = WAITS.but(legs=(replace(LEG, state=LegState.ENDED),))
    assert mended(router, gone, WAITS.but(outcome="error")) == []


def test_a_phone_that_rings_for_nobody_stops():
    router, _ = floor(*ready("ana"))
    facts = mended(router, WAITS.but(offers=(Offer("o-9", "i-1.s1", "ana"),)))
    assert [type(fact) for fact in facts] == [QueueJoined, OfferWithdrawn]


def test_an_offer_its_interaction_forgot_is_made_to_somebody_else():
    router, offers = floor(*ready("ana", "eva"), JOINED)
    (failed,) = mended(router, WAITS)
    assert failed == OfferFailed("i-1", offers[0].offer_id, "rejected", "its interaction forgot it")
    (other,) = [fact for fact in router.handle(failed, NOW_S).facts if isinstance(fact, OfferMade)]
    assert other.agent_id != offers[0].agent_id


def test_an_agent_in_a_conversation_nobody_knows_of_wraps_up():
    router, offers = floor(*ready("ana"), JOINED)
    router.handle(OfferAccepted("i-1", offers[0].offer_id), NOW_S)
    assert mended(router, CALLER) == [TalkEnded("i-1", "ana", "lost")]
    talk = Conversation("i-1.b1", WAITS.waiting, NOW_S, lead=Party("l", "ana"), customer_in=True)
    assert mended(router, CALLER.but(talk=talk)) == []


def test_a_consultation_nobody_looks_for_is_over():
    router, offers = floor(*ready("ana"), JOINED)
    router.handle(OfferAccepted("i-1", offers[0].offer_id), NOW_S)
    other = Party(stay_id="i-1.s2", sent_by="ana", up=False)
    talk = Conversation("i-1.b1", WAITS.waiting, NOW_S, lead=Party("l", "ana"), other=other, customer_in=True)
    assert mended(router, CALLER.but(talk=talk)) == [QueueLeft("i-1", "i-1.s2", "no_agents")]


def test_nobody_is_kept_for_what_is_over():
    router, _ = floor(*ready("ana"), AgentKept("i-1", "main", "ana", True), AgentKept("i-2", "main", "ana", True))
    assert mended(router, CALLER) == [AgentKept("i-2", "main", "ana", False)]


@pytest.mark.parametrize("device", ["main-ana", ""], ids=["named", "of an older release"])
def test_a_phone_in_use_is_known_again_and_one_that_is_not_is_free(device):
    uses = [PhoneUsed(which, "main-ana", True) for which in ("i-1", "i-2")]
    router, _ = floor(*ready("ana"), *uses)
    calls = CALLER.but(entry="main-ana", legs=(replace(CALLER.customer, device=device),))
    assert mended(router, calls) == [uses[0], PhoneUsed("i-2", "main-ana", False)]
    router.handle(replace(JOINED, interaction_id="i-9", stay_id="i-9.s1"), NOW_S)
    again = Router(SETUP)
    rows = {which: router.save(which) for which in (("agent", "main/ana"), ("stay", "i-9.s1"))}
    said = list(again.restore(rows, NOW_S, lambda interaction_id: True).facts)
    for fact in mend(again, [calls], NOW_S):
        said += again.handle(fact, NOW_S).facts
    assert not [fact for fact in said if isinstance(fact, OfferMade)], "not for a moment"
    (offer,) = again.handle(PhoneUsed("i-1", "main-ana", False), NOW_S).facts
    assert offer.agent_id == "ana"


def test_a_held_line_is_up_on_both_sides_or_on_none():
    up = LineChanged("i-1", "main", "ana", "leg-1", up=True, node="n1")
    router, _ = floor(*ready("ana"), up)
    holds = CALLER.but(line=Line("r-1", "ana"))
    assert mended(router, holds) == []
    assert mended(router) == mended(router, CALLER) == [replace(up, up=False, node="")]
    assert mended(floor(*ready("ana"))[0], holds) == [up]
    asked = CALLER.but(line=Line("r-1"))
    assert mended(floor(*ready("ana"))[0], asked) == [], "not granted yet"
