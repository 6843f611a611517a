"""The interpreter: errors, loops, secrets, restarts, late facts."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from core.commands import CancelTimer, SendHttp
from core.decisions import NodeLeft, Noted
from core.events import (
    CommandRejected,
    DigitPressed,
    LegAdopted,
    LegEnded,
    LegHeld,
    LegUp,
    QueueLeft,
    TimerFired,
    ToggleSet,
)
from core.leg import EndReason
from core.leg_commands import AnswerLeg, HangUpLeg
from ivr import interpreter, snapshot
from ivr.interpreter import Start, Step, World
from ivr.nodes import VERBS
from ivr.scenario.promises import Given, WebReply
from ivr.scenario.tiny import tiny_call, tiny_release

END = {"type": "hangup"}
BAD = {"type": "set", "values": {"a": "{{ 1 / 0 }}"}, "next": "end"}
MENU = {"type": "menu", "prompt": "Marque", "keys": {"1": "end"}}


# -- errors ------------------------------------------------------------------------------------------
def test_an_error_prompt_is_heard_before_the_error_exit_is_taken():
    caller = tiny_call(
        {"bad": BAD, "end": END, "operator": MENU}, defaults={"error": {"prompt": "Lo sentimos", "then": "operator"}}
    )
    assert caller.heard() == ["Lo sentimos"]
    assert caller.path() == ["bad"]
    caller.listen()
    assert caller.path() == ["bad", "operator"]
    assert NodeLeft("tiny", "bad", 1, "error", "operator") in caller.decided(NodeLeft)
    assert caller.decided(Noted)[0].what == "error"


def test_a_digit_cuts_the_error_prompt_short_and_counts():
    caller = tiny_call(
        {"bad": BAD, "end": END, "operator": MENU}, defaults={"error": {"prompt": "Lo sentimos", "then": "operator"}}
    )
    caller.press("1")
    assert caller.path() == ["bad", "operator", "end"]


def test_without_an_error_exit_the_call_ends_after_the_prompt():
    caller = tiny_call({"bad": BAD, "end": END}, defaults={"error": {"prompt": "Lo sentimos"}})
    caller.listen()
    assert caller.ended.outcome == "error"
    assert caller.ordered(HangUpLeg)
    assert tiny_call({"bad": BAD, "end": END}).ended.outcome == "error"


def test_an_error_on_the_way_out_of_an_error_ends_the_call():
    caller = tiny_call({"bad": {**BAD, "error": "worse"}, "worse": {**BAD, "error": "bad"}, "end": END})
    assert caller.path() == ["bad", "worse"]
    assert caller.ended.outcome == "error"


def test_an_error_prompt_that_fails_is_skipped():
    caller = tiny_call({"bad": {**BAD, "error": {"prompt": "{{ gone }}", "then": "menu"}}, "menu": MENU, "end": END})
    assert caller.path() == ["bad", "menu"]


def test_errors_without_end_end_the_call():
    nodes = {
        "bad": {**BAD, "error": "say"},
        "say": {"type": "play", "prompt": "Otra vez", "next": "bad"},
        "end": END,
    }
    caller = tiny_call(nodes)
    caller.listen()
    assert caller.ended.outcome == "error"
    assert len(caller.heard()) == 10


def test_a_verb_that_raises_is_an_error_and_says_no_secret(monkeypatch):
    def broken(node, visit):
        raise RuntimeError(f"value {visit.variables.get('pin')}")

    monkeypatch.setitem(VERBS, "wait", replace(VERBS["wait"], enter=broken))
    nodes = {
        "pin": {"type": "collect", "prompt": "p", "digits": "4", "into": "pin", "sensitive": "yes", "next": "w"},
        "w": {"type": "wait", "seconds": "1", "next": "end", "error": "menu"},
        "menu": MENU,
        "end": END,
    }
    caller = tiny_call(nodes)
    caller.press("1234")
    assert caller.path() == ["pin", "w", "menu"]
    assert "1234" not in repr(caller.decided(Noted))


def test_a_verb_that_answers_nonsense_is_an_error(monkeypatch):
    monkeypatch.setitem(VERBS, "wait", replace(VERBS["wait"], enter=lambda node, visit: None))
    nodes = {"w": {"type": "wait", "seconds": "1", "next": "end", "error": "menu"}, "menu": MENU, "end": END}
    caller = tiny_call(nodes)
    assert caller.path() == ["w", "menu"]
    assert "a verb answers with a Turn" in caller.decided(Noted)[0].why


def test_a_node_type_that_was_uninstalled_ends_the_call(monkeypatch):
    caller = tiny_call({"w": {"type": "wait", "seconds": "1", "next": "end"}, "end": END})
    monkeypatch.setattr(interpreter, "VERBS", {name: verb for name, verb in VERBS.items() if name != "wait"})
    caller.press("1")
    assert caller.ended.outcome == "error"


@pytest.mark.parametrize("what", ["AnswerLeg", "event"])
def test_what_the_engine_could_not_do_takes_the_error_exit(what):
    caller = tiny_call({"menu": MENU, "end": END, "operator": MENU}, defaults={"error": "operator"})
    caller.tell(CommandRejected("i-1", "1.1", what, "poison"))
    assert caller.path() == ["menu", "operator"]


def test_a_refused_prompt_goes_on_and_a_refused_stop_means_nothing():
    caller = tiny_call({"p": {"type": "play", "prompt": "Hola", "next": "menu"}, "menu": MENU, "end": END})
    caller.tell(CommandRejected("i-1", "1.1", "StopPlayback", "gone", subject_id=caller.run.playing))
    assert caller.path() == ["p"]
    caller.tell(CommandRejected("i-1", "1.1", "Play", "no such sound", subject_id=caller.run.playing))
    assert caller.path() == ["p", "menu"]


# -- loops -------------------------------------------------------------------------------------------
def test_a_loop_without_time_ends_in_the_error_exit():
    nodes = {
        "a": {"type": "set", "values": {"x": "1"}, "next": "b"},
        "b": {"type": "set", "values": {"x": "2"}, "next": "a"},
        "end": MENU,
    }
    caller = tiny_call(nodes, defaults={"error": "end"})
    assert caller.path()[-1] == "end"
    assert len(caller.path()) <= 202
    assert "round in circles" in caller.decided(Noted)[-1].why
    assert tiny_call(nodes).ended.outcome == "error"


def test_prompts_that_fail_at_once_are_a_loop_too():
    caller = tiny_call({"a": {"type": "play", "prompt": {"sound": "gone"}, "next": "a"}})
    for _ in range(500):
        if caller.ended:
            break
        caller.tell(CommandRejected("i-1", "1.1", "Play", "no sound", subject_id=caller.run.playing))
    assert caller.ended.outcome == "error"


def test_a_loop_with_time_is_none():
    caller = tiny_call({"a": {"type": "play", "prompt": "Hola, esto es una frase", "next": "a"}})
    caller.pass_time(3000)
    assert caller.ended is None


# -- late and strange facts ------------------------------------------------------------------------------
def test_facts_of_others_and_late_facts_mean_nothing():
    caller = tiny_call({"menu": MENU, "end": END})
    before = caller.run
    for fact in (
        DigitPressed("another-leg", "1"),
        LegEnded("another-leg", EndReason.HUNG_UP),
        TimerFired("i-1", "i-1.0.input"),
        TimerFired("another", caller.run.timers[0]),
        QueueLeft("i-1", "x", "answered"),
        ToggleSet("i-1", "main", "t", True),
        LegUp("leg-1"),
        LegHeld("leg-1"),
    ):
        caller.tell(fact)
        assert caller.run == before, fact


def test_a_run_that_has_ended_answers_nothing():
    caller = tiny_call({"end": END})
    step = interpreter.handle(caller.world, caller.run, DigitPressed("leg-1", "1"), caller.now_s)
    assert step == Step(caller.run)
    assert interpreter.resume(caller.world, caller.run, caller.now_s) == Step(caller.run)


def test_a_hangup_cancels_what_was_armed_and_touches_the_leg_no_more():
    caller = tiny_call({"menu": MENU, "end": END})
    caller.listen()
    armed = caller.run.timers
    step = interpreter.handle(caller.world, caller.run, LegEnded("leg-1", EndReason.HUNG_UP), caller.now_s)
    assert step.commands == tuple(CancelTimer("i-1", timer_id) for timer_id in armed)
    assert step.ended == interpreter.Ended("caller_hung_up", "hung_up")


def test_timers_are_named_after_the_visit_and_cancelled_when_it_is_left():
    caller = tiny_call({"menu": MENU, "end": {**END, "prompt": "Adiós"}})
    caller.listen()
    (timer_id,) = caller.run.timers
    assert timer_id == "i-1.1.input"
    step = interpreter.handle(caller.world, caller.run, DigitPressed("leg-1", "1"), caller.now_s)
    assert CancelTimer("i-1", timer_id) in step.commands


def test_an_unknown_flow_or_node_ends_the_call():
    world = World(tiny_release({"a": {"nodes": {"x": {"type": "play", "prompt": "h", "next": "gone"}}}}))
    step = interpreter.start(world, Start("i", "l", "main", "zzz", "es"), 0.0)
    assert step.ended.outcome == "error"
    assert step.commands == (HangUpLeg("l"),)
    step = interpreter.start(world, Start("i", "l", "main", "a", "es"), 0.0)
    step = interpreter.handle(world, step.run, DigitPressed("l", "1"), 0.0)
    assert step.ended.outcome == "error"
    smaller = World(tiny_release({"a": {"nodes": {"y": END}}}))
    step = interpreter.start(world, Start("i", "l", "main", "a", "es"), 0.0)
    step = interpreter.handle(smaller, step.run, DigitPressed("l", "1"), 0.0)
    assert step.ended.outcome == "error"
    step = interpreter.start(world, Start("i", "l", "main", "a", "es"), 0.0)
    assert (
        interpreter.handle(smaller, step.run, LegEnded("l", EndReason.HUNG_UP), 0.0).ended.outcome == "caller_hung_up"
    )


def test_what_a_flow_knows_of_the_call():
    caller = tiny_call({"menu": MENU, "end": END})
    facts = {
        name: caller.run.variables[name] for name in ("caller", "called", "today", "time", "weekday", "interaction_id")
    }
    assert facts == {
        "caller": "+34911234567",
        "called": "100",
        "today": "2026-03-10",
        "time": "11:00",
        "weekday": "2",
        "interaction_id": "i-1",
    }
    world = World(tiny_release({"a": {"nodes": {"m": MENU, "end": END}}}))
    begin = Start(
        "i", "l", "main", "a", "es", variables={"company": "Acme"}, time_zone="America/Argentina/Buenos_Aires"
    )
    variables = interpreter.start(world, begin, 1_773_104_400.0).run.variables
    assert (variables["company"], variables["today"], variables["time"]) == ("Acme", "2026-03-09", "22:00")
    assert (
        interpreter.start(world, Start("i", "l", "main", "a", "es", time_zone="nowhere"), 0.0).run.variables["time"]
        == "00:00"
    )


def test_a_leg_that_is_up_is_not_answered_again():
    world = World(tiny_release({"a": {"nodes": {"m": MENU, "end": END}}}))
    step = interpreter.start(world, Start("i", "l", "main", "a", "es", leg_up=True), 0.0)
    assert not [command for command in step.commands if isinstance(command, AnswerLeg)]


# -- restarts and secrets -----------------------------------------------------------------------------------
def test_after_a_gap_the_node_asks_again_and_counts_go_on():
    caller = tiny_call(
        {"menu": MENU, "end": END}, defaults={"no_input": {"retries": "1", "prompt": "No oigo", "then": "end"}}
    )
    caller.listen()
    caller.be_silent(6)
    caller.survive_restart()
    caller.listen()
    assert caller.heard() == ["Marque", "No oigo Marque", "Marque"]
    caller.be_silent(6)
    assert caller.path() == ["menu", "end"]


def test_an_adopted_leg_starts_over_what_it_was_hearing():
    caller = tiny_call({"menu": MENU, "end": END})
    playing = caller.run.playing
    caller.tell(LegAdopted("leg-1", True))
    assert caller.run.playing not in ("", playing)
    assert caller.heard() == ["Marque", "Marque"]


def test_a_node_that_is_done_is_not_done_again():
    nodes = {
        "ask": {"type": "http", "method": "POST", "url": "https://x.example/", "next": "menu"},
        "menu": MENU,
        "end": END,
    }
    caller = tiny_call(nodes, given=Given(web=[WebReply("*")]))
    caller.listen()
    caller.survive_restart()
    assert len(caller.ordered(SendHttp)) == 1
    assert caller.path() == ["ask", "menu"]


PIN = {
    "type": "collect",
    "prompt": "Su clave",
    "digits": "4",
    "into": "pin",
    "sensitive": "yes",
    "next": "menu",
    "no_input": {"retries": "0", "then": "gave_up"},
}
ASK = {"type": "http", "method": "POST", "url": "https://x.example/", "json": {"pin": "{{ pin }}"}, "next": "end"}


def test_a_lost_secret_is_asked_for_again_only_where_it_is_needed():
    nodes = {"pin": PIN, "menu": {**MENU, "keys": {"1": "ask", "2": "end"}}, "ask": ASK, "end": END, "gave_up": END}
    given = Given(web=[WebReply("*")])
    caller = tiny_call(nodes, given=given)
    caller.press("1234")
    caller.survive_restart()
    assert caller.path() == ["pin", "menu"], "the menu needs no PIN"
    assert "pin" not in caller.run.variables
    caller.press("1")
    assert caller.path() == ["pin", "menu", "pin"]
    caller.press("9876")
    assert caller.path() == ["pin", "menu", "pin", "ask"]
    assert caller.ordered(SendHttp)[0].body == '{"pin": "9876"}'
    caller = tiny_call(nodes, given=given)
    caller.press("1234")
    caller.survive_restart()
    caller.press("2")
    assert caller.path() == ["pin", "menu", "end"], "nor does the end"


def test_a_secret_that_is_not_given_again_follows_the_way_out():
    nodes = {"pin": PIN, "menu": {**MENU, "keys": {"1": "ask"}}, "ask": ASK, "end": END, "gave_up": MENU}
    caller = tiny_call(nodes)
    caller.press("1234")
    caller.survive_restart()
    caller.press("1")
    caller.listen()
    caller.be_silent(6)
    assert caller.path()[-1] == "gave_up"
    assert not caller.run.frames[-1].detours


def test_a_node_whose_prompt_says_a_lost_secret_waits_with_what_it_was_given():
    nodes = {
        "pin": {**PIN, "next": "amount"},
        "amount": {
            "type": "collect",
            "prompt": "Clave {{ pin }}, importe",
            "digits": "1-5",
            "into": "amount",
            "next": "end",
        },
        "end": {"type": "wait", "seconds": "1", "next": "end"},
        "gave_up": END,
    }
    caller = tiny_call(nodes)
    caller.press("1234")
    caller.listen()
    caller.press("12")
    caller.survive_restart()
    assert caller.path() == ["pin", "amount", "pin"]
    again = snapshot.load(snapshot.dump(caller.run))
    assert again.frames[-1].detours[0].memory.typed == "12"
    caller.survive_restart()
    caller.press("5555")
    assert caller.heard()[-1] == "Clave 5555, importe"
    caller.press("3#")
    assert caller.run.variables["amount"] == "123"


def test_what_was_made_from_a_lost_secret_is_made_again():
    nodes = {
        "pin": {**PIN, "next": "s"},
        "s": {"type": "set", "values": {"copy": "x{{ pin }}"}, "next": "menu"},
        "menu": {**MENU, "keys": {"1": "say"}},
        "say": {"type": "play", "prompt": "{{ copy }}", "next": "menu"},
        "end": END,
        "gave_up": END,
    }
    caller = tiny_call(nodes)
    caller.press("1234")
    caller.survive_restart()
    caller.press("1")
    caller.press("5678")
    assert caller.heard()[-1] == "x5678"
    assert caller.path() == ["pin", "s", "menu", "pin", "s", "say"]


def test_a_lost_argument_is_given_again_by_the_calling_flow():
    sub = {
        "nodes": {
            "m": {**MENU, "keys": {"1": "say"}},
            "say": {"type": "play", "prompt": "{{ code }}", "next": "r"},
            "r": {"type": "return"},
        }
    }
    nodes = {
        "pin": {**PIN, "next": "sub"},
        "sub": {"type": "subflow", "flow": "other", "with": {"code": "{{ pin }}"}, "next": "menu"},
        "menu": MENU,
        "end": END,
        "gave_up": END,
    }
    caller = tiny_call(nodes, flows={"other": sub})
    caller.press("8642")
    assert b"8642" not in snapshot.dump(caller.run)
    caller.survive_restart()
    caller.press("1")
    assert caller.path()[-1] == "pin"
    caller.press("7777")
    caller.listen()
    caller.press("1")
    assert caller.heard()[-1] == "7777"


def test_a_fact_that_comes_before_the_resume_makes_a_sensitive_node_ask_again():
    caller = tiny_call({"pin": PIN, "menu": MENU, "end": END, "gave_up": END})
    caller.press("12")
    caller.run = snapshot.load(snapshot.dump(caller.run))
    caller.press("3")
    assert caller.heard() == ["Su clave", "Su clave"]
    caller.press("4567")
    assert caller.run.variables["pin"] == "4567"


# -- order ---------------------------------------------------------------------------------------------------
_SCRIPT = """
import random, sys
sys.path.insert(0, {root!r})
from ivr.scenario.tiny import tiny_call
from ivr.scenario.promises import Given, WebReply
nodes = {{
    "menu": {{"type": "menu", "prompt": "{{{{ caller }}}}", "keys": {{"1": "ask", "2": "q", "12": "doc"}}}},
    "ask": {{"type": "http", "url": "https://x.example/", "into": {{"z": "z", "a": "a"}}, "next": "q"}},
    "doc": {{"type": "collect", "prompt": "d", "digits": "2", "into": "doc", "sensitive": "yes", "next": "s"}},
    "s": {{"type": "set", "values": {{"x": "{{{{ doc }}}}", "y": "{{{{ caller }}}}"}}, "next": "ask"}},
    "q": {{"type": "queue", "queue": "sales", "next": "menu"}},
}}
caller = tiny_call(nodes, given=Given(web=[WebReply("*", body={{"a": 1, "z": 2}})]), variables={{"k": "1", "j": "2"}})
for keys in ("12", "34", "1"):
    caller.listen()
    caller.press(keys)
caller.hang_up()
print(caller.transcript)
"""


def test_the_same_call_is_the_same_under_any_hash_seed():
    root = str(Path(__file__).parents[3])
    outputs = {
        subprocess.run(
            [sys.executable, "-c", _SCRIPT.format(root=root)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "4242")
    }
    assert len(outputs) == 1
    assert "JoinQueue" in outputs.pop()
