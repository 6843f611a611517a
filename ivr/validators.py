"""What `collect` can check about digits, and the form in which it keeps them.

    validate:
      - {kind: regex, pattern: "[0-9]{5}"}
      - {kind: range, min: 1, max: 31}
      - {kind: date, format: ddmmyyyy, after: 0, before: 30}     # days from today; kept as 2026-03-15
      - luhn
      - {kind: phone, region: ES}                                 # kept as +34911234567
      - {kind: document, country: es}                             # a DNI of 8 digits is kept with its letter

Each says why it refuses in words for the log, which never hold the digits themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
import re2
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from stdnum import luhn
from stdnum.ar import cuit
from stdnum.ar import dni as dni_ar
from stdnum.es import cif, dni, nie

from definitions.faults import did_you_mean, fault
from definitions.fields import country
from definitions.models import Definition, Flag, Text
from ivr.prompts import Prompt


@dataclass(frozen=True, slots=True)
class Checked:
    """`value`: what is kept; `why` is not empty when the digits are refused."""

    value: str
    why: str = ""


class _Validator(Definition):
    prompt: Prompt | None = None
    """Heard instead of the `no_match` prompt when this check refuses."""

    def check(self, value: str, now_s: float) -> Checked:
        raise NotImplementedError


def _pattern(pattern: str) -> str:
    try:
        _compiled(pattern)
    except re2.error as failure:
        why = failure.args[0] if failure.args else failure
        words = why.decode() if isinstance(why, bytes) else str(why)
        what = f"'{pattern[:40]}' is not a regular expression RE2 takes: {words}"
        raise fault(what, "no lookahead, no \\1") from None
    return pattern


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.max_mem = 1 << 20
    options.log_errors = False
    return re2.compile(pattern, options)


class RegexValidator(_Validator):
    """The whole value must match (RE2: no pattern can hang)."""

    kind: Literal["regex"]
    pattern: Annotated[Text, AfterValidator(_pattern)]

    def check(self, value: str, now_s: float) -> Checked:
        if _compiled(self.pattern).fullmatch(value):
            return Checked(value)
        return Checked(value, "does not match the pattern")


class RangeValidator(_Validator):
    """A number between `min` and `max`, both included."""

    kind: Literal["range"]
    min: Decimal | None = None
    max: Decimal | None = None

    @model_validator(mode="after")
    def _some_fit(self) -> RangeValidator:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise fault(f"no number is at least {self.min} and at most {self.max}", "exchange `min` and `max`")
        return self

    def check(self, value: str, now_s: float) -> Checked:
        if not value.isdecimal():
            return Checked(value, "is no number")
        number = Decimal(value)
        if self.min is not None and number < self.min:
            return Checked(value, f"is less than {self.min}")
        if self.max is not None and number > self.max:
            return Checked(value, f"is more than {self.max}")
        return Checked(value)


_FORMATS = {
    "ddmmyyyy": "%d%m%Y",
    "mmddyyyy": "%m%d%Y",
    "yyyymmdd": "%Y%m%d",
    "ddmmyy": "%d%m%y",
    "mmddyy": "%m%d%y",
    "ddmm": "%d%m",
    "mmdd": "%m%d",
    "mmyy": "%m%y",
    "mmyyyy": "%m%Y",
}


DateFormat = Literal["ddmmyyyy", "mmddyyyy", "yyyymmdd", "ddmmyy", "mmddyy", "ddmm", "mmdd", "mmyy", "mmyyyy"]


def _whole_days(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise fault(f"'{value}' is not a number of days", "0 is today, 1 tomorrow, -1 yesterday") from None


def _zone(value: Any) -> str:
    name = str(value)
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise fault(f"'{name[:40]}' is not a time zone", did_you_mean(name, available_timezones())) from None
    return name


Days = Annotated[int, BeforeValidator(_whole_days)]


class DateValidator(_Validator):
    """A day that exists. `after` and `before` are days from today (0 today, -1 yesterday), both included. Without a
    year the next such day is meant; a month alone (`mmyy`) means its first day, as on a bank card its last."""

    kind: Literal["date"]
    format: Literal["ddmmyyyy", "mmddyyyy", "yyyymmdd", "ddmmyy", "mmddyy", "ddmm", "mmdd", "mmyy", "mmyyyy"] = (
        "ddmmyyyy"
    )
    after: Days | None = None
    before: Days | None = None
    time_zone: Annotated[str, BeforeValidator(_zone)] = "UTC"
    """What "today" is."""

    def check(self, value: str, now_s: float) -> Checked:
        today = dt.datetime.fromtimestamp(now_s, ZoneInfo(self.time_zone)).date()
        day = _day(value, self.format, today)
        if day is None:
            return Checked(value, f"is no date written as {self.format}")
        distance = (day - today).days
        if self.after is not None and distance < self.after:
            return Checked(value, f"is before the first day allowed ({_from_today(self.after)})")
        if self.before is not None and distance > self.before:
            return Checked(value, f"is after the last day allowed ({_from_today(self.before)})")
        return Checked(day.isoformat())


def _from_today(days: int) -> str:
    return f"today {days:+d} {'day' if abs(days) == 1 else 'days'}"


def _day(value: str, written: str, today: dt.date) -> dt.date | None:
    """The day, or None. strptime alone would take "1122026" for the 11th: the length must be right too."""
    if len(value) != len(written) or not value.isdecimal():
        return None
    if "y" in written:
        try:
            return dt.datetime.strptime(value, _FORMATS[written]).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            return None
    # The 29th of February comes again within eight years.
    for year in range(today.year, today.year + 9):
        try:
            day = dt.datetime.strptime(f"{value}{year}", _FORMATS[written] + "%Y").date()  # noqa: DTZ007
        except ValueError:
            continue
        if day >= today:
            return day
    return None


class LuhnValidator(_Validator):
    """Payment cards and many account numbers: the last digit checks the others."""

    kind: Literal["luhn"]

    def check(self, value: str, now_s: float) -> Checked:
        return Checked(value) if len(value) > 1 and luhn.is_valid(value) else Checked(value, "has a wrong check digit")


class PhoneValidator(_Validator):
    """A number that can exist in `region`, or anywhere with its country code after 00."""

    kind: Literal["phone"]
    region: Annotated[str, BeforeValidator(country)] = "ES"
    mobile: Flag = False
    """Only mobile numbers, for what is sent by SMS."""

    def check(self, value: str, now_s: float) -> Checked:
        try:
            number = phonenumbers.parse(value, self.region)
        except phonenumbers.NumberParseException:
            return Checked(value, "is no phone number")
        if not phonenumbers.is_valid_number(number):
            return Checked(value, f"is no phone number of {self.region}")
        mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
        if self.mobile and phonenumbers.number_type(number) not in mobile:
            return Checked(value, "is no mobile number")
        return Checked(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _es_dni(value: str) -> str | None:
    """Phones have no letters: eight digits (seven for old cards) are kept with the letter that belongs to them."""
    if not value.isdecimal() or not 7 <= len(value) <= 8 or not int(value):
        return None
    digits = value.zfill(8)
    return digits + dni.calc_check_digit(digits)


def _es_nie(value: str) -> str | None:
    """The leading X, Y, Z is keyed in as 0, 1, 2 before seven digits, as the check letter's own rule does."""
    if not value.isdecimal() or len(value) != 8 or value[0] not in "012":
        return None
    bare = "XYZ"[int(value[0])] + value[1:]
    return bare + nie.calc_check_digit(bare)


