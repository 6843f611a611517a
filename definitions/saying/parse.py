"""What callers of `definitions.saying` may hand in, turned into values or a `ValueError` that says what to do."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

import phonenumbers
from babel.numbers import get_currency_precision, is_currency

Number = int | float | Decimal | str

_LIMIT = Decimal(10) ** 15
_MOST_DECIMALS = 6
_MOST_CHARACTERS = 64


def as_decimal(number: Number) -> Decimal:
    """The number below 10^15 in size, at most six decimals (more are rounded away)."""
    try:
        value = Decimal(str(number).strip())
    except InvalidOperation:
        raise ValueError(
            f"{_shown(number)} is not a number: write it like 1234.50, with a point and no spaces"
        ) from None
    if not value.is_finite():
        raise ValueError(f"{_shown(number)} cannot be said: give a finite number")
    if abs(value) >= _LIMIT:
        raise ValueError(f"{_shown(number)} is too long to listen to: say_number takes less than 10^15; try say_digits")
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_MOST_DECIMALS:
        value = round(value, _MOST_DECIMALS)
    return value


def as_whole(number: Number) -> int:
    """The number, if it has no decimals."""
    value = as_decimal(number)
    if value != int(value):
        raise ValueError(f"{_shown(number)} is not a whole number: count in whole things, or use say_number")
    return int(value)


def as_seconds(length: timedelta | Number) -> int:
    """A length of time in whole seconds, rounded half up."""
    seconds = Decimal(str(length.total_seconds())) if isinstance(length, timedelta) else as_decimal(length)
    if seconds < 0:
        raise ValueError(f"a duration of {seconds} s is negative: subtract the earlier time from the later one")
    return int(seconds.quantize(Decimal(1), ROUND_HALF_UP))


def as_date(day: date | str) -> date:
    """A date, or its ISO 8601 text (a date and time gives its date)."""
    if isinstance(day, datetime):
        return day.date()
    if isinstance(day, date):
        return day
    try:
        return datetime.fromisoformat(day.strip()).date()
    except (ValueError, AttributeError):
        raise ValueError(f"{_shown(day)} is not a date: write it like 2026-03-15") from None


def as_time(moment: time | datetime | str) -> time:
    """A time of day, or its text: "9:30", "09:30", or an ISO 8601 date and time."""
    if isinstance(moment, datetime):
        return moment.time()
    if isinstance(moment, time):
        return moment
    text = str(moment).strip()
    try:
        if typed := re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text):
            return time(int(typed[1]), int(typed[2]))
        return datetime.fromisoformat(text).time() if re.search(r"[0-9]{4}-", text) else time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{_shown(moment)} is not a time of day: write it like 9:30 or 15:05") from None


@dataclass(frozen=True, slots=True)
class Money:
    """A rounded amount without its sign; `decimals` is how many the currency has."""

    currency: str
    decimals: int
    amount: Decimal
    negative: bool

    @property
    def major(self) -> int:
        return int(self.amount)

    @property
    def minor(self) -> int:
        return int((self.amount % 1).scaleb(self.decimals))


def money_parts(amount: Number, currency: str) -> Money:
    """An amount rounded to what the currency can pay."""
    code = str(currency).strip().upper()
    if not is_currency(code):
        raise ValueError(f"{_shown(currency)} is not a currency: use its ISO 4217 code, like EUR, ARS, COP, MXN or USD")
    decimals = get_currency_precision(code)
    rounded = as_decimal(amount).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return Money(code, decimals, abs(rounded), rounded < 0)


def character_groups(text: str) -> list[str]:
    """The characters to be said, without accents and in upper case, in groups as typed, else of three or four."""
    plain = unicodedata.normalize("NFD", text.strip().upper().replace("Ñ", "\0"))
    plain = "".join(c for c in plain if not unicodedata.combining(c)).replace("\0", "Ñ")
    groups = [group for group in re.split(r"[\s.,;:()/_\-]+", plain) if group]
    if not groups:
        raise ValueError("there are no digits to say: the text is empty")
    if sum(map(len, groups)) > _MOST_CHARACTERS:
        raise ValueError(f"{_shown(text)} is too long to listen to: say at most {_MOST_CHARACTERS} characters")
    if strange := re.search(r"[^0-9A-ZÑ*#+]", "".join(groups)):
        raise ValueError(f"{strange[0]!r} in {_shown(text)} cannot be said as digits: use 0-9, A-Z, *, # and +")
    return _in_threes(groups[0]) if len(groups) == 1 else groups


def phone_text(number: str, region: str) -> str:
    """The number as its country writes it; without country code in its own region; as typed when it is not valid."""
    try:
        parsed = phonenumbers.parse(number, region or None)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_valid_number(parsed):
        return number
    at_home = phonenumbers.country_code_for_region(region) == parsed.country_code if region else False
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(parsed, style.NATIONAL if at_home else style.INTERNATIONAL)


def _in_threes(text: str) -> list[str]:
    """Up to four characters stay together; more go in threes, the rest in fours or a last pair."""
    size = len(text)
    if size <= 4:
        return [text]
    fours = {0: 0, 1: 1, 2: 2 if size >= 8 else 0}[size % 3]
    groups = [text[place : place + 3] for place in range(0, size - 4 * fours, 3)]
    tail = text[size - 4 * fours :]
    return groups + [tail[place : place + 4] for place in range(0, len(tail), 4)]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
