"""collect, as a caller meets it."""

from __future__ import annotations

import datetime as dt

import pytest
from pydantic import ValidationError

from core.decisions import Noted, VariablesSet
from ivr import snapshot
from ivr.nodes import collect
from ivr.scenario.tiny import tiny_call

RETRY = {"retries": "1", "prompt": "Otra vez", "then": "operator"}
DOCUMENT = {
    "type": "collect",
    "prompt": "Su documento",
    "digits": "4-8",
    "into": "document",
    "next": "done",
    "no_input": {"retries": "1", "prompt": "No oigo", "then": "operator"},
    "no_match": RETRY,
}
REST = {
    "done": {"type": "hangup", "prompt": "Gracias {{ document }}"},
    "operator": {"type": "hangup", "prompt": "Operador"},
}


def call(**changes):
    caller = tiny_call({"document": {**DOCUMENT, **changes}, **REST})
    caller.listen()
    return caller


def test_the_terminator_ends_the_number():
    caller = call()
    caller.press("1234#")
    assert caller.run.variables["document"] == "1234"
    assert caller.path() == ["document", "done"]


def test_the_longest_number_needs_none_and_one_pressed_out_of_habit_is_swallowed():
    nodes = {
        "document": DOCUMENT | {"next": "menu"},
        "menu": {"type": "menu", "prompt": "m", "keys": {"#": "done"}},
        **REST,
    }
    caller = tiny_call(nodes)
    caller.listen()
    caller.press("12345678#")
    assert caller.path() == ["document", "menu"]
    caller.listen()
    caller.pass_time(4)
    caller.press("#")
    assert caller.path() == ["document", "menu", "done"]


def test_after_the_longest_number_another_key_counts_at_once():
    nodes = {
        "document": DOCUMENT | {"next": "menu"},
        "menu": {"type": "menu", "prompt": "m", "keys": {"1": "done"}},
        **REST,
    }
    caller = tiny_call(nodes)
    caller.press("123456781")
    assert caller.path() == ["document", "menu", "done"]


def test_a_pause_after_enough_digits_ends_the_number():
    caller = call(between_digits_s="2")
    caller.press("12345")
    caller.pass_time(2)
    assert caller.run.variables["document"] == "12345"


def test_too_short_a_number_is_asked_again_and_then_given_up():
    caller = call()
    caller.press("12#")
    caller.listen()
    assert caller.heard() == ["Su documento", "Otra vez Su documento"]
    caller.press("12#")
    assert caller.path() == ["document", "operator"]
    assert Noted("no_match", "2 digits, at least 4 are needed") in caller.decided(Noted)


def test_silence_is_not_a_wrong_number():
    caller = call()
    caller.be_silent(6)
    caller.listen()
    caller.press("12#")
    caller.listen()
    assert caller.heard() == ["Su documento", "No oigo Su documento", "Otra vez Su documento"]


def test_a_key_to_start_over():
    caller = call(restart="*")
    caller.press("12*")
    caller.listen()
    caller.press("4321#")
    assert caller.run.variables["document"] == "4321"


def test_what_was_typed_is_read_back_and_may_be_refused():
    caller = call(confirm={"prompt": "Ha marcado {{ value | digits }}, 1 sí, 2 no"})
    caller.press("1234#")
    assert caller.heard()[-1] == "Ha marcado uno dos tres cuatro, 1 sí, 2 no"
    caller.listen()
    caller.press("2")
    caller.press("5678#")
    caller.listen()
    caller.press("9")
    caller.listen()
    caller.press("1")
    assert caller.path() == ["document", "operator"], "two mistakes are one too many here"


def test_confirmed_it_is_kept():
    caller = call(confirm={"prompt": "¿{{ value }}?", "yes": "5"})
    caller.press("12345678#5")
    assert caller.run.variables["document"] == "12345678"


def test_silence_at_the_read_back_reads_it_back_again():
    caller = call(confirm={"prompt": "¿{{ value }}?"})
    caller.press("1234#")
    caller.listen()
    caller.be_silent(6)
    assert caller.heard()[-1] == "No oigo ¿1234?"
    caller.listen()
    caller.press("1")
    assert caller.path()[-1] == "done"


