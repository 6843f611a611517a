"""What pages say, and in which language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from core.callback import OPEN_CALLBACKS, CallbackState
from core.lead import LeadState
from desk import words
from desk.live.board import Board
from desk.pages import agent_dialing, campaigns, looks, times
from desk.pages.plain import Plain
from desk.pages.setup import SetupCache
from dialer.compliance.rules import Mode, Purpose
from dialer.variables import filled
from engine.steps import OUTCOMES
from ivr.run import Outcome

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
            "3 ready, 1.9 answers expected at a rate of 24%; one more line would find nobody in 6.1%, allowed 5.2%; "
            "one more could break the cap, 2 to spare",
            "es",
            "3 agentes disponibles, se esperan 1.9 respuestas con una tasa del 24%; otra línea no hallaría agente en "
            "el 6.1%, se permite el 5.2%; una más podría superar el tope, margen 2",
        ),
        (
            "+34600112233 asked not to be called (list tenant) (do_not_call/tenant (always))",
            "es",
            "+34600112233 pidió que no se le llame (lista tenant) (do_not_call/tenant (always))",
        ),
        ("the call failed: the network refused the call", "es", "la llamada falló: la red la rechazó"),
        ("your phone could not be rung: lost", "es", "no se pudo llamar a tu teléfono: lost"),
        ("there is no such campaign in this tenant", "es", "no hay esa campaña en esta empresa"),
        ("start by command line", "es", "iniciada por la línea de comandos"),
        (
            "it is Mon 08:38 in Atlantic/Canary (es/courteous_hours (Ninguna; horario de esta casa))",
            "es",
            "es lunes y son las 08:38 en Atlantic/Canary (es/courteous_hours (Ninguna; horario de esta casa))",
        ),
        (
            "it must ring 15 s, and then it is Fri 21:00 in Europe/Madrid (es/commercial_hours)",
            "es",
            "tiene que sonar 15 s, y entonces es viernes y son las 21:00 en Europe/Madrid (es/commercial_hours)",
        ),
        (
            "2026-12-25 is a holiday there (Navidad) (es/commercial_hours (TRLGDCU))",
            "es",
            "2026-12-25 es festivo allí (Navidad) (es/commercial_hours (TRLGDCU))",
        ),
        (
            "the consent has no date (es/basis (LGTel, 66.1.b; AEPD, 3)); it is Sun 10:00 in Europe/Madrid (es/hours)",
            "es",
            "el consentimiento no tiene fecha (es/basis (LGTel, 66.1.b; AEPD, 3)); "
            "es domingo y son las 10:00 en Europe/Madrid (es/hours)",
        ),
        (
            "the last 4 attempts never left (acme cannot reach the trunk main-carrier (500 Internal Server Error): "
            "is it configured there, and does the carrier answer?): look at the trunk",
            "es",
            "los últimos 4 intentos no llegaron a salir (acme no alcanza el troncal main-carrier (500 Internal Server "
            "Error): ¿está configurado allí, y contesta el operador?): revisa el troncal",
        ),
        (
            "the consent is older than 1 day and was not renewed",
            "es",
            "el consentimiento tiene más de 1 día y no se renovó",
        ),
        (
            "the number had 3 attempts within 1 hour, at most 2 are allowed",
            "es",
            "el número tuvo 3 intentos en 1 hora, se permiten 2",
        ),
        (
            "the lead had 2 attempts in all, at most 2 are allowed",
            "es",
            "el contacto tuvo 2 intentos en total, se permiten 2",
        ),
        (
            "less than 24 hours have passed since a conversation",
            "es",
            "han pasado menos de 24 horas desde una conversación",
        ),
        ("no public number looks like this", "es", "ningún número público es así"),
        (
            "no rule in config/outbound.yaml allows this number",
            "es",
            "ninguna regla de config/outbound.yaml permite este número",
        ),
        ("rule premium forbids it", "es", "la regla premium lo prohíbe"),
        ("the login ana is taken: choose another one", "es", "el usuario ana ya existe: elige otro"),
        ("no public number looks like +34612345", "es", "ningún número público es como +34612345"),
        ("something of ours broke; it is in imports.log", "es", "algo nuestro falló; está en imports.log"),
        ("start by command line", "en", "started by the command line"),
        ("pause by sue", "en", "paused by sue"),
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


def test_a_script_that_comes_filled_in_is_not_filled_again():
    told = {"script": {"es": "Le llamo, {{ plan }}"}}  # so stands her name in the list
    assert agent_dialing._script(told, {"script": "Otro"}, {"plan": "oro"}, "es") == "Le llamo, {{ plan }}"
    assert agent_dialing._script({}, {"script": {"es": "Plan {{ plan }}"}}, {"plan": "oro"}, "es") == "Plan oro"


@pytest.mark.parametrize("language", sorted(words.LANGUAGES))
def test_what_the_engine_says_keeps_what_it_names(language):
    for phrase, told in words._told(language)[0].items():
        assert sorted(re.findall(r"{\w+}", phrase)) == sorted(re.findall(r"{\w+}", told)), phrase


def test_what_the_engine_says_in_its_own_way_in_english_is_there_in_spanish():
    assert sorted(set(words._told("en")[0]) - set(words._told("es")[0])) == []


def test_nodes_variables_and_endings_have_a_word_in_each_language():
    kinds = ("node_", "variable_", "ending_")
    english, spanish = ({key for key in words.words(each) if key.startswith(kinds)} for each in ("en", "es"))
    assert english == spanish
    called_back = {
        f"callback_{state.value}" for state in CallbackState if state not in (*OPEN_CALLBACKS, CallbackState.REACHED)
    }
    assert {f"ending_{each}" for each in (*get_args(Outcome), *OUTCOMES.values(), *called_back, "not_given")} <= english


@pytest.mark.parametrize(
    ("text", "language", "told"),
    [
        ("2026-11-22T21:39", "es", "22 nov 2026, 21:39"),
        ("2026-11-22T21:39", "en", "22 Nov 2026, 21:39"),
        ("2026-07-01T10:00:00Z", "en", "1 Jul 2026, 12:00"),
        ("2026-12-01", "es", "1 dic 2026"),
        ("2026-13-45", "es", "2026-13-45"),
        ("A-2026-12-01", "en", "A-2026-12-01"),
        ("4711", "en", "4711"),
    ],
)
def test_dates_are_written_in_the_pages_language_and_the_sites_time(text, language, told):
    assert times.in_words(text, "Europe/Madrid", language) == told


def test_a_moment_is_the_sites_in_the_pages_language():
    assert times.local_time("Europe/Madrid", "es")(1795383540.0) == "22 nov, 22:39"
    assert times.local_time("Europe/Madrid", "en")(1795383540.0) == "22 Nov, 22:39"
    assert times.local_time("Europe/Madrid", "en")(1795383540.0, "%H:%M") == "22:39"


def test_what_stands_in_a_contact_is_called_as_people_call_it():
    board, setup = Board(), SetupCache(None, None)
    board.things["queue"] = {("main", "sales"): {"tenant": "main", "queue": "sales", "title": "Ventas"}}
    board.things["agent"] = {("main", "luis"): {"agent_id": "luis", "name": "Luís Pérez"}}
    sold = [{"path": "sold", "title": {"es": "Venta"}, "leaf": False}, {"path": "sold/new", "title": {"es": "Nuevo"}}]
    setup._queues = {("main", "sales"): {"dispositions": sold}}
    plain = Plain(board, setup, "main", "es", "Europe/Madrid")
    told = [plain.node(f"reception.{node}") for node in ("open_now", "main", "sales", "to_sales", "some_step")]
    assert told == ["horario", "menú principal", "Ventas", "Ventas", "some step"]
    assert [plain.ending(each) for each in ("caller_hung_up", None, "as_never")] == [
        "colgó quien llamaba",
        "abierta",
        "as never",
    ]
    assert [plain.disposition(each) for each in ("sold/new", "not_given", "not_known")] == [
        "Venta › Nuevo",
        "sin resultado",
        "not known",
    ]
    assert [plain.agent(each) for each in ("luis", "eva")] == ["Luís Pérez", "eva"]
    assert [plain.variable("opens"), plain.value("2026-11-22T21:39")] == ["abre", "22 nov 2026, 21:39"]
