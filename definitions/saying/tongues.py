"""What a language must know to say things, and which languages there are.

A new language is one more module with a class that keeps this protocol, and one more line in `_TONGUES`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Protocol

from definitions.saying.english import English
from definitions.saying.spanish import Spanish


class Tongue(Protocol):
    """One language as spoken in one region. Counts are never negative here: the caller says `minus` before."""

    @property
    def region(self) -> str:
        """ISO 3166 code, or "" when the tag names none."""

    @property
    def minus(self) -> str: ...

    @property
    def and_word(self) -> str:
        """Joins the two units of a duration."""

    @property
    def and_cents(self) -> str:
        """Joins whole units of money and their hundredths."""

    @property
    def withheld(self) -> str:
        """What is said for the number of somebody who does not show it."""

    def whole(self, value: int) -> str: ...

    def with_decimals(self, whole: str, decimals: str) -> str:
        """`decimals` are the digits behind the point, at least one."""

    def major_units(self, count: int, currency: str) -> str: ...

    def minor_units(self, count: int, currency: str) -> str:
        """Hundredths of the currency."""

    def currency_plural(self, currency: str) -> str: ...

    def date(self, day: date, *, weekday: bool, year: bool) -> str: ...

    def time(self, moment: time) -> str: ...

    def character(self, character: str) -> str:
        """One of 0-9, A-Z, Ñ, `*`, `#` and `+` by name."""

    def time_unit(self, count: int, unit: str) -> str:
        """`unit` is day, hour, minute or second."""

    def between(self, first: str, last: str) -> str:
        """From one amount to another."""

    def less_than(self, length: str, *, one_minute: bool) -> str:
        """`one_minute`: the length is that, which English says in its own way."""

    def counted(self, count: int, singular: str, plural: str, feminine: bool | None) -> str: ...


_TONGUES: dict[str, Callable[[str], Tongue]] = {"es": Spanish, "en": English}
LANGUAGES = tuple(_TONGUES)


def tongue_for(language: str) -> Tongue:
    """The tongue of a language tag such as `es`, `es-AR`, `es_MX`, `es-419`, `en-GB`.

    Raises `ValueError` when nobody here speaks it.
    """
    tag = re.fullmatch(r"([a-z]{2,3})(?:[-_]([a-z]{2}|[0-9]{3}))?", language.strip().lower())
    if tag is None or tag[1] not in _TONGUES:
        known = " and ".join(LANGUAGES)
        raise ValueError(
            f"language {language!r}: numbers and dates are said in {known} only; use a tag like es, es-AR or en-GB"
        )
    return _TONGUES[tag[1]]((tag[2] or "").upper())
