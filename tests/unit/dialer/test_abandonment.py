"""Abandoned calls in exact counts, and what a detector's errors add to them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dialer.compliance import rules
from dialer.compliance.abandonment import (
    NO_LIMIT,
    Counts,
    Reviewed,
    Tally,
    bounds,
    spare_of,
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
