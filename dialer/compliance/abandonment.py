"""How many live answers found nobody in time: the realised ratio per campaign and window, in exact counts.

tally = Tally((limit_30_days, limit_day), started_s)
tally = tally.answered(now_s)                   a person answered; and, when nobody was there in time:
tally = tally.abandoned(now_s)
tally.spare(now_s)                              how many more may be abandoned before the first cap is broken

A machine that was none is a person we hung up on: a detector's errors are added by estimate, with the upper end of its
uncertainty; one that nobody has measured may have been wrong every time. Ratios are fractions, so a cap of 3% is 3 in
100 and not 0.03 in binary.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from fractions import Fraction
from types import MappingProxyType
from zoneinfo import ZoneInfo

from core.share_bounds import clopper_pearson_upper
from dialer.compliance.rules import Abandonment, Window

NO_LIMIT = 10**9
"""What `spare` says where no rule limits anything."""


@dataclass(frozen=True, slots=True)
class Counts:
    """`live`: answers by a person, abandoned ones included. `machines`: answers taken for a machine and hung up."""

    live: int = 0
    abandoned: int = 0
    machines: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.live + other.live, self.abandoned + other.abandoned, self.machines + other.machines)

    @property
    def ratio(self) -> Fraction:
        return Fraction(self.abandoned, self.live) if self.live else Fraction(0)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What listening again has shown: of `sample` answers taken for machines, `people` were none."""

    people: int = 0
    sample: int = 0

    def rate(self) -> float:
        """The share of people among machine verdicts; 0 when nobody has listened."""
        return self.people / self.sample if self.sample else 0.0

    def upper(self, confidence: float = 0.95) -> float:
        """That share is no higher, with this confidence; 1 when nobody has listened."""
        return clopper_pearson_upper(self.people, self.sample, confidence)


NOT_REVIEWED = Reviewed(0, 0)


@dataclass(frozen=True, slots=True)
class Standing:
    """One limit in the window of a moment. `estimated`: people among the machine verdicts, as measured; `at_worst`: at
    the upper end of the uncertainty. `spare` counts with the latter."""

    limit: Abandonment
    from_s: float
    until_s: float
    counts: Counts
    estimated: float
    at_worst: int

    @property
    def ratio(self) -> Fraction:
        return self.counts.ratio

    @property
    def ratio_at_worst(self) -> Fraction:
        return _with_errors(self.counts, self.at_worst).ratio

    @property
    def spare(self) -> int:
        return spare_of(_with_errors(self.counts, self.at_worst), self.limit.most)

    @property
    def holds(self) -> bool:
        """Whether what was counted is within the cap, errors left aside."""
        return self.ratio <= self.limit.most


@dataclass(frozen=True, slots=True)
class Tally:
    """A campaign's answers, by limit and window. It never changes: each answer makes the next one.

    `started_s`: from when successive windows are counted. `reviewed`: what is known of the detector's errors.
    """

    limits: tuple[Abandonment, ...]
    started_s: float
    reviewed: Reviewed = NOT_REVIEWED
    confidence: float = 0.95
    windows: Mapping[tuple[Window, float], Counts] = field(default_factory=lambda: MappingProxyType({}))

    def answered(self, at_s: float) -> Tally:
        """A person answered."""
        return self._add(at_s, Counts(live=1))

    def abandoned(self, at_s: float, answered_s: float | None = None) -> Tally:
        """She who answered (and was counted) found nobody. `answered_s`: the answer's window is the one that counts."""
        return self._add(at_s if answered_s is None else answered_s, Counts(abandoned=1))

    def was_nobody(self, at_s: float) -> Tally:
        """She who was counted as a person was none."""
        return self._add(at_s, Counts(live=-1))

    def taken_for_machine(self, at_s: float) -> Tally:
        """An answer was hung up as a machine's."""
        return self._add(at_s, Counts(machines=1))

    def standing(self, now_s: float) -> tuple[Standing, ...]:
        """Every limit where it stands, in the order of the limits."""
        return tuple(self._standing(limit, now_s) for limit in self.limits)

    def spare(self, now_s: float) -> int:
        """How many more live answers may be abandoned before the first cap is broken."""
        return min((standing.spare for standing in self.standing(now_s)), default=NO_LIMIT)

    def _standing(self, limit: Abandonment, now_s: float) -> Standing:
        from_s, until_s = bounds(limit.window, self.started_s, now_s)
        counts = self.windows.get((limit.window, from_s), Counts())
        worst = math.ceil(counts.machines * self.reviewed.upper(self.confidence)) if counts.machines else 0
        return Standing(limit, from_s, until_s, counts, counts.machines * self.reviewed.rate(), worst)

    def _add(self, at_s: float, more: Counts) -> Tally:
        changed = dict(self.windows)
        for window in {limit.window for limit in self.limits}:
            key = (window, bounds(window, self.started_s, at_s)[0])
            changed[key] = changed.get(key, Counts()) + more
        return replace(self, windows=MappingProxyType(changed))


def spare_of(counts: Counts, most: Fraction) -> int:
    """How many further answers may be abandoned, each a live answer itself, with the ratio still at most `most`."""
    if most >= 1:
        return NO_LIMIT
    return max(0, math.floor((most * counts.live - counts.abandoned) / (1 - most)))


def bounds(window: Window, started_s: float, at_s: float) -> tuple[float, float]:
    """The window that holds `at_s`: from (included) and until (not). An answer before the start is in the first one."""
    if window.kind == "successive":
        past = max(0, math.floor((at_s - started_s) / window.length_s))
        return started_s + past * window.length_s, started_s + (past + 1) * window.length_s
    zone = ZoneInfo(window.time_zone)
    day = datetime.fromtimestamp(at_s, zone).date()
    after = day + timedelta(days=1)
    return _midnight(day.year, day.month, day.day, zone), _midnight(after.year, after.month, after.day, zone)


def _with_errors(counts: Counts, people: int) -> Counts:
    """The counts with so many machines that were people: each a live answer, each abandoned."""
    return replace(counts, live=counts.live + people, abandoned=counts.abandoned + people)


def _midnight(year: int, month: int, day: int, zone: ZoneInfo) -> float:
    return datetime(year, month, day, tzinfo=zone).timestamp()
