"""What pages say, and in which language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.lead import LeadState
from desk import words
from desk.pages import campaigns, looks
from desk.pages.setup import filled
from dialer.compliance.rules import Mode, Purpose

TEMPLATES = Path(words.__file__).parent.parent / "templates"


def _phrases():
    for path in TEMPLATES.glob("*.html"):
        text = path.read_text(encoding="utf-8")
        yield from (a or b for a, b in re.findall(r"""\b_\((?:"([^"]+)"|'([^']+)')""", text))
        # What is said of a value, and what tables of a template hold.
        yield from re.findall(r"""_\("([^"]+)"\)""", text)


def test_every_phrase_of_the_pages_is_there_in_spanish():
    assert sorted(set(_phrases()) - set(words.words("es"))) == []


def test_states_have_a_word_in_each_language():
    states = ["ready", "not_ready", "logged_out", "reserved", "ringing", "talking", "hold", "consulting", "wrap_up"]
    for language in words.LANGUAGES:
        assert all(words.words(language)[state] for state in states)


def test_what_a_campaign_can_be_has_a_word_in_spanish():
    spoken = words.words("es")
    assert {each.value for each in (*Mode, *Purpose)} <= set(spoken)
    assert all(spoken[f"lead_{each.value}"] and words.words("en")[f"lead_{each.value}"] for each in LeadState)
    assert all(spoken[f"outcome_{each}"] and words.words("en")[f"outcome_{each}"] for each in campaigns.OUTCOMES)
    assert {each.value for each in LeadState} == set(campaigns.LEAD_STATES)
    assert set(campaigns._MAY_DO) <= set(spoken)


@pytest.mark.parametrize(
    ("said", "language", "told"),
    [
        ("the campaign renewals is stopped", "es", "la campaña renewals está detenida"),
        (
            "one line for each ready agent: 3 of 100 answers abandoned, none to spare; at most 6 lines",
            "es",
            "una línea por agente disponible: 3 de 100 contestadas se abandonaron, sin margen; como mucho 6 líneas",
        ),
        (
            "+34600112233 asked not to be called (list tenant) (do_not_call/tenant (always))",
            "es",
            "+34600112233 pidió que no se le llame (lista tenant) (do_not_call/tenant (always))",
        ),
        ("the call failed: the network refused the call", "es", "la llamada falló: la red la rechazó"),
        ("your phone could not be rung: lost", "es", "no se pudo llamar a tu teléfono: lost"),
        ("there is no such campaign in this tenant", "es", "no hay esa campaña en esta empresa"),
        ("something else", "es", "something else"),
        ("say which phone is yours", "en", "say which phone is yours"),
    ],
)
def test_what_the_engine_says_is_told_in_the_pages_language(said, language, told):
    assert words.translated(said, language) == told


@pytest.mark.parametrize(
    ("wanted", "header", "language"),
    [
        ("", "es-ES,es;q=0.9,en;q=0.8", "es"),
        ("", "fr-FR,en;q=0.4,es;q=0.6", "es"),
        ("en", "es-ES", "en"),
        ("xx", "de", "es"),
        ("", "", "es"),
        ("", ";;q=,,en;q=x", "es"),
    ],
)
def test_the_language_is_the_one_asked_for_or_accepted(wanted, header, language):
    assert words.chosen(wanted, header, "es") == language


def test_values_are_put_into_phrases():
    say = words.speaker("es")
    assert say("Waited {time}.", time="0:12") == "Ha esperado 0:12."
    assert say("not known {at} all") == "not known {at} all"


@pytest.mark.parametrize(("seconds", "text"), [(-3, "0:00"), (59.9, "0:59"), (61, "1:01"), (3723, "1:02:03")])
def test_durations_read_like_clocks(seconds, text):
    assert looks.clock(seconds) == text


def test_a_script_is_filled_with_what_the_list_says():
    script = "Le llamo por su contrato {{ contract }}, {{name}}; {{ plan }} {% if x %}"
    assert filled(script, {"contract": "A-7", "name": "Carmen", "plan": ""}) == (
        "Le llamo por su contrato A-7, Carmen; … {% if x %}"
    )


def test_what_the_engine_says_keeps_what_it_names():
    for phrase, told in words._told("es")[0].items():
        assert sorted(re.findall(r"{\w+}", phrase)) == sorted(re.findall(r"{\w+}", told)), phrase
