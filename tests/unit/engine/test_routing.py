"""The router in the engine: facts from the one inbox, rows and decisions in the journal, nobody hurt by a fault."""

from dataclasses import replace

import pytest

from acd.router import Router
from acd.setup import AgentSetup, QueueSetup, Setup
from core.agent_facts import AgentActed, DeviceChanged, PhoneUsed, WrapUpActed
from core.commands import AskQueueStatus, JoinQueue, StartTimer
from core.decisions import Moved, Noted, OfferDecided, StayEnded
from core.events import CommandRejected, QueueLeft, RoutingDecided, TimerFired
from core.leg import Leg, LegRole
from core.offer_facts import OfferAccepted, OfferMade
from core.queue_facts import QueueJoined, StayGivenUp
from core.routing import ROUTER, RoutingChanged
from core.talk_facts import TalkEnded
from engine.interaction import Interaction, Turn
from engine.metrics import Metrics
from engine.routing import MOST_JOINS_A_SECOND, Routing, is_routed, row_name
from engine.routing_metrics import RoutingMetrics
from engine.waiting import joined_by

NOW_S = 1_767_225_600.0
ANA, EVA = AgentSetup("main", "ana", device="main-1001"), AgentSetup("main", "eva", device="main-1002")
SALES = QueueSetup("main", "sales", wrap_up_s=30.0)
SETUP = Setup("r1", {("main", "ana"): ANA, ("main", "eva"): EVA}, {("main", "sales"): SALES})


class Book:
    """Rows as the journal would hold them."""

    def __init__(self):
        self.written, self.rows = [], {}

    def write_routed(self, routed):
        self.written.append(routed)
        for name, body in routed.rows:
            if body is None:
                self.rows.pop(name, None)
            else:
                self.rows[name] = body
        return len(self.written)

    def decisions(self, kind):
        return [decision for routed in self.written for decision in routed.decisions if isinstance(decision, kind)]


class House:
    def __init__(self, setup=SETUP, book=None):
        self.book, self.now_s, self.moves, self.changed = book or Book(), NOW_S, [], set()
        self.metrics = RoutingMetrics(Metrics().registry)
        self.routing = Routing(
            Router(setup),
            self.book,
            self.metrics,
            lambda transition, at_s: self.moves.append(str(transition)),
            self.changed.update,
        )

    def take(self, fact, interaction=None):
        return self.routing.take(fact, interaction, self.now_s)

    def ready(self, *agents):
        for agent in agents:
            assert not self.take(AgentActed("main", agent, "log_in")).refused
            assert not self.take(AgentActed("main", agent, "ready")).refused

    def joins(self, name, **more):
        return self.take(QueueJoined(f"i-{name}", f"i-{name}.s1", "main", "sales", **more)).facts


@pytest.fixture
def house():
    return House()


def offered(facts):
    (offer,) = [fact for fact in facts if isinstance(fact, OfferMade)]
    return offer


def contact(interaction_id):
    leg = Leg("leg-1", LegRole.CUSTOMER, "n1", since_s=NOW_S)
    return Interaction(interaction_id, "main", "voice", "900", "600", "t", NOW_S, "r1", legs=(leg,))


def test_what_a_fact_changes_is_journaled_with_it(house):
    house.ready("ana")
    offer = offered(house.joins("1"))
    assert (offer.agent_id, offer.device, offer.interaction_id) == ("ana", "main-1001", "i-1")
    last = house.book.written[-1]
    assert isinstance(last.fact, QueueJoined)
    (decided,) = house.book.decisions(OfferDecided)
    assert decided.offer_id == offer.offer_id
    assert {"acd:agent:main/ana", "acd:stay:i-1.s1", "acd:queue:main/sales"} <= {name for name, _ in last.rows}
    assert any(isinstance(command, StartTimer) and command.interaction_id == ROUTER for command in last.commands)
    assert ("agent", "main/ana") in house.changed
    assert any(move.startswith("stay i-1.s1 waiting -> offered") for move in house.moves)


