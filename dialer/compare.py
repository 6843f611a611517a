"""Whether one kind of attempt reaches more people than the others: what came of it, beside what came of them in like
circumstances. Pure.

Nobody drew lots over which number is shown or which list is dialed at what hour, so plain shares may differ for other
reasons. So each group is compared with all others stratum by stratum (area, hour, how often the lead had been dialed),
and the differences are pooled: the Mantel-Haenszel risk difference with the variance of Sato (Biometrics 45, 1989),
which holds for many small strata as for few large ones. What is not in the strata may still explain a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import sqrt

from core.share_bounds import Z95, wilson


@dataclass(frozen=True, slots=True)
class Dialed:
    """One attempt. `live`: a person answered."""

    group: str
    stratum: Hashable
    live: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """`share` of live answers lies in `least` to `most` (95 %, Wilson). `more`: its share less that of the others in
    like circumstances, in `more_least` to `more_most` (95 %); None when no stratum holds both."""

    group: str
    dialed: int
    live: int
    least: float
    most: float
    more: float | None = None
    more_least: float = 0.0
    more_most: float = 0.0

    @property
    def share(self) -> float:
        return self.live / self.dialed if self.dialed else 0.0

    @property
    def differs(self) -> bool:
        """By more than chance would often do."""
        return self.more is not None and (self.more_least > 0 or self.more_most < 0)


def compare(attempts: Iterable[Dialed]) -> list[Compared]:
    """Every group, the one with the most attempts first."""
    strata: dict[Hashable, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in attempts:
        for counts in (strata[one.stratum][one.group], totals[one.group]):
            counts[0] += 1
            counts[1] += one.live
    found = []
    for group, (dialed, live) in sorted(totals.items(), key=lambda item: (-item[1][0], item[0])):
        least, most = wilson(live, dialed)
        found.append(Compared(group, dialed, live, least, most, *_difference(group, strata.values())))
    return found


def _difference(group: str, strata: Iterable[dict[str, list[int]]]) -> tuple[float | None, float, float]:
    weight = total = p = q = 0.0
    for stratum in strata:
        mine = stratum.get(group)
        if mine is None:
            continue
        n1, a = mine
        n0 = sum(dialed for dialed, _ in stratum.values()) - n1
        b = sum(live for _, live in stratum.values()) - a
        if not n0:
            continue
        n = n1 + n0
        weight += n1 * n0 / n
        total += (a * n0 - b * n1) / n
        p += (n1 * n1 * b - n0 * n0 * a + n1 * n0 * (n0 - n1) / 2) / n**2
        q += (a * (n0 - b) + b * (n1 - a)) / (2 * n)
    if not weight:
        return None, 0.0, 0.0
    more = total / weight
    half = Z95 * sqrt(max(0.0, more * p + q)) / weight
    return more, max(-1.0, more - half), min(1.0, more + half)
