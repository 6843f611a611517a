"""Whom each strategy offers a contact first."""

from __future__ import annotations

from collections import Counter

import pytest

from acd.setup import Setup
from acd.strategies import STRATEGIES, strategy_of
from core.agent_facts import AgentActed
from core.offer_facts import OfferWithdrawn
from core.queue_facts import StayGivenUp
from core.talk_facts import TalkEnded
from tests.unit.acd.shift import Shift, agent, check, queue, setup

THREE = ("ana", "bea", "cai")


def house(strategy: str, seed: int = 0, **more: object) -> Shift:
    skills = {"ana": {"es": 3, "en": 9}, "bea": {"es": 9}, "cai": {"es": 3}}
    made = setup([agent(name, skills=skills[name]) for name in THREE], [queue(strategy=strategy, **more)])
    return Shift(made, seed)


def rings(shift: Shift, **more: object) -> str:
    """Who is offered one more caller."""
    stay_id = shift.calls(**more)
    return shift.ringing()[stay_id]


def serve(shift: Shift, talk_s: float = 10.0, **more: object) -> str:
    stay_id = shift.calls(**more)
    name = shift.answers(stay_id)
    shift.passes(talk_s)
    shift.hangs_up(stay_id)
    return name


def test_longest_idle_is_who_handled_her_last_contact_longest_ago() -> None:
    shift = house("longest_idle")
    for name in ("cai", "ana", "bea"):
        shift.logs_in(name)
        shift.passes(1.0)
    assert [serve(shift) for _ in range(4)] == ["cai", "ana", "bea", "cai"]


def test_a_reject_does_not_reset_how_long_she_is_idle() -> None:
    shift = house("longest_idle")
    for name in THREE:
        shift.logs_in(name)
        shift.passes(1.0)
    first = shift.calls()
    assert shift.does_not_answer(first, "rejected") == "ana"
    assert shift.ringing() == {first: "bea"}
    assert rings(shift) == "ana"


def test_neither_does_a_break() -> None:
    shift = house("longest_idle")
    for name in THREE:
        shift.logs_in(name)
        shift.passes(1.0)
    shift.do(AgentActed("main", "ana", "not_ready", "lunch"))
    shift.passes(600.0)
    shift.do(AgentActed("main", "ana", "ready"))
    assert serve(shift) == "ana"


def test_most_skilled_in_what_is_asked_for() -> None:
    shift = house("most_skilled", skills="es")
    shift.logs_in(*THREE)
    assert serve(shift) == "bea"


def test_least_skilled_keeps_experts_free() -> None:
    shift = house("least_skilled", skills="es")
    shift.logs_in(*THREE)
    assert serve(shift) == "cai"
    assert [rings(shift) for _ in THREE] == ["cai", "ana", "bea"]


def test_least_occupied_is_who_worked_the_smallest_share_of_her_time() -> None:
    shift = house("least_occupied")
    shift.logs_in("ana", "bea")
    assert serve(shift, 100.0) == "ana"
    assert serve(shift, 30.0) == "bea"
    assert serve(shift, 10.0) == "bea"
    shift.logs_in("cai")
    assert serve(shift, 1.0) == "cai"


def test_round_robin_goes_round_whether_they_answer_or_not() -> None:
    shift = house("round_robin", rona_after=9)
    shift.logs_in(*THREE)
    offered = []
    for n in range(6):
        stay_id = shift.calls()
        if n % 2:
            shift.do(StayGivenUp(stay_id, stay_id))
        else:
            shift.answers(stay_id)
            shift.hangs_up(stay_id)
        offered.append(shift.decided[-1].agent_id)
        shift.passes(1.0)
    assert offered == [*THREE, *THREE]


def test_lots_are_drawn_by_weight_and_come_out_the_same_again() -> None:
    def draws(seed: int) -> list[str]:
        shift = house("weighted_random", seed, skills="es", strategy_options={"by_skill": 1.0})
        shift.logs_in(*THREE)
        return [serve(shift, 1.0) for _ in range(300)]

    drawn = draws(1)
    assert drawn == draws(1) != draws(2)
    # Weights are 1 + level: 4, 10, 4.
    assert 130 < Counter(drawn)["bea"] < 205


def test_several_ring_and_the_first_has_it() -> None:
    shift = house("ring_several", strategy_options={"agents": 2.0})
    shift.logs_in(*THREE)
    stay_id = shift.calls()
    assert [offer.agent_id for offer in shift.offers[stay_id]] == ["ana", "bea"]
    second = shift.offers[stay_id][1]
    check(shift)
    shift.offers[stay_id].reverse()
    assert shift.answers(stay_id) == "bea" == second.agent_id
    assert OfferWithdrawn(stay_id, "c1.o1", "bea was first", answered=True) in shift.log[-1].facts
    assert shift.looks("bea") == "talking"
    assert shift.looks("ana") == "ready"
    assert shift.offers == {}
    check(shift)


