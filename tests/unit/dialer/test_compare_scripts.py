"""A test of scripts: who counts, what chance is, and that looking often finds no difference that is not there."""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.lead_record import AttemptRecord
from dialer.compare_scripts import ALPHA, LEAST, Arm, Compared, Tally, multiple, people_needed, split_by_chance
from dialer.compliance.rules import Mode
from dialer.setup import After, Script, ScriptTest
from tests.unit.dialer.house import campaign

TEST = ScriptTest("opening", (Script("classic"), Script("short")), goal=("sold", "interested"))
DISPOSITIONS = {"machine": After("retry", means="machine")}


def attempt(lead: int, script: str, disposition: str = "no", **more: Any) -> AttemptRecord:
    values: dict[str, Any] = {
        "attempt_id": f"a-{lead}",
        "interaction_id": f"i-{lead}",
        "tenant": "main",
        "campaign": "c1",
        "list_id": "l",
        "lead_id": f"lead-{lead}",
        "number": f"+3491{lead:07d}",
        "identity": "",
        "mode": "predictive",
        "state": "completed",
        "dialed_s": 100.0,
        "connected_s": 110.0,
        "ended_s": 150.0,
        "script": f"opening/{script}" if script else "",
        "disposition": disposition,
    }
    return AttemptRecord(**{**values, **more})


def compared(*attempts: AttemptRecord, test: ScriptTest = TEST, mode: Mode = Mode.PREDICTIVE) -> Compared:
    tally = Tally(campaign(mode=mode, script_test=test, dispositions=DISPOSITIONS), test)
    for each in attempts:
        tally.add(each)
    return tally.compared()


def counts(found: Compared) -> list[tuple[int, int, int]]:
    return [(arm.dialed, arm.met, arm.goal) for arm in found.arms]


def people(script: str, met: int, goal: int, first: int = 0) -> list[AttemptRecord]:
    return [attempt(first + number, script, "sold" if number < goal else "no") for number in range(met)]


# -- who counts --------------------------------------------------------------------------------------
def test_leads_are_counted_once_from_their_first_conversation_on() -> None:
    found = compared(
        attempt(1, "classic", "", state="no_answer", connected_s=None),
        attempt(1, "classic", "later"),
        attempt(1, "classic", "sold/new"),
        attempt(2, "short", "interested"),
        attempt(2, "short", "no"),
        attempt(3, "short", "soldier"),
    )
    assert counts(found) == [(1, 1, 1), (2, 2, 1)]


@pytest.mark.parametrize(
    "nobody",
    [
        {"state": "no_answer", "connected_s": None, "disposition": ""},
        {"state": "abandoned", "connected_s": None, "disposition": ""},
        {"state": "customer_hung_up", "connected_s": None, "disposition": ""},
        {"state": "machine", "disposition": ""},
        {"disposition": "machine"},
    ],
)
def test_who_has_not_heard_a_script_was_dialed_and_nothing_else(nobody: dict[str, Any]) -> None:
    assert counts(compared(attempt(1, "classic", **nobody))) == [(1, 0, 0), (0, 0, 0)]


@pytest.mark.parametrize("open_", [{"state": "connected", "ended_s": None, "disposition": ""}, {"disposition": ""}])
def test_who_is_still_talked_with_or_wrapped_up_is_left_out(open_: dict[str, Any]) -> None:
    found = compared(attempt(1, "classic", **open_), attempt(2, "short"))
    assert (counts(found), found.unfinished) == ([(1, 0, 0), (1, 1, 0)], 1)
    assert counts(compared(attempt(1, "classic", **open_), attempt(1, "classic", "sold")))[0] == (1, 1, 1)


def test_where_a_length_is_the_goal_nobody_waits_for_a_disposition() -> None:
    test = ScriptTest("opening", TEST.scripts, talk_s=30.0)
    found = compared(attempt(1, "classic", ""), attempt(2, "short", "", ended_s=139.0), test=test)
    assert (counts(found), found.unfinished) == ([(1, 1, 1), (1, 1, 0)], 0)


