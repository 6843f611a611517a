"""A supervisor moves who waits to another queue, and gives her another priority: her time stays hers, and what cannot
be is refused in words."""

from __future__ import annotations

from math import inf

import pytest

from acd.router import Router
from acd.setup import Callbacks
from acd.turn import RoutingOutcome
from core.decisions import StayChanged
from core.events import QueueLeft
from core.offer_facts import OfferAccepted, OfferTaken, OfferWithdrawn
from core.queue_facts import (
    MOST_PRIORITY,
    QueueActed,
    QueueJoined,
    StayActed,
    StayPrioritised,
    StayTurned,
)
from tests.unit.acd.shift import Shift, agent, check, queue, setup


def house(**more: object) -> Shift:
    """Ana sells, Eva bills; nobody is there yet."""
    billing = {"no_agents": "wait", **more}
    return Shift(
        setup([agent("ana"), agent("eva", ("billing",))], [queue(no_agents="wait"), queue("billing", **billing)])
    )


def move(shift: Shift, stay_id: str, to: str = "billing", **more: str) -> RoutingOutcome:
    about = {"tenant": "main", "interaction_id": stay_id, **more}
    return shift.do(StayActed(stay_id=stay_id, action="move", queue=to, **about))  # type: ignore[arg-type]


def moved(shift: Shift, stay_id: str, to: str = "billing") -> str:
    """She joins there as her interaction makes her; the new stay."""
    stay = shift.router.stay(stay_id)
    assert stay is not None
    waited_s, priority = shift.now_s - stay.began_s, stay.priority
    assert not move(shift, stay_id, to).refused
    left = shift.left[stay_id]
    assert (left.outcome, left.target) == ("overflowed", to)
    again = f"{stay_id}-{to}"
    shift.do(QueueJoined(stay_id, again, "main", to, waited_s=waited_s, priority=priority))
    check(shift)
    return again


def prioritise(shift: Shift, stay_id: str, priority: int) -> RoutingOutcome:
    return shift.do(StayActed(stay_id, stay_id, "main", "prioritise", priority=priority, by="@sue"))


def test_who_is_moved_is_served_there_by_all_the_time_she_has_waited() -> None:
    shift = house()
    first = shift.calls()
    shift.passes(30.0)
    there = shift.calls("billing")
    shift.passes(10.0)
    again = moved(shift, first)
    assert shift.router.places(("main", "billing"), shift.now_s) == {again: 1, there: 2}
    shift.logs_in("eva")
    assert shift.ringing() == {again: "eva"}
    shift.passes(5.0)
    shift.answers(again)
    assert (shift.ends[first], shift.ends[again]) == (["overflowed"], ["answered"])


def test_who_came_earlier_there_is_not_overtaken() -> None:
    shift = house()
    there = shift.calls("billing")
    shift.passes(30.0)
    again = moved(shift, shift.calls())
    assert shift.router.places(("main", "billing"), shift.now_s) == {there: 1, again: 2}


def test_what_rings_for_her_stops_in_the_same_event_and_counts_against_nobody() -> None:
    shift = house()
    shift.logs_in("ana")
    stay_id, next_one = shift.calls(), shift.calls()
    offer = shift.offers[stay_id][0]
    outcome = move(shift, stay_id)
    kinds = [type(fact) for fact in outcome.facts]
    assert kinds[:2] == [OfferWithdrawn, QueueLeft], "her phone stops before she joins elsewhere"
    assert shift.ringing() == {next_one: "ana"}, "and she is offered who is next"
    assert shift.ends == {stay_id: ["overflowed"]}
    late = shift.do(OfferAccepted(stay_id, offer.offer_id))
    assert [fact.offer_id for fact in late.facts if isinstance(fact, OfferWithdrawn)] == [offer.offer_id]
    check(shift)


