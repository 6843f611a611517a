"""One number, however it is written: `911 23 45 67`, `0034911234567` and `34911234567` are `+34911234567`. Pure."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers


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
