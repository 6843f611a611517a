"""The field types of dialing packs: lengths of time, percentages as fractions, weekly hours, words of the law."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from definitions.faults import Faults, did_you_mean, fault
from definitions.fields import country, read_time, read_weekdays, typed
from dialer.compliance.rules import Basis, DropAction, Mode, Purpose, Range, Week

_RANGE = re.compile(r"([0-9]{1,2}[:.h][0-9]{2})\s*(?:-|–)\s*([0-9]{1,2}[:.h][0-9]{2})")
_LENGTH = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,3})?)\s*([smhd])")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def _day(value: Any) -> date:
    text = typed(value, "a date")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise fault(f"'{text[:40]}' is not a date", "write it like 2026-12-28") from None


def _read(value: Any) -> date | None:
    return None if typed(value, "a date, or unverified") == "unverified" else _day(value)


def _length(value: Any) -> float:
    text = typed(value, "a length of time")
    if text == "ever":
        return float("inf")
    found = _LENGTH.fullmatch(text)
    if not found:
        raise fault(f"'{text[:40]}' is no length of time", "write a number and its unit: 30d, 24h, 15m or 2s; or ever")
    return float(found[1]) * _UNITS[found[2]]


def _percent(value: Any) -> Fraction:
    text = typed(value, "a percentage").removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,4})?", text) or Fraction(text) > 100:
        raise fault(f"'{text[:40]}' is no percentage", "write 0 to 100, like 3 or 0.5")
    return Fraction(text) / 100


def _week(value: Any) -> Week:
    if not isinstance(value, Mapping) or not value:
        raise fault("the hours of the week are missing", "write days and hours: {mon-fri: 9:00-21:00, sat: 9:00-14:00}")
    week: dict[int, tuple[Range, ...]] = {}
    for days, hours in value.items():
        ranges = _ranges(hours)
        for day in (days,) if isinstance(days, int) else read_weekdays(days):
            if day in week:
                raise fault(f"a day of '{days}' has hours twice", "write each day once")
            week[day] = ranges
    return week


def _ranges(value: Any) -> tuple[Range, ...]:
    parts = value if isinstance(value, list | tuple) else typed(value, "hours").split(",")
    if parts == ["closed"]:
        return ()
    found = []
    for part in parts:
        if isinstance(part, tuple):
            start, end = part
        else:
            text = typed(part, "hours")
            pair = _RANGE.fullmatch(text)
            if pair is None:
                raise fault(
                    f"'{text[:40]}' are no hours", "write 9:00-21:00; several: [9:00-14:00, 16:00-20:00]; or closed"
                )
            start, end = read_time(pair[1]), read_time(pair[2])
        if start >= end:
            raise fault("these hours end before they begin", "hours of a rule stay within the day: write two ranges")
        found.append((start, end))
    return tuple(sorted(found))


def _choice(kind: type[Purpose] | type[Mode] | type[Basis] | type[DropAction], what: str) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        text = typed(value, what)
        known = [member.value for member in kind]
        if text not in known:
            raise fault(f"'{text[:40]}' is not {what}", did_you_mean(text, known, what="choices"))
        return kind(text)

    return read


def _choices(kind: type[Purpose] | type[Mode] | type[Basis] | type[DropAction], what: str) -> Any:
    return WithJsonSchema({"type": "string", "enum": [member.value for member in kind]}), BeforeValidator(
        _choice(kind, what)
    )


def _countries(value: Any) -> tuple[str, ...]:
    """Empty: any."""
    if value == "any":
        return ()
    if isinstance(value, str):
        return (country(value),)
    if not isinstance(value, list | tuple) or not value:
        raise fault("no country is named", "write [ES], or any")
    faults, found = Faults(), []
    for index, name in enumerate(value):
        try:
            found.append(country(name))
        except PydanticCustomError as error:
            faults.add_error((index,), error)
    faults.raise_any()
    return tuple(found)


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
ReadDay = Annotated[date | None, BeforeValidator(_read), WithJsonSchema({"type": "string", "examples": ["unverified"]})]
Length = Annotated[
    float, BeforeValidator(_length), WithJsonSchema({"type": "string", "examples": ["30d", "24h", "ever"]})
]
Percent = Annotated[Fraction, BeforeValidator(_percent), WithJsonSchema({"type": ["number", "string"]})]
Hours = Annotated[Week, BeforeValidator(_week), WithJsonSchema({"type": "object", "minProperties": 1})]
Country = Annotated[str, BeforeValidator(country), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2}$"})]
Countries = Annotated[
    tuple[str, ...],
    BeforeValidator(_countries),
    WithJsonSchema(
        {"anyOf": [{"const": "any"}, {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z]{2}$"}}]}
    ),
]
PurposeName = Annotated[Purpose, *_choices(Purpose, "a purpose")]
ModeName = Annotated[Mode, *_choices(Mode, "a way of dialing")]
BasisName = Annotated[Basis, *_choices(Basis, "a basis")]
DropName = Annotated[DropAction, *_choices(DropAction, "something to do with an abandoned call")]
