"""A form of an agent and what is asked of the engine: nothing that was not said, nothing that is as before."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.datastructures import FormData

from desk.pages.agent_form import asked, changes, filled, typed

EVA: dict[str, Any] = {
    "agent_id": "eva",
    "name": "Eva",
    "code": "2003",
    "has_pin": True,
    "device": "eva-k7mp",
    "phone": "own",
    "skills": {"billing": 3},
    "queues": ["sales", "billing"],
    "languages": ["es"],
    "capacity": 100,
    "auto_answer": True,
    "supervises": True,
}
FORM: list[tuple[str, str]] = [
    ("name", "Eva"),
    ("phone", "own"),
    ("code", "2003"),
    ("pin", ""),
    ("capacity", "100"),
    ("serves", "some"),
    ("queues", "billing"),
    ("queues", "sales"),
    ("skill.billing", "3"),
    ("skill.vip", ""),
    ("languages", "es"),
    ("auto_answer", "on"),
    ("flags", "auto_answer"),
]


def told(*pairs: tuple[str, str], without: str = "") -> dict[str, Any]:
    named = {name for name, _ in pairs}
    kept = [(name, value) for name, value in FORM if name not in named and name != without]
    return changes(EVA, typed(FormData([*kept, *pairs]))[0])


def test_what_is_as_it_was_is_not_asked() -> None:
    assert told() == {}
    assert changes(EVA, filled(EVA)) == {}


@pytest.mark.parametrize(
    ("pair", "change"),
    [
        (("name", ""), {"name": None}),
        (("code", " 2004 "), {"code": "2004"}),
        (("pin", "9999"), {"pin": "9999"}),
        (("phone", "device:1003"), {"phone": None, "device": "1003"}),
        (("phone", ""), {"phone": None, "device": None}),
        (("serves", "all"), {"queues": "all"}),
        (("queues", "sales"), {"queues": ["sales"]}),
        (("skill.vip", "10"), {"skills": {"billing": 3, "vip": 10}}),
        (("skill.billing", "much"), {"skills": {"billing": "much"}}),
        (("capacity", ""), {"capacity": None}),
        (("capacity", "50"), {"capacity": 50}),
    ],
)
def test_what_was_changed_is_asked_alone(pair: tuple[str, str], change: dict[str, Any]) -> None:
    assert told(pair) == change


def test_a_box_that_was_not_shown_is_no_answer() -> None:
    assert told(without="auto_answer") == {"auto_answer": False}
    assert "supervises" not in told()
    assert told(("flags", "supervises")) == {"supervises": False}


def test_of_who_is_new_only_what_is_said_is_asked() -> None:
    assert asked(filled({})) == {"phone": "own"}
    assert asked(typed(FormData({"agent_id": "eva", "phone": "", "serves": "all"}))[0]) == {}
    assert asked(typed(FormData({"phone": "device:1003", "serves": "some"}))[0]) == {"device": "1003", "queues": []}