def _es_cif(value: str) -> str | None:
    """Without its letter: seven digits and the check digit, right when some letter of company fits."""
    if len(value) != 8 or not value.isdecimal():
        return None
    return value if cif.is_valid("A" + value) or cif.is_valid("B" + value) else None


def _ar_dni(value: str) -> str | None:
    return value if dni_ar.is_valid(value) else None


def _ar_cuit(value: str) -> str | None:
    return value if cuit.is_valid(value) else None


_DOCUMENTS: dict[str, dict[str, Callable[[str], str | None]]] = {
    "es": {"dni": _es_dni, "nie": _es_nie, "cif": _es_cif},
    "ar": {"dni": _ar_dni, "cuit": _ar_cuit},
}
_USUAL = {"es": ("dni",), "ar": ("dni", "cuit")}


class DocumentValidator(_Validator):
    """An identity document, by digits alone. Of the kinds in `types` the first that fits is kept.

    es: `dni` (8 digits, the letter is added), `nie` (0, 1 or 2 for X, Y, Z and 7 digits), `cif` (8 digits without the
    letter); ar: `dni` (7 or 8 digits), `cuit` (11 digits, CUIL too).
    """

    kind: Literal["document"]
    country: Literal["es", "ar"]
    types: tuple[Literal["dni", "nie", "cif", "cuit", "cuil"], ...] = ()

    @field_validator("types", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    def check(self, value: str, now_s: float) -> Checked:
        known = _DOCUMENTS[self.country]
        for name in self.types or _USUAL[self.country]:
            reader = known.get("cuit" if name == "cuil" else name)
            if reader is not None and (kept := reader(value)) is not None:
                return Checked(kept)
        return Checked(value, f"is no {' or '.join(self.types or _USUAL[self.country]).upper()}")


def _short_form(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


Validator = Annotated[
    Annotated[
        RegexValidator | RangeValidator | DateValidator | LuhnValidator | PhoneValidator | DocumentValidator,
        Field(discriminator="kind"),
    ],
    BeforeValidator(_short_form),
]
"""One check; `luhn` alone is `{kind: luhn}`."""
