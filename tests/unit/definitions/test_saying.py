import contextlib
import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.saying import (
    say_count,
    say_date,
    say_digits,
    say_duration,
    say_money,
    say_number,
    say_phone,
    say_time,
    say_wait,
    speaks,
    wait_minutes,
)

SPOKEN = ["es", "es-ES", "es-AR", "es-CO", "es-MX", "es_419", "en", "en-US", "en-GB"]


@pytest.mark.parametrize(
    ("number", "language", "words"),
    [
        (0, "es", "cero"),
        (21, "es", "veintiuno"),
        (21000, "es", "veintiún mil"),
        (31_001, "es", "treinta y un mil uno"),
        (21_000_000, "es", "veintiún millones"),
        (-5, "es", "menos cinco"),
        ("3.05", "es-ES", "tres coma cero cinco"),
        (Decimal("3.25"), "es-MX", "tres punto veinticinco"),
        (0.5, "es", "cero coma cinco"),
        (101, "en", "one hundred one"),
        (101, "en-GB", "one hundred and one"),
        ("2.50", "en", "two point five"),
        (1_234_567, "en", "one million two hundred thirty-four thousand five hundred sixty-seven"),
    ],
)
def test_numbers(number, language, words):
    assert say_number(number, language) == words


@pytest.mark.parametrize(
    ("amount", "currency", "language", "words"),
    [
        ("120.50", "EUR", "es", "ciento veinte euros con cincuenta céntimos"),
        ("1200", "ARS", "es", "mil doscientos pesos"),
        ("1200.75", "ARS", "es-AR", "mil doscientos pesos con setenta y cinco centavos"),
        ("1200", "ARS", "es-MX", "mil doscientos pesos argentinos"),
        (1, "EUR", "es", "un euro"),
        ("1.01", "EUR", "es", "un euro con un céntimo"),
        (0, "EUR", "es", "cero euros"),
        ("0.50", "USD", "es-CO", "cincuenta centavos"),
        (-20, "EUR", "es", "menos veinte euros"),
        ("-0.001", "EUR", "es", "cero euros"),
        ("99.999", "EUR", "es", "cien euros"),
        (1_000_000, "COP", "es-CO", "un millón de pesos"),
        (1_200_000, "COP", "es-CO", "un millón doscientos mil pesos"),
        (21, "USD", "es-AR", "veintiún dólares"),
        (201, "GBP", "es", "doscientas una libras"),
        ("300.4", "CLP", "es-CL", "trescientos pesos"),
        ("120.50", "eur", "en", "one hundred twenty euros and fifty cents"),
        ("1.01", "GBP", "en-GB", "one pound and one penny"),
        ("2.50", "KWD", "en", "two point five dinars"),
    ],
)
def test_money(amount, currency, language, words):
    assert say_money(amount, currency, language) == words


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("es", "quince de marzo de dos mil veintiséis"),
        ("en", "March fifteenth, twenty twenty-six"),
        ("en-GB", "the fifteenth of March, twenty twenty-six"),
    ],
)
def test_dates(language, words):
    assert say_date(date(2026, 3, 15), language) == words
    assert say_date("2026-03-15", language) == words
    assert say_date(datetime(2026, 3, 15, 10, 30, tzinfo=UTC), language) == words


def test_the_first_of_the_month_is_primero_in_the_americas():
    assert say_date("2026-05-01", "es-ES", year=False) == "uno de mayo"
    assert say_date("2026-05-01", "es-AR", year=False, weekday=True) == "viernes primero de mayo"


@pytest.mark.parametrize(
    ("moment", "spanish", "english"),
    [
        ("0:00", "las doce de la noche", "midnight"),
        ("1:00", "la una de la madrugada", "one a.m."),
        ("9:15", "las nueve y cuarto de la mañana", "nine fifteen a.m."),
        ("12:00", "las doce del mediodía", "twelve noon"),
        (time(13, 5), "la una y cinco de la tarde", "one oh five p.m."),
        ("15:30", "las tres y media de la tarde", "three thirty p.m."),
        (
            datetime(2026, 3, 15, 20, 45, 59, tzinfo=UTC),
            "las ocho y cuarenta y cinco de la noche",
            "eight forty-five p.m.",
        ),
        ("2026-03-15T21:00:00+01:00", "las nueve de la noche", "nine p.m."),
    ],
)
def test_times(moment, spanish, english):
    assert say_time(moment, "es") == spanish
    assert say_time(moment, "en") == english


@pytest.mark.parametrize(
    ("typed", "language", "words"),
    [
        ("0810", "es-AR", "cero ocho uno cero"),
        ("12345678Z", "es", "uno dos tres, cuatro cinco seis, siete ocho zeta"),
        ("1234567", "en", "one two three, four five six seven"),
        ("600 12 34", "es", "seis cero cero, uno dos, tres cuatro"),
        ("*31#", "es-ES", "asterisco tres uno almohadilla"),
        ("*31#", "es-MX", "asterisco tres uno gato"),
        ("*31#", "en", "star three one pound"),
        ("ñandú", "es", "eñe a ene, de u"),
    ],
)
def test_digits(typed, language, words):
    assert say_digits(typed, language) == words


def test_a_phone_number_is_grouped_as_its_country_does_and_loses_its_own_code():
    assert say_phone("+34911234567", "es-ES") == "nueve uno uno, dos tres, cuatro cinco, seis siete"
    assert say_phone("911234567", "en", region="es") == "nine one one, two three, four five, six seven"
    assert say_phone("+34911234567", "en-GB").startswith("plus three four, nine one one")
    assert say_phone("1234", "es-ES") == "uno dos tres cuatro"


