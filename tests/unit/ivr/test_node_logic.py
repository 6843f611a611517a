"""set, branch, hours, lookup, language, wait, hangup, subflow and return."""

from __future__ import annotations

import datetime as dt

import pytest

from core.decisions import NodeLeft, Noted, VariablesSet
from core.leg import EndReason
from core.leg_commands import HangUpLeg, Play, StartMusic, StopMusic
from definitions.problems import Problems
from ivr.calendars import Calendar
from ivr.scenario.tiny import tiny_call
from ivr.tables import Table

END = {"type": "hangup"}


def test_set_takes_all_values_from_before():
    values = {"a": "{{ b }}", "b": "{{ a }}", "n": "{{ n + 1 }}", "text": "{{ n }} y {{ a }}", "plain": "0810"}
    nodes = {
        "s": {"type": "set", "values": values, "next": "w"},
        "w": {"type": "wait", "seconds": "1", "next": "end"},
        "end": END,
    }
    caller = tiny_call(nodes, variables={"a": "1", "b": "2", "n": "5"})
    variables = caller.run.variables
    assert (variables["a"], variables["b"], variables["n"]) == ("2", "1", 6)
    assert (variables["text"], variables["plain"]) == ("5 y 1", "0810")


def test_what_is_made_from_a_secret_is_a_secret():
    nodes = {
        "pin": {"type": "collect", "prompt": "p", "digits": "4", "into": "pin", "sensitive": "yes", "next": "s"},
        "s": {"type": "set", "values": {"copy": "x{{ pin }}", "other": "1"}, "next": "w"},
        "w": {"type": "wait", "seconds": "1", "next": "end"},
        "end": END,
    }
    caller = tiny_call(nodes)
    caller.press("1234")
    assert caller.run.variables["copy"] == "x1234"
    assert VariablesSet({"copy": "***", "other": "1"}) in caller.decided(VariablesSet)


def test_a_value_that_cannot_be_made_takes_the_error_exit():
    nodes = {"s": {"type": "set", "values": {"a": "{{ 1 / 0 }}"}, "next": "s", "error": "end"}, "end": END}
    assert tiny_call(nodes).path() == ["s", "end"]


@pytest.mark.parametrize(
    ("balance", "reached", "branch"), [("10", "debt", "balance > 0"), ("0", "vip", "vip"), ("-1", "rest", "else")]
)
def test_the_first_condition_that_holds_decides(balance, reached, branch):
    nodes = {
        "b": {
            "type": "branch",
            "branches": [
                {"when": "balance > 0", "next": "debt"},
                {"when": "balance == 0", "next": "vip", "name": "vip"},
            ],
            "else": "rest",
        },
        **{name: {"type": "wait", "seconds": "1", "next": "b"} for name in ("debt", "vip", "rest")},
    }
    caller = tiny_call(nodes, variables={"balance": balance})
    assert caller.path() == ["b", reached]
    assert caller.decided(NodeLeft) == [NodeLeft("tiny", "b", 1, branch, reached)]


OFFICE = Calendar.model_validate(
    {
        "time_zone": "Europe/Madrid",
        "hours": {"mon-fri": "9:00-18:00"},
        "special_days": {"2026-03-11": {"holiday": "Fiesta"}},
    }
)


@pytest.mark.parametrize(
    ("moment", "reached"),
    [
        ("2026-03-10 10:00", "open"),
        ("2026-03-10 17:30", "closed"),
        ("2026-03-11 10:00", "holiday"),
        ("2026-03-14 10:00", "closed"),
    ],
)
def test_hours(moment, reached):
    now_s = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).timestamp()
    nodes = {
        "h": {"type": "hours", "calendar": "office", "open": "open", "closed": "closed", "holiday": "holiday"},
        "open": END,
        "closed": END,
        "holiday": END,
    }
    caller = tiny_call(nodes, calendars={"office": OFFICE}, now_s=now_s)
    assert caller.path() == ["h", reached]
    assert caller.decided(Noted)[0].why.startswith(reached)
    del nodes["h"]["holiday"]
    caller = tiny_call(nodes, calendars={"office": OFFICE}, now_s=now_s)
    assert caller.path() == ["h", "closed" if reached == "holiday" else reached]


