"""Agents as the dialer sees them: who is ready or at work for a queue, whose line is up, who waits."""

import pytest

from acd.router import Router
from acd.setup import AgentSetup, QueueSetup, Setup
from core.agent_facts import AgentActed, AgentKept, DeviceChanged, PhoneUsed
from core.line_facts import LineChanged
from core.offer_facts import OfferAccepted, OfferMade
from core.queue_facts import QueueJoined
from core.talk_facts import TalkChanged, TalkEnded
from engine.floor import RouterFloor

NOW_S = 1_800_000_000.0
SALES = ("main", "sales")


class House:
    def __init__(self, **skills):
        agents = {
            ("main", name): AgentSetup("main", name, device=f"main-{name}", skills=skills.get(name, {}), rest_s=0.0)
            for name in ("ana", "eva")
        }
        agents["main", "tom"] = AgentSetup("main", "tom", device="main-tom", queues=frozenset({"support"}))
        queues = {(t, q): QueueSetup(t, q, wrap_up_s=30.0) for t, q in (SALES, ("main", "support"))}
        self.router = Router(Setup("r1", agents, queues, skills=frozenset({"spanish"})))
        self.floor, self.now_s, self.facts = RouterFloor(self.router), NOW_S, []
        for name in ("ana", "eva", "tom"):
            self.do(DeviceChanged(f"main-{name}", True))

    def do(self, fact):
        self.now_s += 1.0
        outcome = self.router.handle(fact, self.now_s)
        assert not outcome.refused
        self.facts += outcome.facts

    def ready(self, *names):
        for name in names:
            self.do(AgentActed("main", name, "log_in"))
            self.do(AgentActed("main", name, "ready"))

    def states(self, skills=""):
        return {each.agent_id: each.state for each in self.floor.pool(*SALES, skills, self.now_s).agents}

    def call(self, n=1):
        self.do(QueueJoined(f"i{n}", f"i{n}.s1", "main", "sales"))
        return next((fact for fact in reversed(self.facts) if isinstance(fact, OfferMade)), None)


def test_only_who_serves_the_queue_and_is_there_counts():
    house = House()
    assert house.states() == {}
    house.ready("ana", "eva", "tom")
    assert house.states() == {"ana": "ready", "eva": "ready"}
    assert [agent.agent_id for agent in house.floor.pool(*SALES, "", house.now_s).agents] == ["ana", "eva"]
    house.do(AgentActed("main", "ana", "log_out"))
    assert house.states() == {"eva": "ready"}
    assert house.floor.pool("main", "gone", "", house.now_s).agents == ()


def test_who_is_logged_in_and_does_not_count_is_told_with_why():
    house = House(ana={"spanish": 5})
    absent = lambda skills="": dict(house.floor.pool(*SALES, skills, house.now_s).absent)  # noqa: E731
    assert absent() == {}
    house.do(AgentActed("main", "ana", "log_in"))
    assert absent() == {"not_ready": 1}
    house.ready("eva")
    assert absent("spanish") == {"not_ready": 1, "skills": 1}
    house.do(AgentActed("main", "ana", "ready"))
    house.do(DeviceChanged("main-ana", False))
    assert absent() == {"phone": 1}
    house.do(PhoneUsed("i1", "main-eva", True))
    assert absent() == {"phone": 1, "on_phone": 1}, "she may be dialing in: her line comes up when it has greeted her"
    house.do(LineChanged("i1", "main", "eva", "i1:customer", True))
    assert absent() == {"phone": 1}


def test_skills_of_the_campaign_are_asked_beside_the_queues():
    house = House(ana={"spanish": 5})
    house.ready("ana", "eva")
    assert house.states("spanish") == {"ana": "ready"}
    assert house.states("not ( readable") == {"ana": "ready", "eva": "ready"}, "what cannot be read asks for nothing"


def test_a_conversation_is_followed_from_offer_to_wrap_up():
    house = House()
    house.ready("ana")
    offer = house.call()
    assert house.states() == {"ana": "reserved"}
    house.do(OfferAccepted("i1", offer.offer_id))
    (agent,) = house.floor.pool(*SALES, "", house.now_s).agents
    assert (agent.state, agent.interaction_id, agent.since_s) == ("talk", "i1", house.now_s)
    house.do(TalkChanged("i1", "ana", "hold"))
    assert house.states() == {"ana": "hold"}
    house.do(TalkEnded("i1", "ana"))
    assert house.states() == {"ana": "wrap_up"}


def test_who_leaves_after_this_call_is_not_counted_on():
    house = House()
    house.ready("ana")
    house.do(OfferAccepted("i1", house.call().offer_id))
    house.do(AgentActed("main", "ana", "log_out"))
    assert house.states() == {}


def test_who_waits_and_whose_line_is_up():
    house = House()
    house.ready("ana")
    house.call(1)
    house.call(2)
    assert house.floor.pool(*SALES, "", house.now_s).waiting == 1, "the first is being offered"
    house.do(LineChanged("i-line", "main", "ana", "leg-line", up=True))
    assert [agent.line for agent in house.floor.pool(*SALES, "", house.now_s).agents] == [True]


def test_who_is_kept_for_somebody_is_reserved():
    house = House()
    house.ready("ana")
    house.do(AgentKept("line-a1", "main", "ana", True))
    (agent,) = house.floor.pool(*SALES, "", house.now_s).agents
    assert (agent.state, agent.interaction_id) == ("reserved", "line-a1")


@pytest.mark.parametrize(("agent", "queues"), [("tom", [("main", "support")]), ("gone", [])])
def test_the_queues_an_agent_serves(agent, queues):
    assert list(House().floor.queues_of("main", agent)) == queues
