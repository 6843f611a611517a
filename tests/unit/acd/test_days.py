"""When a site's day is over."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.days import SiteDays


@pytest.mark.parametrize(
    ("zone", "now", "ends"),
    [
        ("UTC", "2026-03-01T00:00:00", "2026-03-02T00:00:00"),
        ("Europe/Madrid", "2026-01-15T22:59:59", "2026-01-15T23:00:00"),
        ("Europe/Madrid", "2026-07-15T22:00:00", "2026-07-16T22:00:00"),
        ("Europe/Madrid", "2026-03-29T00:30:00", "2026-03-29T22:00:00"),
        ("Atlantic/Canary", "2026-10-25T00:30:00", "2026-10-26T00:00:00"),
        ("America/Bogota", "2026-01-15T04:59:59", "2026-01-15T05:00:00"),
    ],
)
def test_midnight_by_the_zone(zone: str, now: str, ends: str) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()
    assert datetime.fromtimestamp(SiteDays(zone).ends_at(at), UTC).replace(tzinfo=None).isoformat() == ends


@given(st.floats(1.7e9, 2.0e9), st.sampled_from(("Europe/Madrid", "Asia/Beirut", "America/Asuncion", "Asia/Tehran")))
def test_a_day_ends_within_a_day_or_so(now_s: float, zone: str) -> None:
    assert now_s < SiteDays(zone).ends_at(now_s) <= now_s + 26 * 3600
