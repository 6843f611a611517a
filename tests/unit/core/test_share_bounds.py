"""How far a share may be from what was seen of it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.share_bounds import clopper_pearson_upper, wilson


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


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7])
@pytest.mark.parametrize("number", [10, 40])
def test_wilson_holds_what_it_promises(share: float, number: int) -> None:
    """Exactly: the chance of every possible outcome whose interval has the truth in it."""
    outcomes = ((hits, wilson(hits, number)) for hits in range(number + 1))
    held = sum(
        math.comb(number, hits) * share**hits * (1 - share) ** (number - hits)
        for hits, (low, high) in outcomes
        if low <= share <= high
    )
    assert 0.92 < held < 1.0001
