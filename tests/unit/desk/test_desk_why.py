"""Why a contact waits, in each language, for everything that the engine may have found."""

from __future__ import annotations

import inspect
import re
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from acd import capacity, virtual
from acd import explain as explaining
from acd.explain import Explanation
from core.decisions import Considered
from core.offer_facts import OfferFailed
from core.stay import StayEnd
from desk import words
from desk.live.board import Board
from desk.pages.plain import Plain
from desk.pages.setup import SetupCache
from desk.pages.why import Candidate, Moment, outlook, story


def plain(language: str) -> Plain:
    board, setup = Board(), SetupCache(None, None)  # type: ignore[arg-type]
    board.things["queue"] = {("main", "sales"): {"tenant": "main", "queue": "sales", "title": "Ventas"}}
    board.things["agent"] = {("main", "luis"): {"agent_id": "luis", "name": "Luís Pérez"}}
    setup._reasons = [{"tenant": "main", "reason": "lunch", "title": {"es": "Comida", "en": "Lunch"}}]
    return Plain(board, setup, "main", language, "Europe/Madrid")


def found(**changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "stay_id": "i-1.s1",
        "interaction_id": "i-1",
        "queue": "sales",
        "at_s": 100.0,
        "waited_s": 75.0,
        "position": 2,
        "waiting": 3,
        "strategy": "longest_idle",
        "step": 1,
        "requirement": "billing >= 2",
        "score": 7.5,
        "parts": {"priority": 5.0, "ageing": 2.5, "value": 0.0},
        "next_s": 130.0,
        "agents": (Considered("luis", "not_ready:lunch"), Considered("eva", "skill:billing")),
    }
    plain: dict[str, Any] = msgspec.to_builtins(Explanation(**fields | changes))
    return plain


def test_one_whom_nobody_can_take() -> None:
    seen = outlook(found(), plain("es"))
    assert seen is not None
    assert seen.sentences == (
        "Lleva 1:15 esperando; puesto 2 de 3 en Ventas.",
        "Pide billing >= 2 (paso 1).",
        "Puntuación 7.5 = prioridad 5.0 + espera 2.5.",
        "Nadie puede atenderla.",
        "Pedirá menos dentro de 0:30.",
    )
    assert seen.candidates == (
        Candidate("Luís Pérez", "en pausa: Comida", False),
        Candidate("eva", "le falta: billing", False),
    )


def test_one_that_somebody_has_and_one_that_those_ahead_are_served_before() -> None:
    mine = outlook(found(agents=(Considered("luis"),), agent_id="luis", next_s=0.0, requirement=""), plain("en"))
    assert mine is not None
    assert mine.sentences[-1] == "It goes to Luís Pérez."
    assert mine.candidates == (Candidate("Luís Pérez", "", True),)
    ahead = outlook(found(agents=(Considered("luis"),), next_s=0.0), plain("en"))
    assert ahead is not None
    assert ahead.sentences[-1] == "Whoever could take it is taken by somebody ahead."


def test_of_many_agents_the_first_are_shown_and_the_rest_counted() -> None:
    seen = outlook(found(agents=tuple(Considered(f"a{n}", "busy") for n in range(33))), plain("en"))
    assert seen is not None
    assert (len(seen.candidates), seen.more) == (20, 13)
    assert outlook(None, plain("en")) is None


def test_who_is_there_is_shown_before_who_is_logged_out() -> None:
    away = tuple(Considered(f"a{n}", "not_ready:logged_out") for n in range(30))
    seen = outlook(found(agents=(*away, Considered("zoe", "busy"))), plain("en"))
    assert seen is not None
    assert (seen.candidates[0].why, seen.more) == ("busy", 11)


def test_a_story_is_told_in_the_order_in_which_it_happened() -> None:
    told = {
        "stays": [
            {
                "queue": "sales",
                "agent_id": "",
                "joined_s": 1.0,
                "how": "answered",
                "ended_s": 9.0,
                "answered_by": "eva",
                "changes": [{"at_s": 5.0, "by": "@luis", "priority": 3.0, "before": 0.0}],
            }
        ],
        "offers": [
            {"at_s": 2.0, "agent_id": "luis", "outcome": "rona", "ended_s": 4.0, "considered": []},
            {
                "at_s": 6.0,
                "agent_id": "eva",
                "outcome": "accepted",
                "ended_s": 9.0,
                "considered": [{"agent_id": "eva", "excluded": ""}, {"agent_id": "luis", "excluded": ""}],
            },
        ],
    }
    assert story(told, plain("es")) == [
        Moment(1.0, "Empieza a esperar: Ventas."),
        Moment(2.0, "Ofrecida a Luís Pérez."),
        Moment(4.0, "Luís Pérez: no contestó."),
        Moment(5.0, "Luís Pérez le da prioridad 3."),
        Moment(6.0, "Ofrecida a eva."),
        Moment(6.0, "También podrían haberla atendido: Luís Pérez."),
        Moment(9.0, "Atendida (eva)."),
    ]


@pytest.mark.parametrize("language", sorted(words.LANGUAGES))
def test_everything_that_may_be_found_has_words(language: str) -> None:
    source = inspect.getsource(explaining.why_not) + inspect.getsource(capacity.hindrance)
    source += inspect.getsource(capacity._hindered) + inspect.getsource(virtual.not_yet)
    codes = set(re.findall(r'(?:return|else) f?"([a-z_]+)[":]', source))
    assert {
        "skill",
        "preferred",
        "kept",
        "busy",
        "resting",
        "not_ready",
        "logged_out",
        "callback",
        "called_later",
    } <= codes
    ends = {each.value for each in StayEnd}
    failed = {*get_args(get_type_hints(OfferFailed)["how"]), "withdrawn"}
    wanted = {f"why_not_{each}" for each in codes} | {f"stay_{each}" for each in ends}
    wanted |= {f"offer_{each}" for each in failed} | {f"score_{each}" for each in ("priority", "value", "urgency")}
    assert sorted(wanted - set(words.words(language))) == []


def test_what_is_said_is_there_in_spanish() -> None:
    said = re.findall(r'say\(\s*"([^"]+)"', inspect.getsource(inspect.getmodule(story)))  # type: ignore[arg-type]
    assert len(said) > 10
    assert sorted(set(said) - set(words.words("es"))) == []
