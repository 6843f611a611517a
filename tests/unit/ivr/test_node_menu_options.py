"""A menu whose choices come from a list."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ivr.scenario.tiny import tiny_call

MENU = {
    "type": "menu",
    "prompt": "Horas:",
    "options": {
        "from": "slots",
        "prompt": "{{ option }}: {{ key }}.",
        "most": "3",
        "into": "slot",
        "next": "bye",
        "empty": "none",
    },
    "keys": {"0": "none", "2": "none"},
    "no_match": {"prompt": "No vale", "then": "none"},
}
REST = {"bye": {"type": "hangup", "prompt": "Adiós"}, "none": {"type": "hangup", "prompt": "Nada"}}


def call(slots, **changes):
    return tiny_call({"it": {**MENU, **changes}, **REST}, variables={"slots": slots} if slots is not None else {})


def test_each_value_gets_a_key_that_the_menu_does_not_use():
    caller = call("9:00|10:00| |11:00|12:00")
    assert caller.heard() == ["Horas: 9:00: 1. 10:00: 3. 11:00: 4."]
    caller.press("3")
    assert (caller.run.variables["slot"], caller.path()) == ("10:00", ["it", "bye"])


def test_the_menus_own_keys_go_on_working():
    caller = call("9:00")
    caller.press("2")
    assert caller.path() == ["it", "none"]


def test_a_key_without_a_choice_is_no_match_and_the_list_is_said_again():
    caller = call("9:00")
    caller.press("3")
    assert caller.heard()[-1] == "No vale Horas: 9:00: 1."


def test_the_list_stays_as_it_was_said_after_a_restart():
    caller = call("9:00|10:00")
    caller.survive_restart()
    caller.press("1")
    assert caller.run.variables["slot"] == "9:00"


@pytest.mark.parametrize("slots", ["", None, " | "])
def test_an_empty_list_has_a_way_of_its_own(slots):
    assert call(slots).path() == ["it", "none"]


def test_without_that_way_it_is_an_error():
    options = {name: value for name, value in MENU["options"].items() if name != "empty"}
    caller = call("", options=options, error={"prompt": "Fallo", "then": "bye"})
    assert caller.heard() == ["Fallo"]


@pytest.mark.parametrize("changes", [{"options": {**MENU["options"], "most": "10"}}, {"options": None, "keys": {}}])
def test_what_makes_no_menu_is_refused(changes):
    with pytest.raises(ValidationError):
        call("9:00", **changes)
