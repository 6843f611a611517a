"""Numbers as lists have them. The quick way says what phonenumbers says, in every country."""

from __future__ import annotations

import random

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from dialer.compliance.local_time import zones_of
from dialer.compliance.numbers import never_dialed
from dialer.importing.phones import Phone, PhoneReader, _Plain
from dialer.importing.reasons import Refusal

_COUNTRIES = sorted(phonenumbers.SUPPORTED_REGIONS)
_KINDS = [
    getattr(PhoneNumberType, name) for name in ("FIXED_LINE", "MOBILE", "TOLL_FREE", "PREMIUM_RATE", "SHARED_COST")
]


def _alike(country: str, chance: random.Random) -> str:
    """National digits that look much like a number of that country."""
    example = phonenumbers.example_number_for_type(country, chance.choice(_KINDS))
    if example is None or chance.random() < 0.3:
        return "".join(chance.choice("0123456789") for _ in range(chance.choice([7, 8, 9, 9, 10, 10, 11])))
    digits = list(phonenumbers.national_significant_number(example))
    for _ in range(chance.choice([0, 1, 3, 5])):
        digits[chance.randrange(len(digits))] = str(chance.randrange(10))
    return "".join(digits)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*_COUNTRIES, *["ES", "US", "GB", "AR", "CO", "MX", "IT", "DE"] * 20]),
    st.randoms(use_true_random=False),
)
def test_the_quick_way_says_what_phonenumbers_says(country: str, chance: random.Random) -> None:
    plain = _plain(country)
    national = _alike(country, chance)
    text = chance.choice([national, f"+{phonenumbers.country_code_for_region(country)}{national}"])
    found = plain.read(text)
    if found is None:
        return
    parsed = phonenumbers.parse(text, country)
    number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    assert phonenumbers.is_valid_number(parsed)
    assert never_dialed(number) == ("", "")
    assert found == Phone(number, zones_of(number))


_known: dict[str, _Plain] = {}


def _plain(country: str) -> _Plain:
    if country not in _known:
        _known[country] = _Plain(country)
    return _known[country]


@pytest.mark.parametrize("country", ["ES", "US", "GB", "CO", "DE", "FR", "MX"])
def test_plain_numbers_take_the_quick_way(country: str) -> None:
    example = phonenumbers.example_number_for_type(country, PhoneNumberType.FIXED_LINE)
    assert _plain(country).read(phonenumbers.national_significant_number(example)) is not None


@pytest.mark.parametrize(
    ("written", "country", "number"),
    [
        ("612345678", "ES", "+34612345678"),
        ("612 34 56 78", "ES", "+34612345678"),
        ("(+34) 612-34-56-78", "ES", "+34612345678"),
        ("0034 612 345 678", "ES", "+34612345678"),
        ("34612345678", "ES", "+34612345678"),
        ("612345678.0", "ES", "+34612345678"),
        ("612345678,00", "ES", "+34612345678"),
        ("3.4911234567E+10", "ES", "+34911234567"),
        ("3,4911234567e10", "ES", "+34911234567"),
        ("'612345678", "ES", "+34612345678"),
        ("tel: 612345678", "ES", "+34612345678"),
        ("６１２３４５６７８", "ES", "+34612345678"),
        ("612345678\u200b\u00a0", "ES", "+34612345678"),
        ("447911123456", "ES", "+447911123456"),
        ("7911123456", "GB", "+447911123456"),
        ("07911 123456", "GB", "+447911123456"),
        ("612345678", "IT", "+390612345678"),
        ("11 15-2345-6789", "AR", "+5491123456789"),
        ("(212) 555-2368", "US", "+12125552368"),
        ("34612345678", "", "+34612345678"),
        ("+34 612 345 678", "", "+34612345678"),
        ("0034612345678", "US", "+34612345678"),
    ],
)
def test_numbers_as_people_and_spreadsheets_write_them(written: str, country: str, number: str) -> None:
    found = PhoneReader(country).read(written)
    assert isinstance(found, Phone), found
    assert found.number == number


@pytest.mark.parametrize(
    ("written", "country", "code"),
    [
        ("112", "ES", "emergency"),
        ("911", "US", "emergency"),
        ("112", "", "emergency"),
        ("1004", "ES", "short"),
        ("803 123 456", "ES", "premium"),
        ("902123456", "ES", "premium"),
        ("+34902123456", "US", "premium"),
        ("900-234-5678", "US", "premium"),
        ("3.4911E+10", "ES", "scientific"),
        ("3,49E+10", "ES", "scientific"),
        ("61234567", "ES", "too_short"),
        ("6123456789", "ES", "too_long"),
        ("012345678", "ES", "invalid"),
        ("no llamar", "ES", "letters"),
        ("1-800-FLOWERS", "US", "letters"),
        ("612345678 ext. 12", "ES", "extension"),
        ("--", "ES", "no_digits"),
        ("612345678", "", "no_country"),
        ("+999123456789", "ES", "invalid"),
        ("=CMD()", "ES", "letters"),
        ("1" * 60, "ES", "invalid"),
    ],
)
def test_what_is_no_number_to_call_is_refused_in_words(written: str, country: str, code: str) -> None:
    found = PhoneReader(country).read(written)
    assert isinstance(found, Refusal), found
    assert found.code == code
    assert found.say("en")
    assert found.say("es") != found.say("en")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40), st.sampled_from(["", "ES", "US", "AR"]))
def test_any_text_is_a_number_that_may_be_dialed_or_refused(text: str, country: str) -> None:
    found = PhoneReader(country).read(text)
    if isinstance(found, Phone):
        assert never_dialed(found.number) == ("", "")
    else:
        assert found.say("es")
