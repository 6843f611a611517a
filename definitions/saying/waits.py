"""A wait as a range of minutes, as one tells it to somebody who waits: "entre tres y cinco minutos"."""

from __future__ import annotations

from definitions.saying.tongues import tongue_for

TOLD_MINUTES: tuple[int, ...] = (*range(11), 15, 20, 25, 30, 40, 50, *range(60, 481, 30))
"""The figures that are told: the further off, the coarser. The last one is the most that is ever said."""
_HOUR = 60


def wait_minutes(low_s: float, high_s: float) -> tuple[int, int]:
    """The nearest told figures to a range of seconds: (3, 5); (0, 1) is less than a minute."""
    low, high = _nearest(min(low_s, high_s)), _nearest(max(low_s, high_s))
    return low, max(high, 1)


def say_wait(low: int, high: int, language: str) -> str:
    """From `low` to `high` whole minutes. From 0: "less than"; both the same: that one figure.

    Raises `ValueError` for a language nobody here speaks.
    """
    tongue = tongue_for(language)
    first, last = min(low, high), max(low, high)
    if first < 1:
        return tongue.less_than(_length(max(last, 1), language), one_minute=last <= 1)
    if first == last:
        return _length(last, language)
    return tongue.between(tongue.whole(first) if last < _HOUR else _length(first, language), _length(last, language))


def _nearest(seconds: float) -> int:
    return min(TOLD_MINUTES, key=lambda minutes: (abs(minutes * 60.0 - seconds), -minutes))


def _length(minutes: int, language: str) -> str:
    tongue = tongue_for(language)
    hours, rest = divmod(minutes, _HOUR)
    said = [tongue.time_unit(count, unit) for count, unit in ((hours, "hour"), (rest, "minute")) if count]
    return f" {tongue.and_word} ".join(said)