@pytest.mark.parametrize(
    ("moment", "opens"),
    [("2026-03-10 10:00", "2026-03-10T11:00"), ("2026-03-10 17:30", "2026-03-12T09:00")],
)
def test_when_it_opens_next_by_its_own_clock(moment, opens):
    now_s = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).timestamp()
    hours = {"type": "hours", "calendar": "office", "open": "end", "closed": "end", "next_open": "opens"}
    caller = tiny_call({"h": hours, "end": END}, calendars={"office": OFFICE}, now_s=now_s)
    assert caller.run.variables["opens"] == opens


def test_what_never_opens_again_has_no_next_time():
    calendar = {"time_zone": "UTC", "hours": {"mon": "closed"}}
    hours = {"type": "hours", "calendar": calendar, "open": "end", "closed": "end", "next_open": "opens"}
    assert tiny_call({"h": hours, "end": END}).run.variables["opens"] == ""


def test_a_calendar_may_stand_in_the_node_and_one_that_is_missing_is_an_error():
    inline = {
        "type": "hours",
        "calendar": {"time_zone": "UTC", "hours": {"mon-sun": "0:00-24:00"}},
        "open": "end",
        "closed": "no",
    }
    assert tiny_call({"h": inline, "end": END, "no": END}).path() == ["h", "end"]
    gone = {"type": "hours", "calendar": "gone", "open": "end", "closed": "end", "error": "no"}
    assert tiny_call({"h": gone, "end": END, "no": END}).path() == ["h", "no"]


def test_a_row_is_found_by_the_caller():
    table = Table.from_csv("vips", "phone,name\n911 234 567,Ana\n", "vips.csv", "ES")
    assert not isinstance(table, Problems)
    nodes = {
        "l": {
            "type": "lookup",
            "table": "vips",
            "column": "phone",
            "value": "{{ caller }}",
            "into": {"vip": "name", "other": "level"},
            "found": "f",
            "not_found": "n",
        },
        "f": {"type": "wait", "seconds": "1", "next": "n"},
        "n": END,
    }
    caller = tiny_call(nodes, tables={"vips": table})
    assert caller.path() == ["l", "f"]
    assert (caller.run.variables["vip"], caller.run.variables["other"]) == ("Ana", "")
    assert tiny_call(nodes, tables={"vips": table}, caller="+34600000000").path() == ["l", "n"]
    assert tiny_call({**nodes, "l": {**nodes["l"], "error": "f"}}).path() == ["l", "f"], "no such table"


@pytest.mark.parametrize(("wanted", "spoken"), [("en", "en"), ("{{ wish }}", "en"), ("fr", "es")])
def test_language(wanted, spoken):
    nodes = {
        "l": {"type": "language", "language": wanted, "next": "p"},
        "p": {"type": "play", "prompt": {"es": "Hola", "en": "Hello"}, "next": "end"},
        "end": END,
    }
    caller = tiny_call(nodes, variables={"wish": "en"})
    assert caller.run.language == caller.run.variables["language"] == spoken
    assert caller.heard() == ["Hello" if spoken == "en" else "Hola"]


def test_waiting_with_music():
    nodes = {"w": {"type": "wait", "seconds": "20", "music": "default", "next": "end"}, "end": END}
    caller = tiny_call(nodes)
    caller.pass_time(19)
    assert caller.path() == ["w"]
    caller.pass_time(1)
    assert caller.path() == ["w", "end"]
    assert caller.ordered(StartMusic)
    assert caller.ordered(StopMusic)