@pytest.mark.parametrize("number", ["", " ", "anonymous", "Anonymous", "unknown", "restricted"])
def test_who_withholds_her_number_is_said_to(number):
    assert say_phone(number, "es-ES") == "número oculto"
    assert say_phone(number, "en", region="es") == "withheld number"


@pytest.mark.parametrize(
    ("length", "spanish", "english"),
    [
        (0, "cero segundos", "zero seconds"),
        (1, "un segundo", "one second"),
        (timedelta(minutes=2, seconds=30), "dos minutos y treinta segundos", "two minutes and thirty seconds"),
        (3661, "una hora y un minuto", "one hour and one minute"),
        (3605, "una hora", "one hour"),
        (86400 * 21, "veintiún días", "twenty-one days"),
    ],
)
def test_durations(length, spanish, english):
    assert say_duration(length, "es") == spanish
    assert say_duration(length, "en") == english


@pytest.mark.parametrize(
    ("low", "high", "spanish", "english"),
    [
        (3, 5, "entre tres y cinco minutos", "between three and five minutes"),
        (1, 2, "entre uno y dos minutos", "between one and two minutes"),
        (0, 1, "menos de un minuto", "less than a minute"),
        (0, 3, "menos de tres minutos", "less than three minutes"),
        (4, 4, "cuatro minutos", "four minutes"),
        (1, 1, "un minuto", "one minute"),
        (40, 60, "entre cuarenta minutos y una hora", "between forty minutes and one hour"),
        (60, 90, "entre una hora y una hora y treinta minutos", "between one hour and one hour and thirty minutes"),
    ],
)
def test_waits(low, high, spanish, english):
    assert say_wait(low, high, "es") == spanish
    assert say_wait(low, high, "en") == english


def test_a_wait_is_told_in_whole_minutes_and_coarser_the_further_off_it_is():
    assert wait_minutes(0, 0) == wait_minutes(0, 25) == wait_minutes(10, 60) == (0, 1)
    assert wait_minutes(170, 310) == (3, 5)
    assert wait_minutes(200, 210) == (3, 4), "half a minute counts as a whole one"
    assert wait_minutes(25 * 60, 43 * 60) == (25, 40)
    assert wait_minutes(50 * 60, 1e9) == (50, 480)


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.sampled_from(SPOKEN))
def test_every_wait_becomes_a_range_and_words_without_digits(one_s, other_s, language):
    low, high = wait_minutes(one_s, other_s)
    assert 0 <= low <= high
    assert high >= 1
    assert not re.search(r"\d", say_wait(low, high, language))


def test_a_count_takes_the_gender_of_its_noun():
    assert say_count(1, "llamada", "llamadas", "es") == "una llamada"
    assert say_count(21, "mensaje", "mensajes", "es") == "veintiún mensajes"
    assert say_count(200, "canción", "canciones", "es") == "doscientas canciones"
    assert say_count(1, "problema", "problemas", "es") == "un problema"
    assert say_count(31, "clave", "claves", "es", feminine=True) == "treinta y una claves"
    assert say_count(2_000_000, "persona", "personas", "es") == "dos millones de personas"
    assert say_count(-3, "call", "calls", "en") == "minus three calls"


@given(st.integers(-(10**9), 10**9), st.sampled_from(SPOKEN))
def test_every_integer_becomes_words_without_digits(number, language):
    words = say_number(number, language)
    assert words
    assert not re.search(r"\d", words)
    assert not re.search(r"uno (mil|millon)", words)


@given(st.integers(-(10**11), 10**11), st.sampled_from(["EUR", "ARS", "CLP", "GBP", "KWD"]), st.sampled_from(SPOKEN))
def test_every_amount_becomes_words_without_digits(cents, currency, language):
    assert not re.search(r"\d", say_money(Decimal(cents) / 100, currency, language))


@given(st.datetimes(), st.sampled_from(SPOKEN))
def test_every_moment_becomes_words_without_digits(moment, language):
    words = say_date(moment, language, weekday=True) + say_time(moment, language)
    assert not re.search(r"\d", words)


@given(st.text(max_size=80), st.sampled_from(SPOKEN))
def test_any_text_is_said_or_refused_and_nothing_else(text, language):
    for say in (say_number, say_date, say_time, say_digits, say_duration):
        with contextlib.suppress(ValueError):
            assert say(text, language)


@pytest.mark.parametrize(
    ("say", "hint"),
    [
        (lambda: say_number(1, "fr"), "said in es and en only"),
        (lambda: say_number(1, ""), "said in es and en only"),
        (lambda: say_number("mucho", "es"), "write it like 1234.50"),
        (lambda: say_number(float("inf"), "es"), "finite"),
        (lambda: say_number("1e999999", "es"), "say_digits"),
        (lambda: say_money(1, "PESETA", "es"), "ISO 4217"),
        (lambda: say_date("15/03/2026", "es"), "2026-03-15"),
        (lambda: say_time("25:00", "es"), "9:30"),
        (lambda: say_digits("", "es"), "empty"),
        (lambda: say_digits("1=2", "es"), "'='"),
        (lambda: say_digits("9" * 65, "es"), "at most 64"),
        (lambda: say_duration(-1, "es"), "negative"),
        (lambda: say_count("1.5", "a", "b", "es"), "whole"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(say, hint):
    with pytest.raises(ValueError, match=re.escape(hint)):
        say()


def test_what_it_speaks():
    assert [tag for tag in [*SPOKEN, "fr", "e", "", "es-ES-x"] if speaks(tag)] == SPOKEN
