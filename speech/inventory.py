"""The phrases from which numbers, money, dates, times and digits are put together in any call.

They are what `definitions.saying` can say, cut where a speaker would: about 250 a language, two minutes of sound.
"""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal

from definitions.saying import (
    say_count,
    say_date,
    say_digits,
    say_duration,
    say_money,
    say_number,
    say_time,
    say_wait,
    speaks,
)

_YEARS = range(2024, 2034)
_CURRENCIES = ("EUR", "USD", "ARS", "GBP")
_SIGNS_AND_LETTERS = "*#+ABCDEFGHIJKLMNÑOPQRSTUVWXYZ"


def phrases_for(language: str) -> list[str]:
    """What to render so that values said in `language` need no new rendering; [] for a language without `saying`."""
    if not speaks(language):
        return []
    base = language.partition("-")[0]
    found = [*_numbers(language), *_money(language), *_durations(language), *_digits(language)]
    found += _waits(language)
    found += _spanish(language) if base == "es" else _english(language)
    return list(dict.fromkeys(phrase for phrase in found if phrase))


def _numbers(language: str) -> list[str]:
    return [say_number(number, language) for number in [*range(100), *range(100, 1000, 100)]]


def _money(language: str) -> list[str]:
    """The names of units and hundredths, one and many, as the region says them and as the language does."""
    amounts = (Decimal(1), Decimal(2), Decimal("0.01"), Decimal("0.02"))
    tags = (language, language.partition("-")[0])
    return [
        say_money(amount, currency, tag).partition(" ")[2]
        for tag in tags
        for currency in _CURRENCIES
        for amount in amounts
    ]


def _durations(language: str) -> list[str]:
    return [say_duration(size * count, language).partition(" ")[2] for size in (1, 60, 3600, 86400) for count in (1, 2)]


def _waits(language: str) -> list[str]:
    """How a range of minutes begins: `entre tres y`, before `cinco minutos`; `less than a minute`."""
    last = say_duration(50 * 60, language)
    starts = [say_wait(number, 50, language).removesuffix(last) for number in (*range(21), 25, 30, 40)]
    between = starts[1].partition(" ")[0]
    return [*starts, last, between, say_wait(0, 1, language)]


def _digits(language: str) -> list[str]:
    return [say_digits(character, language) for character in _SIGNS_AND_LETTERS]


def _spanish(language: str) -> list[str]:
    before_nouns = [
        say_count(number, "x", "x", language, feminine=feminine).removesuffix(" x").removesuffix(" de")
        for feminine in (True, False)
        for number in [*range(1, 100, 10), *range(200, 1000, 100)]
    ]
    months = [say_date(date(2024, month, 2), language, year=False).partition(" ")[2] for month in range(1, 13)]
    years = [f"de {say_number(year, language)}" for year in _YEARS]
    weekdays = [say_date(date(2024, 1, day), language, weekday=True).partition(" ")[0] for day in range(1, 8)]
    hours = [" ".join(say_time(time(hour), language).split()[:2]) for hour in range(1, 13)]
    halves = [" ".join(say_time(time(hour), language).split()[2:]) for hour in (1, 7, 12, 13, 21)]
    small = [
        "menos",
        "coma",
        "punto",
        "numeral",
        "gato",
        "con",
        "y",
        "de",
        "mil",
        "ciento",
        "un millón",
        "millones",
        "un billón",
    ]
    return [*small, *before_nouns, *months, *years, *weekdays, "primero", *hours, *halves, "y cuarto", "y media",
            "y un minuto", "billones"]  # fmt: skip


def _english(language: str) -> list[str]:
    days = [say_date(date(2024, 1, day), language, year=False) for day in range(1, 32)]
    months = [say_date(date(2024, month, 1), language, year=False) for month in range(1, 13)]
    years = [say_date(date(year, 1, 1), language).rpartition(", ")[2] for year in _YEARS]
    weekdays = [say_date(date(2024, 1, day), language, weekday=True).split()[0].rstrip(",") for day in range(1, 8)]
    # "January" and "first", or "the first" and "of January".
    parts = [part for day in [*days, *months] for part in _halves(day)]
    small = ["minus", "point", "and", "oh", "hundred", "thousand", "million", "billion", "a.m.", "p.m.",
             "twelve noon", "midnight"]  # fmt: skip
    return [*small, *parts, *years, *weekdays]


def _halves(day: str) -> list[str]:
    """`the first of May` -> `the first`, `of May`; `May first` -> `May`, `first`."""
    if " of " in day:
        first, _, month = day.partition(" of ")
        return [first, f"of {month}"]
    return list(day.partition(" ")[::2])