@pytest.mark.parametrize(
    ("reason", "sent", "outcome"),
    [
        ("normal", EndReason.HUNG_UP_BY_US, "completed"),
        ("busy", EndReason.BUSY, "refused"),
        ("congestion", EndReason.CONGESTION, "refused"),
    ],
)
def test_hanging_up(reason, sent, outcome):
    caller = tiny_call({"h": {"type": "hangup", "reason": reason}})
    assert caller.ordered(HangUpLeg) == [HangUpLeg("leg-1", sent)]
    assert caller.ended.outcome == outcome
    assert not caller.ordered(Play)


def test_goodbye_is_heard_before_the_end_whatever_is_pressed():
    caller = tiny_call({"h": {"type": "hangup", "prompt": "Adiós"}})
    caller.press("1#")
    assert caller.ended is None
    caller.listen()
    assert caller.heard() == ["Adiós"]
    assert caller.ended.outcome == "completed"


IDENTIFY = {
    "variables": {"mine": "own"},
    "nodes": {
        "ask": {"type": "collect", "prompt": "{{ hint }}", "digits": "2", "into": "document", "next": "good"},
        "good": {"type": "branch", "branches": [{"when": "document == '99'", "next": "unknown"}], "else": "known"},
        "known": {"type": "return", "values": {"document": "{{ document }}"}},
        "unknown": {"type": "return", "branch": "unknown"},
    },
}
CALLING = {
    "sub": {
        "type": "subflow",
        "flow": "identify",
        "with": {"hint": "Hola {{ name }}"},
        "into": {"dni": "document"},
        "on": {"unknown": "operator"},
        "next": "done",
        "error": "failed",
    },
    "done": {"type": "wait", "seconds": "1", "next": "operator"},
    "operator": END,
    "failed": END,
}


def test_a_subflow_gets_its_arguments_and_gives_back_its_results():
    caller = tiny_call(CALLING, flows={"identify": IDENTIFY}, variables={"name": "Ana", "hidden": "1"})
    assert caller.heard() == ["Hola Ana"]
    assert caller.run.variables["caller"] == "+34911234567"
    assert caller.run.variables["mine"] == "own"
    assert "hidden" not in caller.run.variables
    caller.press("42")
    assert caller.path() == ["sub", "ask", "good", "known", "done"]
    assert caller.run.variables["dni"] == "42"
    assert "document" not in caller.run.variables
    assert NodeLeft("tiny", "sub", 1, "next", "done") in caller.decided(NodeLeft)


def test_a_subflow_returns_by_a_branch():
    caller = tiny_call(CALLING, flows={"identify": IDENTIFY}, variables={"name": "Ana"})
    caller.press("99")
    assert caller.path()[-1] == "operator"


def test_a_language_chosen_in_a_subflow_stays():
    flow = {"nodes": {"l": {"type": "language", "language": "en", "next": "r"}, "r": {"type": "return"}}}
    nodes = {
        "sub": {"type": "subflow", "flow": "other", "next": "w"},
        "w": {"type": "wait", "seconds": "1", "next": "w"},
    }
    caller = tiny_call(nodes, flows={"other": flow})
    assert caller.run.language == caller.run.variables["language"] == "en"


def test_flows_cannot_call_one_another_for_ever():
    nodes = {"sub": {"type": "subflow", "flow": "tiny", "next": "sub", "error": "end"}, "end": END}
    caller = tiny_call(nodes)
    assert len(caller.run.frames) <= 8
    assert caller.ended is not None


def test_a_subflow_that_fails_without_an_error_exit_fails_as_a_whole():
    flow = {"nodes": {"bad": {"type": "set", "values": {"a": "{{ 1 / 0 }}"}, "next": "bad"}}}
    caller = tiny_call(CALLING, flows={"identify": flow}, variables={"name": "Ana"})
    assert caller.path() == ["sub", "bad", "failed"]
    assert tiny_call(CALLING, variables={"name": "Ana"}).path() == ["sub", "failed"], "no such flow"


def test_return_in_the_outermost_flow_ends_the_call():
    caller = tiny_call({"r": {"type": "return"}})
    assert caller.ended.outcome == "completed"
    assert caller.ordered(HangUpLeg)
