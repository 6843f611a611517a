"""When to try somebody again who was not reached: an hour at which people of her campaign are there, and at which she
was not missed before. Pure.

Hours are those of the clock where she is, of working days and of weekends apart. How likely people are reached in one
is the campaign's own share of reached attempts, pulled towards its share over all hours while little is known (the mean
of a Beta posterior, with the whole as prior; Gelman et al., *Bayesian Data Analysis*, 2.4 and 5.3). Those who were
missed at an hour before are less likely to be there at that hour again: with a Beta prior of the same mean and `ALIKE`
tries of weight, m misses leave mean x ALIKE / (ALIKE + m). The same hour of the other kind of day, and an hour beside
it, count half as a miss.

Not everybody gets the very best hour: it would be crowded, and the others empty. An hour is drawn with the fourth power
of its chance as weight, by the attempt's id, so that the same attempt always draws the same.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2s
from itertools import accumulate
from zoneinfo import ZoneInfo

Slot = int
"""The hour, 0 to 23; of Saturdays and Sundays 24 more."""
Counts = tuple[int, int]
"""Attempts, and how many of them reached a person."""

WITHIN_S = 86_400.0
"""So long after the earliest time the hour may lie: every hour of a day is among them."""
PRIOR_TRIES = 30.0
"""An hour with so many attempts is believed half."""
PRIOR_SHARE = 0.2
"""Reached, before anybody has been dialed."""
ALIKE = 1.5
_HALF = 0.5
_POWER = 4
_FORGET_AT = 2_000
"""When an hour has so many attempts, half are forgotten: habits change."""
_HOUR_S = 3600.0


def slot_of(at_s: float, zone: str) -> Slot:
    local = datetime.fromtimestamp(at_s, ZoneInfo(zone))
    return local.hour + (24 if local.weekday() >= 5 else 0)


def noted(counts: Mapping[Slot, Counts], slot: Slot, reached: bool) -> dict[Slot, Counts]:
    """The counts with one attempt more."""
    tried, there = counts.get(slot, (0, 0))
    if tried >= _FORGET_AT:
        tried, there = tried // 2, there // 2
    return {**counts, slot: (tried + 1, there + reached)}


def chance(counts: Mapping[Slot, Counts], slot: Slot, missed: Iterable[Slot] = ()) -> float:
    """That she is reached in this hour. `missed`: the hours at which she was not."""
    tried = sum(one for one, _ in counts.values())
    there = sum(one for _, one in counts.values())
    overall = (there + PRIOR_TRIES * PRIOR_SHARE) / (tried + PRIOR_TRIES)
    of_hour = counts.get(slot, (0, 0))
    share = (of_hour[1] + PRIOR_TRIES * overall) / (of_hour[0] + PRIOR_TRIES)
    return share * ALIKE / (ALIKE + sum(_alike(slot, other) for other in missed))


def choose(
    counts: Mapping[Slot, Counts],
    missed: Sequence[Slot],
    zone: str,
    earliest_s: float,
    within_s: float,
    is_open: Callable[[float], bool],
    draw: str,
) -> float:
    """When to try again: no sooner than `earliest_s`, no later than `within_s` after it; `earliest_s` when nothing is
    open until then. UTC seconds.

    Args:
        is_open: whether she may be called at that time.
        draw: what the lot is drawn by.
    """
    starts = [at_s for at_s in _hours(zone, earliest_s, earliest_s + within_s) if is_open(at_s)]
    if not starts:
        return earliest_s
    weights = [chance(counts, slot_of(at_s, zone), missed) ** _POWER for at_s in starts]
    lot, within_hour = _lots(draw)
    upto = list(accumulate(weights))
    at_s = starts[min(bisect(upto, lot * upto[-1]), len(starts) - 1)]
    later_s = at_s if at_s == earliest_s else at_s + within_hour * _HOUR_S
    return later_s if later_s <= earliest_s + within_s and is_open(later_s) else at_s


def _alike(one: Slot, other: Slot) -> float:
    if one == other:
        return 1.0
    beside = one // 24 == other // 24 and abs(one - other) == 1
    return _HALF if beside or one % 24 == other % 24 else 0.0


def _hours(zone: str, since_s: float, until_s: float) -> list[float]:
    """`since_s`, and every full hour after it until `until_s`."""
    local = datetime.fromtimestamp(since_s, ZoneInfo(zone))
    into_s = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond).total_seconds()
    first_s = since_s - into_s + _HOUR_S
    return [since_s, *(first_s + n * _HOUR_S for n in range(int((until_s - first_s) // _HOUR_S) + 1))]


def _lots(draw: str) -> tuple[float, float]:
    """Two numbers from 0 to below 1."""
    digest = blake2s(draw.encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "big") / 2**64, int.from_bytes(digest[8:], "big") / 2**64
