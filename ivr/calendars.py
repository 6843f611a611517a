"""When a place is open: weekly hours in its own time zone, public holidays, and special days.

    # config/calendars/office.yaml
    calendar: office
    time_zone: Europe/Madrid
    hours:
      mon-thu: [9:00-14:00, 16:00-19:00]
      fri: 9:00-15:00
    holidays: {country: ES, region: MD}
    special_days:
      2026-12-24: 9:00-13:00        # its own hours, whatever day it is
      2026-05-15: {holiday: San Isidro}
      12-31: closed                 # every year

A day's own entry wins over a public holiday, a holiday over the week. Hours may run past midnight (`22:00-6:00`):
they belong to the day they begin on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import holidays as public_holidays
from babel import Locale
from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError
from rapidfuzz import process

from definitions.faults import Faults, did_you_mean, fault, listed
from definitions.fields import TimeZone, plain, read_time, read_weekdays, typed
from definitions.models import Definition, Name, Text

Range = tuple[int, int]
"""Minutes since midnight: from, until (above 1440 when it runs past midnight)."""

_RANGE = re.compile(r"([0-9]{1,2}[:.h][0-9]{2})\s*(?:-|–|to|a)\s*([0-9]{1,2}[:.h][0-9]{2})")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ALL_DAY: tuple[Range, ...] = ((0, 1440),)
_LOOK_AHEAD_DAYS = 400


_HOURS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "examples": ["9:00-14:00", "9:00-14:00, 16:00-19:00", "24h", "closed"]},
        {"type": "array", "items": {"type": "string", "examples": ["9:00-14:00"]}},
    ]
}
_WEEK_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"mon-fri": _HOURS_SCHEMA, "sat": _HOURS_SCHEMA, "sun": _HOURS_SCHEMA},
    "additionalProperties": _HOURS_SCHEMA,
}
_SPECIAL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"pattern": "^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$"},
    "additionalProperties": {
        "anyOf": [
            *_HOURS_SCHEMA["anyOf"],
            {
                "type": "object",
                "properties": {"hours": _HOURS_SCHEMA, "holiday": {"type": "string"}},
                "additionalProperties": False,
            },
        ]
    },
}


@dataclass(frozen=True, slots=True)
class Status:
    """Whether it is open at a moment, and the rule that says so, in words."""

    state: Literal["open", "closed", "holiday"]
    why: str

    @property
    def is_open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """One date's own rule. `hours` empty: closed, or a holiday when it has that name."""

    hours: tuple[Range, ...] = ()
    holiday: str = ""


class Holidays(Definition):
    """Public holidays of a country or of one of its regions."""

    country: Text
    """ISO 3166 code: ES, AR, MX, CO, CL, US …"""
    region: Text | None = None
    """The region's code within the country: MD (Madrid), CT (Catalonia) …"""

    @model_validator(mode="after")
    def _known(self) -> Holidays:
        countries = _regions()
        faults = Faults()
        if self.country not in countries:
            hint = f"did you mean '{code}'?" if (code := _country_code(self.country)) else "write its ISO code, like ES"
            faults.add(("country",), f"there are no holidays for the country '{self.country}'", hint)
        elif self.region is not None and self.region not in countries[self.country]:
            regions = countries[self.country]
            hint = f"regions: {listed(sorted(regions), 30)}" if regions else "it has no regions: leave the key out"
            what = f"there are no holidays for the region '{self.region}' of {self.country}"
            faults.add(("region",), what, hint)
        faults.raise_any()
        return self

    def on(self, day: date) -> str:
        """The holiday's name in the country's language, or an empty text."""
        return _holidays_of(self.country, self.region, day.year).get(day, "")