def test_when_one_of_several_declines_the_others_go_on_ringing() -> None:
    shift = house("ring_several")
    shift.logs_in(*THREE)
    stay_id = shift.calls()
    assert shift.does_not_answer(stay_id, "rejected") == "ana"
    assert [offer.agent_id for offer in shift.offers[stay_id]] == ["bea", "cai"]
    shift.does_not_answer(stay_id)
    shift.does_not_answer(stay_id)
    check(shift)
    assert shift.router.stay(stay_id).state.value == "waiting"  # type: ignore[union-attr]


def test_ringing_several_takes_nobody_from_another_caller() -> None:
    made = setup(
        [agent(name, None) for name in THREE],
        [queue("all", strategy="ring_several", no_agents="wait"), queue("one", no_agents="wait")],
    )
    asleep = Shift(Setup(queues=made.queues))
    asleep.calls("all")
    asleep.calls("one")
    asleep.heed(asleep.router.change_setup(made, asleep.now_s))
    asleep.logs_in("ana")
    assert asleep.ringing() == {"c1": "ana"}
    asleep.logs_in("bea", "cai")
    assert asleep.ringing() == {"c1": "ana", "c2": "bea"}


def test_the_agent_she_knows_is_waited_for_with_patience() -> None:
    shift = house("longest_idle", patience_s=15.0)
    shift.logs_in(*THREE)
    busy = shift.calls(preferred_agent="bea")
    assert shift.answers(busy) == "bea"
    waits = shift.calls(preferred_agent="bea")
    assert waits not in shift.offers
    shift.passes(14.0)
    assert waits not in shift.offers
    shift.passes(1.0)
    assert shift.ringing()[waits] == "ana"


def test_patience_ends_well_when_she_becomes_free() -> None:
    shift = house("most_skilled", patience_s=15.0)
    shift.logs_in(*THREE)
    busy = shift.calls(preferred_agent="cai")
    shift.answers(busy)
    waits = shift.calls(preferred_agent="cai")
    shift.passes(5.0)
    shift.do(TalkEnded(busy, "cai"))
    assert shift.ringing() == {waits: "cai"}


def test_there_is_no_patience_for_who_is_not_there_or_refused() -> None:
    shift = house("longest_idle", patience_s=15.0)
    shift.logs_in("ana", "bea")
    assert rings(shift, preferred_agent="cai") == "ana"
    asked = shift.calls(preferred_agent="bea")
    assert shift.does_not_answer(asked, "rejected") == "bea"
    shift.hangs_up("c1")
    assert shift.ringing() == {asked: "ana"}


@pytest.mark.parametrize("asked", ["not_ready", "log_out"])
@pytest.mark.parametrize("busy", [True, False])
def test_there_is_no_patience_for_who_is_on_a_break_or_about_to_go(asked: str, busy: bool) -> None:
    shift = house("longest_idle", patience_s=600.0)
    shift.logs_in("ana", "bea")
    if busy:
        shift.answers(shift.calls(preferred_agent="bea"))
    shift.do(AgentActed("main", "bea", asked, "lunch" if asked == "not_ready" else ""))
    assert rings(shift, preferred_agent="bea") == "ana"


def test_patience_ends_when_she_logs_out() -> None:
    shift = house("longest_idle", patience_s=600.0)
    shift.logs_in("ana", "bea")
    shift.answers(shift.calls(preferred_agent="bea"))
    waits = shift.calls(preferred_agent="bea")
    shift.do(AgentActed("main", "bea", "log_out"))
    assert waits not in shift.offers
    shift.hangs_up("c1")
    assert shift.ringing() == {waits: "ana"}


def test_as_a_strategy_the_preferred_agent_comes_first_after_patience_too() -> None:
    shift = house("preferred_agent", patience_s=0.0)
    shift.logs_in(*THREE)
    assert serve(shift, preferred_agent="cai") == "cai"


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_strategy_serves(name: str) -> None:
    shift = house(name)
    shift.logs_in(*THREE)
    assert {serve(shift) for _ in range(9)} <= set(THREE)
    check(shift)


def test_an_unknown_strategy_is_the_longest_idle() -> None:
    assert strategy_of("by_star_sign") is STRATEGIES["longest_idle"]