def test_each_queues_day_counts_her_once_and_her_target_is_the_second_ones() -> None:
    shift = house()
    shift.logs_in("eva")
    stay_id = shift.calls()
    shift.passes(40.0)
    again = moved(shift, stay_id)
    shift.answers(again)
    assert shift.today() == {"offered": 1, "overflowed": 1}
    assert shift.today("billing") == {"offered": 1, "answered": 1}, "40 s are past the target of 20"
    view = shift.router.view_queue(("main", "sales"), shift.now_s)
    assert view is not None
    assert view["today"]["service_level"] is None, "who was moved is for and against nothing in the queue she left"


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("nowhere", "there is no queue nowhere"),
        ("", "there is no queue "),
        ("sales", "this contact waits in sales already"),
    ],
)
def test_a_queue_she_cannot_go_to(to: str, said: str) -> None:
    shift = house()
    stay_id = shift.calls()
    assert move(shift, stay_id, to).refused == said
    assert shift.router.stay(stay_id) is not None
    check(shift)


def test_what_would_turn_her_away_there_refuses_the_request_instead() -> None:
    shift = house(no_agents="leave", max_waiting=1)
    stay_id = shift.calls()
    assert move(shift, stay_id).refused == "nobody who could serve this contact in billing is logged in"
    shift.logs_in("eva")
    shift.do(QueueActed("main", "billing", "close"))
    assert move(shift, stay_id).refused == "queue billing is closed: open it first"
    shift.do(QueueActed("main", "billing", "open"))
    shift.calls("billing")
    assert move(shift, stay_id).refused == "queue billing is full"
    shift.hangs_up("c2")
    assert not move(shift, stay_id).refused


def test_who_is_served_gone_moved_or_of_another_tenant_is_not_there() -> None:
    shift = house()
    shift.logs_in("ana")
    talks, left, gone = shift.calls(), shift.calls(), shift.calls()
    shift.answers(talks)
    shift.hangs_up(left)
    moved(shift, gone)
    for stay_id in (talks, left, gone, "nobody"):
        assert "nobody waits here any more" in move(shift, stay_id, "sales").refused
        assert "nobody waits here any more" in prioritise(shift, stay_id, 3).refused
    waits = shift.calls()
    assert "nobody waits here" in move(shift, waits, tenant="acme").refused
    assert "nobody waits here" in move(shift, waits, interaction_id="c1").refused


def test_who_is_meant_for_one_agent_and_a_colleague_are_left_alone() -> None:
    shift = house()
    shift.logs_in("ana")
    shift.do(QueueJoined("i", "person", "main", agent_id="ana"))
    shift.do(QueueJoined("j", "colleague", "main", "sales", purpose="consult"))
    for stay_id, interaction_id in (("person", "i"), ("colleague", "j")):
        refused = shift.do(StayActed(interaction_id, stay_id, "main", "prioritise", priority=3)).refused
        assert refused == "only customers who wait in a queue can be moved or given a priority"


def test_a_priority_is_taken_at_once_and_told_to_her_interaction() -> None:
    shift = house()
    first, second = shift.calls(), shift.calls()
    shift.passes(10.0)
    outcome = prioritise(shift, second, 1)
    assert outcome.facts == [StayPrioritised(second, second, 1)]
    assert outcome.decisions == [StayChanged(second, second, "@sue", priority=1, before=0)]
    assert shift.router.places(("main", "sales"), shift.now_s) == {second: 1, first: 2}
    check(shift)
    assert not prioritise(shift, second, 1).decisions, "asked for again, nothing changes"
    shift.logs_in("ana")
    assert shift.ringing() == {second: "ana"}
    assert prioritise(shift, second, 0).facts == [StayPrioritised(second, second, 0)]
    assert shift.ringing() == {second: "ana"}, "what rings goes on ringing"
    shift.does_not_answer(second)
    shift.logs_in("ana")
    assert shift.ringing() == {first: "ana"}, "and when it comes back it stands where the new priority puts it"
    check(shift)


