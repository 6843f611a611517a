"""The hours at which a campaign may call anybody at all, and since when and until when it may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dialer.compliance.local_time import next_open
from dialer.compliance.rules import Hours
from dialer.setup import CampaignSetup
from dialer.state import State

NOBODY = "nobody may be called at this hour"
CALENDAR = "the campaign's own calendar is closed"
_DAYS_BACK = 8
"""An hour at which nobody may be called began within so many days; before that it is not told."""
_MOST_CHANGES = 60


def zones_open(setup: CampaignSetup, zones: tuple[str, ...], now_s: float) -> tuple[str, ...]:
    """Those in which somebody could be called now. A zone is left out only if every rule's hours are over there: of
    holidays and of regions each lead is asked itself."""
    weeks = [[replace(rule, holidays=None) for rule in rules] for rules in _by_country(setup)]
    return tuple(zone for zone in zones if any(next_open(rules, (zone,), "", now_s) == now_s for rules in weeks))


def why_closed(state: State, setup: CampaignSetup, now_s: float) -> str:
    """Why nobody of this campaign may be called now, since when and until when by the site's clock; empty: somebody
    may, or nobody knows yet where its leads are."""
    calendar = setup.calendar
    if calendar is not None and not calendar.is_open(now_s):
        until_s = now_s
        for _ in range(_MOST_CHANGES):
            until_s = calendar.changes_at(until_s)
            if calendar.is_open(until_s):
                return f"{CALENDAR} until {clock(state, until_s)}"
        return CALENDAR
    zones = state.campaigns[setup.key].zones
    if not zones or zones_open(setup, zones, now_s):
        return ""
    rules = _by_country(setup)
    opens = [next_open(of_country, (zone,), "", now_s) for of_country in rules for zone in zones]
    opens_s = min((at_s for at_s in opens if at_s is not None), default=None)
    closed_s = _closed_since(setup, zones, now_s)
    since = f" since {clock(state, closed_s)}" if closed_s is not None else ""
    until = f" until {clock(state, opens_s)}" if opens_s is not None else ""
    return f"{NOBODY}:{since}{until}" if since or until else NOBODY


def clock(state: State, at_s: float) -> str:
    """`2026-11-23 09:00`, at the site."""
    return f"{datetime.fromtimestamp(at_s, ZoneInfo(state.setup.time_zone)):%Y-%m-%d %H:%M}"


def _by_country(setup: CampaignSetup) -> list[list[Hours]]:
    """For each country of the packs, the hours that hold everywhere in it."""
    law = setup.law()
    countries: set[str] = set()
    for pack in law.packs:
        countries |= pack.countries
    return [
        [
            rule
            for pack in law.packs
            if not country or not pack.countries or country in pack.countries
            for rule in pack.rules
            if isinstance(rule, Hours)
            and rule.scope.serves(law.purpose, law.mode)
            and not (rule.scope.regions or rule.scope.prefixes)
        ]
        for country in sorted(countries) or [""]
    ]


def _closed_since(setup: CampaignSetup, zones: tuple[str, ...], now_s: float) -> float | None:
    """The last end of somebody's hours at which nobody's were left."""
    ends = sorted({end_s for end_s in _ends(setup, zones, now_s) if end_s <= now_s}, reverse=True)
    return next((end_s for end_s in ends if zones_open(setup, zones, end_s - 1.0)), None)


def _ends(setup: CampaignSetup, zones: tuple[str, ...], now_s: float) -> Iterator[float]:
    for name in zones:
        zone = ZoneInfo(name)
        today = datetime.fromtimestamp(now_s, UTC).astimezone(zone).date()
        for back in range(_DAYS_BACK):
            day = today - timedelta(days=back)
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            for rules in _by_country(setup):
                for rule in rules:
                    for _, end in rule.week.get(day.weekday(), ()):
                        yield (midnight + timedelta(minutes=end)).timestamp()
