"""Who is there through the day, as crews with a beginning and an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

G = TypeVar("G")
Spell = tuple[int, int]
"""First step, and the one after the last."""


def whole(staff: Mapping[G, float]) -> dict[G, int]:
    """People in whole numbers whose sum is that of the means, rounded: largest remainders first."""
    counts = {group: int(mean) for group, mean in staff.items()}
    missing = round(sum(staff.values())) - sum(counts.values())
    by_remainder = sorted(staff, key=lambda group: counts[group] - staff[group])
    for group in by_remainder[: max(missing, 0)]:
        counts[group] += 1
    return counts


def spells(counts: Sequence[int]) -> Counter[Spell]:
    """As few spells as come to these counts, step by step: who came first goes last."""
    found: Counter[Spell] = Counter()
    present: list[int] = []
    for step, count in enumerate([*counts, 0]):
        while len(present) > count:
            found[present.pop(), step] += 1
        present.extend([step] * (count - len(present)))
    return found
