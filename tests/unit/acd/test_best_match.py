"""The best pairs at once, as many as possible, and nobody left behind for it."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acd.records import Agent, Stay
from acd.setup import AgentSetup, QueueSetup, ServiceLevel
from acd.skills import Requirement
from acd.strategies import best_match
from acd.strategies.strategy import Sought
from tests.unit.acd.shift import START_S, Shift, agent, check, queue, setup


def house(people: dict[str, dict[str, int]], **more: object) -> Shift:
    more = {"service_level": ServiceLevel(within_s=100_000.0), **more}
    lines = [queue(strategy="best_match", no_agents="wait", **more)]
    return Shift(setup([agent(name, skills=known) for name, known in people.items()], lines))


def at_once(people: dict[str, dict[str, int]], *asks: str, **more: object) -> tuple[Shift, dict[str, str]]:
    """All agents become free for all callers in one instant: who rings for the n-th caller (`c<n>`)."""
    made = house(people, **more).router.setup
    asleep = replace(made, agents={key: replace(who, queues=frozenset()) for key, who in made.agents.items()})
    shift = Shift(asleep)
    shift.logs_in(*people)
    for ask in asks:
        shift.calls(skills=ask)
    shift.heed(shift.router.change_setup(made, shift.now_s))
    check(shift)
    return shift, shift.ringing()


def test_one_caller_gets_who_knows_most() -> None:
    shift = house({"ana": {"es": 2}, "bea": {"es": 9}}, skills="es")
    shift.logs_in("ana", "bea")
    assert shift.calls() == "c1"
    assert shift.ringing() == {"c1": "bea"}


def test_an_agent_who_becomes_free_goes_to_whom_she_suits_a_little_before_who_was_first() -> None:
    shift = house({"ana": {"es": 10}})
    first = shift.calls()
    shift.passes(20.0)
    second = shift.calls(skills="es")
    shift.logs_in("ana")
    assert shift.ringing() == {second: "ana"}
    assert shift.decided[-1].ahead_of == first
    check(shift)


def test_but_never_to_who_came_much_later() -> None:
    shift = house({"ana": {"es": 10}})
    first = shift.calls()
    shift.passes(36.0)
    shift.calls(skills="es")
    shift.logs_in("ana")
    assert shift.ringing() == {first: "ana"}


def test_a_step_of_priority_outweighs_every_fit() -> None:
    shift = house({"ana": {"es": 10}})
    shift.calls(skills="es")
    urgent = shift.calls(priority=1)
    shift.logs_in("ana")
    assert shift.ringing() == {urgent: "ana"}


def test_what_would_have_been_ten_seconds_later_goes_by_pairs_too() -> None:
    shift = house({"ana": {"es": 10}}, wrap_up_s=20.0)
    shift.logs_in("ana")
    shift.answers(shift.calls())
    first = shift.calls()
    shift.passes(5.0)
    second = shift.calls(skills="es")
    shift.hangs_up("c1")
    shift.passes(15.0)
    for stay_id, agent_id, ahead in ((first, "", (second,)), (second, "ana", ())):
        later = shift.router.counterfactual(stay_id, shift.now_s)
        assert later is not None
        assert (later.agent_id, later.ahead) == (agent_id, ahead)
    shift.passes(5.0)
    assert shift.ringing() == {second: "ana"}


def test_several_at_once_get_the_best_pairs() -> None:
    people = {"ana": {"es": 9, "en": 8}, "bea": {"es": 8, "en": 1}}
    _, ringing = at_once(people, "es", "en")
    assert ringing == {"c1": "bea", "c2": "ana"}


def test_as_many_as_possible_are_served() -> None:
    """By the order alone the first would take ana, whom the second needs."""
    people = {"ana": {"es": 9, "fr": 1}, "bea": {"fr": 1}}
    _, ringing = at_once(people, "fr or es >= 9", "es")
    assert ringing == {"c1": "bea", "c2": "ana"}


def test_who_is_passed_over_is_told_and_goes_on_waiting() -> None:
    shift, ringing = at_once({"ana": {"es": 9}}, "", "es", "")
    assert ringing == {"c2": "ana"}
    assert shift.decided[-1].ahead_of == "c1"
    assert shift.answers("c2") == "ana"
    shift.hangs_up("c2")
    assert shift.ringing() == {"c1": "ana"}


def test_options_are_points() -> None:
    shift = house({"ana": {"es": 10}}, strategy_options={"skill": 0.0, "idle": 0.0})
    first = shift.calls()
    shift.passes(1.0)
    shift.calls(skills="es")
    shift.logs_in("ana")
    assert shift.ringing() == {first: "ana"}


def test_a_hard_caller_among_easy_ones_without_end_is_served_in_time() -> None:
    """Every 10 s comes somebody whom ana suits perfectly; who asks for nothing waits 35 s more than she would."""
    shift = house({"ana": {"es": 10}})
    shift.logs_in("ana")
    shift.calls(skills="es")
    shift.answers("c1")
    shift.calls()
    rang = []
    for _ in range(12):
        shift.calls(skills="es")
        shift.passes(10.0)
        shift.hangs_up(next(iter(shift.router.assignments(("main", "ana")))))
        ((stay_id, _),) = shift.ringing().items()
        rang.append(stay_id)
        shift.answers(stay_id)
    assert rang.index("c2") <= 5
    assert rang.count("c2") == 1


asked = st.sampled_from(("", "es", "es >= 3 and en", "fr or es"))
known = st.dictionaries(st.sampled_from(("es", "en", "fr")), st.integers(0, 10))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(asked, st.floats(0.0, 90.0), st.sets(st.integers(0, 3))), min_size=1, max_size=5),
    st.lists(known, min_size=4, max_size=4),
    st.floats(0.0, 60.0),
    st.integers(1, 4),
)
def test_no_other_pairing_is_better_and_nobody_is_passed_over_by_more_than_the_bound(
    contacts: list[tuple[str, float, set[int]]], people: list[dict[str, int]], skill: float, free: int
) -> None:
    line = QueueSetup("main", "sales", strategy="best_match", strategy_options={"skill": skill, "idle": 5.0})
    roster = [Agent("main", f"a{n}", idle_since_s=START_S - 60.0 * n) for n in range(4)]
    setups = [AgentSetup("main", f"a{n}", skills=levels) for n, levels in enumerate(people)]
    wanted = []
    for n, (ask, score, able) in enumerate(contacts):
        stay = Stay(f"s{n}", f"i{n}", "main", "sales", START_S, n)
        mask = sum(1 << number for number in able if number < free)
        wanted.append((Sought(stay, line, Requirement.parse(ask), START_S, 0), score, mask))

    def worth(pairs: list[tuple[int, int]]) -> tuple[int, float]:
        fits = (best_match.key(roster[n], setups[n], wanted[row][0])[0] for row, n in pairs)
        return len(pairs), sum(wanted[row][1] for row, _ in pairs) - sum(fits)

    found = best_match.assign(wanted, range(free), roster, setups)
    assert all(wanted[row][2] >> n & 1 for row, n in found)
    assert len({n for _, n in found}) == len({row for row, _ in found}) == len(found)
    ways = [
        [(row, n) for row, n in enumerate(way) if n is not None and wanted[row][2] >> n & 1]
        for way in permutations([*range(free), *[None] * len(wanted)], len(wanted))
    ]
    most, best = max(worth(way) for way in ways)
    assert worth(found) == (most, pytest.approx(best))
    in_order = max(sum(contacts[row][1] for row, _ in way) for way in ways if len(way) == most)
    assert in_order - sum(contacts[row][1] for row, _ in found) <= len(found) * best_match.reach(line) + 1e-6
