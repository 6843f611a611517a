"""The scalar field types of every definition: from the string that was typed to a value, or a fault in words.

Each takes what an admin may write (`sí`, `9:30`, `lun-vie`, `0810`) and also the value itself, so that
definitions can be built in Python. Their JSON Schema accepts what a YAML editor takes for a number or a flag.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any
from zoneinfo import available_timezones

import phonenumbers
from pydantic import BeforeValidator, WithJsonSchema

from definitions.faults import did_you_mean, fault

_WHOLE = re.compile(r"[0-9]{1,15}")
_DECIMAL = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_TENANT = re.compile(r"[a-z][a-z0-9_]{0,19}")
_VARIABLE = re.compile(r"[a-z][a-z0-9_]{0,39}")
LANGUAGE_PATTERN = re.compile(r"([A-Za-z]{2})(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")
_TIME = re.compile(r"([0-9]{1,2})[:.h]([0-9]{2})")
_YES = {"yes", "true", "on", "si", "1"}
_NO = {"no", "false", "off", "0"}
_DAYS = {
    name: day
    for day, names in enumerate(
        (
            "mon monday lun lunes",
            "tue tuesday mar martes",
            "wed wednesday mie miercoles",
            "thu thursday jue jueves",
            "fri friday vie viernes",
            "sat saturday sab sabado",
            "sun sunday dom domingo",
        )
    )
    for name in names.split()
}


def typed(value: Any, what: str) -> str:
    """The text of a scalar. Raises a fault for a missing value, a list or a map."""
    if value is None:
        raise fault("a value is missing here", f'write {what} (an unquoted # begins a comment: write "#")')
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int | float):
        return str(value).strip()
    kind = "a list" if isinstance(value, list | tuple) else "a map"
    raise fault(f"{kind} stands where {what} belongs", f"write {what}")


def plain(text: str) -> str:
    """Lower case without accents: how words are compared."""
    parts = unicodedata.normalize("NFD", text.strip().lower())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


_MONTH_S = 30 * 86_400


def read_seconds(value: Any) -> float:
    return _seconds(value, 86_400, "a day")


def read_long_seconds(value: Any) -> float:
    return _seconds(value, _MONTH_S, "thirty days")


def _seconds(value: Any, most_s: int, most: str) -> float:
    text = typed(value, "a number of seconds")
    if text.endswith(("s", "sec")) and _DECIMAL.fullmatch(text.rstrip("sec").strip()):
        raise fault(
            f"'{text}' is not a number of seconds", f"the unit is in the key's name: write {text.rstrip('sec')}"
        )
    number = _decimal(text, "a number of seconds")
    if number > most_s:
        raise fault(f"{text} seconds is more than {most}", f"write at most {most_s}")
    return number


def _decimal(text: str, what: str) -> float:
    if not _DECIMAL.fullmatch(text):
        comma = f"write {text.replace(',', '.')}" if _DECIMAL.fullmatch(text.replace(",", ".")) else "write 5 or 0.5"
        raise fault(f"'{text[:40]}' is not {what}", comma)
    return float(text)


def _count(value: Any) -> int:
    text = typed(value, "a whole number")
    if not _WHOLE.fullmatch(text):
        raise fault(f"'{text[:40]}' is not a whole number", "write 0, 1, 2 …")
    return int(text)


def read_flag(value: Any) -> bool:
    text = plain(typed(value, "yes or no"))
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise fault(f"'{text[:40]}' is neither yes nor no", "write yes or no")


def _digits(value: Any) -> str:
    text = typed(value, "keys of a phone")
    if not re.fullmatch(r"[0-9*#]{1,40}", text):
        raise fault(f"'{text[:40]}' are not keys of a phone", 'use 0-9, * and # (in quotes: "*")')
    return text


def _phone(value: Any) -> str:
    text = typed(value, "a phone number")
    bare = re.sub(r"[\s().\-]", "", text)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    if not re.fullmatch(r"\+?[0-9]{2,15}", bare):
        raise fault(f"'{text[:40]}' is not a phone number", "write it like +34911234567, or as it is dialed")
    return bare


def read_time(value: Any) -> int:
    text = typed(value, "a time of day")
    found = _TIME.fullmatch(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if found is None or int(found[2]) > 59 or not 0 <= minutes <= 1440:
        raise fault(f"'{text[:40]}' is not a time of day", "write it like 9:30, at most 24:00")
    return minutes


def read_weekdays(value: Any) -> tuple[int, ...]:
    """Monday is 0. `mon-fri`, `sat, sun`, `lun-vie`, a list of those; `fri-mon` runs over Sunday."""
    if isinstance(value, list | tuple | set | frozenset) and all(isinstance(day, int) for day in value):
        return tuple(sorted(set(value)))
    texts = value if isinstance(value, list | tuple) else [value]
    days: set[int] = set()
    for text in texts:
        for part in re.split(r"[,\s]+", plain(typed(text, "days of the week"))):
            first, _, last = part.partition("-")
            start, end = _day(first), _day(last or first)
            days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return tuple(sorted(days))


def _day(name: str) -> int:
    if name not in _DAYS:
        raise fault(f"'{name[:40]}' is no day of the week", did_you_mean(name, _DAYS) + " (a range: mon-fri)")
    return _DAYS[name]


def language_tag(value: Any) -> str:
    text = typed(value, "a language")
    found = LANGUAGE_PATTERN.fullmatch(text)
    if not found:
        raise fault(f"'{text[:40]}' is not a language", "write a tag like es, en or es-AR")
    return found[1].lower() + (f"-{found[2].upper()}" if found[2] else "")


def country(value: Any) -> str:
    """A country by its two letters (ISO 3166), upper case."""
    region = typed(value, "a country").upper()
    if region not in phonenumbers.SUPPORTED_REGIONS:
        raise fault(f"'{value}' is not a country", "write two letters: ES, AR, US")
    return region


def time_zone(value: Any) -> str:
    """The IANA name of a time zone."""
    text = typed(value, "a time zone")
    if text not in _time_zones():
        raise fault(f"there is no time zone '{text[:40]}'", did_you_mean(text[:40], _time_zones()))
    return text


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _name(pattern: re.Pattern[str], what: str, rule: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        text = typed(value, what)
        if not pattern.fullmatch(text):
            raise fault(f"'{text[:40]}' cannot be {what}", rule)
        return text

    return read


def _text(value: Any) -> str:
    return typed(value, "a text")


_NUMBER = {"type": ["number", "string"]}
_WORD = {"type": ["string", "number"]}

Seconds = Annotated[
    float, BeforeValidator(read_seconds), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 86400})
]
"""A length of time, 0 to 86,400 seconds."""
LongSeconds = Annotated[
    float, BeforeValidator(read_long_seconds), WithJsonSchema({"type": "number", "minimum": 0, "maximum": _MONTH_S})
]
"""A length of time, 0 seconds to thirty days of 86,400."""
Count = Annotated[int, BeforeValidator(_count), WithJsonSchema({"type": "integer", "minimum": 0})]
"""A whole number, 0 or more."""
Flag = Annotated[
    bool,
    BeforeValidator(read_flag),
    WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "sí"]}]}),
]
"""yes or no (true, false, on, off, sí)."""
Digits = Annotated[
    str, BeforeValidator(_digits), WithJsonSchema({"type": ["string", "integer"], "pattern": "^[0-9*#]{1,40}$"})
]
"""Keys of a phone."""
PhoneNumber = Annotated[str, BeforeValidator(_phone), WithJsonSchema({**_WORD, "examples": ["+34911234567"]})]
"""A phone number without spaces or signs, `+` and country code or as dialed."""
TimeOfDay = Annotated[
    int,
    BeforeValidator(read_time),
    WithJsonSchema({**_NUMBER, "pattern": "^[0-9]{1,2}[:.h][0-9]{2}$", "examples": ["9:30"]}),
]
"""Minutes since midnight, 0 to 1440 (`24:00`)."""
Weekdays = Annotated[
    tuple[int, ...],
    BeforeValidator(read_weekdays),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["mon-fri", "sat, sun"]},
                {"type": "array", "items": {"type": "string"}},
            ]
        }
    ),
]
"""Days of the week, Monday is 0, sorted."""
LanguageTag = Annotated[
    str,
    BeforeValidator(language_tag),
    WithJsonSchema(
        {"type": "string", "pattern": "^[A-Za-z]{2}([-_]([A-Za-z]{2}|[0-9]{3}))?$", "examples": ["es", "en"]}
    ),
]
"""A language, normalised: `es`, `es-AR`."""
Country = Annotated[
    str, BeforeValidator(country), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z]{2}$", "examples": ["ES"]})
]
"""A country by its two letters, upper case."""
TimeZone = Annotated[str, BeforeValidator(time_zone), WithJsonSchema({"type": "string", "examples": ["Europe/Madrid"]})]
"""Europe/Madrid, America/Argentina/Buenos_Aires."""
Name = Annotated[
    str,
    BeforeValidator(_name(_NAME, "a name", "use a-z, 0-9, _ and -, at most 40 characters, lower case")),
    WithJsonSchema({**_WORD, "pattern": "^[a-z0-9][a-z0-9_-]{0,39}$"}),
]
"""The name of a node, flow, queue, calendar …"""
TenantName = Annotated[
    str,
    BeforeValidator(_name(_TENANT, "a tenant's name", "use a-z, 0-9 and _, at most 20 characters, a letter first")),
    WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,19}$"}),
]
"""A tenant: no `-`, since names inside Asterisk are `<tenant>-<name>`."""
Variable = Annotated[
    str,
    BeforeValidator(_name(_VARIABLE, "a variable", "use a-z, 0-9 and _, a letter first, at most 40 characters")),
    WithJsonSchema({"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}),
]
"""The name of a flow variable."""
Text = Annotated[str, BeforeValidator(_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Any text, as typed."""
