"""An agent without a screen: who she is, what she may, and how often a PIN may be wrong."""

from math import inf

import pytest

from acd.records import Stay
from acd.setup import AgentSetup, NotReadyReason, QueueSetup, Setup
from core.agent_facts import AgentActed, WrapUpActed
from core.commands import AskAgent
from core.decisions import FloorSteered
from core.leg import Leg, LegRole
from core.line_facts import LineChanged
from core.queue_facts import MOST_PRIORITY, QueueActed, StayActed
from core.talk_facts import SupervisorCalled
from engine.agent_phone import LOCKED_S, WRONG_PINS, AgentPhone
from engine.interaction import Interaction, Turn
from engine.supervisor_phone import write_down

ANA = AgentSetup("main", "ana", "Ana", device="main-1001", code="11", pin="4321", supervises=True)
EVA = AgentSetup("main", "eva", "Eva", code="12", pin="")
OTHER = AgentSetup("acme", "ana", "Another Ana", code="11", pin="9999")
SETUP = Setup(
    agents={(each.tenant, each.agent_id): each for each in (ANA, EVA, OTHER)},
    queues={("main", "sales"): QueueSetup("main", "sales")},
    reasons={("main", "lunch"): NotReadyReason("lunch", digits="2")},
)
DEVICES = frozenset({"main-1001", "main-1002"})
NOW_S = 1_767_225_600.0


class Desk:
    def __init__(self):
        self.done, self.work, self.refusal = [], [], ""
        self.at = {"main-1001": ("main", "ana")}
        self.waiting = {}
        self.phone = AgentPhone(self.at.get, self.view, lambda queue, below: self.waiting.get((*queue, below)))

    def view(self, tenant, agent_id, now_s):
        return {"presence": "ready", "reason": "", "looks": "ready", "queues": ["sales"], "assignments": self.work}

    def act(self, fact):
        self.done.append(fact)
        return self.refusal

    def asks(self, action, entry="main-1001", now_s=NOW_S, **more):
        leg = Leg("leg-1", LegRole.CUSTOMER, "n1")
        interaction = Interaction("i-1", "main", "voice", "*45", "1001", entry, NOW_S, "r1", legs=(leg,))
        command = AskAgent("i-1", "r-1", "leg-1", action, **more)
        return self.phone.answer(command, interaction, SETUP, DEVICES, self.act, now_s)


@pytest.fixture
def desk():
    return Desk()


def test_her_own_phone_says_who_she_is(desk):
    answer = desk.asks("log_in")
    assert answer.ok
    assert (answer.request_id, answer.values["agent_id"], answer.values["queue_count"]) == ("r-1", "ana", "1")
    assert desk.done == [AgentActed("main", "ana", "log_in", device="main-1001")]


def test_who_is_logged_in_there_goes_before_whose_phone_it_is(desk):
    desk.at["main-1001"] = ("main", "eva")
    desk.asks("ready")
    assert desk.done == [AgentActed("main", "eva", "ready")]


def test_a_phone_of_nobody_and_a_caller_from_outside_are_asked_who_they_are(desk):
    for entry in ("main-1002", "main-carrier", "main-1001x", ""):
        answer = desk.asks("ready", entry)
        assert not answer.ok
        assert "PIN" in answer.why
    assert desk.done == []


def test_code_and_pin_serve_at_any_phone_and_from_outside(desk):
    assert desk.asks("log_in", "main-1002", agent_id="11", pin="4321").ok
    assert desk.asks("ready", "main-carrier", agent_id="ANA", pin="4321").ok
    assert desk.done == [AgentActed("main", "ana", "log_in", device="main-1002"), AgentActed("main", "ana", "ready")]


@pytest.mark.parametrize(("agent_id", "pin"), [("11", "9999"), ("11", ""), ("12", ""), ("99", ""), ("", "4321")])
def test_a_wrong_pin_no_pin_and_nobody_are_told_the_same(desk, agent_id, pin):
    answer = desk.asks("ready", "main-1002", agent_id=agent_id, pin=pin)
    assert not answer.ok
    assert desk.done == []
    assert "wrong" in answer.why or "no agent's" in answer.why


