"""Who is served first."""

from __future__ import annotations

from acd import order
from acd.setup import Relaxation, ServiceLevel
from tests.unit.acd.shift import Shift, agent, queue, setup


def served(shift: Shift, *ready: str) -> list[str]:
    """Everybody who waits, in the order in which one agent gets them."""
    shift.logs_in(*ready)
    found = []
    while shift.offers:
        (stay_id,) = shift.offers
        found.append(stay_id)
        shift.answers(stay_id)
        shift.hangs_up(stay_id)
    return found


def test_who_came_first_is_served_first_in_whichever_queue_she_waits() -> None:
    shift = Shift(setup([agent("ana", None)], [queue("sales", no_agents="wait"), queue("support", no_agents="wait")]))
    for name in ("support", "sales", "sales", "support"):
        shift.calls(name)
        shift.passes(1.0)
    assert served(shift, "ana") == ["c1", "c2", "c3", "c4"]


def test_a_step_of_priority_is_worth_a_minute_of_waiting() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait", service_level=ServiceLevel(within_s=1.0))]))
    shift.calls()
    shift.passes(order.PRIORITY - 1)
    shift.calls(priority=1)
    shift.passes(2.0)
    shift.calls(priority=1)
    shift.passes(2.0)
    assert served(shift, "ana") == ["c2", "c1", "c3"]


def test_time_waited_elsewhere_counts() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait")]))
    shift.calls()
    shift.passes(10.0)
    shift.calls(waited_s=11.0)
    assert served(shift, "ana") == ["c2", "c1"]


def test_who_is_about_to_miss_the_target_goes_before_who_has_time() -> None:
    quick = queue("quick", no_agents="wait", service_level=ServiceLevel(within_s=20.0))
    slow = queue("slow", no_agents="wait", service_level=ServiceLevel(within_s=300.0))
    shift = Shift(setup([agent("ana", None)], [quick, slow]))
    shift.calls("slow")
    shift.passes(5.0)
    shift.calls("quick")
    shift.passes(12.0)
    assert served(shift, "ana") == ["c2", "c1"]


def test_who_missed_the_target_is_not_put_behind_who_may_still_make_it() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait")]))
    shift.calls()
    shift.passes(30.0)
    shift.calls()
    shift.passes(17.5)
    assert served(shift, "ana") == ["c1", "c2"]


def test_a_good_customer_goes_ahead_where_the_queue_says_so() -> None:
    shift = Shift(setup([agent("ana", None)], [queue("a", no_agents="wait", value_weight=1.0), queue("b")]))
    shift.calls("a", value=10.0)
    shift.calls("a", value=90.0)
    assert served(shift, "ana") == ["c2", "c1"]


def test_without_ageing_priority_alone_decides() -> None:
    level = ServiceLevel(within_s=1.0)
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait", ageing=0.0, service_level=level)]))
    shift.calls()
    shift.passes(3600.0)
    shift.calls(priority=1)
    shift.calls(priority=1)
    shift.passes(5.0)
    assert served(shift, "ana") == ["c2", "c3", "c1"]


def test_a_relaxation_may_raise_priority() -> None:
    relaxed = queue(no_agents="wait", relaxations=(Relaxation(60.0, "", priority=5),))
    shift = Shift(setup([agent("ana")], [relaxed]))
    shift.calls()
    shift.passes(58.0)
    shift.calls(priority=4)
    shift.passes(1.0)
    assert shift.router.position("c1", shift.now_s).position == 2  # type: ignore[union-attr]
    shift.passes(1.0)
    assert served(shift, "ana") == ["c1", "c2"]


def test_positions_are_the_order_in_which_they_are_served() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait")]))
    for priority in (0, 2, 1, 0, 1):
        shift.calls(priority=priority)
        shift.passes(3.0)
    places = {stay.stay_id: shift.router.position(stay.stay_id, shift.now_s) for stay in shift.router.stays()}
    in_order = sorted(places, key=lambda stay_id: places[stay_id].position)  # type: ignore[union-attr]
    assert in_order == served(shift, "ana")


def test_the_offer_says_who_would_have_been_next() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait")]))
    shift.calls()
    shift.calls()
    shift.passes(7.0)
    shift.logs_in("ana")
    (decided,) = shift.decided
    assert (decided.stay_id, decided.ahead_of) == ("c1", "c2")
    assert decided.rank == {"priority": 0.0, "value": 0.0, "urgency": 0.0, "ageing": 7.0}