@pytest.mark.parametrize(
    ("check", "typed", "kept"),
    [
        ({"kind": "regex", "pattern": "1[0-9]+"}, "1234", "1234"),
        ({"kind": "regex", "pattern": "1[0-9]+"}, "2234", None),
        ({"kind": "range", "min": "1000", "max": "2000"}, "1500", "1500"),
        ({"kind": "range", "min": "1000", "max": "2000"}, "2001", None),
        ("luhn", "79927398713", "79927398713"),
        ("luhn", "79927398714", None),
        ({"kind": "phone", "region": "ES"}, "911234567", "+34911234567"),
        ({"kind": "phone", "region": "ES"}, "123456789", None),
        ({"kind": "phone", "region": "ES", "mobile": "yes"}, "911234567", None),
        ({"kind": "phone", "region": "ES", "mobile": "yes"}, "600123456", "+34600123456"),
        ({"kind": "phone", "region": "AR"}, "1123456789", "+541123456789"),
        ({"kind": "document", "country": "es"}, "12345678", "12345678Z"),
        ({"kind": "document", "country": "es"}, "1234567", "01234567L"),
        ({"kind": "document", "country": "es", "types": "nie"}, "01234567", "X1234567L"),
        ({"kind": "document", "country": "es", "types": ["cif"]}, "58818501", "58818501"),
        ({"kind": "document", "country": "es", "types": ["cif"]}, "58818502", None),
        ({"kind": "document", "country": "ar"}, "20123456", "20123456"),
        ({"kind": "document", "country": "ar", "types": ["cuit"]}, "20267565393", "20267565393"),
        ({"kind": "document", "country": "ar", "types": ["cuil"]}, "20267565394", None),
        ({"kind": "date"}, "29022028", "2028-02-29"),
        ({"kind": "date"}, "29022027", None),
        ({"kind": "date"}, "1122027", None),
        ({"kind": "date", "format": "ddmm"}, "0903", "2027-03-09"),
        ({"kind": "date", "format": "ddmm"}, "1003", "2026-03-10"),
        ({"kind": "date", "after": "0", "before": "30"}, "09042026", "2026-04-09"),
        ({"kind": "date", "after": "0", "before": "30"}, "10042026", None),
        ({"kind": "date", "after": "1"}, "10032026", None),
        ({"kind": "date", "format": "mmyy"}, "0127", "2027-01-01"),
    ],
)
def test_validators(check, typed, kept):
    caller = call(validate=check, digits="3-20")
    caller.press(typed + "#")
    assert caller.run.variables.get("document") == kept


def test_today_is_today_where_the_tenant_is():
    late_in_madrid = dt.datetime(2026, 3, 10, 23, 30, tzinfo=dt.UTC).timestamp()  # the 11th there
    node = {**DOCUMENT, "validate": {"kind": "date", "after": "0", "time_zone": "Europe/Madrid"}}
    caller = tiny_call({"document": node, **REST}, now_s=late_in_madrid)
    caller.listen()
    caller.press("10032026")
    assert "document" not in caller.run.variables


def test_a_check_may_have_its_own_words_and_the_log_says_why_without_the_digits():
    caller = call(validate=[{"kind": "luhn", "prompt": "Ese número no existe"}])
    caller.press("1234#")
    assert caller.heard()[-1] == "Ese número no existe Su documento"
    noted = caller.decided(Noted)
    assert noted == [Noted("no_match", "luhn: has a wrong check digit")]


def test_sensitive_digits_are_written_down_nowhere():
    caller = call(sensitive="yes")
    caller.press("43218")
    assert caller.run.listens_in_secret
    assert b"4321" not in snapshot.dump(caller.run)
    caller.press("765")
    assert caller.run.variables["document"] == "43218765"
    assert b"43218765" not in snapshot.dump(caller.run)
    assert caller.decided(VariablesSet) == [VariablesSet({"document": "***"})]
    assert "43218765" not in repr(caller.decided(Noted))


def test_digits_typed_ahead_do_not_become_a_secret():
    caller = tiny_call(
        {
            "w": {"type": "wait", "seconds": "2", "next": "document"},
            "document": {**DOCUMENT, "sensitive": "yes"},
            **REST,
        }
    )
    caller.press("1234#")
    caller.listen()
    assert caller.path() == ["w", "document"]


def test_after_a_restart_the_caller_goes_on_from_the_next_digit():
    caller = call()
    caller.press("123")
    caller.survive_restart()
    assert caller.heard() == ["Su documento", "Su documento"]
    caller.press("4#")
    assert caller.run.variables["document"] == "1234"


def test_after_a_restart_a_sensitive_number_is_asked_again_from_its_first_digit():
    caller = call(sensitive="yes")
    caller.press("123")
    caller.survive_restart()
    caller.press("9876#")
    assert caller.run.variables["document"] == "9876"


def test_after_a_restart_the_read_back_is_heard_again():
    caller = call(confirm={"prompt": "¿{{ value }}?"})
    caller.press("1234#")
    caller.survive_restart()
    assert caller.heard()[-1] == "¿1234?"
    caller.press("1")
    assert caller.run.variables["document"] == "1234"


def test_digits_kept_over_a_restart_end_by_silence_too():
    caller = call()
    caller.press("1234")
    caller.survive_restart()
    caller.listen()
    caller.pass_time(10)
    assert caller.run.variables["document"] == "1234"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"digits": "9-7"}, "no number of digits"),
        ({"digits": "many"}, "no number of digits"),
        ({"digits": "99"}, "no number of digits"),
        ({"terminator": "5"}, "cannot end a number"),
        ({"restart": "#"}, "both ends and restarts"),
        ({"validate": [{"kind": "regex", "pattern": "("}]}, r"not a regular expression RE2 takes: missing \)"),
        ({"validate": [{"kind": "regexp", "pattern": "x"}]}, "regexp"),
        ({"validate": [{"kind": "phone", "region": "XX"}]}, "not a country"),
        ({"validate": [{"kind": "date", "time_zone": "Madrid"}]}, "not a time zone"),
        ({"validate": [{"kind": "date", "after": "soon"}]}, "not a number of days"),
    ],
)
def test_bad_models_are_explained(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        collect.Model.model_validate({**DOCUMENT, **changes})


def test_no_pattern_can_hang():
    caller = call(validate={"kind": "regex", "pattern": "(1+)+2"}, digits="40")
    caller.press("1" * 40)
    assert "document" not in caller.run.variables


def test_a_failing_prompt_takes_the_error_exit():
    caller = tiny_call({"document": {**DOCUMENT, "prompt": "{{ nothing }}", "error": "operator"}, **REST})
    assert caller.path() == ["document", "operator"]
