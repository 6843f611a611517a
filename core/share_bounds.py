"""A share that was seen in a sample, and how far the true one may be from it. Shares are 0 to 1."""

from __future__ import annotations

import math
from functools import lru_cache

Z95 = 1.959964
"""Half the width, in standard deviations, of what holds 95 of 100 normal draws."""


def wilson(hits: int, sample: int, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a share; (0, 1) without a sample. For charts: its ends may be crossed more often
    than promised, which Clopper-Pearson's never are.

    Raises:
        ValueError: more hits than there were samples.
    """
    _check(hits, sample)
    if not sample:
        return 0.0, 1.0
    share, square = hits / sample, z * z
    middle = (share + square / (2 * sample)) / (1 + square / sample)
    half = z * math.sqrt(share * (1 - share) / sample + square / (4 * sample * sample)) / (1 + square / sample)
    # With nothing or everything hit the end is the share itself, which rounding may miss.
    return min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half))


@lru_cache(maxsize=1024)
def clopper_pearson_upper(hits: int, sample: int, confidence: float = 0.95) -> float:
    """The exact one-sided upper bound of a share: a larger one would show so few hits in less than 1 - confidence of
    all samples. 1 without a sample.

    Raises:
        ValueError: more hits than there were samples.
    """
    _check(hits, sample)
    if hits >= sample:
        return 1.0
    low, high = hits / sample, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(hits, sample, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(hits: int, sample: int, share: float) -> float:
    """P(X <= hits) of a binomial."""
    if share >= 1.0:
        return 0.0
    ln_p, ln_q = math.log(share) if share else -math.inf, math.log1p(-share)
    total = 0.0
    for k in range(hits + 1):
        ways = math.lgamma(sample + 1) - math.lgamma(k + 1) - math.lgamma(sample - k + 1)
        total += math.exp(ways + (k * ln_p if k else 0.0) + (sample - k) * ln_q)
    return total


def _check(hits: int, sample: int) -> None:
    if not 0 <= hits <= sample:
        raise ValueError(f"{hits} of {sample} is no share: give 0 to {sample} hits")