def test_in_a_flow_who_stays_is_met() -> None:
    test = ScriptTest("opening", TEST.scripts, talk_s=30.0)
    heard = {"mode": "agentless", "connected_s": None, "answered_s": 110.0, "disposition": ""}
    found = compared(
        attempt(1, "classic", **heard),
        attempt(2, "short", **heard, ended_s=120.0),
        attempt(3, "short", **heard, state="abandoned"),
        test=test,
        mode=Mode.AGENTLESS,
    )
    assert counts(found) == [(1, 1, 1), (2, 1, 0)]


def test_other_tests_scripts_that_are_gone_and_leads_that_changed_theirs() -> None:
    found = compared(
        attempt(1, "", "sold"),
        replace(attempt(2, "", "sold"), script="closing/short"),
        attempt(3, "bold", "sold"),
        attempt(4, "classic", "no"),
        attempt(4, "short", "sold"),
    )
    assert counts(found) == [(1, 1, 1), (0, 0, 0)], "she counts for the script she was drawn for first"
    assert (found.gone, found.crossed, found.sound) == (1, 1, False)


# -- whether lots decided ---------------------------------------------------------------------------
def test_a_split_that_is_none_is_told() -> None:
    even = compared(*people("classic", 1_000, 100), *people("short", 1_040, 100, 5_000))
    assert even.p_dialed == pytest.approx(split_by_chance([1_000, 1_040], [1, 1]))
    assert even.sound
    odd = compared(*people("classic", 1_000, 100), *people("short", 1_200, 240, 5_000))
    assert odd.mismatch
    assert not odd.sound
    unheard = [attempt(9_000 + n, "classic", "", state="no_answer", connected_s=None) for n in range(200)]
    kept_away = compared(*people("classic", 1_000, 100), *people("short", 1_200, 240, 5_000), *unheard)
    assert kept_away.p_dialed == pytest.approx(1.0)
    assert kept_away.mismatch, "as many were dialed, and fewer let through"


def test_a_split_is_judged_by_its_shares_and_not_before_there_are_some() -> None:
    assert split_by_chance([900, 100], [9, 1]) == pytest.approx(1.0)
    assert split_by_chance([900, 100], [1, 1]) == pytest.approx(0.0, abs=1e-9)
    assert split_by_chance([30, 0], [9, 1]) is None
    assert split_by_chance([0, 0], [1, 1]) is None


# -- whether there is a difference --------------------------------------------------------------------
def test_a_large_difference_is_seen_and_a_small_one_is_not() -> None:
    large = compared(*people("classic", 1_000, 200), *people("short", 1_000, 300, 5_000)).arms[1]
    assert large.more == pytest.approx(0.1)
    assert large.differs
    error = sqrt(0.2 * 0.8 / 1_000 + 0.3 * 0.7 / 1_000)
    assert large.more_most - large.more_least == pytest.approx(2 * multiple(2_000) * error)
    assert not compared(*people("classic", 1_000, 200), *people("short", 1_000, 230, 5_000)).arms[1].differs


def test_nothing_is_concluded_from_a_handful() -> None:
    few = compared(*people("classic", 400, LEAST - 1), *people("short", 400, 200, 5_000))
    assert (few.arms[1].more, few.arms[1].differs) == (None, False)


def test_with_three_scripts_both_comparisons_share_the_chance_of_error() -> None:
    three = ScriptTest("opening", (*TEST.scripts, Script("bold")), goal=("sold",))
    pair = [*people("classic", 1_000, 200), *people("short", 1_000, 300, 5_000)]
    one, of_two = compared(*pair).arms[1], compared(*pair, *people("bold", 1_000, 200, 9_000), test=three).arms[1]
    assert of_two.more_least < one.more_least
    assert of_two.more_least == pytest.approx(
        0.1 - multiple(2_000, ALPHA / 2) * sqrt(0.2 * 0.8 / 1_000 + 0.3 * 0.7 / 1_000)
    )


