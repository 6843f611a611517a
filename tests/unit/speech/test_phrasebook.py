from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.saying import say_date, say_digits, say_duration, say_money, say_number, say_time
from speech.audio import silence
from speech.inventory import phrases_for
from speech.phrasebook import PhraseBook, Piece, fixed_words, joined_sound

THESE_YEARS = st.integers(0, 3650 * 86400).map(lambda second: datetime.fromtimestamp(1704067200 + second, UTC))
LANGUAGES = ("es", "es-419", "en-US", "en-GB")
BOOKS = {language: PhraseBook(phrases_for(language)) for language in LANGUAGES}


def said(pieces: list[Piece] | None) -> list[str]:
    assert pieces is not None
    return [piece.phrase for piece in pieces]


def test_the_fewest_phrases_are_taken():
    book = PhraseBook(["su saldo", "Su saldo es", "es", "ciento", "ciento veinte", "veinte", "euros"])
    assert said(book.split("Su saldo es ciento veinte euros.")) == ["Su saldo es", "ciento veinte", "euros"]


def test_signs_become_pauses():
    book = PhraseBook(["uno", "dos", "tres", "las tres", "p.m."])
    assert book.split("Uno, dos. ¿Tres? p.m., p.m.") == [
        Piece("uno", 0.15),
        Piece("dos", 0.30),
        Piece("tres", 0.30),
        Piece("p.m.", 0.15),
        Piece("p.m.", 0.0),
    ]


@pytest.mark.parametrize("text", ["Su saldo es desconocido", "", "...", "García"])
def test_a_text_with_a_word_that_nobody_rendered_is_not_split(text):
    assert PhraseBook(["Su saldo es", "uno"]).split(text) is None


def test_the_fixed_words_of_a_template_are_what_stands_between_its_values():
    template = "Hola{% if name %}, {{ name }}{% endif %}. Su saldo es {{ balance | money }}. Para pagar, marque uno."
    assert fixed_words(template) == ["Hola", "Su saldo es", "Para pagar, marque uno."]
    assert fixed_words("{{ all }}") == []
    assert fixed_words("Buenas tardes.") == ["Buenas tardes."]


def test_joined_phrases_lose_their_margins_but_not_their_sound():
    phrase = silence(0.06) + b"\x00" * 800 + silence(0.06)
    joined = joined_sound([(phrase, 0.0), (phrase, 0.3)])
    assert joined.count(b"\x00") == 1600
    gap = joined.split(b"\x00" * 800)[1]
    assert 0.02 <= len(gap) / 8000 <= 0.04


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_inventory_stays_small(language):
    assert 200 < len(phrases_for(language)) < 320


def test_a_language_without_words_for_numbers_has_no_inventory():
    assert phrases_for("fr") == []


@given(st.sampled_from(LANGUAGES), st.integers(-(10**9), 10**9))
def test_every_number_is_in_the_inventory(language, number):
    assert BOOKS[language].split(say_number(number, language))


@given(st.sampled_from(LANGUAGES), st.integers(-(10**9), 10**9), st.sampled_from(["EUR", "USD"]))
def test_every_amount_is_in_the_inventory(language, cents, currency):
    assert BOOKS[language].split(say_money(Decimal(cents) / 100, currency, language))


@given(st.sampled_from(LANGUAGES), THESE_YEARS)
def test_every_date_and_time_of_these_years_is_in_the_inventory(language, moment):
    assert BOOKS[language].split(say_date(moment, language, weekday=True))
    assert BOOKS[language].split(say_time(moment, language))


@given(st.sampled_from(LANGUAGES), st.text("0123456789AÑZ*#+", min_size=1, max_size=20), st.integers(0, 10**7))
def test_every_digit_and_duration_is_in_the_inventory(language, typed, seconds):
    assert BOOKS[language].split(say_digits(typed, language))
    assert BOOKS[language].split(say_duration(seconds, language))
