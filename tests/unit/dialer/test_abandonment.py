"""Abandoned calls in exact counts, and what a detector's errors add to them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.compliance import rules
from dialer.compliance.abandonment import (
    NO_LIMIT,
    Counts,
    Reviewed,
    Tally,
    bounds,
    clopper_pearson_upper,
    spare_of,
    wilson,
)
from dialer.compliance.rules import Scope
from tests.unit.dialer.law_case import DAY_S, abandonment, at, source

START_S = at("2026-11-01 09:00", "America/New_York")
THREE = Fraction(3, 100)


@pytest.mark.parametrize(
    ("live", "abandoned", "spare"),
    [(0, 0, 0), (32, 0, 0), (33, 0, 1), (97, 0, 3), (100, 3, 0), (100, 4, 0), (1000, 20, 10)],
)
def test_how_many_more_may_be_abandoned(live: int, abandoned: int, spare: int) -> None:
    counts = Counts(live, abandoned)
    assert spare_of(counts, THREE) == spare
    assert Fraction(abandoned + spare, max(1, live + spare)) <= max(THREE, counts.ratio)


def test_three_percent_is_three_in_a_hundred() -> None:
    tally = Tally((abandonment(3),), START_S)
    for _ in range(100):
        tally = tally.answered(START_S)
    for _ in range(3):
        tally = tally.abandoned(START_S)
    (standing,) = tally.standing(START_S)
    assert standing.ratio == THREE
    assert standing.holds
    assert not tally.abandoned(START_S).standing(START_S)[0].holds


def test_each_thirty_days_begin_anew() -> None:
    tally = Tally((abandonment(3),), START_S)
    for _ in range(97):
        tally = tally.answered(START_S)
    last, first = START_S + 30 * DAY_S - 1, START_S + 30 * DAY_S
    assert tally.spare(last) == 3
    assert tally.spare(first) == 0
    assert [standing.counts.live for standing in tally.standing(last)] == [97]
    assert tally.standing(first)[0].from_s == first


def test_the_first_limit_to_be_reached_is_the_limit() -> None:
    day = rules.Abandonment(source("day"), Scope(), THREE, rules.Window("day", time_zone="Europe/London"))
    tally = Tally((abandonment(3), day), START_S)
    for n in range(200):
        tally = tally.answered(START_S + n)
    tomorrow = START_S + DAY_S
    assert tally.spare(START_S) == 6
    assert tally.spare(tomorrow) == 0, "a new day has nothing to spare yet, whatever the month has"


def test_a_day_is_a_day_where_it_is_counted() -> None:
    window = rules.Window("day", time_zone="Europe/London")
    start, end = bounds(window, 0.0, at("2026-10-25 12:00", "Europe/London"))
    assert end - start == 25 * 3600
    start, end = bounds(window, 0.0, at("2026-03-29 12:00", "Europe/London"))
    assert end - start == 23 * 3600


def test_an_abandonment_counts_where_its_answer_does() -> None:
    tally = Tally((abandonment(100, 1),), START_S).answered(START_S + DAY_S - 1)
    tally = tally.abandoned(START_S + DAY_S + 1, answered_s=START_S + DAY_S - 1)
    assert tally.standing(START_S + DAY_S - 1)[0].counts == Counts(1, 1)
    assert tally.standing(START_S + DAY_S + 1)[0].counts == Counts()


def test_without_a_limit_nothing_limits() -> None:
    assert Tally((), START_S).answered(START_S).spare(START_S) == NO_LIMIT


# -- what detectors get wrong -----------------------------------------------------------------------
def tally_with_machines(reviewed: Reviewed) -> Tally:
    tally = Tally((abandonment(3),), START_S, reviewed)
    for _ in range(1000):
        tally = tally.answered(START_S)
    for _ in range(500):
        tally = tally.taken_for_machine(START_S)
    return tally


def test_people_taken_for_machines_are_added_with_their_uncertainty() -> None:
    (standing,) = tally_with_machines(Reviewed(2, 1000)).standing(START_S)
    assert standing.estimated == pytest.approx(1.0)
    assert standing.at_worst == 4  # 500 × 0.63%, rounded up
    assert standing.ratio_at_worst == Fraction(4, 1004)
    assert standing.spare == spare_of(Counts(1004, 4), THREE) == 26
    assert standing.ratio == 0
    assert standing.holds


def test_more_listening_leaves_more_to_spare() -> None:
    spares = [tally_with_machines(Reviewed(0, sample)).spare(START_S) for sample in (0, 100, 1000, 100_000)]
    assert spares == sorted(spares)
    assert spares[0] == 0, "a detector nobody has measured may have been wrong every time"


@pytest.mark.parametrize(
    ("hits", "sample", "upper"),
    [(0, 10, 0.2589), (1, 10, 0.3942), (5, 100, 0.1023), (2, 1000, 0.00628), (10, 10, 1.0), (0, 0, 1.0)],
)
def test_clopper_pearson_as_in_the_tables(hits: int, sample: int, upper: float) -> None:
    assert clopper_pearson_upper(hits, sample, 0.95) == pytest.approx(upper, abs=5e-4)


def test_clopper_pearson_agrees_with_the_beta_distribution() -> None:
    beta = pytest.importorskip("scipy.stats").beta
    for hits, sample in ((0, 30), (3, 50), (17, 2000), (250, 10_000)):
        assert clopper_pearson_upper(hits, sample, 0.95) == pytest.approx(beta.ppf(0.95, hits + 1, sample - hits))


def test_wilson() -> None:
    assert wilson(10, 100) == pytest.approx((0.0552, 0.1744), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="11 of 10 is no share"):
        wilson(11, 10)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_upper_bound_is_above_what_was_seen(pair: tuple[int, int]) -> None:
    hits, sample = pair
    assert hits / sample <= clopper_pearson_upper(hits, sample) <= 1.0
    low, high = wilson(hits, sample)
    assert 0.0 <= low <= hits / sample + 1e-12
    assert hits / sample - 1e-12 <= high <= 1.0
