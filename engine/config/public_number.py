"""One number, however it is written: `911 23 45 67`, `0034911234567` and `34911234567` are `+34911234567`. Pure."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import ValidationResult, is_possible_number_with_reason, is_valid_number

_LONG = 7
"""Extensions are shorter."""


@lru_cache(maxsize=4096)
def e164(number: str, country: str) -> str:
    """E.164 when it is a possible public number in `country`, else as it is."""
    if number.startswith("00"):
        number = "+" + number[2:]
    try:
        parsed = phonenumbers.parse(number, country)
    except phonenumbers.NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed):
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def is_anybodys(number: str, country: str) -> bool:
    """Whether the whole world may call it, and it is nobody's extension. In some countries every four digits are a
    possible number, or its possible end: what is short and has no `+` must be a real one. So must a foreign one whose
    `+` was left out."""
    digits = number.removeprefix("+")
    if not digits.isdigit():
        return False
    foreign = number.startswith(("+", "00"))
    try:
        parsed = phonenumbers.parse(e164(number, country) if foreign else number, country)
        is_whole = is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
        if is_whole and (foreign or len(digits) >= _LONG or is_valid_number(parsed)):
            return True
        return len(digits) > _LONG and is_valid_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
