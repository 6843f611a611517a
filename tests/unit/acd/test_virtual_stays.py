"""Callers who hang up and keep their places: offered, called first, held, and never lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acd.setup import Callbacks
from core.agent_facts import AgentActed
from core.decisions import StayEnded
from core.errors import EventRefused
from core.events import QueueLeft
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferTaken,
)
from core.queue_facts import (
    QueueJoined,
    StayGivenUp,
    StayTurned,
    TurnNear,
)
from tests.unit.acd.shift import START_S, Shift, agent, check, queue, setup


def house(*names: str, **more: object) -> Shift:
    callback = more.pop("callback", Callbacks())
    return Shift(
        setup([agent(name) for name in names or ("ana",)], [queue(no_agents="wait", callback=callback, **more)])
    )


def turns(shift: Shift, stay_id: str, mode: str, **more: object) -> None:
    shift.do(StayTurned(stay_id, stay_id, mode, **more))  # type: ignore[arg-type]


def near(shift: Shift) -> list[str]:
    """Who was to be called, so far."""
    return [fact.stay_id for outcome in shift.log for fact in outcome.facts if isinstance(fact, TurnNear)]


def test_who_hangs_up_is_offered_at_her_place() -> None:
    shift = house()
    first, second = shift.calls(), shift.calls()
    turns(shift, first, "held")
    turns(shift, first, "virtual")
    check(shift)
    assert shift.router.places(("main", "sales"), shift.now_s) == {first: 1, second: 2}
    shift.logs_in("ana")
    assert shift.ringing() == {first: "ana"}
    assert shift.answers(first) == "ana"
    assert shift.ends == {first: ["answered"]}


def test_the_time_she_was_away_is_told_apart_from_the_time_on_the_line() -> None:
    shift = house()
    stay_id, on_the_line = shift.calls(), shift.calls()
    shift.passes(20.0)
    turns(shift, stay_id, "held")
    shift.passes(10.0)
    turns(shift, stay_id, "virtual")
    shift.passes(100.0)
    turns(shift, stay_id, "virtual", again_s=shift.now_s + 50.0)
    shift.passes(200.0)
    turns(shift, stay_id, "live")
    shift.passes(40.0)
    turns(shift, stay_id, "virtual")
    shift.passes(5.0)
    shift.logs_in("ana")
    shift.answers(stay_id)
    shift.hangs_up(stay_id)
    shift.answers(on_the_line)
    ended = {end.stay_id: end for outcome in shift.log for end in outcome.decisions if isinstance(end, StayEnded)}
    assert ended[stay_id].virtual
    assert ended[stay_id].virtual_s == pytest.approx(305.0)
    assert ended[stay_id].waited_s == pytest.approx(375.0)
    assert (ended[on_the_line].virtual, ended[on_the_line].virtual_s) == (False, 0.0)


def test_while_she_agrees_nobody_is_offered_her_and_her_place_is_kept() -> None:
    shift = house("ana", "eva")
    first, second = shift.calls(), shift.calls()
    turns(shift, first, "held")
    shift.logs_in("ana")
    assert shift.ringing() == {second: "ana"}
    check(shift)
    turns(shift, first, "live")
    shift.logs_in("eva")
    assert shift.ringing() == {first: "eva", second: "ana"}


def test_an_offer_is_taken_back_when_she_begins_to_agree() -> None:
    shift = house()
    shift.logs_in("ana")
    stay_id = shift.calls()
    turns(shift, stay_id, "held")
    assert shift.ringing() == {}
    assert shift.looks("ana") == "ready"
    turns(shift, stay_id, "virtual")
    assert shift.ringing() == {stay_id: "ana"}
    check(shift)


def test_a_customer_who_is_not_reached_keeps_her_place_and_the_agent_her_good_name() -> None:
    shift = house()
    shift.logs_in("ana")
    stay_id = shift.calls()
    later = shift.calls()
    offer = shift.offers[stay_id][0]
    turns(shift, stay_id, "virtual")
    shift.do(OfferTaken(stay_id, offer.offer_id, shift.now_s + 60.0))
    shift.passes(45.0)
    assert shift.looks("ana") == "ringing"
    turns(shift, stay_id, "virtual", again_s=shift.now_s + 300.0)
    shift.do(OfferFailed(stay_id, offer.offer_id, "no_customer"))
    assert shift.ringing() == {later: "ana"}
    check(shift)
    shift.answers(later)
    shift.hangs_up(later)
    assert shift.ringing() == {}
    shift.passes(300.0)
    assert shift.ringing() == {stay_id: "ana"}
    assert shift.router.agent(("main", "ana")).ronas == 0  # type: ignore[union-attr]


def told(shift: Shift, stay_id: str) -> tuple[str, str]:
    """Why Ana does not have it, and the last that is said of it."""
    found = shift.router.explain(stay_id, shift.now_s)
    assert found is not None
    return found.agents[0].excluded, found.paragraph().partition("Nobody can take it: ")[2]


def test_why_nobody_is_offered_who_waits_to_be_called() -> None:
    shift = house(callback=Callbacks(hours=Office(START_S + 900.0)))
    shift.logs_in("ana")
    shift.do(AgentActed("main", "ana", "not_ready", "lunch"))
    stay_id = shift.calls()
    turns(shift, stay_id, "held")
    assert told(shift, stay_id) == ("agreeing", "1 not asked while the customer agrees on a callback.")
    turns(shift, stay_id, "virtual")
    why = "1 not asked before the customer may be called. She is called in 900 s at the earliest."
    assert told(shift, stay_id) == ("called_later", why)
    turns(shift, stay_id, "virtual", again_s=START_S + 1000.0)
    assert told(shift, stay_id)[1].endswith("She is called in 1000 s at the earliest.")
    shift.passes(1000.0)
    assert told(shift, stay_id) == ("not_ready:lunch", "1 on a pause.")
    turns(shift, stay_id, "virtual", first="customer")
    assert told(shift, stay_id) == ("callback", "1 called only when the customer is on the line.")


def test_nobody_reports_on_a_customer_being_called_and_the_agent_is_let_go() -> None:
    shift = house()
    shift.logs_in("ana")
    stay_id = shift.calls()
    turns(shift, stay_id, "virtual")
    shift.do(OfferTaken(stay_id, shift.offers[stay_id][0].offer_id, shift.now_s + 60.0))
    shift.passes(61.0)
    assert shift.looks("ana") == "not_ready"
    check(shift)


@dataclass(frozen=True)
class Office:
    """Open from the tenth minute on."""

    opens_s: float = START_S + 600.0

    def is_open(self, now_s: float) -> bool:
        return now_s >= self.opens_s

    def changes_at(self, now_s: float) -> float:
        return self.opens_s if now_s < self.opens_s else now_s + 86_400.0


def test_customers_are_called_in_the_hours_for_it() -> None:
    shift = house(callback=Callbacks(hours=Office()))
    shift.logs_in("ana")
    shift.do(QueueJoined("c", "c", "main", "sales", mode="held"))
    turns(shift, "c", "virtual")
    shift.passes(599.0)
    assert shift.ringing() == {}
    shift.passes(1.0)
    assert shift.ringing() == {"c": "ana"}


def test_a_closed_queue_a_longest_wait_and_an_empty_house_do_not_end_her_wait() -> None:
    shift = house(max_wait_s=60.0)
    shift.logs_in("ana")
    shift.do(AgentActed("main", "ana", "not_ready", "lunch"))
    stay_id = shift.calls()
    turns(shift, stay_id, "virtual")
    shift.do(AgentActed("main", "ana", "log_out"))
    shift.passes(4000.0)
    check(shift)
    assert shift.ends == {}
    shift.logs_in("ana")
    assert shift.ringing() == {stay_id: "ana"}


def test_customer_first_she_is_called_when_an_agent_could_have_her_and_is_the_first_when_she_answers() -> None:
    shift = house("ana", "eva")
    first, second, third = shift.calls(), shift.calls(), shift.calls()
    for stay_id in (first, second):
        turns(shift, stay_id, "virtual", first="customer")
    shift.logs_in("ana")
    assert near(shift) == [first]
    assert shift.ringing() == {third: "ana"}
    turns(shift, first, "live", head=True)
    shift.calls(waited_s=500.0)
    shift.hangs_up(third)
    assert shift.ringing() == {first: "ana"}
    check(shift)


def test_customer_first_another_is_called_when_one_was_not_reached() -> None:
    shift = house("ana")
    first, second = shift.calls(), shift.calls()
    for stay_id in (first, second):
        turns(shift, stay_id, "virtual", first="customer")
    shift.logs_in("ana")
    assert near(shift) == [first]
    turns(shift, first, "virtual", first="customer", again_s=shift.now_s + 300.0)
    assert near(shift) == [first, second]
    check(shift)


def test_customer_first_she_is_called_before_an_agent_is_free_when_the_wait_is_known() -> None:
    shift = house("ana", callback=Callbacks(ahead_s=60.0))
    shift.logs_in("ana")
    for _ in range(4):
        served = shift.calls()
        shift.answers(served)
        waits = shift.calls()
        shift.passes(50.0)
        shift.hangs_up(served)
        shift.answers(waits)
        shift.passes(50.0)
        shift.hangs_up(waits)
    shift.calls()
    shift.answers(f"c{shift._count}")
    stay_id = shift.calls()
    turns(shift, stay_id, "virtual", first="customer")
    shift.passes(60.0)
    assert near(shift) == [stay_id]
    check(shift)


steps = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 5), st.sampled_from((0.0, 1.0, 40.0, 300.0))), max_size=60
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps, st.sampled_from(("agent", "customer")), st.sampled_from(("longest_idle", "best_match", "ring_several")))
@pytest.mark.parametrize("restart", [False, True])
def test_whatever_happens_nobody_is_lost_and_the_order_is_kept(
    restart: bool, day: list[tuple[int, int, float]], first: str, strategy: str
) -> None:
    shift = house("ana", "eva", strategy=strategy)
    for n, (what, which, after_s) in enumerate(day):
        shift.passes(after_s)
        known = sorted(shift.router._floor.stays)
        stay_id = known[which % len(known)] if known else "nobody"
        offer = next(iter(shift.offers.get(stay_id, [])), OfferMade(stay_id, stay_id, "x", "ana", ""))
        before = _ranks(shift)
        was = shift.router.stay(stay_id)
        loses_the_head = was is not None and was.head
        try:
            _happen(shift, what, stay_id, offer, first)
        except EventRefused:
            continue
        check(shift)
        if 2 <= what <= 5 and not loses_the_head:
            after = [each for each in _ranks(shift) if each in before]
            assert after == [each for each in before if each in after], "turning a stay moves nobody"
        if restart and n == len(day) // 2:
            _restart(shift)
    for stay_id in tuple(shift.router._floor.stays):
        shift.do(StayGivenUp(stay_id, stay_id, "callback"))
    assert shift.ends.keys() == shift.joined.keys()
    assert all(len(ends) == 1 for ends in shift.ends.values())


def _ranks(shift: Shift) -> list[str]:
    return list(shift.router.places(("main", "sales"), shift.now_s))


def _happen(shift: Shift, what: int, stay_id: str, offer: OfferMade, first: str) -> None:
    match what:
        case 0:
            shift.calls()
        case 1:
            shift.logs_in("ana", "eva")
        case 2:
            turns(shift, stay_id, "held")
        case 3:
            turns(shift, stay_id, "virtual", first=first)
        case 4:
            turns(shift, stay_id, "virtual", first=first, again_s=shift.now_s + 300.0)
        case 5:
            turns(shift, stay_id, "live")
        case 6:
            turns(shift, stay_id, "live", head=True)
        case 7:
            shift.do(OfferTaken(stay_id, offer.offer_id, shift.now_s + 60.0))
        case 8:
            shift.do(OfferAccepted(stay_id, offer.offer_id))
        case 9:
            shift.do(OfferFailed(stay_id, offer.offer_id, "no_customer"))
        case 10:
            shift.hangs_up(stay_id)
        case 11:
            shift.do(OfferFailed(stay_id, offer.offer_id, "rejected"))


def _restart(shift: Shift) -> None:
    made = shift.router.setup
    shift.router = type(shift.router)(made)
    shift.timers.clear()
    shift.heed(shift.router.restore(shift.rows, shift.now_s, lambda _: True))
    check(shift)


def test_who_was_called_back_teaches_nothing_about_waiting() -> None:
    shift = house()
    shift.logs_in("ana")
    for _ in range(12):
        shift.calls()
        shift.calls()
        for n in (1, 0):
            shift.answers(f"c{shift._count - n}")
            shift.passes(30.0)
            shift.hangs_up(f"c{shift._count - n}")
    pace = shift.router._floor.queues["main", "sales"].pace
    known = (pace.gap_s, pace.gap_deviation_s, pace.last_wait_s, pace.scores)
    assert pace.answers > 5
    shift.do(AgentActed("main", "ana", "not_ready", "lunch"))
    stay_id = shift.calls()
    turns(shift, stay_id, "virtual")
    shift.passes(40_000.0)
    shift.do(AgentActed("main", "ana", "ready"))
    shift.answers(stay_id)
    shift.hangs_up(stay_id)
    assert (pace.gap_s, pace.gap_deviation_s, pace.last_wait_s, pace.scores) == known


def test_boards_show_who_is_away() -> None:
    shift = house()
    first = shift.calls()
    shift.calls()
    turns(shift, first, "virtual")
    view = shift.router.view_queue(("main", "sales"), shift.now_s)
    assert view is not None
    assert (view["waiting"], view["virtual"]) == (2, 1)
    stay = shift.router.view_stay(first, shift.now_s)
    assert stay is not None
    assert (stay["mode"], stay["position"]) == ("virtual", 1)
    assert ("queue", "main/sales") in shift.log[-1].changed


def test_a_removed_queue_tells_where_she_goes_on() -> None:
    shift = house()
    stay_id = shift.calls()
    turns(shift, stay_id, "virtual")
    shift.heed(shift.router.change_setup(setup([agent("ana")], [queue("other")]), shift.now_s))
    assert shift.left == {stay_id: QueueLeft(stay_id, stay_id, "overflowed", "")}
