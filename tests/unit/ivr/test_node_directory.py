"""directory, as a caller meets it."""

from __future__ import annotations

import pytest

from ivr.scenario.tiny import tiny_call
from ivr.tables import Table

STAFF = Table.from_csv(
    "staff",
    "ext,name,device\n1001,Ana García,d1\n1002,Ángel Ruiz,d2\n1003,Luis Gascón,d3\n"
    "2401,Eva Abad,d4\n77,Rosa Abad,d5\n88,Iker Abad,d6\n",
    "staff.csv",
)
NODE = {
    "type": "directory",
    "table": "staff",
    "name": "name",
    "extension": "ext",
    "prompt": "¿Quién?",
    "choose": "{{ option }}: {{ key }}.",
    "most": "2",
    "into": {"device": "device"},
    "found": "ring",
    "no_input": {"retries": "1", "then": "bye"},
    "no_match": {"retries": "1", "prompt": "No está", "then": "bye"},
}
REST = {"ring": {"type": "hangup", "prompt": "{{ device }}"}, "bye": {"type": "hangup", "prompt": "Adiós"}}


def call(**changes):
    assert isinstance(STAFF, Table)
    return tiny_call({"it": {**NODE, **changes}, **REST}, tables={"staff": STAFF})


def test_an_extension_leads_there_at_once():
    caller = call()
    caller.press("1002")
    assert caller.heard()[-1] == "d2"


def test_an_extension_that_spells_a_name_too_waits_for_the_end():
    caller = call()
    caller.press("77")
    assert caller.heard()[-1] == "d5"


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        ("262#", "Ana García: 1."),
        ("26#", "Ana García: 1. Ángel Ruiz: 2."),
        ("427266#", "Luis Gascón: 1."),
        ("427#", "Ana García: 1. Luis Gascón: 2."),
        ("262427#", "Ana García: 1."),
        ("7672#", "Rosa Abad: 1."),
    ],
)
def test_a_name_is_spelt_with_the_keys(typed, heard):
    caller = call()
    caller.press(typed)
    assert caller.heard()[-1] == heard
    caller.press("1")
    caller.listen()
    assert caller.path() == ["it", "ring"]


def test_a_pause_ends_the_name_too():
    caller = call()
    caller.press("787")
    caller.pass_time(3.5)
    assert caller.heard()[-1].startswith("No está")
    caller.listen()
    caller.press("7672")
    caller.pass_time(3.5)
    assert caller.heard()[-1] == "Rosa Abad: 1."


def test_too_many_or_nobody_is_no_match():
    caller = call()
    caller.press("2223#")
    assert caller.heard()[-1] == "No está ¿Quién?"
    caller.pass_time(2)
    caller.press("222#")
    assert caller.path() == ["it", "bye"]


def test_a_key_nobody_is_at_is_no_match():
    caller = call()
    caller.press("262#")
    caller.press("5")
    assert caller.heard()[-1] == "No está Ana García: 1."


def test_silence_leads_out():
    caller = call()
    for _ in range(2):
        caller.listen()
        caller.pass_time(6)
    assert caller.path() == ["it", "bye"]
    caller = call()
    caller.press("#")
    assert caller.heard() == ["¿Quién?", "¿Quién?"]


def test_who_was_found_is_offered_again_after_a_restart():
    caller = call()
    caller.press("262#")
    caller.survive_restart()
    assert caller.heard()[-1] == "Ana García: 1."


def test_without_its_table_it_fails():
    caller = tiny_call({"it": {**NODE, "error": "bye"}, **REST})
    assert caller.path() == ["it", "bye"]


def test_extensions_may_be_left_out():
    bare = {name: value for name, value in NODE.items() if name != "extension"}
    caller = tiny_call({"it": bare, **REST}, tables={"staff": STAFF})
    caller.press("1002#")
    assert caller.heard()[-1] == "No está ¿Quién?"
