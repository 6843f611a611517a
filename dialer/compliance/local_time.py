"""What time it is where the phone rings, and when it may next ring there.

A number may belong to several time zones (a Spanish mobile: Madrid and the Canaries): then the hour must be legal in
all of them. A time zone given with the lead goes before what its number says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays as public_holidays
import phonenumbers
from phonenumbers import timezone as number_zones

from dialer.compliance.rules import Holidays, Hours

LOOK_AHEAD_DAYS = 400
_QUARTER = timedelta(minutes=15)


@lru_cache(maxsize=65_536)
def zones_of(number: str, given: str = "") -> tuple[str, ...]:
    """IANA names, sorted; empty when nobody knows. `number`: E.164. `given`: the lead's own field."""
    if given:
        return (given,) if _zone(given) else ()
    try:
        found = number_zones.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ()
    return tuple(sorted(name for name in found if _zone(name)))


def closed_because(hours: Hours, zones: Sequence[str], region: str, now_s: float) -> str:
    """Why nobody may be called by this rule now, in words with the local time; empty: one may."""
    for name in zones:
        local = _local(name, now_s)
        holiday = holiday_on(hours.holidays, region, local.date()) if hours.holidays else ""
        if holiday:
            return f"{local:%Y-%m-%d} is a holiday there ({holiday})"
        minute = local.hour * 60 + local.minute
        if not any(start <= minute < end for start, end in hours.week.get(local.weekday(), ())):
            return f"it is {local:%a %H:%M} in {name}"
    return ""


def next_open(rules: Sequence[Hours], zones: Sequence[str], region: str, now_s: float) -> float | None:
    """The first time from `now_s` on that every rule allows in every zone; None: not within 400 days."""
    if not any(closed_because(rule, zones, region, now_s) for rule in rules):
        return now_s
    first = datetime.fromtimestamp(now_s, UTC).date() - timedelta(days=1)
    for step in range(LOOK_AHEAD_DAYS):
        day = first + timedelta(days=step)
        for at_s in sorted({s for s in _candidates(rules, zones, day) if s > now_s}):
            if not any(closed_because(rule, zones, region, at_s) for rule in rules):
                return at_s
    return None


def holiday_on(rule: Holidays, region: str, day: date) -> str:
    """The holiday's name, or an empty text."""
    if day.isoformat() in rule.extra or f"{day:%m-%d}" in rule.extra:
        return "as listed"
    return _holidays_in(rule.country, region, rule.unknown_region == "any", day.year).get(day, "")


def known_zone(name: str) -> bool:
    """Whether there is such a time zone."""
    return _zone(name) is not None


def supports_country(country: str) -> bool:
    """Whether its holidays are known."""
    return country in public_holidays.list_supported_countries()


def knows_region(country: str, region: str) -> bool:
    """Whether holidays of this region are known."""
    return region in public_holidays.list_supported_countries().get(country, [])


def _candidates(rules: Iterable[Hours], zones: Iterable[str], day: date) -> Iterator[float]:
    """Every moment of a local day at which some rule may open: all opening times, and the quarters of a day on which
    the clocks are changed."""
    for name in zones:
        zone = ZoneInfo(name)
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        after = midnight + timedelta(days=1)
        if midnight.utcoffset() != after.utcoffset():
            yield from _quarters(midnight, after)
        for rule in rules:
            for start, _ in rule.week.get(day.weekday(), ()):
                yield (midnight + timedelta(minutes=start)).timestamp()


def _quarters(start: datetime, end: datetime) -> Iterator[float]:
    at, last = start.astimezone(UTC), end.astimezone(UTC)
    while at <= last:
        yield at.timestamp()
        at += _QUARTER


def _local(zone: str, now_s: float) -> datetime:
    return datetime.fromtimestamp(now_s, ZoneInfo(zone))


def _zone(name: str) -> ZoneInfo | None:
    if name == "Etc/Unknown":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=512)
def _holidays_in(country: str, region: str, any_region: bool, year: int) -> dict[date, str]:
    if knows_region(country, region):
        return dict(public_holidays.country_holidays(country, subdiv=region, years=year))
    found = dict(public_holidays.country_holidays(country, years=year))
    if any_region:
        for other in public_holidays.list_supported_countries().get(country, []):
            for day, name in public_holidays.country_holidays(country, subdiv=other, years=year).items():
                found.setdefault(day, f"{name}, in {other}")
    return found