def test_after_wrong_pins_even_the_right_one_waits(desk):
    for _ in range(WRONG_PINS):
        desk.asks("ready", "main-carrier", agent_id="11", pin="0000")
    assert "too many" in desk.asks("ready", "main-1002", agent_id="11", pin="4321").why
    assert desk.asks("ready", "main-1001").ok, "her own phone needs no PIN"
    assert desk.asks("ready", "main-1002", NOW_S + LOCKED_S + 1, agent_id="11", pin="4321").ok


def test_one_phone_cannot_try_everybody(desk):
    for n in range(WRONG_PINS):
        desk.asks("ready", "main-1002", agent_id=f"9{n}", pin="0000")
    assert "too many" in desk.asks("ready", "main-1002", agent_id="11", pin="4321").why
    assert desk.asks("ready", "main-carrier", agent_id="11", pin="4321").ok


def test_a_reason_and_a_disposition_are_keyed_by_their_digits(desk):
    desk.work = [{"interaction_id": "i-7", "queue": "sales", "state": "wrap_up"}]
    desk.asks("not_ready", value="2")
    desk.asks("disposition", value="11")
    desk.asks("finish_wrap_up")
    assert desk.done == [
        AgentActed("main", "ana", "not_ready", "lunch"),
        WrapUpActed("i-7", "main", "ana", disposition="11"),
        WrapUpActed("i-7", "main", "ana", finish=True),
    ]


def test_without_work_there_is_nothing_to_write_down(desk):
    desk.work = [{"interaction_id": "i-7", "queue": "sales", "state": "offered"}]
    assert "no wrap-up" in desk.asks("finish_wrap_up").why
    assert "no contact" in desk.asks("disposition", value="11").why
    assert desk.done == []


def test_the_line_is_told_and_a_refusal_comes_back_in_words(desk):
    desk.refusal = "log in first"
    answer = desk.asks("hold_line")
    assert (answer.ok, answer.why) == (False, "log in first")
    assert desk.done == [LineChanged("i-1", "main", "ana", "leg-1", up=True, node="n1")]


def test_a_supervisor_hears_the_agent_of_her_tenant_who_talks(desk):
    desk.work = [{"interaction_id": "i-6", "state": "wrap_up"}, {"interaction_id": "i-7", "state": "held"}]
    answer = desk.asks("supervise", value="12")
    assert (answer.ok, answer.values["followed"], answer.values["conversation"]) == (True, "eva", "i-7")
    assert desk.done == [SupervisorCalled("i-7", "ana", "leg-1", "i-1", "n1", "main-1001")]
    assert desk.asks("supervise", "main-carrier", agent_id="11", pin="4321", value="Eva").ok, "from anywhere"


@pytest.mark.parametrize(
    ("who", "value", "state", "refusal", "code"),
    [
        ("eva", "11", "active", "", "not_supervisor"),
        ("ana", "99", "active", "", "no_agent"),
        ("ana", "", "active", "", "no_agent"),
        ("ana", "12", "wrap_up", "", "nobody"),
        ("ana", "12", "offered", "", "nobody"),
        ("ana", "12", "active", "nobody talks with this caller right now", "nobody"),
        ("ana", "12", "active", "@sue follows this conversation already", "taken"),
        ("ana", "11", "active", "you are in this conversation yourself", "yourself"),
        ("ana", "12", "active", "this contact is over", "other"),
    ],
)
def test_who_cannot_listen_is_told_why(desk, who, value, state, refusal, code):
    desk.at["main-1001"] = ("main", who)
    desk.work, desk.refusal = [{"interaction_id": "i-7", "state": state}], refusal
    answer = desk.asks("supervise", value=value)
    assert (answer.ok, answer.values["refusal"], answer.values["agent_id"]) == (False, code, who)
    assert answer.why


