"""Phone numbers as lists have them -> E.164 with its time zones, or why not.

`phonenumbers` is the truth, and takes a tenth of a millisecond a number. A number written plainly, of the list's own
country, is settled by that country's own patterns out of the same metadata, some twenty times as fast;
tests/unit/dialer/test_phones.py holds the two equal.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import (
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    shortnumberinfo,
)
from phonenumbers.phonenumberutil import is_number_type_geographical
from phonenumbers.tzdata import TIMEZONE_DATA

from dialer.compliance.local_time import zones_of
from dialer.compliance.numbers import never_dialed
from dialer.importing.reasons import Refusal, refusal

_PLAIN = re.compile(r"\+?[0-9][0-9 .()\-]{4,24}")
_DROP = str.maketrans("", "", " .()-")
_SCIENTIFIC = re.compile(r"\+?([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_FLOAT = re.compile(r"(\+?[0-9]{5,})[.,]0{1,4}")
_LABELLED = re.compile(r"(?:tel|tlf|tfno|phone|mov|móvil|movil|cel)[.:\s]+(?=[+0-9(])", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:ext|extension|extensión|x|#)[.:\s]*[0-9]{1,7}$", re.IGNORECASE)
_LEAST_DIGITS = 7
_LONG = 11
"""Digits from which a number may well begin with its country code."""


@dataclass(frozen=True, slots=True)
class Phone:
    """`zones`: the IANA names of where it may be, sorted; empty when nobody knows."""

    number: str
    zones: tuple[str, ...]


class PhoneReader:
    """Reads numbers as written in `country` (ISO 3166), or with their country code alone when that is empty."""

    def __init__(self, country: str = "") -> None:
        self.country = country.upper()
        self._own = _Plain(self.country) if self.country else None

    def read(self, text: str) -> Phone | Refusal:
        if self._own is not None and _PLAIN.fullmatch(text):
            digits = text.translate(_DROP)
            found = self._own.read(digits)
            if found is not None:
                return found
        return self._slowly(text)

    def _slowly(self, text: str) -> Phone | Refusal:
        cleaned = clean(text)
        found = _SCIENTIFIC.fullmatch(cleaned)
        if found:
            first, rest, power = found[1], found[2] or "", int(found[3])
            if len(rest.rstrip("0")) < power:  # digits that would have to be zero were cut
                return refusal("scientific", text=cleaned)
            cleaned = (first + rest)[: power + 1]
        elif floating := _FLOAT.fullmatch(cleaned):
            cleaned = floating[1]
        if _EXTENSION.search(cleaned) and re.search(r"[0-9]{5}", _EXTENSION.sub("", cleaned)):
            return refusal("extension", text=text)
        if any(letter.isalpha() for letter in cleaned):
            return refusal("letters", text=text)
        digits = re.sub(r"[^0-9]", "", cleaned)
        if not digits:
            return refusal("no_digits", text=text)
        if refused := self._never(digits):
            return refused
        return self._parsed(cleaned, digits)

    def _never(self, digits: str) -> Refusal | None:
        """Numbers of services, which no campaign has any business with."""
        countries = (self.country,) if self.country else ("ES", "US", "GB")
        if len(digits) <= _LEAST_DIGITS and any(
            shortnumberinfo.is_emergency_number(digits, each) for each in countries
        ):
            return refusal("emergency", text=digits)
        return refusal("short", text=digits) if len(digits) < 5 else None

    def _parsed(self, cleaned: str, digits: str) -> Phone | Refusal:
        parsed = _parse(cleaned, self.country)
        if parsed is None and not self.country and not cleaned.startswith("+"):
            parsed = _valid(_parse(f"+{digits.removeprefix('00')}", "")) if len(digits) >= _LONG else None
            if parsed is None:
                return refusal("no_country", text=cleaned)
        if parsed is None or not phonenumbers.is_valid_number(parsed):
            parsed = self._mended(cleaned, digits) or parsed
        country = self.country or "?"
        if parsed is None:
            return refusal("too_short" if len(digits) < _LEAST_DIGITS else "invalid", text=cleaned, country=country)
        number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        rule, _ = never_dialed(number)
        if rule in ("emergency", "premium"):
            return refusal(rule, text=cleaned)
        if not phonenumbers.is_valid_number(parsed):
            return self._refused(cleaned, parsed)
        return Phone(number, zones_of(number))

    def _mended(self, cleaned: str, digits: str) -> PhoneNumber | None:
        """What a spreadsheet or a habit took away: the plus, or a zero in front that belongs there (Italy)."""
        if cleaned.startswith("+"):
            return None
        tries = []
        if digits.startswith("00"):
            tries.append(_parse(f"+{digits[2:]}", ""))
        elif len(digits) >= _LONG:
            tries.append(_parse(f"+{digits}", ""))
        if self.country and not digits.startswith("0"):
            tries.append(_parse(f"0{digits}", self.country))
        return next((each for each in tries if _valid(each)), None)

    def _refused(self, cleaned: str, parsed: PhoneNumber) -> Refusal:
        country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
        reason = phonenumbers.is_possible_number_with_reason(parsed)
        code = {ValidationResult.TOO_SHORT: "too_short", ValidationResult.TOO_LONG: "too_long"}.get(reason, "invalid")
        return refusal(code, text=cleaned, country=country)


class _Plain:
    """Numbers of one country, written plainly, out of its own metadata. None where it is not sure."""

    def __init__(self, country: str) -> None:
        self._code = str(phonenumbers.country_code_for_region(country))
        metadata = PhoneMetadata.metadata_for_region(country)
        self._zones: dict[str, tuple[str, ...]] = {}
        self._prefix_length = max((len(each) for each in TIMEZONE_DATA if each.startswith(self._code)), default=0)
        self._mobile_has_place = is_number_type_geographical(PhoneNumberType.MOBILE, int(self._code))
        self._fixed = self._mobile = self._special = self._prefix = None
        if metadata is None:
            return
        self._fixed = _pattern(metadata.fixed_line)
        self._mobile = _pattern(metadata.mobile)
        others = ("premium_rate", "toll_free", "shared_cost", "voip", "personal_number", "pager", "uan", "voicemail")
        special = [each.pattern for each in (_pattern(getattr(metadata, name)) for name in others) if each]
        self._special = re.compile("|".join(f"(?:{each})" for each in special)) if special else None
        if metadata.national_prefix_for_parsing:
            self._prefix = re.compile(metadata.national_prefix_for_parsing)

    def read(self, digits: str) -> Phone | None:
        """`digits`: with a plus in front, or national."""
        if digits[0] == "+":
            if not digits.startswith(self._code, 1):
                return None
            national = digits[1 + len(self._code) :]
        else:
            national = digits
        if len(national) < _LEAST_DIGITS or national[0] == "0":
            return None
        if self._prefix is not None and (cut := self._prefix.match(national)) and cut.end():
            return None
        fixed = self._fixed is not None and self._fixed.fullmatch(national) is not None
        mobile = self._mobile is not None and self._mobile.fullmatch(national) is not None
        if not (fixed or mobile) or (self._special is not None and self._special.fullmatch(national)):
            return None
        number = self._code + national
        return Phone(f"+{number}", self._zones_of(number, fixed))

    def _zones_of(self, number: str, fixed: bool) -> tuple[str, ...]:
        """They depend on the first digits alone, and on whether the number is of a place."""
        key = number[: self._prefix_length] if fixed or self._mobile_has_place else ""
        found = self._zones.get(key)
        if found is None:
            found = self._zones[key] = zones_of(f"+{number}")
        return found


def clean(text: str) -> str:
    """Without what only looks: odd spaces, quotes, a `tel:` in front, full-width digits."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(each for each in plain if unicodedata.category(each) not in ("Cf", "Cc"))
    return _LABELLED.sub("", plain.strip().strip("'\"`´‘’“”").strip(), count=1)


def _pattern(description: phonenumbers.PhoneNumberDesc | None) -> re.Pattern[str] | None:
    written = description.national_number_pattern if description is not None else None
    return re.compile(written) if written else None


def _parse(text: str, country: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return None


def _valid(parsed: PhoneNumber | None) -> PhoneNumber | None:
    return parsed if parsed is not None and phonenumbers.is_valid_number(parsed) else None