class Calendar(Definition):
    """Opening hours. Times are those of the clock on the wall in `time_zone`."""

    calendar: Name | None = None
    """Its name: the file's."""
    title: Text = ""
    time_zone: TimeZone
    """IANA name: Europe/Madrid, America/Argentina/Buenos_Aires. The site's, when it is left out."""
    hours: Annotated[Mapping[int, tuple[Range, ...]], WithJsonSchema(_WEEK_SCHEMA)]
    """Days to hours: `mon-fri: [9:00-14:00, 16:00-19:00]`, `sat: closed`. Days that are not named are closed."""
    holidays: tuple[Holidays, ...] = ()
    """Public holidays: `{country: ES, region: MD}`, or a list of those."""
    special_days: Annotated[Mapping[str, SpecialDay], WithJsonSchema(_SPECIAL_SCHEMA)] = Field(default_factory=dict)
    """A date (`2026-12-24`, or `12-24` for every year) to its own hours, `closed` or `{holiday: name}`."""

    @model_validator(mode="before")
    @classmethod
    def _time_zone_of_the_site(cls, value: Any, info: ValidationInfo) -> Any:
        zone = (info.context or {}).get("time_zone") if isinstance(info.context, Mapping | None) else None
        if zone and isinstance(value, Mapping) and "time_zone" not in value:
            return {**value, "time_zone": zone}
        return value

    @field_validator("hours", mode="plain")
    @classmethod
    def _hours(cls, value: Any) -> Mapping[int, tuple[Range, ...]]:
        if not isinstance(value, Mapping):
            raise fault("the weekly hours are a map", "write mon-fri: 9:00-18:00")
        faults = Faults()
        week: dict[int, tuple[Range, ...]] = {}
        for key, hours in value.items():
            try:
                days = (key,) if isinstance(key, int) else read_weekdays(key)
            except PydanticCustomError as error:
                faults.add_error((key,), error)
                continue
            ranges = _ranges(hours, (key,), faults)
            for day in days:
                if day in week:
                    faults.add((key,), f"{_DAYS[day]} is given twice", "keep one of them", at_key=True)
                week[day] = ranges
        faults.raise_any()
        return week

    @field_validator("holidays", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return [value] if isinstance(value, Mapping) else value

    @field_validator("special_days", mode="plain")
    @classmethod
    def _special_days(cls, value: Any) -> Mapping[str, SpecialDay]:
        if not isinstance(value, Mapping):
            raise fault("the special days are a map", "write 2026-12-24: 9:00-13:00")
        faults = Faults()
        found: dict[str, SpecialDay] = {}
        for key, rule in value.items():
            if not _is_date(str(key)):
                what = f"'{str(key)[:40]}' is not a date"
                faults.add((key,), what, "write it like 2026-12-24, or 12-24 for every year", at_key=True)
                continue
            found[str(key)] = _special(rule, (key,), faults)
        faults.raise_any()
        return found

    def status(self, now_s: float) -> Status:
        """Whether it is open at `now_s` (UTC seconds)."""
        moment = datetime.fromtimestamp(now_s, ZoneInfo(self.time_zone))
        today = moment.date()
        minute = moment.hour * 60 + moment.minute
        yesterday, _, why_yesterday = self._day(today - timedelta(days=1))
        if any(minute + 1440 < until for _, until in yesterday):
            return Status("open", f"{why_yesterday}, past midnight")
        ranges, state, why = self._day(today)
        if any(start <= minute < until for start, until in ranges):
            return Status("open", why)
        return Status(state, why)

    def is_open(self, now_s: float) -> bool:
        """Whether it is open at `now_s` (UTC seconds)."""
        return self.status(now_s).is_open

    def changes_at(self, now_s: float) -> float:
        """The next moment (UTC seconds) at which it may open or close: one of its hours, or the next midnight."""
        zone = ZoneInfo(self.time_zone)
        today = datetime.fromtimestamp(now_s, zone).date()
        moments: list[float] = []
        for step in (-1, 0, 1):
            day = today + timedelta(days=step)
            midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
            minutes = {0, *(minute for hours in self._day(day)[0] for minute in hours)}
            moments += [(midnight + timedelta(minutes=minute)).astimezone(UTC).timestamp() for minute in minutes]
        return min(moment for moment in moments if moment > now_s)

    def next_open_s(self, now_s: float) -> float | None:
        """When it opens next (UTC seconds); `now_s` itself while it is open; None within more than a year."""
        if self.status(now_s).is_open:
            return now_s
        zone = ZoneInfo(self.time_zone)
        today = datetime.fromtimestamp(now_s, zone).date()
        for step in range(_LOOK_AHEAD_DAYS):
            day = today + timedelta(days=step)
            for start, _ in sorted(self._day(day)[0]):
                opens = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=start)
                opens_s = opens.astimezone(UTC).timestamp()
                if opens_s > now_s:
                    return opens_s
        return None

    def _day(self, day: date) -> tuple[tuple[Range, ...], Literal["closed", "holiday"], str]:
        """The hours of a date, what it is outside of them, and why."""
        special = self.special_days.get(day.isoformat()) or self.special_days.get(f"{day:%m-%d}")
        if special is not None:
            name = f"holiday: {special.holiday}" if special.holiday else _said(special.hours)
            return special.hours, "holiday" if special.holiday else "closed", f"special day {day}: {name}"
        for holidays in self.holidays:
            if name := holidays.on(day):
                return (), "holiday", f"holiday: {name}"
        hours = self.hours.get(day.weekday(), ())
        return hours, "closed", f"{_DAYS[day.weekday()]}: {_said(hours)}"


