"""toggle: a switch set from a phone."""

from __future__ import annotations

import hashlib

import pytest
from pydantic import ValidationError

from core.commands import SetToggle
from core.decisions import Noted
from core.events import CommandRejected
from ivr import snapshot
from ivr.nodes import toggle
from ivr.scenario.tiny import tiny_call

FLIP = {
    "type": "toggle",
    "toggle": "closure",
    "mode": "flip",
    "pin": "4711",
    "prompt": "Clave",
    "on_prompt": "Activado",
    "off_prompt": "Desactivado",
    "next": "bye",
    "no_match": {"retries": "1", "prompt": "Mal", "then": "operator"},
    "no_input": {"retries": "0", "then": "operator"},
    "error": "operator",
}
REST = {"bye": {"type": "hangup"}, "operator": {"type": "hangup", "prompt": "Operador"}}


def call(on=False, **changes):
    caller = tiny_call({"t": {**FLIP, **changes}, **REST}, toggles={"closure": on})
    caller.listen()
    return caller


@pytest.mark.parametrize(("on", "reached"), [(True, "closed"), (False, "open")])
def test_checking(on, reached):
    nodes = {
        "t": {"type": "toggle", "toggle": "closure", "on": "closed", "off": "open"},
        "closed": {"type": "hangup"},
        "open": {"type": "hangup"},
    }
    assert tiny_call(nodes, toggles={"closure": on}).path() == ["t", reached]


def test_the_right_pin_flips_it_and_the_new_state_is_said_once_it_is_saved():
    caller = call()
    caller.press("4711#")
    assert caller.ordered(SetToggle) == [SetToggle("i-1", "main", "closure", True)]
    assert caller.heard() == ["Clave"]
    caller.listen()
    assert caller.heard() == ["Clave", "Activado"]
    assert caller.path() == ["t", "bye"]
    assert caller.world.toggles["main", "closure"] is True
    assert [command.value for command in _flipped_back()] == [False]


def _flipped_back():
    caller = call(on=True)
    caller.press("4711#")
    caller.listen()
    assert caller.heard() == ["Clave", "Desactivado"]
    return caller.ordered(SetToggle)


def test_setting_to_a_value():
    caller = call(on=True, mode="set", value="yes")
    caller.press("4711#")
    assert caller.ordered(SetToggle)[0].value is True


def test_a_wrong_pin_is_tried_a_few_times_and_never_written_down():
    caller = call()
    caller.press("12345#")
    caller.listen()
    assert caller.heard() == ["Clave", "Mal Clave"]
    assert caller.run.listens_in_secret
    caller.press("4710")
    assert b"4710" not in snapshot.dump(caller.run)
    caller.press("#")
    assert caller.path() == ["t", "operator"]
    assert not caller.ordered(SetToggle)
    assert Noted("no_match", "wrong PIN") in caller.decided(Noted)


def test_silence_after_the_pin_ends_it_and_no_pin_is_no_input():
    caller = call()
    caller.press("4711")
    caller.pass_time(3)
    assert caller.ordered(SetToggle)
    caller = call()
    caller.be_silent(6)
    assert caller.path() == ["t", "operator"]


def test_a_pin_may_be_kept_as_a_hash():
    digest = hashlib.sha256(b"00ff00ff4711").hexdigest()
    caller = call(pin=f"sha256:00ff00ff:{digest}")
    caller.press("4711#")
    assert caller.ordered(SetToggle)


def test_a_storm_of_digits_is_a_wrong_pin():
    caller = call()
    caller.press("1" * 30)
    assert not caller.ordered(SetToggle)


def test_what_cannot_be_saved_is_not_confirmed():
    caller = call()
    caller.press("4711#")
    caller.tell(CommandRejected("i-1", "1.1", "SetToggle", "disk full"))
    assert caller.path() == ["t", "operator"]
    assert "Activado" not in caller.heard()
    caller = call()
    caller.press("4711#")
    caller._forget("toggle closure")
    caller.pass_time(11)
    assert caller.path() == ["t", "operator"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"pin": None}, "needs pin"),
        ({"pin": "12"}, "no PIN"),
        ({"mode": "set"}, "needs value"),
        ({"on": "bye"}, "means nothing"),
        ({"mode": "flop"}, "flop"),
    ],
)
def test_bad_models_are_explained(changes, complaint):
    body = {key: value for key, value in {**FLIP, **changes}.items() if value is not None}
    with pytest.raises(ValidationError, match=complaint):
        toggle.Model.model_validate(body)
