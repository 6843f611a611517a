"""Moments on pages: the site's time zone in, and out in the page's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

from desk.problems import Unprocessable

_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")


def moment(text: str, time_zone: str) -> float:
    """UTC seconds of what a `datetime-local` field gave; 0 for nothing. Raises Unprocessable."""
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(time_zone)).timestamp()
    except ValueError:
        raise Unprocessable("this is no date and time: choose one") from None


def local_time(time_zone: str, language: str) -> Callable[..., str]:
    """A function for templates: UTC seconds, and how to write them; day and time in that language else."""
    zone = ZoneInfo(time_zone)

    def told(seconds: float, form: str = "") -> str:
        there = datetime.fromtimestamp(seconds, UTC).astimezone(zone)
        return there.strftime(form) if form else _written(there, language)

    return told


def in_words(text: str, time_zone: str, language: str) -> str:
    """A date, or one with its time, as flows and lists write them (`2026-03-16T09:00`), for people; any other text as
    it is. Without an offset it is the site's time."""
    try:
        found = datetime.fromisoformat(text) if _ISO.fullmatch(text) else None
    except ValueError:
        return text
    if found is None:
        return text
    if len(text) <= len("2026-03-16"):
        return format_date(found, "d MMM y", locale=language)
    return _written(found.astimezone(ZoneInfo(time_zone)) if found.tzinfo else found, language, "d MMM y")


def _written(there: datetime, language: str, day: str = "d MMM") -> str:
    """`22 nov, 21:39`."""
    return f"{format_date(there, day, locale=language)}, {there:%H:%M}"