@pytest.mark.parametrize("priority", [-1, 1001])
def test_a_priority_has_bounds(priority: int) -> None:
    shift = house()
    assert prioritise(shift, shift.calls(), priority).refused == "a priority is a number from 0 to 1000"


def test_who_has_waited_longest_on_the_line_is_known() -> None:
    shift = house(callback=Callbacks())
    assert shift.router.longest(("main", "sales"), inf) is None
    away(shift)
    first, second = shift.calls(), shift.calls(waited_s=500.0)
    longest = shift.router.longest
    assert [stay.stay_id for stay in (longest(("main", "sales"), inf),) if stay] == [second]
    prioritise(shift, second, MOST_PRIORITY)
    assert [stay.stay_id for stay in (longest(("main", "sales"), MOST_PRIORITY),) if stay] == [first]
    assert longest(("main", "billing"), inf) is None
    assert longest(("acme", "sales"), inf) is None


def test_a_restart_in_between_keeps_it_all() -> None:
    shift = house()
    first, second, third = shift.calls(), shift.calls(), shift.calls()
    shift.passes(20.0)
    prioritise(shift, second, 2)
    again = moved(shift, third)
    before = shift.router.board(shift.now_s).stays
    shift.router = Router(shift.router.setup)
    shift.heed(shift.router.restore(shift.rows, shift.now_s, lambda _: True))
    assert shift.router.board(shift.now_s).stays == before
    assert {stay["stay_id"] for stay in before} == {first, second, again}
    check(shift)


# -- who is called back --------------------------------------------------------------------------------
def away(shift: Shift, **more: object) -> str:
    """She has hung up, and is called back."""
    stay_id = shift.calls()
    for mode in ("held", "virtual"):
        shift.do(StayTurned(stay_id, stay_id, mode, **more))  # type: ignore[arg-type]
    return stay_id


def test_a_promise_goes_to_another_queue_that_calls_back_and_not_earlier_than_was_said() -> None:
    shift = house(callback=Callbacks())
    stay_id = away(shift, again_s=shift.now_s + 300.0)
    shift.do(QueueActed("main", "billing", "close"))
    assert not move(shift, stay_id).refused, "closing time does not end a promise"
    assert shift.left[stay_id] == QueueLeft(stay_id, stay_id, "overflowed", "billing", shift.now_s + 300.0)


def test_a_queue_that_calls_nobody_back_does_not_get_who_was_promised_it() -> None:
    shift = house()
    stay_id = away(shift)
    refused = move(shift, stay_id).refused
    assert refused == "queue billing calls nobody back, and this customer was promised it: choose another"
    shift.do(StayTurned(stay_id, stay_id, "live"))
    assert move(shift, stay_id).refused == refused, "nor when she has rung back: she may hang up again"


def test_while_she_agrees_or_is_called_she_is_not_moved() -> None:
    shift = house(callback=Callbacks())
    stay_id = shift.calls()
    shift.do(StayTurned(stay_id, stay_id, "held"))
    assert move(shift, stay_id).refused.startswith("the customer is agreeing on a callback")
    assert not prioritise(shift, stay_id, 4).refused
    shift.do(StayTurned(stay_id, stay_id, "virtual"))
    shift.logs_in("ana")
    shift.do(OfferTaken(stay_id, shift.offers[stay_id][0].offer_id, shift.now_s + 60.0))
    assert move(shift, stay_id).refused.startswith("the customer is being called back right now")
    assert shift.ringing() == {stay_id: "ana"}


def test_who_is_called_first_is_looked_at_anew_with_another_priority() -> None:
    shift = house(callback=Callbacks(first="customer"))
    first, second = away(shift, first="customer"), away(shift, first="customer")
    prioritise(shift, second, 5)
    check(shift)
    shift.logs_in("ana")
    called = [stay.stay_id for stay in shift.router.stays() if stay.called]
    assert called == [second]
    assert "called back right now" in move(shift, second).refused
    assert first in shift.router.places(("main", "sales"), shift.now_s)
