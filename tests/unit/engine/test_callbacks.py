"""A caller who hangs up and keeps her place, with the router: called back, ringing back, and never twice at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.router import Router
from acd.setup import Callbacks
from core.agent_facts import AgentActed
from core.callback import CALLBACK_TABLE, CallbackState
from core.commands import RequestCallback, StartTimer
from core.decisions import REQUEST_REFUSED, Noted
from core.events import (
    CallbackRequested,
    CommandRejected,
    DigitPressed,
    LegArrived,
    LegEarlyMedia,
    LegEnded,
    LegRinging,
    LegUp,
    TimerFired,
)
from core.leg import EndReason, LegRole, LegState
from core.leg_commands import AnswerLeg, HangUpLeg, OriginateLeg
from core.line_facts import LineChanged
from core.queue_facts import QueuePosition
from core.routing import RouterFact
from core.talk_facts import SupervisionActed
from engine import callbacks
from engine.away_callers import AwayCallers
from engine.config.outbound import OutboundRule, OutboundRules
from engine.routing_recovery import mend
from ivr.loader import Context, load
from ivr.prompts import Prompt
from tests.unit.engine.talk_case import CALLER, ID, Case, heard, surroundings

HERS, OTHER = "+34600000000", "+34600111222"
FLOWS = {
    "flows/desk.yaml": """
flow: desk
languages: [es]
start: main
nodes:
  main:
    type: menu
    prompt: "Marque 1."
    keys: {"1": sales, "2": away, "3": support}
    no_input: {then: bye}
    no_match: {then: bye}
  sales: {type: queue, queue: sales, keys: {"2": call_me}, next: bye}
  support: {type: queue, queue: support, keys: {"2": call_me}, next: bye}
  away: {type: callback, queue: sales, prompt: "Su número.", confirm: {prompt: "Le llamamos. Marque 1."},
         next: promised, refused: sorry, error: bye}
  call_me: {type: callback, prompt: "Su número.", confirm: {prompt: "Le llamamos. Marque 1."}, next: promised,
            refused: sorry, no_match: {then: sales}, no_input: {then: sales}, error: bye}
  promised: {type: hangup, prompt: "Le llamaremos."}
  sorry: {type: hangup, prompt: "No podemos llamarle."}
  bye: {type: hangup}