# -- the floor, by a supervisor's phone
@pytest.mark.parametrize(
    ("action", "value", "fact"),
    [
        ("close_queue", "sales", QueueActed("main", "sales", "close")),
        ("open_queue", "sales", QueueActed("main", "sales", "open")),
        ("queue_by_hours", "sales", QueueActed("main", "sales", "by_hours")),
        ("force_ready", "12", AgentActed("main", "eva", "ready", by="supervisor")),
        ("force_not_ready", "Eva", AgentActed("main", "eva", "not_ready", by="supervisor")),
        ("force_log_out", "12", AgentActed("main", "eva", "log_out", by="supervisor")),
    ],
)
def test_a_supervisor_steers_the_floor(desk, action, value, fact):
    answer = desk.asks(action, value=value)
    assert (answer.ok, answer.values["refusal"]) == (True, "")
    assert desk.done == [fact]
    turn = Turn(Interaction("i-1", "main", "voice", "*47", "1001", "main-1001", NOW_S, "r1"))
    write_down(turn, answer)
    kind, _, name = answer.values["steered"].partition(" ")
    assert (kind, name) == (("queue", "sales") if "queue" in action else ("agent", "eva"))
    asked = type(fact).__name__
    assert turn.decisions == [FloorSteered("main", "ana", asked, f"{kind} {name}", fact.action, "main-1001")]


@pytest.mark.parametrize(
    ("action", "value", "refusal"),
    [("close_queue", "saels", "no_queue"), ("force_ready", "77", "no_agent"), ("force_ready", "", "no_agent")],
)
def test_of_what_is_not_there_nothing_is_steered(desk, action, value, refusal):
    answer = desk.asks(action, value=value)
    assert (answer.ok, answer.values["refusal"], desk.done) == (False, refusal, [])


@pytest.mark.parametrize(
    ("action", "below", "asked"),
    [
        ("prioritise_longest", MOST_PRIORITY, {"action": "prioritise", "priority": MOST_PRIORITY}),
        ("move_longest", inf, {"action": "move", "queue": "support"}),
    ],
)
def test_who_has_waited_longest_is_served_first_or_moved(desk, action, below, asked):
    desk.waiting["main", "sales", below] = Stay("s-7", "i-7", "main", "sales", NOW_S, 1)
    answer = desk.asks(action, value="sales", to="support")
    assert answer.ok
    assert desk.done == [StayActed("i-7", "s-7", "main", by="ana", **asked)]
    turn = Turn(Interaction("i-1", "main", "voice", "*47", "1001", "main-1001", NOW_S, "r1"))
    write_down(turn, answer)
    told = FloorSteered("main", "ana", "StayActed", "interaction i-7", asked["action"], "main-1001")
    assert turn.decisions == [told]


@pytest.mark.parametrize(("queue", "refusal"), [("sales", "nobody_waits"), ("saels", "no_queue")])
def test_where_nobody_waits_nobody_is_moved(desk, queue, refusal):
    answer = desk.asks("move_longest", value=queue, to="support")
    assert (answer.ok, answer.values["refusal"], desk.done) == (False, refusal, [])


def test_what_the_router_refuses_is_told_and_written_down(desk):
    desk.refusal = "log in first"
    answer = desk.asks("force_ready", value="12")
    assert (answer.why, answer.values["refusal"]) == ("log in first", "other")
    turn = Turn(Interaction("i-1", "main", "voice", "*47", "1001", "main-1001", NOW_S, "r1"))
    write_down(turn, answer)
    assert [each.refused for each in turn.decisions] == ["log in first"]


@pytest.mark.parametrize("action", ["close_queue", "force_log_out"])
def test_who_does_not_supervise_steers_nothing(desk, action):
    desk.at["main-1001"] = ("main", "eva")
    answer = desk.asks(action, value="sales" if action == "close_queue" else "11")
    assert (answer.ok, answer.values["refusal"], desk.done) == (False, "not_supervisor", [])


def test_an_agents_own_requests_are_not_in_the_audit_log(desk):
    turn = Turn(Interaction("i-1", "main", "voice", "*45", "1001", "main-1001", NOW_S, "r1"))
    write_down(turn, desk.asks("ready"))
    assert turn.decisions == []