def _ranges(value: Any, path: tuple[str | int, ...], faults: Faults) -> tuple[Range, ...]:
    """`9:00-14:00`, `9:00-14:00, 16:00-19:00`, a list of those, `closed` or `24h`."""
    texts: Sequence[Any] = value if isinstance(value, list | tuple) else [value]
    found: list[Range] = []
    for index, text in enumerate(texts):
        place = (*path, index) if isinstance(value, list | tuple) else path
        if isinstance(text, tuple):
            found.append(text)
            continue
        try:
            found.extend(_range(part) for part in re.split(r"\s*,\s*", typed(text, "hours")) if part != "closed")
        except PydanticCustomError as error:
            faults.add_error(place, error)
    found.sort()
    for (_, until), (start, _) in pairwise(found):
        if start < until:
            faults.add(path, f"hours overlap at {_clock(start)}", "write them one after the other")
    return tuple(found)


def _range(text: str) -> Range:
    if text.lower() in ("24h", "24 h", "always"):
        return 0, 1440
    parts = _RANGE.fullmatch(text)
    if not parts:
        raise fault(f"'{text[:40]}' are not hours", "write 9:00-14:00, a list of those, 24h or closed")
    start, until = read_time(parts[1]), read_time(parts[2])
    return start, until if until > start else until + 1440


def _special(rule: Any, path: tuple[str | int, ...], faults: Faults) -> SpecialDay:
    if isinstance(rule, SpecialDay):
        return rule
    if not isinstance(rule, Mapping):
        if rule == "holiday":
            return SpecialDay(holiday="holiday")
        return SpecialDay(_ranges(rule, path, faults))
    for key in rule:
        if key not in ("hours", "holiday"):
            hint = did_you_mean(str(key), ["hours", "holiday"])
            faults.add((*path, key), f"unknown key '{key}' in a special day", hint, at_key=True)
    hours = _ranges(rule["hours"], (*path, "hours"), faults) if "hours" in rule else ()
    return SpecialDay(hours, str(rule.get("holiday") or ""))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text if len(text) == 10 else f"2024-{text}")  # 2024 has a 29th of February
    except ValueError:
        return False
    return len(text) in (5, 10)


def _said(ranges: tuple[Range, ...]) -> str:
    if ranges == _ALL_DAY:
        return "all day"
    return ", ".join(f"{_clock(start)}-{_clock(until)}" for start, until in ranges) or "closed"


def _clock(minutes: int) -> str:
    shown = minutes if minutes <= 1440 else minutes - 1440
    return f"{shown // 60}:{shown % 60:02}"


@lru_cache(maxsize=1)
def _regions() -> Mapping[str, Sequence[str]]:
    return public_holidays.list_supported_countries()


def _country_code(name: str) -> str | None:
    """The code of a country by its name in English or Spanish, or of what looks most like it."""
    codes = {code: code for code in _regions() if len(code) == 2}
    for language in ("en", "es"):
        territories = Locale(language).territories
        codes.update({str(territories[code]): code for code in _regions() if code in territories})
    close = process.extractOne(plain(name), list(codes), processor=plain, score_cutoff=75)
    return codes[close[0]] if close else None


@lru_cache(maxsize=512)
def _holidays_of(country: str, region: str | None, year: int) -> Mapping[date, str]:
    # In the country's own language: without it, the library follows the machine's locale.
    language = public_holidays.country_holidays(country).default_language
    return dict(public_holidays.country_holidays(country, subdiv=region, years=year, language=language))
