"""Moments on pages: the site's time zone in, and out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from desk.problems import Unprocessable


def moment(text: str, time_zone: str) -> float:
    """UTC seconds of what a `datetime-local` field gave; 0 for nothing. Raises Unprocessable."""
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(time_zone)).timestamp()
    except ValueError:
        raise Unprocessable("this is no date and time: choose one") from None


def local_time(time_zone: str) -> Callable[..., str]:
    """A function for templates: UTC seconds, and how to write them."""
    zone = ZoneInfo(time_zone)

    def told(seconds: float, form: str = "%d/%m %H:%M") -> str:
        return datetime.fromtimestamp(seconds, UTC).astimezone(zone).strftime(form)

    return told