def test_a_colleague_who_cannot_be_rung_is_said_to_be_so_before_the_customer_is_let_go():
    people = {("main", "ana"): ANA, ("main", "eva"): replace(EVA, name="Eva Luz")}
    house = House(replace(SETUP, agents=people))
    hindered = lambda: house.routing.hindered(contact("i-1"), "eva", house.now_s)  # noqa: E731
    no = "Eva Luz cannot be rung now: choose another colleague or a queue"
    assert hindered() == no, "logged out"
    house.take(DeviceChanged("main-1002", True))
    house.ready("eva")
    assert hindered() == ""
    house.take(AgentActed("main", "eva", "not_ready"))
    assert hindered() == no
    house.take(AgentActed("main", "eva", "ready"))
    house.take(OfferAccepted("i-2", offered(house.joins("2")).offer_id))
    assert hindered() == no, "she talks"
    house.take(TalkEnded("i-2", "eva", "customer_hung_up"))
    house.take(WrapUpActed("i-2", "main", "eva", finish=True))
    assert hindered() == ""
    house.take(PhoneUsed("i-3", "main-1002", used=True))
    assert hindered() == no, "she talks with somebody who called her phone"
    house.take(PhoneUsed("i-3", "main-1002", used=False))
    house.take(DeviceChanged("main-1002", False))
    assert hindered() == no, "her phone is gone"
    assert house.routing.hindered(contact("i-1"), "nobody", house.now_s) == ""


def test_her_own_customer_may_be_given_back_to_who_writes_down_what_they_said(house):
    house.take(DeviceChanged("main-1001", True))
    house.ready("ana")
    house.take(OfferAccepted("i-1", offered(house.joins("1")).offer_id))
    house.take(TalkEnded("i-1", "ana", "transferred"))
    assert house.routing.hindered(contact("i-1"), "ana", house.now_s) == ""
    assert house.routing.hindered(contact("i-9"), "ana", house.now_s) != ""


def test_a_row_goes_with_the_stay_that_has_ended(house):
    house.ready("ana")
    offer = offered(house.joins("1"))
    house.take(OfferAccepted("i-1", offer.offer_id))
    assert "acd:stay:i-1.s1" not in house.book.rows
    (ended,) = house.book.decisions(StayEnded)
    assert (ended.how, ended.agent_id) == ("answered", "ana")


def test_what_cannot_be_is_refused_in_words_and_changes_nothing(house):
    consequences = house.take(AgentActed("main", "ana", "ready"))
    assert "log in" in consequences.refused
    assert (house.book.rows, house.changed) == ({}, set())
    assert house.take(AgentActed("main", "nobody", "log_in")).refused


def test_the_journal_tells_what_was_refused_from_what_was_done(house):
    refused = house.take(AgentActed("main", "ana", "ready")).refused
    assert house.book.decisions(Noted) == [Noted("refused", refused)]


def test_a_fault_in_the_router_hurts_only_who_asked(house, monkeypatch, caplog):
    house.ready("ana")
    rows = dict(house.book.rows)
    real = house.routing.router.handle

    def poisoned(fact, now_s):
        if isinstance(fact, QueueJoined) and fact.interaction_id == "i-1":
            raise ZeroDivisionError("poison")
        return real(fact, now_s)

    monkeypatch.setattr(house.routing.router, "handle", poisoned)
    (rejected,) = house.joins("1")
    assert isinstance(rejected, CommandRejected)
    assert (rejected.interaction_id, rejected.subject_id) == ("i-1", "i-1.s1")
    assert [noted.what for noted in house.book.decisions(Noted)][-1:] == ["event_refused"]
    assert house.book.rows == rows
    assert "poison" in caplog.text
    assert offered(house.joins("2")).agent_id == "ana"


def test_a_flow_that_bounces_off_a_queue_is_stopped(house):
    for _ in range(MOST_JOINS_A_SECOND):
        (left,) = house.joins("1")
        assert isinstance(left, QueueLeft)
    (rejected,) = house.joins("1")
    assert isinstance(rejected, CommandRejected)
    assert "somewhere to wait" in rejected.why
    assert isinstance(house.joins("2")[0], QueueLeft), "others are not kept from it"
    house.now_s += 2
    assert isinstance(house.joins("1")[0], QueueLeft)


