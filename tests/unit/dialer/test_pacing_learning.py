"""What predictive pacing learns of lines and wrap-ups, and how well it adds chances up."""

from __future__ import annotations

import itertools
import math
import random
from math import inf

import numpy as np
import pytest

from dialer.pacing import Ended, PacingSettings, Pool
from dialer.pacing.budget import Budget, aim
from dialer.pacing.chance import at_most, reaches
from dialer.pacing.lines import Lines
from dialer.pacing.wrap_up import WrapUps


def exact(count: int, chances: list[float]) -> float:
    total = 0.0
    for outcome in itertools.product((0, 1), repeat=len(chances)):
        if sum(outcome) >= count:
            total += math.prod(q if hit else 1.0 - q for q, hit in zip(chances, outcome, strict=True))
    return total


@pytest.mark.parametrize("chances", [[0.1] * 3, [0.25] * 6, [0.4] * 8, [0.05, 0.1, 0.2, 0.25, 0.02, 0.15, 0.3]])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_sums_of_chances_are_within_a_few_hundredths_of_the_exact_ones(chances: list[float], count: int):
    assert exact(count, chances) <= at_most(count, len(chances), sum(chances)) <= 1.0
    assert at_most(len(chances) + 1, len(chances), sum(chances)) == 0.0
    spread = [q * (1 - q) for q in chances]
    third = sum(s * (1 - 2 * q) for s, q in zip(spread, chances, strict=True))
    assert reaches(count, sum(chances), sum(spread), third) == pytest.approx(exact(count, chances), abs=0.05)


def test_a_sum_without_uncertainty_is_a_comparison():
    assert (reaches(2, 2.0, 0.0, 0.0), reaches(3, 2.0, 0.0, 0.0)) == (1.0, 0.0)


def lines(rate: float, attempts: int = 1500, seed: int = 1) -> Lines:
    dice, learnt = random.Random(seed), Lines()
    for _ in range(attempts):
        if dice.random() < rate:
            learnt.learn(Ended("person", 3.0 + dice.gammavariate(4.0, 2.25)))
        else:
            learnt.learn(Ended("none", 25.0))
    return learnt


@pytest.mark.parametrize("rate", [0.08, 0.25, 0.40])
def test_the_answer_rate_of_fresh_and_of_old_lines_is_learnt(rate: float):
    table = lines(rate).table(np.array([60.0]))[:, 0]
    assert table[0] == pytest.approx(rate, abs=0.07)
    assert table[22] < 0.3 * rate


def test_the_moments_are_those_at_which_people_answer():
    moments = lines(0.25).moments(5)
    assert list(moments) == sorted(moments)
    assert 4.0 < moments[0] < 8.0 < moments[2] < 14.0 < moments[4] < 22.0


@pytest.mark.parametrize(("before", "after"), [(0.40, 0.08), (0.08, 0.40)])
def test_a_step_of_the_rate_is_followed_within_a_hundred_attempts(before: float, after: float):
    learnt, dice = lines(before), random.Random(2)
    for _ in range(100):
        learnt.learn(Ended("person" if dice.random() < after else "none", 12.0))
    assert learnt.rate == pytest.approx(after, abs=0.12)


def test_a_fixed_wrap_up_is_foreseen_to_the_second():
    learnt = WrapUps()
    for _ in range(300):
        learnt.learn(20.5)
    within_5_s = learnt.table(np.array([5.0]))[:, 0]
    assert within_5_s[2] < 0.1
    assert within_5_s[18] > 0.9


def test_a_wrap_up_without_memory_is_as_likely_to_end_early_as_late():
    learnt, dice = WrapUps(), random.Random(3)
    for _ in range(2000):
        learnt.learn(dice.expovariate(1 / 20.0))
    within_10_s = learnt.table(np.array([10.0]))[:, 0]
    assert within_10_s[2] == pytest.approx(1 - math.exp(-0.5), abs=0.1)
    assert within_10_s[30] == pytest.approx(1 - math.exp(-0.5), abs=0.2)


@pytest.mark.parametrize("wrap_s", [-5.0, 0.0, 1e9])
def test_odd_durations_are_learnt_without_harm(wrap_s: float):
    learnt = WrapUps()
    for _ in range(50):
        learnt.learn(wrap_s)
    table = learnt.table(np.array([1.0, 22.0]))
    assert np.isfinite(table).all()
    assert (table >= 0).all()
    assert (table <= 1).all()


def test_the_share_aimed_at_is_always_short_of_the_cap():
    pool = Pool(most=0.03)
    assert aim(PacingSettings(), pool) < 0.03
    assert aim(PacingSettings(target_share=0.02), pool) == 0.02
    assert aim(PacingSettings(target_share=0.05), pool) < 0.03
    assert aim(PacingSettings(target_share=0.02), Pool(most=0.01)) < 0.01
    assert aim(PacingSettings(), Pool(most=1.0)) == 0.03


def test_the_risk_allowed_falls_as_the_bank_empties():
    budget = Budget(PacingSettings())
    pools = [Pool(live=1000, abandoned=n, spare=30 - n, most=0.03, window_left_s=7200.0) for n in (20, 26, 28, 29)]
    allowed = [budget.risk(pool, 0.0) for pool in pools]
    assert allowed == sorted(allowed, reverse=True)
    assert allowed[-1] < allowed[0] / 2


def test_the_less_of_a_window_is_left_the_less_of_a_broken_cap_is_mended():
    mended = []
    for left_s in (inf, 7200.0, 100.0, 1.0):
        budget = Budget(PacingSettings())
        budget.risk(Pool(live=1000, abandoned=20, spare=10, most=0.03, window_left_s=left_s), 0.0)
        mended.append(budget.mended)
    assert mended[0] > mended[1] > mended[2] > mended[3] == 0
