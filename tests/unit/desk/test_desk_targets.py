"""Whom an agent means by what she typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desk.problems import Unprocessable
from desk.targets import Known, folded, offered, understood

PAYMENTS = "flow:collections"
KNOWN = (
    Known("agent:luis", "Luís Pérez", ("luis",)),
    Known("agent:ana", "Ana", ("ana",)),
    Known("agent:eva1", "Eva Ruiz", ("eva1",)),
    Known("agent:eva2", "Eva Gil", ("eva2",)),
    Known("queue:sales", "Ventas", ("sales", "Sales")),
    Known("flow:survey", "Encuesta de satisfacción", ("survey", "Satisfaction survey")),
    Known("queue:support", "Soporte técnico", ("support", "Technical support")),
)


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("Luis", "agent:luis"),
        ("LUÍS  PEREZ", "agent:luis"),
        ("eva gil", "agent:eva2"),
        ("eva1", "agent:eva1"),
        ("ventas", "queue:sales"),
        ("SALES", "queue:sales"),
        (" soporte tecnico ", "queue:support"),
        ("technical", "queue:support"),
        ("encuesta", "flow:survey"),
        ("agent:luis", "agent:luis"),
        ("queue:nowhere", "queue:nowhere"),
        ("1002", "1002"),
        ("+34 600 11-22-33", "+34 600 11-22-33"),
        ("", ""),
    ],
)
def test_names_and_titles_are_understood_and_the_rest_is_the_engines(typed, target):
    assert understood(typed, KNOWN) == target


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("collections", "queue:collections"),
        ("COBROS", "queue:collections"),
        ("eva", "agent:eva1"),
        ("payments", PAYMENTS),
    ],
)
def test_a_menu_called_like_a_queue_or_a_colleague_does_not_take_her_name(typed, target):
    known = (
        Known("agent:eva1", "Eva Ruiz", ("eva1",)),
        Known("queue:collections", "Cobros", ("collections", "Collections")),
        Known(PAYMENTS, "Cobros", ("collections", "Payments due")),
        Known("flow:eva", "Eva de noche", ("eva_night",)),
    )
    assert understood(typed, known) == target


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("Lui", "no colleague, queue or menu is called 'Lui': choose from the list, or type a number"),
        ("Eva", "'Eva' may be several: type one of Eva Ruiz = agent:eva1, Eva Gil = agent:eva2"),
    ],
)
def test_who_is_not_known_or_may_be_several_is_refused_in_words(typed, said):
    with pytest.raises(Unprocessable) as refused:
        understood(typed, KNOWN)
    assert refused.value.detail == said


_NAMES = st.text(st.sampled_from("aáAbñ1 +:"), min_size=1, max_size=6).filter(str.strip)


@given(st.lists(_NAMES, min_size=1, max_size=6))
def test_whatever_a_list_offers_means_what_it_stands_for(names):
    known = [Known(f"{'flow' if n % 2 else 'agent'}:a{n}", name) for n, name in enumerate(names)]
    for target, typed in offered(known).items():
        assert understood(typed, known) == target


@given(_NAMES)
def test_case_accents_and_spaces_make_no_difference(name):
    assert folded(f"  {name.upper()} ") == folded(name)