def test_after_a_restart_everybody_has_her_place_her_work_and_her_presence(house):
    house.ready("ana", "eva")
    first, second = offered(house.joins("1")), offered(house.joins("2"))
    house.take(OfferAccepted("i-1", first.offer_id))
    house.now_s += 5
    for name in ("3", "4", "5"):
        house.joins(name)
    house.take(AgentActed("main", first.agent_id, "not_ready", by="system"))
    house.now_s += 60
    again = House(book=Book())
    again.now_s = house.now_s
    alive = dict.fromkeys(["i-1", "i-2", "i-3", "i-4", "i-5"])
    consequences = again.routing.restore(dict(house.book.rows), alive, again.now_s)
    router = again.routing.router
    assert [router.position(f"i-{n}.s1", again.now_s).position for n in (2, 3, 4, 5)] == [1, 2, 3, 4]
    assert router.view_stay("i-4.s1", again.now_s)["joined_s"] == NOW_S + 5
    talker, ringer = (router.view_agent(("main", offer.agent_id), again.now_s) for offer in (first, second))
    assert (talker["presence"], talker["pending"], talker["looks"]) == ("ready", "not_ready", "talking")
    assert ringer["looks"] == "reserved"
    timers = [command for command in consequences.commands if isinstance(command, StartTimer)]
    assert timers
    due = min(timers, key=lambda command: command.due_s)
    assert due.due_s <= again.now_s, "the offer has rung out meanwhile"
    facts = again.take(TimerFired(ROUTER, due.timer_id)).facts
    assert facts
    assert router.view_agent(("main", second.agent_id), again.now_s)["presence"] == "not_ready"


def test_after_a_restart_whoever_is_gone_waits_no_more_and_wrap_up_goes_on(house):
    house.ready("ana", "eva")
    first, second = offered(house.joins("1")), offered(house.joins("2"))
    house.take(OfferAccepted("i-1", first.offer_id))
    house.take(TalkEnded("i-1", first.agent_id))
    house.take(WrapUpActed("i-1", "main", first.agent_id, text="wants a call"))
    house.joins("3")
    again = House(book=Book())
    again.now_s = house.now_s + 10
    again.routing.restore(dict(house.book.rows), {}, again.now_s)
    looks = {key: again.routing.agent("main", key, again.now_s)["looks"] for key in ("ana", "eva")}
    assert looks == {first.agent_id: "wrap_up", second.agent_id: "ready"}
    assert again.routing.router.stays() == ()
    assert {ended.how for ended in again.book.decisions(StayEnded)} == {"lost"}


def test_a_row_that_cannot_be_read_is_left_out_and_the_rest_serves(house):
    house.ready("ana")
    house.joins("1")
    rows = {**house.book.rows, "acd:agent:main/eva": b"\xc1 no record", "acd:thing:x": b"?"}
    again = House(book=Book())
    again.routing.restore(rows, {"i-1": None}, house.now_s)
    assert again.routing.agent("main", "ana", house.now_s)["looks"] == "reserved"
    assert len([noted for noted in again.book.decisions(Noted) if noted.what == "restore"]) == 2


def test_a_new_setup_moves_nobody(house):
    for name in ("1", "2"):
        if name == "1":
            house.ready("ana")
        house.joins(name)
    setup = replace(SETUP, release_id="r2", queues={("main", "sales"): replace(SALES, wrap_up_s=5.0)})
    house.routing.change(setup, house.now_s + 1)
    assert isinstance(house.book.written[-1].fact, RoutingChanged)
    assert house.routing.setup.release_id == "r2"
    assert house.routing.router.position("i-2.s1", house.now_s).position == 2
    assert house.routing.agent("main", "ana", house.now_s)["looks"] == "reserved"


def test_a_release_without_a_setup_is_refused(house):
    assert "without its queues" in house.take(RoutingChanged("r9")).refused
    assert house.routing.setup.release_id == "r1"


def test_how_a_queue_does_is_told_and_an_unknown_one_has_nobody(house):
    ask = AskQueueStatus("i-1", "q1", "sales")
    assert house.routing.status(ask, "main", NOW_S).status == "no_agents"
    house.ready("ana")
    assert house.routing.status(ask, "main", NOW_S).status == "open"
    assert house.routing.status(replace(ask, queue="nowhere"), "main", NOW_S).status == "no_agents"


def test_which_facts_are_the_routers():
    assert is_routed(DeviceChanged("main-1001", True))
    assert is_routed(TimerFired(ROUTER, "acd:stay:i-1.s1"))
    assert not is_routed(TimerFired("i-1", "t"))
    assert not is_routed(OfferMade("i-1", "s", "o", "ana", "main-1001"))