""",
}
LATER = Callbacks(attempts=2, retry_s=300.0, expiry_s=86_400.0, ring_s=30.0)
CALLED_FIRST = replace(LATER, first="customer")
ROUTED = set(RouterFact.__args__)


def house(told: Callbacks = LATER, listed: str = "") -> object:
    loaded = load(FLOWS, Context(languages=("es",), queues=frozenset({("main", "sales"), ("main", "support")})))
    assert loaded.release is not None, str(loaded.problems)
    around = surroundings(no_agents="wait", wrap_up_s=0.0)
    queues = {key: replace(queue, callback=told) for key, queue in around.routing.queues.items() if key[1] == "sales"}
    return replace(
        around,
        releases={loaded.release.id: loaded.release},
        release_id=loaded.release.id,
        outbound=OutboundRules(rules=(OutboundRule("mobile", ("+346",), "main-carrier", "+34900"),)),
        routing=replace(around.routing, queues={**around.routing.queues, **queues}),
        listed=lambda tenant, number: listed,
    )


class Together:
    """An interaction and the router: every fact of one is told to the other until both are still."""

    def __init__(self, around: object = None, agents: tuple[str, ...] = ()) -> None:
        self.around = around or house()
        self.case = Case(self.around)
        self.router = Router(self.around.routing)  # type: ignore[attr-defined]
        self.told = 0
        self.timers: dict[str, float] = {}
        self.near: list[str] = []
        for agent_id in agents:
            self.comes(agent_id)

    @property
    def interaction(self):
        return self.case.interaction

    @property
    def callback(self) -> str:
        return self.interaction.callback.state.value if self.interaction.callback else ""

    def comes(self, agent_id: str) -> None:
        for action in ("log_in", "ready"):
            self.route(AgentActed("main", agent_id, action))

    def route(self, fact: object) -> None:
        outcome = self.router.handle(fact, self.case.now_s)
        assert not outcome.refused
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                self.timers[command.timer_id] = command.due_s
            else:
                self.timers.pop(command.timer_id, None)
        for said in outcome.facts:
            self.tell(said)

    def tell(self, *events: object) -> None:
        for event in events:
            before = len(self.case.commands)
            self.case.tell(event)
            for command in self.case.commands[before:]:
                if isinstance(command, RequestCallback):
                    self.tell(CallbackRequested(ID, command.callback_id))
            while self.told < len(self.case.facts):
                fact = self.case.facts[self.told]
                self.told += 1
                if type(fact) in ROUTED:
                    self.route(fact)

    def passes(self, seconds: float) -> None:
        until_s = self.case.now_s + seconds
        while due := [(at_s, timer_id) for timer_id, at_s in self.timers.items() if at_s <= until_s]:
            at_s, timer_id = min(due)
            self.case.now_s = max(self.case.now_s, at_s)
            del self.timers[timer_id]
            self.route(TimerFired("", timer_id))
        self.case.now_s = max(self.case.now_s, until_s)

    # -- what people do
    def waits(self) -> None:
        self.tell(DigitPressed(CALLER, "1"))

    def asks(self) -> None:
        """She asks to be called at the number she calls from."""
        self.tell(DigitPressed(CALLER, "2"), DigitPressed(CALLER, "1"))

    def hangs_up(self) -> None:
        self.tell(LegEnded(self.interaction.customer.leg_id, EndReason.HUNG_UP))

    def agent_answers(self) -> None:
        self.tell(LegUp(self.case.ringing))

    def answers(self) -> None:
        self.tell(LegRinging(self.interaction.customer.leg_id), LegUp(self.interaction.customer.leg_id))

    def does_not_answer(self, reason: EndReason = EndReason.NO_ANSWER) -> None:
        self.tell(LegEnded(self.interaction.customer.leg_id, reason))

    def rings_back(self, leg_id: str = "c2") -> None:
        self.tell(LegArrived(leg_id, "n1", "100", HERS), LegUp(leg_id))

    def calls_to_her(self) -> list[str]:
        dialed = (c for c in self.case.commands if isinstance(c, OriginateLeg))
        return [c.leg_id for c in dialed if c.role is LegRole.CUSTOMER]

    def stay(self):
        (stay,) = self.router.stays()
        return stay

    def work(self, agent_id: str = "ana") -> str:
        work = self.router.assignments(("main", agent_id)).get(ID)
        return work.state.value if work is not None else ""


@pytest.fixture
def away() -> Together:
    """She has waited, asked for a callback and hung up."""
    both = Together()
    both.waits()
    both.asks()
    both.hangs_up()
    return both


def test_she_keeps_her_stay_while_she_agrees_and_when_she_has_hung_up() -> None:
    both = Together()
    both.waits()
    stay_id = both.stay().stay_id
    both.tell(DigitPressed(CALLER, "2"))
    assert (both.stay().mode, both.stay().stay_id) == ("held", stay_id)
    both.tell(DigitPressed(CALLER, "1"))
    assert both.callback == "agreed"
    both.hangs_up()
    assert (both.stay().mode, both.stay().stay_id, both.callback) == ("virtual", stay_id, "waiting")
    assert both.case.state == "callback_waiting"


def test_agent_first_the_agent_hears_it_ring_and_then_they_talk(away: Together) -> None:
    stay_id = away.stay().stay_id
    away.comes("ana")
    assert away.calls_to_her() == []
    away.agent_answers()
    (leg_id,) = away.calls_to_her()
    assert (away.callback, away.work()) == ("calling", "offered")
    dialed = next(c for c in away.case.commands if isinstance(c, OriginateLeg) and c.leg_id == leg_id)
    assert (dialed.endpoint, dialed.caller) == (f"trunk:main-carrier/{HERS}", "+34900")
    away.answers()
    assert (away.callback, away.work(), away.case.state) == ("reached", "active", "connected")
    assert leg_id in away.case.inside()
    assert away.router.stay(stay_id) is None
    away.hangs_up()
    for leg in away.interaction.legs:
        if leg.state is not LegState.ENDED:
            away.tell(LegEnded(leg.leg_id, EndReason.HUNG_UP_BY_US))
    away.case.nothing_is_left()
    assert away.interaction.outcome == "caller_hung_up"


def test_what_cannot_be_while_it_rings_is_refused_and_written_down_as_that(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    assert "is being called" in away.case.act("transfer", "queue:support")
    (noted,) = (each for each in away.case.last.decisions if isinstance(each, Noted))
    assert (noted.what, noted.why.partition(":")[0]) == (REQUEST_REFUSED, "transfer by ana")
    assert "is being called" in away.case.tell(SupervisionActed(ID, "marta", "listen", "main-1003")).refused
    (noted,) = (each for each in away.case.last.decisions if isinstance(each, Noted))
    assert (noted.what, noted.why.partition(":")[0]) == (REQUEST_REFUSED, "listen by marta")


def test_over_a_held_line_the_same(away: Together) -> None:
    away.route(AgentActed("main", "ana", "log_in"))
    away.route(LineChanged("i-l1", "main", "ana", "l1", up=True, node="n1"))
    away.route(AgentActed("main", "ana", "ready"))
    assert len(away.calls_to_her()) == 1
    away.answers()
    assert away.case.inside() == {"l1", away.interaction.customer.leg_id}


def test_who_is_not_reached_keeps_her_place_and_the_agent_is_free(away: Together) -> None:
    stay_id = away.stay().stay_id
    away.comes("ana")
    away.agent_answers()
    agent_leg = next(leg.leg_id for leg in away.interaction.legs if leg.role is LegRole.AGENT)
    away.does_not_answer()
    assert HangUpLeg(agent_leg) in away.case.commands
    away.tell(LegEnded(agent_leg, EndReason.HUNG_UP_BY_US))
    assert (away.callback, away.work(), away.stay().stay_id) == ("waiting", "", stay_id)
    assert away.router.agent(("main", "ana")).presence.value == "ready"
    away.passes(290.0)
    assert away.work() == ""
    away.passes(20.0)
    assert away.work() == "offered"
    away.agent_answers()
    assert len(away.calls_to_her()) == 2
    away.does_not_answer(EndReason.BUSY)
    assert (away.callback, away.interaction.outcome) == ("given_up", "callback_given_up")
    assert away.router.stays() == ()


def test_the_agent_leaves_while_it_rings_and_that_call_does_not_count(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    agent_leg = away.interaction.talk.lead.leg_id
    (hers,) = away.calls_to_her()
    away.tell(LegEnded(agent_leg, EndReason.HUNG_UP))
    assert HangUpLeg(hers) in away.case.commands
    assert away.callback == "calling"
    away.tell(LegUp(hers))  # it crosses our hang-up
    away.tell(LegEnded(hers, EndReason.HUNG_UP_BY_US))
    assert (away.callback, away.interaction.callback.attempts) == ("waiting", 0)
    away.comes("eva")
    away.passes(10.0)
    assert away.work("eva") == "offered"


def test_who_rings_back_has_her_place_on_the_line(away: Together) -> None:
    stay_id = away.stay().stay_id
    away.rings_back()
    assert (away.stay().mode, away.stay().stay_id, away.callback) == ("live", stay_id, "back")
    assert AnswerLeg("c2") in away.case.commands
    away.comes("ana")
    away.agent_answers()
    assert (away.callback, away.work()) == ("reached", "active")
    assert away.calls_to_her() == []
    assert away.case.inside() >= {"c2"}


@pytest.mark.parametrize(
    ("ring_back", "known"),
    [("confirmed", {OTHER}), ("either", {OTHER, HERS}), ("never", set())],
)
def test_whose_number_is_believed_is_the_queues_choice(ring_back: str, known: set[str]) -> None:
    """She called from one number, and confirmed another."""
    both = Together(house(replace(LATER, ring_back=ring_back)))  # type: ignore[arg-type]
    both.waits()
    both.tell(*(DigitPressed(CALLER, digit) for digit in f"22{OTHER.removeprefix('+34')}#1"))
    both.hangs_up()
    assert (both.callback, both.interaction.callback.number) == ("waiting", OTHER)
    away = AwayCallers()
    away.keep(both.interaction, both.around)
    ringing = {number: away.whose(LegArrived("c2", "n1", "100", number), both.around) for number in (HERS, OTHER)}
    assert {number for number, found in ringing.items() if found is not None} == known


def test_a_queue_that_stops_believing_numbers_does_so_at_once(away: Together) -> None:
    callers = AwayCallers()
    callers.keep(away.interaction, away.around)
    rings = LegArrived("c2", "n1", "100", HERS)
    assert callers.whose(rings, away.around) is away.interaction
    assert callers.whose(rings, house(replace(LATER, ring_back="never"))) is None


def test_who_rings_back_while_we_call_her_meets_the_agent_and_the_other_call_ends(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    (ours,) = away.calls_to_her()
    away.rings_back()
    assert HangUpLeg(ours) in away.case.commands
    away.tell(LegEnded(ours, EndReason.HUNG_UP_BY_US))
    assert (away.callback, away.work(), away.case.state) == ("reached", "active", "connected")
    assert away.case.inside() >= {"c2"}


def test_who_rings_back_and_hangs_up_again_waits_on_away(away: Together) -> None:
    away.rings_back()
    away.hangs_up()
    assert (away.callback, away.stay().mode) == ("waiting", "virtual")
    away.comes("ana")
    assert away.work() == ""
    away.passes(301.0)
    assert away.work() == "offered"


def test_customer_first_she_is_called_and_is_the_first_of_the_queue() -> None:
    both = Together(house(CALLED_FIRST))
    both.waits()
    both.asks()
    both.hangs_up()
    both.comes("ana")
    assert (both.callback, both.work()) == ("calling", "")
    both.answers()
    assert both.work() == "offered"
    assert (both.stay().mode, both.stay().head, both.case.state) == ("live", True, "queued")
    both.agent_answers()
    assert (both.callback, both.work()) == ("reached", "active")


def test_without_having_waited_on_the_line() -> None:
    both = Together(agents=("ana",))
    both.asks()
    assert (both.stay().mode, both.callback) == ("held", "agreed")
    both.hangs_up()
    assert both.work() == "offered"


def test_whom_nobody_may_call_is_told_so() -> None:
    both = Together(house(listed="she asked for it"))
    both.waits()
    both.asks()
    assert both.callback == ""
    assert not any(isinstance(c, RequestCallback) for c in both.case.commands)
    both.hangs_up()
    assert both.router.stays() == ()
    assert both.case.state == "closed"


def test_a_number_that_no_rule_allows_is_refused() -> None:
    both = Together(house(replace(LATER, rule="landlines")))
    both.waits()
    both.asks()
    assert both.callback == ""


def test_she_waits_on_the_line_after_all() -> None:
    both = Together()
    both.waits()
    stay_id = both.stay().stay_id
    both.tell(*(DigitPressed(CALLER, digit) for digit in "2777"))
    assert both.stay().stay_id == stay_id
    assert both.stay().mode == "live"
    both.comes("ana")
    both.agent_answers()
    assert (both.work(), both.case.state) == ("active", "connected")


def test_who_hangs_up_while_she_is_asked_for_her_number_has_left() -> None:
    both = Together()
    both.waits()
    both.tell(DigitPressed(CALLER, "2"))
    both.hangs_up()
    assert (both.case.state, both.router.stays()) == ("closed", ())


def test_a_queue_without_callbacks_only_writes_the_request_down() -> None:
    both = Together()
    both.tell(DigitPressed(CALLER, "3"), DigitPressed(CALLER, "2"), DigitPressed(CALLER, "1"))
    assert both.router.stays() == ()
    assert any(isinstance(c, RequestCallback) for c in both.case.commands)
    both.hangs_up()
    assert both.case.state == "closed"


def test_while_the_wait_is_long_she_hears_how_to_be_called_back() -> None:
    around = house()
    texts = around.queue_prompts["main", "sales"]
    offer = replace(texts, ewt=None, position=None, callback=Prompt({"es": "Pulse 2 y le llamamos."}))
    both = Together(replace(around, queue_prompts={("main", "sales"): offer}))
    both.waits()
    stay_id = both.stay().stay_id
    both.tell(QueuePosition(ID, stay_id, 2, 3, 600.0))
    assert heard(both.case) == []
    both.tell(QueuePosition(ID, stay_id, 2, 3, 600.0, callback=True))
    assert heard(both.case) == ["Pulse 2 y le llamamos."]


def test_the_key_works_though_no_callback_is_offered() -> None:
    """She may have heard of it while the wait was longer, or know it from another day."""
    both = Together(house(replace(LATER, min_ewt_s=3600.0)))
    both.waits()
    stay_id = both.stay().stay_id
    both.asks()
    both.hangs_up()
    assert (both.callback, both.stay().mode, both.stay().stay_id) == ("waiting", "virtual", stay_id)


def test_the_promise_expires(away: Together) -> None:
    away.tell(TimerFired(ID, callbacks.EXPIRY))
    assert (away.callback, away.interaction.outcome, away.case.state) == ("expired", "callback_expired", "closed")
    assert away.router.stays() == ()


def test_who_is_listed_meanwhile_is_not_called(away: Together) -> None:
    away.case.around = replace(away.case.around, listed=lambda tenant, number: "Robinson list")
    away.comes("ana")
    away.agent_answers()
    assert (away.calls_to_her(), away.callback, away.interaction.outcome) == ([], "refused", "callback_refused")
    assert away.work() == ""


def test_a_call_that_the_node_refuses_counts_as_one(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    (leg_id,) = away.calls_to_her()
    away.tell(CommandRejected(ID, "7.1", "OriginateLeg", "no trunk", leg_id, leg_id))
    assert (away.callback, away.work()) == ("waiting", "")


def test_her_phone_rings_as_long_as_the_queue_says_from_its_first_ring(away: Together) -> None:
    def armed() -> list[float]:
        return [c.due_s for c in away.case.last.commands if isinstance(c, StartTimer) and c.timer_id == callbacks.RING]

    away.comes("ana")
    away.agent_answers()
    leg_id = away.interaction.customer.leg_id
    away.tell(TimerFired(ID, callbacks.RING))
    assert HangUpLeg(leg_id, EndReason.NO_ANSWER) not in away.case.commands, (
        "it does not ring yet: that was another call"
    )
    away.case.now_s += 4.0
    away.tell(LegRinging(leg_id))
    rings_s = away.interaction.callback.rang_s
    assert armed() == [rings_s + LATER.ring_s]
    away.case.now_s += 1.0
    away.tell(LegEarlyMedia(leg_id))
    assert armed() == [], "once"
    away.tell(TimerFired(ID, callbacks.LOOK))
    assert armed() == [rings_s + LATER.ring_s], "after a restart too"
    away.tell(TimerFired(ID, callbacks.RING))
    assert HangUpLeg(leg_id, EndReason.NO_ANSWER) in away.case.commands
    away.tell(LegEnded(leg_id, EndReason.NO_ANSWER))
    assert (away.callback, away.work()) == ("waiting", "")
    assert away.interaction.callback.rang_s
    away.case.now_s += LATER.retry_s
    away.passes(1.0)
    away.agent_answers()
    assert away.interaction.callback.rang_s == 0.0


def test_after_a_restart_the_promise_is_remembered_and_her_place_too(away: Together) -> None:
    rows = {("stay", away.stay().stay_id): away.router.save(("stay", away.stay().stay_id))}
    for saved in (rows, {}):
        away.router = Router(away.around.routing)
        away.router.restore(saved, away.case.now_s, lambda _: True)
        for fact in list(mend(away.router, [away.interaction], away.case.now_s)):
            away.route(fact) if type(fact) in ROUTED else away.tell(fact)
        assert away.stay().mode == "virtual"
        armed = [c for c in away.case.last.commands if isinstance(c, StartTimer) and c.timer_id == callbacks.EXPIRY]
        assert armed


def test_a_restart_while_she_is_being_called_neither_calls_again_nor_loses_the_agent(away: Together) -> None:
    away.comes("ana")
    away.agent_answers()
    agent = away.interaction.talk.lead.leg_id
    facts = [fact for fact in mend(away.router, [away.interaction], away.case.now_s) if type(fact) in ROUTED]
    assert facts == []
    away.tell(LegEnded(away.interaction.customer.leg_id, EndReason.LOST))
    away.tell(LegEnded(agent, EndReason.HUNG_UP_BY_US))
    assert (away.callback, len(away.calls_to_her()), away.work()) == ("waiting", 1, "")


happenings = st.lists(st.integers(0, 13), min_size=5, max_size=45)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(happenings, st.sampled_from((LATER, CALLED_FIRST)))
def test_whatever_happens_she_has_one_line_at_a_time_and_one_stay_until_the_end(
    day: list[int], told: Callbacks
) -> None:
    both = Together(house(told))
    both.waits()
    stay_id = both.stay().stay_id
    calls = 0
    for what in day:
        if both.interaction.is_closed:
            break
        hers = both.interaction.customer
        legs = [leg for leg in both.interaction.legs if leg.state is not LegState.ENDED]
        match what:
            case 0:
                both.asks()
            case 1 | 2 if hers.state is not LegState.ENDED:
                both.hangs_up()
            case 3:
                both.comes("ana")
            case 4 | 5 if both.interaction.offers:
                both.agent_answers()
            case 6 if hers.leg_id in both.calls_to_her() and hers.state is not LegState.ENDED:
                both.answers()
            case 7 if hers.leg_id in both.calls_to_her() and not hers.is_up and hers.state is not LegState.ENDED:
                both.does_not_answer()
            case 8 if both.interaction.is_away:
                calls += 1
                both.rings_back(f"r{calls}")
            case 9:
                both.passes(305.0)
            case 10:
                both.tell(TimerFired(ID, callbacks.EXPIRY))
            case 11:
                for leg in legs:
                    if HangUpLeg(leg.leg_id) in both.case.commands or leg.role is LegRole.AGENT:
                        both.tell(LegEnded(leg.leg_id, EndReason.HUNG_UP))
                        break
            case 12:
                both.comes("eva")
            case 13 if both.interaction.offers:
                offer_leg = both.interaction.offers[-1].offer_id
                both.tell(LegEnded(offer_leg, EndReason.BUSY))
            case _:
                continue
        _check(both, stay_id)


def _check(both: Together, stay_id: str) -> None:
    hung_up = {c.leg_id for c in both.case.commands if isinstance(c, HangUpLeg)}
    hers = [leg for leg in both.interaction.legs if leg.role is LegRole.CUSTOMER and leg.state is not LegState.ENDED]
    assert sum(leg.leg_id not in hung_up for leg in hers) <= 1, "two lines of hers at once"
    assert len(both.calls_to_her()) == len(set(both.calls_to_her()))
    stay = both.router.stay(stay_id)
    if both.interaction.waiting is not None:
        assert stay is not None, "she waits and the router has forgotten her"
    away = both.interaction.is_away
    if away:
        assert both.interaction.waiting or both.interaction.talk
        assert stay is not None
        assert stay.mode == "virtual"
    if both.interaction.is_closed:
        assert stay is None, "nobody waits, and the router believes so"


def test_the_table_ends_in_each_of_its_ends() -> None:
    reachable = {to for (_, _), to in CALLBACK_TABLE.moves.items()}
    assert reachable == set(CallbackState) - {CallbackState.AGREED}
