"""Numbers, money, dates, times and digits as words in the caller's language.

    say_money("120.50", "EUR", "es")   -> "ciento veinte euros con cincuenta céntimos"
    say_date(date(2026, 3, 15), "en")  -> "March fifteenth, twenty twenty-six"
    say_digits("0810", "es-AR")        -> "cero ocho uno cero"

Pure: no clock, no chance, no files of its own. Languages are tags as people write them (`es`, `es-AR`, `es_MX`,
`es-419`, `en`, `en-GB`); the region chooses among habits (primero/uno de marzo, pesos/pesos argentinos). The
result never contains a digit, so every voice reads it alike, and it can be compared with what a recogniser heard.

Numbers may be `int`, `float`, `Decimal` or the string that was typed, since flows carry strings and JSON replies
carry floats. Whatever cannot be said raises `ValueError`, whose message says what is wrong and what to do.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from definitions.saying.parse import (
    Number,
    as_date,
    as_decimal,
    as_seconds,
    as_time,
    as_whole,
    character_groups,
    money_parts,
    phone_text,
)
from definitions.saying.tongues import LANGUAGES, tongue_for
from definitions.saying.waits import TOLD_MINUTES, say_wait, wait_minutes

__all__ = [
    "LANGUAGES",
    "TOLD_MINUTES",
    "Number",
    "say_count",
    "say_date",
    "say_digits",
    "say_duration",
    "say_money",
    "say_number",
    "say_phone",
    "say_time",
    "say_wait",
    "speaks",
    "wait_minutes",
]


def speaks(language: str) -> bool:
    """Whether the functions here know the language of this tag."""
    try:
        tongue_for(language)
    except ValueError:
        return False
    return True


def say_number(number: Number, language: str) -> str:
    """A cardinal number below 10^15, with its decimals.

    Raises `ValueError` for what is no number, is too long to listen to, or a language nobody here speaks.
    """
    tongue = tongue_for(language)
    value = as_decimal(number)
    whole = tongue.whole(abs(int(value)))
    decimals = format(abs(value), "f").partition(".")[2].rstrip("0")
    words = tongue.with_decimals(whole, decimals) if decimals else whole
    return f"{tongue.minus} {words}" if value < 0 else words


def say_money(amount: Number, currency: str, language: str) -> str:
    """An amount, rounded half up to the currency's smallest unit; no cents are said when there are none.

    `currency` is an ISO 4217 code. In its own country (or when the language names none) a currency goes by its
    short name: "pesos" in `es-AR` and `es`, "pesos argentinos" in `es-MX`.
    Raises `ValueError` for an unknown currency, number or language.
    """
    tongue = tongue_for(language)
    money = money_parts(amount, currency)
    if money.minor and not money.major and money.decimals == 2:
        words = tongue.minor_units(money.minor, money.currency)
    elif money.minor and money.decimals == 2:
        major, minor = tongue.major_units(money.major, money.currency), tongue.minor_units(money.minor, money.currency)
        words = f"{major} {tongue.and_cents} {minor}"
    elif money.minor:
        number = say_number(abs(money.amount), language)
        words = f"{number} {tongue.currency_plural(money.currency)}"
    else:
        words = tongue.major_units(money.major, money.currency)
    return f"{tongue.minus} {words}" if money.negative else words


def say_date(day: date | str, language: str, *, weekday: bool = False, year: bool = True) -> str:
    """A date (or ISO 8601 text); `weekday` puts the day's name first, `year=False` leaves the year out."""
    tongue = tongue_for(language)
    return tongue.date(as_date(day), weekday=weekday, year=year)


def say_time(moment: time | datetime | str, language: str) -> str:
    """A time of day on the twelve-hour clock; seconds are not said.

    Spanish brings its article, which depends on the hour: write `a {{ ... }}` for "a las tres y media de la tarde".
    """
    return tongue_for(language).time(as_time(moment))


def say_digits(text: str | int, language: str) -> str:
    """Characters one by one: digits, letters, `*`, `#`, `+`; groups are parted by commas, heard as short pauses.

    Groups are those typed ("600 12 34 56", "30-71234567-9"), else three or four digits.
    """
    tongue = tongue_for(language)
    return ", ".join(" ".join(map(tongue.character, group)) for group in character_groups(str(text)))


def say_phone(number: str | int, language: str, *, region: str = "") -> str:
    """A telephone number digit by digit, grouped as people of its country group it.

    `region` (ISO 3166, default the language's) is where the caller is: a number from there loses its country code.
    What is no valid number is said like any digits; nothing, or a carrier's word for a caller who withholds her
    number, as `withheld number`.
    """
    tongue = tongue_for(language)
    if str(number).strip().lower() in _WITHHELD:
        return tongue.withheld
    return say_digits(phone_text(str(number), (region or tongue.region).upper()), language)


_WITHHELD = frozenset(("", "anonymous", "private", "restricted", "unavailable", "unknown", "withheld"))
"""What carriers write where the number would stand."""


def say_duration(length: timedelta | Number, language: str) -> str:
    """A length of time in its two largest units, days to seconds; a plain number is seconds, rounded to whole ones."""
    tongue = tongue_for(language)
    parts = [tongue.time_unit(count, unit) for count, unit in _two_units(as_seconds(length))]
    return f" {tongue.and_word} ".join(parts)


def say_count(count: Number, singular: str, plural: str, language: str, *, feminine: bool | None = None) -> str:
    """How many of something: "una llamada", "veintiún mensajes", "three calls".

    Spanish numbers take the noun's gender; it is guessed from the noun's ending unless `feminine` is given.
    """
    tongue = tongue_for(language)
    value = as_whole(count)
    words = tongue.counted(abs(value), singular, plural, feminine)
    return f"{tongue.minus} {words}" if value < 0 else words


_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def _two_units(seconds: int) -> list[tuple[int, str]]:
    """The largest unit that is there and the next smaller one, if that is there too."""
    for place, (unit, size) in enumerate(_UNITS):
        if seconds >= size and size > 1:
            smaller, smaller_size = _UNITS[place + 1]
            rest = seconds % size // smaller_size
            return [(seconds // size, unit)] + ([(rest, smaller)] if rest else [])
    return [(seconds, "second")]
