"""What many days of a scenario come to: each figure with the interval its true mean lies in, 19 times out of 20.

The days are independent replications; the interval is Student's over their means. Floors that were given the same calls
are compared day by day (`difference`), which says much more with the same number of days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy.stats import t as student

from acd.setup import Key
from acd.simulation.day import DayResult, Ended
from core.stay import StayEnd

CONFIDENCE = 0.95
_ABANDONED = frozenset({StayEnd.ABANDONED.value, StayEnd.SHORT_ABANDONED.value})
_ANSWERED = StayEnd.ANSWERED.value


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over days and the half width of its interval; nan where no day says anything."""

    mean: float
    half: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        known = [value for value in values if value == value]
        if not known:
            return cls(nan, nan)
        mean = float(np.mean(known))
        if len(known) < 2:
            return cls(mean, nan)
        spread = float(np.std(known, ddof=1)) / sqrt(len(known))
        return cls(mean, spread * float(student.ppf((1 + CONFIDENCE) / 2, len(known) - 1)))

    def holds(self, value: float) -> bool:
        """Whether the value lies in the interval."""
        return abs(value - self.mean) <= self.half


Measure = Callable[[Sequence[Ended]], float]


def _offered(ends: Sequence[Ended]) -> float:
    return float(len(ends))


def _service_level(ends: Sequence[Ended]) -> float:
    counted = [end for end in ends if end.how != StayEnd.SHORT_ABANDONED.value]
    return 100.0 * sum(end.in_target for end in counted) / len(counted) if counted else nan


def _abandoned(ends: Sequence[Ended]) -> float:
    return 100.0 * sum(end.how in _ABANDONED for end in ends) / len(ends) if ends else nan


def _mean_wait(ends: Sequence[Ended]) -> float:
    return float(np.mean([end.waited_s for end in ends])) if ends else nan


def _answered_within(share: float) -> Measure:
    def measure(ends: Sequence[Ended]) -> float:
        waits = [end.waited_s for end in ends if end.how == _ANSWERED]
        return float(np.quantile(waits, share)) if waits else nan

    return measure


def _waited(ends: Sequence[Ended]) -> float:
    return 100.0 * sum(end.told != (0.0, 0.0) for end in ends) / len(ends) if ends else nan


def _as_told(ends: Sequence[Ended]) -> float:
    judged = [end.as_told for end in ends if end.how == _ANSWERED and end.told is not None and end.told[1] > 0]
    return 100.0 * sum(map(bool, judged)) / len(judged) if judged else nan


MEASURES: dict[str, Measure] = {
    "offered": _offered,
    "service_level": _service_level,
    "abandoned": _abandoned,
    "wait_s": _mean_wait,
    "wait_p50_s": _answered_within(0.5),
    "wait_p90_s": _answered_within(0.9),
    "waited": _waited,
    "as_told": _as_told,
}
"""Shares in percent, waits in seconds: `wait_s` of everybody, its quantiles of those answered; `waited`: who
found nobody free; `as_told`: of those who were told a range, whose wait ended in it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """`queues`: by queue, `all` of them under ("", ""); each the figures of `MEASURES`. `occupancy`: percent."""

    name: str
    days: tuple[DayResult, ...]

    @property
    def keys(self) -> list[Key]:
        found = sorted({end.queue for day in self.days for end in day.ends})
        return [*found, ("", "")] if len(found) > 1 else found

    def figure(self, measure: str, queue: Key) -> Figure:
        return Figure.of(self._by_day(measure, queue))

    def difference(self, before: Outcome, measure: str, queue: Key) -> Figure:
        """From `before` to here, day by day: both must have been given the same calls."""
        pairs = zip(self._by_day(measure, queue), before._by_day(measure, queue), strict=True)
        return Figure.of(mine - theirs for mine, theirs in pairs)

    @property
    def occupancy(self) -> Figure:
        return Figure.of(100.0 * day.worked_s / day.staffed_s if day.staffed_s else nan for day in self.days)

    def course(self, queue: Key, measure: str, step_s: float) -> list[tuple[float, float]]:
        """(moment from midnight, the figure over the calls that came in the `step_s` from then on), all days."""
        steps: dict[int, list[Ended]] = {}
        for end in self._ends(queue):
            steps.setdefault(int(end.joined_s // step_s), []).append(end)
        what = MEASURES[measure]
        per = len(self.days) if measure == "offered" else 1
        return [(n * step_s, what(ends) / per) for n, ends in sorted(steps.items())]

    def _by_day(self, measure: str, queue: Key) -> list[float]:
        what = MEASURES[measure]
        return [what([end for end in day.ends if queue in (end.queue, ("", ""))]) for day in self.days]

    def _ends(self, queue: Key) -> Iterable[Ended]:
        return (end for day in self.days for end in day.ends if queue in (end.queue, ("", "")))
