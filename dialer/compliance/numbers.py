"""Who a number belongs to, as far as the law asks: its country, whether it is one that is never dialed, or a mobile."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, shortnumberinfo

_PREMIUM = (PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST)


@lru_cache(maxsize=65_536)
def country_of(number: str) -> str:
    """The ISO code of an E.164 number's country; empty when no country has such numbers."""
    parsed = _parsed(number)
    if parsed is None:
        return ""
    found = phonenumbers.region_code_for_number(parsed) or phonenumbers.region_code_for_country_code(
        parsed.country_code or 0
    )
    return "" if found in (None, "ZZ", "001") else str(found)


@lru_cache(maxsize=65_536)
def never_dialed(number: str) -> tuple[str, str]:
    """(rule, why) of a number no campaign dials: malformed, emergency, premium; ("", "") for all others."""
    parsed = _parsed(number)
    if parsed is None or phonenumbers.format_number(parsed, PhoneNumberFormat.E164) != number:
        return "invalid", f"'{number[:40]}' is no public number in E.164"
    national = phonenumbers.national_significant_number(parsed)
    country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    if shortnumberinfo.is_emergency_number(national, country):
        return "emergency", f"{national} is an emergency number"
    if not phonenumbers.is_possible_number(parsed):
        return "invalid", f"no public number looks like {number}"
    if phonenumbers.number_type(parsed) in _PREMIUM:
        return "premium", f"{number} is a premium-rate number"
    return "", ""


@lru_cache(maxsize=4_096)
def is_mobile(number: str) -> bool:
    """Whether an E.164 number is a mobile's and nothing else."""
    parsed = _parsed(number)
    return parsed is not None and phonenumbers.number_type(parsed) == PhoneNumberType.MOBILE


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    if not number.startswith("+") or not number[1:].isdecimal() or not number.isascii():
        return None
    try:
        return phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