def test_a_flows_wish_to_wait_says_where_and_in_which_language(house):
    leg = Leg("leg-1", LegRole.CUSTOMER, "n1")
    interaction = Interaction("i-1", "acme", "voice", "900", "600", "t", NOW_S, "r1", legs=(leg,))
    fact = joined_by(Turn(interaction), JoinQueue("i-1", "leg-1", "i-1.s1", "sales", 5, "english >= 3", value=7.0))
    assert (fact.tenant, fact.channel, fact.node, fact.priority, fact.value) == ("acme", "call", "n1", 5, 7.0)
    assert row_name(("stay", fact.stay_id)) == "acd:stay:i-1.s1"


def test_metrics_are_counted_and_looked_up(house):
    house.metrics.watch(lambda: _board(house))
    house.ready("ana", "eva")
    offer = offered(house.joins("1"))
    house.take(OfferAccepted("i-1", offer.offer_id))
    house.take(StayGivenUp("i-2", "unknown"))
    registry = house.metrics._registry
    value = registry.get_sample_value
    assert value("centralita_offers_total", {"tenant": "main", "queue": "sales"}) == 1
    assert value("centralita_queue_stays_total", {"tenant": "main", "queue": "sales", "how": "answered"}) == 1
    assert value("centralita_agents", {"tenant": "main", "looks": "talking"}) == 1
    assert value("centralita_queue_waiting", {"tenant": "main", "queue": "sales"}) == 0


def test_whoever_says_how_many_wait_says_the_same(house):
    house.metrics.watch(lambda: _board(house))
    house.ready("eva")
    for name in ("1", "2", "3"):
        house.joins(name)  # the first rings at Eva's
    house.take(QueueJoined("i-9", "i-9.s1", "main", "sales", purpose="consult"))
    house.ready("ana")
    house.take(QueueJoined("i-8", "i-8.s1", "main", "", agent_id="ana", purpose="consult"))
    house.take(QueueJoined("i-7", "i-7.s1", "main", "sales", agent_id="ana", purpose="transfer"))
    board = house.routing.router.board(house.now_s)
    waiting = sum(queue["waiting"] for queue in board.queues)
    value = house.metrics._registry.get_sample_value
    assert waiting == 3
    assert house.routing.floor()["waiting"] == waiting
    assert value("centralita_queue_waiting", {"tenant": "main", "queue": "sales"}) == waiting
    assert sum(stay["counted"] for stay in board.stays) == waiting


def test_who_is_meant_for_one_agent_takes_nobodys_place(house):
    house.ready("ana")
    house.take(QueueJoined("i-8", "i-8.s1", "main", "sales", agent_id="ana", purpose="transfer"))
    house.now_s += 30.0
    house.joins("1")
    places = {stay["stay_id"]: stay["position"] for stay in house.routing.router.board(house.now_s).stays}
    assert places == {"i-8.s1": 0, "i-1.s1": 1}
    assert house.routing.router.status("main", "sales", house.now_s).longest_wait_s == 0.0


def _board(house):
    board = house.routing.router.board(house.now_s)
    return {"agents": board.agents, "queues": board.queues}


def test_what_is_decided_about_somebody_else_stands_in_her_own_story(house):
    house.ready("ana")
    first = offered(house.joins("1"))
    house.joins("2")
    house.take(OfferAccepted("i-1", first.offer_id))
    house.take(TalkEnded("i-1", "ana"))
    offered(house.take(WrapUpActed("i-1", "main", "ana", text="private", finish=True)).facts)
    cause, about_two = house.book.written[-2:]
    assert [type(decision).__name__ for decision in cause.decisions if not isinstance(decision, Moved)] == ["WorkEnded"]
    assert about_two.fact == RoutingDecided("i-2", len(house.book.written) - 1, "WrapUpActed")
    assert any(isinstance(decision, OfferDecided) for decision in about_two.decisions)
    assert "private" not in str(about_two)


@pytest.mark.parametrize("device", ["main-1001", ""], ids=["named", "of an older release"])
def test_a_phone_is_free_when_what_it_called_is_over(house, device):
    house.take(PhoneUsed("i-1", "main-1001", True))
    leg = Leg("leg-1", LegRole.CUSTOMER, "n1", device=device)
    over = Interaction("i-1", "main", "voice", "900", "1001", "main-1001", NOW_S, "r1", legs=(leg,))
    free = PhoneUsed("i-1", "main-1001", False)
    assert house.routing.put_down(over, []) == [free]
    assert house.routing.put_down(over, [free]) == []
