"""Values out of another system's JSON."""

import pytest

from ivr.replies import value_at

REPLY = {"owner": {"names": ["Ana", "Eva"], "vip": True, "age": None}, "slots": [{"at": "9:00"}, {"at": "1|2"}], "n": 7}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("owner.names.1", "Eva"),
        ("owner.vip", "true"),
        ("owner.age", ""),
        ("n", "7"),
        ("slots.*.at", "9:00|1 2"),
        ("owner.names.*", "Ana|Eva"),
    ],
)
def test_a_path_leads_to_a_value(path, value):
    assert value_at(REPLY, path) == value


@pytest.mark.parametrize("path", ["owner", "slots", "nobody", "owner.names.2", "owner.names.x", "slots.*", "n.*", ""])
def test_a_path_that_leads_to_no_value_is_said(path):
    with pytest.raises(ValueError, match="the reply has no"):
        value_at(REPLY, path)


def test_an_empty_list_is_an_empty_text():
    assert value_at({"slots": []}, "slots.*.at") == ""