def test_the_range_is_the_published_one() -> None:
    for people_ in (50, 2_000, 300_000):
        r = (-2 * log(ALPHA) + log(-2 * log(ALPHA) + 1)) / 2_000
        margin = sqrt(2 * (people_ * r + 1) / (people_**2 * r) * log(sqrt(people_ * r + 1) / ALPHA))
        assert multiple(people_) == pytest.approx(margin * sqrt(people_))
    assert min(multiple(n) for n in range(1, 20_000, 50)) > 3.0, "wider than 1.96 at every single look"


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.03])
def test_looking_after_every_ten_people_finds_nothing_where_nothing_is(rate: float) -> None:
    """A range for one look would find something in every fourth test."""
    chance, tests, most = np.random.default_rng(7), 400, 4_000
    looks = np.arange(10, most + 1, 10)
    wide = np.array([multiple(int(look)) for look in looks])
    found = found_at_one_look = 0
    for _ in range(tests):
        short, goal = chance.random(most) < 0.5, chance.random(most) < rate
        n1, a = np.cumsum(short)[looks - 1], np.cumsum(short & goal)[looks - 1]
        n0, b = looks - n1, np.cumsum(~short & goal)[looks - 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            p, q = a / n1, b / n0
            errors = np.abs(p - q) / np.sqrt(p * (1 - p) / n1 + q * (1 - q) / n0)
        enough = np.minimum.reduce([a, n1 - a, b, n0 - b]) >= LEAST
        found += bool((enough & (errors > wide)).any())
        found_at_one_look += bool((enough & (errors > 1.96)).any())
    assert found / tests <= ALPHA
    assert found_at_one_look / tests > 0.2


cells = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: (max(pair), min(pair)))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(cells, cells)
def test_ranges_hold_what_was_seen(first: tuple[int, int], second: tuple[int, int]) -> None:
    arm: Arm = compared(*people("classic", *first), *people("short", *second, 5_000)).arms[1]
    if arm.more is not None:
        assert -1.0 <= arm.more_least <= arm.more <= arm.more_most <= 1.0


# -- how many it takes -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("more", "half", "most"), [(0.02, 6960, 16_892), (0.03, 3090, 7681), (0.05, 1335, 2780), (0.1, 490, 910)]
)
def test_it_takes_about_as_many_people_as_virtual_tests_did(more: float, half: int, most: int) -> None:
    """As `python -m bench.script_test` has them."""
    assert people_needed(0.1, more) == (pytest.approx(half, rel=0.15), pytest.approx(most, rel=0.15))


@given(st.floats(0.01, 0.9), st.floats(0.1, 0.9), st.integers(1, 9))
def test_a_smaller_difference_an_unequal_split_and_more_scripts_take_more(rate: float, part: float, share: int) -> None:
    more = part * min(rate, 1 - rate) * 0.9
    half, most = people_needed(rate, more)
    assert half <= most
    assert people_needed(rate, more / 2)[0] >= half
    assert people_needed(rate, more, alpha=ALPHA / 2)[0] >= half
    assert people_needed(rate, more, (share, 1))[1] >= LEAST


def test_without_agents_who_left_before_she_chose_has_not_reached_the_goal() -> None:
    flow = {"mode": "agentless", "connected_s": 110.0}
    left = [replace(each, **flow, disposition="") for each in people("classic", 3, 0)]
    chose = [replace(each, **flow) for each in people("short", 2, 1, first=10)]
    with_agent = replace(chose[0], **flow, lead_id="other", disposition="", agent_id="ana")
    found = compared(*left, *chose, with_agent, mode=Mode.AGENTLESS)
    assert counts(found) == [(3, 3, 0), (3, 2, 1)]
    assert found.unfinished == 1, "the agent writes up yet"
