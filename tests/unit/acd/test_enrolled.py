"""Agents of the API beside those of files: every mistake at its field, and files win."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acd.checks import Around
from acd.enrolled import beside, check_enrolled, declared_at
from acd.queue_definitions import Queue
from acd.reading import read
from acd.setup import AgentSetup, QueueSetup, Setup

FILES = {
    "config/skills.yaml": "skills:\n  billing:\n  vip:\n",
    "config/queues/sales.yaml": "queue: sales\n",
    "config/agents.yaml": 'agents:\n  ana: {device: "1001", code: "2001", pin: "1234"}\n  luis:\n    device: "1002"\n',
    "config/agents.csv": "agent,queues,code,pin\neva,sales,2003,4321\n",
}
AROUND = Around(devices=frozenset({("main", "1001"), ("main", "1002"), ("main", "1003")}))
SETUP = Setup(
    agents={("main", "ana"): AgentSetup("main", "ana", device="main-1001", code="2001")},
    queues={("main", "sales"): QueueSetup("main", "sales")},
    devices=frozenset({"main-1001", "main-1003"}),
)


def faults(fields: dict[str, Any], agent_id: str = "pau", **others: Any) -> list[str]:
    checked = check_enrolled(read(FILES, Queue), "main", agent_id, fields, others, AROUND)
    return [str(fault) for fault in checked.faults]


def test_what_is_right_has_no_faults() -> None:
    said = {
        "name": 'Pau "P" Núñez',
        "device": "1003",
        "code": "2004",
        "pin": "9876",
        "skills": {"billing": 3},
        "queues": ["sales"],
        "languages": ["es", "en"],
        "units": {"email": 20},
        "auto_answer": True,
        "rest_s": 2.5,
    }
    assert faults(said) == []
    assert faults({"queues": "all", "code": "2004", "pin": "9876"}, luz={"code": "2005", "pin": "5555"}) == []


def test_everything_that_is_wrong_is_said_at_its_field() -> None:
    said = {"queues": ["salez"], "skills": {"biling": 3, "vip": 11}, "device": "1009", "code": "2001", "capacity": 0}
    assert faults(said) == [
        "queues: there is no queue 'salez': did you mean 'sales'?",
        "skills: there is no skill 'biling': did you mean 'billing'?",
        "skills: 11 is out of range: write at most 10",
        "device: there is no device '1009': did you mean '1001'?",
        "code: the code 2001 is ana's already: give each agent her own",
        "capacity: 0 is out of range: write at least 1",
    ]


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"quues": ["sales"]}, "quues: unknown key 'quues': did you mean 'queues'?"),
        ({"code": "7", "pin": "5555"}, "code: the code 7 is luz's already: give each agent her own"),
        ({"device": "1001"}, "device: the device 1001 is ana's already: who shares a phone"),
        ({"pin": "secret:pau"}, "pin: a PIN of the API is nobody's to look up"),
        ({"skills": ["vip"]}, "skills: a list stands where a map belongs"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(said: dict[str, Any], fault: str) -> None:
    (found,) = faults(said, luz={"code": "7", "pin": "5555"})
    assert found.startswith(fault)


def test_who_stands_in_a_file_is_found_there() -> None:
    found = read(FILES, Queue)
    places = [declared_at(found, "main", name) for name in ("ana", "luis", "eva", "pau")]
    assert places == ["config/agents.yaml:2", "config/agents.yaml:3", "config/agents.csv:2", ""]
    assert declared_at(found, "acme", "ana") == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
KEYS = ("name", "code", "pin", "device", "skills", "queues", "languages", "capacity", "units", "rest_s")


@given(st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=10), json_values, max_size=5))
def test_whatever_is_said_is_taken_or_refused_in_words(said: dict[str, Any]) -> None:
    assert "" not in faults(said)


def test_a_file_wins_over_what_the_api_said() -> None:
    enrolled = {
        ("main", "ana"): {"name": "Another"},
        ("main", "pau"): {"device": "1001", "queues": ["sales", "gone"], "code": "2001", "pin": "9999"},
        ("main", "zoe"): {"device": "1003", "skills": {"vip": 3}},
        ("main", "old"): {"capacity": "no number any more"},
    }
    made, notes = beside(SETUP, enrolled)
    assert set(made.agents) == {("main", "ana"), ("main", "pau"), ("main", "zoe")}
    pau, zoe = made.agents["main", "pau"], made.agents["main", "zoe"]
    assert (made.agents["main", "ana"].name, pau.device, pau.code, pau.pin) == ("", "", "", "")
    assert (zoe.device, zoe.skills, zoe.queues) == ("main-1003", {"vip": 3}, None)
    assert [note.split(":")[0] for note in notes] == ["agent ana", "agent old", "agent pau", "agent pau", "agent pau"]
    assert beside(SETUP, {}) == (SETUP, [])


def test_whoever_is_told_of_is_named_with_her_client_company() -> None:
    _, notes = beside(SETUP, {("acme", "ana"): {"queues": ["gone"]}})
    assert notes == ["agent ana of acme: there is no queue gone any more: she serves the others"]
