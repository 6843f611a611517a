"""The filters and tests a template may use: the whole list, each a plain function of a value.

A filter's first argument is the value, its second the language; whatever is wrong is a `ValueError` whose
words tell what to do. Results are bounded by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel.dates import format_date
from num2words import num2words

from definitions import saying

Filter = Callable[..., Any]


def number_of(value: object) -> int | Decimal:
    """The number a value stands for; texts that look like numbers are numbers.

    Raises:
        ValueError: it is none, or has more than fifteen digits before the point.
    """
    if isinstance(value, bool):
        raise ValueError("yes and no are not numbers")
    if isinstance(value, int) and abs(value) < 10**15:
        return value
    if isinstance(value, Decimal | float):
        value = str(value)
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,12})?", text, re.ASCII):
        raise ValueError(f"{shown(value)} is not a number of at most fifteen digits")
    return Decimal(text) if "." in text else int(text)


def text_of(value: object) -> str:
    """A value as it is read or said; yes and no as `true` and `false`, nothing as an empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)


def shown(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _money(value: Any, language: str, currency: str = "EUR") -> str:
    return saying.say_money(number_of(value), text_of(currency), language)


def _number(value: Any, language: str) -> str:
    return saying.say_number(number_of(value), language)


def _ordinal(value: Any, language: str) -> str:
    number = number_of(value)
    if not isinstance(number, int) or not 0 < number < 10_000:
        raise ValueError(f"{shown(value)} has no ordinal: give a whole number from 1 to 9999")
    return str(num2words(number, to="ordinal", lang=language.partition("-")[0]))


def _digits(value: Any, language: str) -> str:
    return saying.say_digits(text_of(value), language)


def _phone(value: Any, language: str, region: str = "") -> str:
    """`region`: whose national numbers are said without their country code."""
    return saying.say_phone(text_of(value), language, region=text_of(region))


def _date(value: Any, language: str, weekday: bool = False, year: bool = True) -> str:
    return saying.say_date(_moment(value), language, weekday=bool(weekday), year=bool(year))


def _day(value: Any, language: str) -> str:
    """The name of a date's day of the week."""
    day = _moment(value)
    return format_date(
        date.fromisoformat(day[:10]) if isinstance(day, str) else day, "EEEE", locale=language.replace("-", "_")
    )


def _time(value: Any, language: str) -> str:
    return saying.say_time(value if isinstance(value, datetime) else text_of(value), language)


def _moment(value: Any) -> date | str:
    return value if isinstance(value, date) else text_of(value)


def _duration(value: Any, language: str) -> str:
    return saying.say_duration(number_of(value), language)


def _count(value: Any, language: str, singular: str, plural: str) -> str:
    return saying.say_count(number_of(value), text_of(singular), text_of(plural), language)


def _round(value: Any, language: str, places: int = 0) -> int | Decimal:
    if not isinstance(places, int) or not 0 <= places <= 6:
        raise ValueError("round takes 0 to 6 places")
    rounded = Decimal(number_of(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return rounded if places else int(rounded)


def _mask(value: Any, language: str, visible: int = 4) -> str:
    """`*` for all but the last characters: what may be shown of a card or document."""
    text = text_of(value)
    if not isinstance(visible, int) or visible < 0:
        raise ValueError("mask takes how many characters stay visible")
    keep = min(visible, len(text))
    return "*" * (len(text) - keep) + text[len(text) - keep :]


def _first(value: Any, language: str, count: int = 1) -> str:
    return text_of(value)[: _size(count)]


def _last(value: Any, language: str, count: int = 1) -> str:
    text = text_of(value)
    return text[max(0, len(text) - _size(count)) :]


def _size(count: object) -> int:
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise ValueError(f"{shown(count)} is not a number of characters")
    return count


def _replace(value: Any, language: str, old: str, new: str) -> str:
    if not text_of(old):
        raise ValueError("replace needs the text to look for")
    text, old, new = text_of(value), text_of(old), text_of(new)
    if len(text) + text.count(old) * len(new) > 4_000:
        raise ValueError("the text becomes too long")
    return text.replace(old, new)


FILTERS: Mapping[str, Filter] = {
    "abs": lambda value, language: abs(number_of(value)),
    "capitalize": lambda value, language: text_of(value)[:1].upper() + text_of(value)[1:],
    "count": _count,
    "date": _date,
    "day": _day,
    "digits": _digits,
    "duration": _duration,
    "first": _first,
    "int": lambda value, language: int(number_of(value)),
    "last": _last,
    "length": lambda value, language: len(text_of(value)),
    "lower": lambda value, language: text_of(value).lower(),
    "mask": _mask,
    "money": _money,
    "number": _number,
    "ordinal": _ordinal,
    "phone": _phone,
    "replace": _replace,
    "round": _round,
    "time": _time,
    "trim": lambda value, language: text_of(value).strip(),
    "upper": lambda value, language: text_of(value).upper(),
}
"""Every filter but `default`, which the template itself understands: it must see what is not set."""


def _is_number(value: object) -> bool:
    try:
        number_of(value)
    except ValueError:
        return False
    return True


TESTS: Mapping[str, Callable[[object], bool]] = {
    "empty": lambda value: text_of(value) == "",
    "number": _is_number,
}
"""Every test but `defined` and `matching`, which the template itself understands."""
