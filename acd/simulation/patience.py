"""How long callers are willing to wait, from waits most of which ended otherwise: censored lives.

Who was answered after 20 s would have waited for 20 s at least; leaving her out would make callers look far less
patient than they are. The estimate of an exponential patience is then all the time waited over the number who gave up:
`P(abandon) / E[wait]` of Mandelbaum and Zeltyn, "Service engineering in action: the Palm/Erlang-A queue" (2007), which
is its maximum likelihood under censoring. Kaplan and Meier's estimate (1958), which assumes no form, says whether that
form fits; Brown et al., "Statistical analysis of a telephone call center" (JASA 100, 2005), found that it does, but for
the first seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log

from scipy.stats import CensoredData, chi2, ecdf

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Patience:
    """`low_s`, `high_s`: the mean lies between them 19 times of 20. `at_s`: the moment, of those by which a quarter, a
    half, three quarters of all who gave up had, at which the exponential is furthest from what was seen; `left`: the
    share of callers who would be gone by then, by Kaplan and Meier, `fitted`: the same by the exponential."""

    mean_s: float
    low_s: float
    high_s: float
    gave_up: int
    at_s: float
    left: float
    fitted: float


def patience_of(gave_up: Sequence[float], others: Sequence[float]) -> Patience | None:
    """`gave_up`: seconds after which callers hung up; `others`: after which a wait ended that would have gone on. None
    when nobody has given up, or at once."""
    count, total_s = len(gave_up), sum(gave_up) + sum(others)
    if not count or total_s <= 0.0:
        return None
    low_s = 2.0 * total_s / float(chi2.ppf((1 + CONFIDENCE) / 2, 2 * count + 2))
    high_s = 2.0 * total_s / float(chi2.ppf((1 - CONFIDENCE) / 2, 2 * count))
    mean_s, ordered = total_s / count, sorted(gave_up)
    survival = ecdf(CensoredData(uncensored=ordered, right=list(others))).sf

    def shares(at_s: float) -> tuple[float, float]:
        return 1.0 - float(survival.evaluate(at_s)), 1.0 - exp(-at_s / mean_s)

    moments = {max(ordered[(count - 1) * quarter // 4], 0.1) for quarter in (1, 2, 3)}
    at_s = max(sorted(moments), key=lambda moment: abs(log(shares(moment)[0] / shares(moment)[1])))
    return Patience(mean_s, low_s, high_s, count, at_s, *shares(at_s))


def is_odd(patience: Patience) -> bool:
    """Whether far more or fewer give up early than an exponential says, and there are enough to say so."""
    return patience.gave_up >= 50 and not 0.67 <= patience.left / patience.fitted <= 1.5
