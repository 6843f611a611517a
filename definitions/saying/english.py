"""English: American (the default) and British, whose numbers say "and" and whose dates begin with the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Final

from babel.numbers import get_currency_name
from num2words import num2words

from definitions.saying.currencies import is_plain

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_AMERICAN: Final = frozenset({"", "US", "PR", "419"})
_MINOR: Final = {"GBP": ("penny", "pence"), "PEN": ("céntimo", "céntimos"), "CRC": ("céntimo", "céntimos")}
_CENTAVOS: Final = frozenset({"ARS", "BOB", "BRL", "CLP", "COP", "CUP", "DOP", "GTQ", "HNL", "MXN", "NIO", "PHP"})


@dataclass(frozen=True, slots=True)
class English:
    """Keeps `Tongue`; `region` is an ISO 3166 code or ""."""

    region: str = ""
    minus: str = "minus"
    and_word: str = "and"
    and_cents: str = "and"
    withheld: str = "withheld number"

    @property
    def _american(self) -> bool:
        return self.region in _AMERICAN

    def whole(self, value: int) -> str:
        return self._in_manner(num2words(value, lang="en"))

    def with_decimals(self, whole: str, decimals: str) -> str:
        return " ".join([whole, "point", *(_DIGITS[int(digit)] for digit in decimals)])

    def major_units(self, count: int, currency: str) -> str:
        return self.counted(count, self._currency_name(currency, 1), self._currency_name(currency, 2), None)

    def minor_units(self, count: int, currency: str) -> str:
        singular, plural = ("centavo", "centavos") if currency in _CENTAVOS else _MINOR.get(currency, ("cent", "cents"))
        return self.counted(count, singular, plural, None)

    def currency_plural(self, currency: str) -> str:
        return self._currency_name(currency, 2)

    def date(self, day: date, *, weekday: bool, year: bool) -> str:
        ordinal, month = num2words(day.day, lang="en", to="ordinal"), _MONTHS[day.month - 1]
        words = f"{month} {ordinal}" if self._american else f"the {ordinal} of {month}"
        if weekday:
            words = f"{_WEEKDAYS[day.weekday()]}{',' if self._american else ''} {words}"
        return f"{words}, {self._in_manner(num2words(day.year, lang='en', to='year'))}" if year else words

    def time(self, moment: time) -> str:
        if moment.minute == 0 and moment.hour % 12 == 0:
            return "twelve noon" if moment.hour else "midnight"
        hour = self.whole(moment.hour % 12 or 12)
        half = "a.m." if moment.hour < 12 else "p.m."
        if not moment.minute:
            return f"{hour} {half}"
        zero = "oh " if moment.minute < 10 else ""
        return f"{hour} {zero}{self.whole(moment.minute)} {half}"

    def character(self, character: str) -> str:
        if character.isdigit():
            return _DIGITS[int(character)]
        named = {"*": "star", "+": "plus", "#": "pound" if self._american else "hash"}
        return named.get(character, character)

    def time_unit(self, count: int, unit: str) -> str:
        return self.counted(count, unit, f"{unit}s", None)

    def between(self, first: str, last: str) -> str:
        return f"between {first} and {last}"

    def less_than(self, length: str, *, one_minute: bool) -> str:
        return "less than a minute" if one_minute else f"less than {length}"

    def counted(self, count: int, singular: str, plural: str, feminine: bool | None) -> str:
        return f"{self.whole(count)} {singular if count == 1 else plural}"

    def _currency_name(self, currency: str, count: int) -> str:
        """ "Argentine peso", or "peso" where that is understood; English names end with the noun."""
        name = str(get_currency_name(currency, count=count, locale="en"))
        return name.split()[-1] if is_plain(currency, self.region) else name

    def _in_manner(self, words: str) -> str:
        words = words.replace(",", "")
        return words.replace(" and ", " ") if self._american else words
