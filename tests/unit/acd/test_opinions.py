"""Figures of surveys: by hand, and how often the intervals hold what they promise."""

from __future__ import annotations

import math
from itertools import product

import pytest

from acd.opinions import Opinions, nps_interval


def of(kind: str, scores: str) -> Opinions:
    opinions = Opinions(kind)
    for score in scores.split():
        opinions.count(asked=True, answered=True, score=int(score))
    return opinions


def test_csat_is_a_mean_and_the_share_of_four_and_five() -> None:
    csat = of("csat", "5 5 4 3 1")
    assert (csat.answers, csat.mean, csat.value) == (5, 3.6, 60.0)
    assert csat.interval == pytest.approx((23.07, 88.24), abs=0.01)


def test_nps_is_promoters_less_detractors() -> None:
    nps = of("nps", "10 9 9 8 7 6 0 10")
    assert (nps.promoters, nps.detractors, nps.value, nps.mean) == (4, 2, 25.0, None)
    low, high = nps.interval or (0.0, 0.0)
    # (4.75 - 2.75) / 11, and 1.96 times the root of its variance over 11
    middle, half = 2 / 11, 1.959964 * math.sqrt((7.5 / 11 - (2 / 11) ** 2) / 11)
    assert (low, high) == pytest.approx((100 * (middle - half), 100 * (middle + half)))


def test_yes_and_no() -> None:
    assert of("yes_no", "1 1 0 1").value == 75.0
    assert of("yes_no", "0 0").value == 0.0


def test_nobody_has_no_opinion() -> None:
    for kind in ("csat", "nps", "yes_no"):
        nobody = Opinions(kind)
        assert (nobody.value, nobody.mean, nobody.interval, nobody.response_percent) == (None, None, None, None)


def test_the_response_rate_is_of_those_of_whom_it_is_known_that_they_were_asked() -> None:
    csat = Opinions("csat")
    csat.count(asked=True, answered=True, score=5, times=3)
    csat.count(asked=True, answered=False, score=None)
    csat.count(asked=False, answered=True, score=1, times=4)
    assert (csat.asked, csat.replied, csat.unasked, csat.answers) == (4, 3, 4, 7)
    assert csat.response_percent == 75.0


def test_an_answer_without_a_score_was_given_and_is_in_no_figure() -> None:
    csat = Opinions("csat")
    csat.count(asked=True, answered=True, score=None)
    assert (csat.response_percent, csat.answers, csat.value) == (100.0, 0, None)


def test_adding_up_is_counting_together() -> None:
    both = of("nps", "10 3")
    both.add(of("nps", "8 8 10"))
    assert both == of("nps", "10 3 8 8 10")


def test_the_ends_of_an_interval_are_possible_figures() -> None:
    assert of("csat", "1").interval[0] == 0.0
    assert of("csat", "5").interval[1] == pytest.approx(100.0)
    for number in (1, 2, 3):
        assert nps_interval(number, 0, number)[1] == 100.0
        assert nps_interval(0, number, number)[0] == -100.0


@pytest.mark.parametrize("promoters", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("detractors", [0.1, 0.3])
@pytest.mark.parametrize("number", [10, 40])
def test_intervals_hold_what_they_promise(promoters: float, detractors: float, number: int) -> None:
    """Exactly: the chance of every possible outcome whose interval has the truth in it."""
    held = sum(
        _chance(ups, downs, number, promoters, detractors)
        for ups, downs in product(range(number + 1), repeat=2)
        if ups + downs <= number and _within(100 * (promoters - detractors), nps_interval(ups, downs, number))
    )
    assert 0.92 < held < 1.0001


def _within(value: float, interval: tuple[float, float]) -> bool:
    return interval[0] <= value <= interval[1]


def _chance(ups: int, downs: int, of_all: int, promoter: float, detractor: float) -> float:
    ways = math.comb(of_all, ups) * math.comb(of_all - ups, downs)
    return ways * promoter**ups * detractor**downs * (1 - promoter - detractor) ** (of_all - ups - downs)
