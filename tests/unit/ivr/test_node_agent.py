"""agent: what an agent does at a phone, as the flow sees it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.commands import AskAgent
from core.events import AgentAnswered
from core.leg_commands import HangUpLeg
from ivr.scenario.promises import AgentReply, Given
from ivr.scenario.tiny import tiny_call

BYE = {"bye": {"type": "hangup"}, "no": {"type": "hangup"}, "failed": {"type": "hangup"}}
READY = {"type": "agent", "do": "ready", "ok": "bye", "refused": "no", "error": "failed"}


def call(node, *, agents=None, rejected=(), **more):
    return tiny_call({"it": node, **more, **BYE}, given=Given(agents=agents or {}, rejected=rejected))


def test_what_is_asked_and_what_is_known_afterwards():
    node = {**READY, "agent": "{{ caller }}", "into": {"presence": "state", "queue_count": "queues"}}
    caller = call(node)
    (asked,) = caller.ordered(AskAgent)
    assert (asked.action, asked.agent_id, asked.pin, asked.value) == ("ready", "+34911234567", "", "")
    assert caller.path() == ["it"]
    caller.listen()
    assert caller.path() == ["it", "bye"]
    assert (caller.run.variables["state"], caller.run.variables["queues"]) == ("ready", "1")


def test_a_refusal_has_its_own_way_and_says_why():
    node = {**READY, "into": {"why": "why", "presence": "state"}}
    caller = call(node, agents={"ready": [AgentReply(False, "her phone cannot be reached")]})
    caller.listen()
    assert caller.path() == ["it", "no"]
    assert (caller.run.variables["why"], caller.run.variables["state"]) == ("her phone cannot be reached", "")


def test_a_refusal_without_a_way_of_its_own_is_an_error():
    caller = call({**READY, "refused": None}, agents={"ready": [AgentReply(False, "no")]})
    caller.listen()
    assert caller.path() == ["it", "failed"]


def test_no_answer_is_an_error():
    caller = call(READY, rejected=["AskAgent"])
    caller.listen()
    assert caller.path()[-1] == "failed"
    caller = call(READY)
    caller._forget(caller.run.memory.subject_id)
    caller.pass_time(16)
    assert caller.path()[-1] == "failed"


def test_an_answer_to_another_question_is_ignored():
    caller = call(READY)
    caller.tell(AgentAnswered("i-1", "i-1.9.9", True))
    assert caller.path() == ["it"]


@pytest.mark.parametrize("do", [{"do": "hold_line"}, {"do": "supervise", "value": "2001"}])
def test_a_line_that_is_held_is_not_hung_up(do):
    caller = call({"type": "agent", **do, "error": "failed"})
    caller.listen()
    assert caller.ended.outcome == "completed"
    assert not caller.ordered(HangUpLeg)


def test_a_pin_is_noted_nowhere_but_in_the_command():
    pin = {"type": "collect", "prompt": "p", "digits": "4", "sensitive": "yes", "into": "pin", "next": "ask"}
    caller = call(pin, ask={**READY, "agent": "2001", "pin": "{{ pin }}"})
    caller.press("4711")
    caller.listen()
    assert [asked.pin for asked in caller.ordered(AskAgent)] == ["4711"]
    assert not any("4711" in str(line) for line in caller.transcript if "AskAgent" not in str(line))


def test_after_a_restart_it_asks_anew_and_an_old_answer_is_late():
    caller = call(READY)
    first = caller.run.memory.subject_id
    caller.survive_restart()
    assert caller.run.memory.subject_id != first
    caller.tell(AgentAnswered("i-1", first, False, "late"))
    caller.listen()
    assert caller.path()[-1] == "bye"


@pytest.mark.parametrize(
    "wrong",
    [
        {"do": "dance", "ok": "bye"},
        {"do": "ready"},
        {"do": "hold_line", "ok": "bye"},
        {"do": "supervise", "ok": "bye", "value": "1"},
        {"do": "supervise"},
        {"do": "disposition", "ok": "bye"},
        {"do": "ready", "ok": "bye", "value": "x"},
        {"do": "ready", "ok": "bye", "pin": "4711"},
        {"do": "ready", "ok": "bye", "into": {"salary": "x"}},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises((ValidationError, AssertionError)):
        call({"type": "agent", **wrong})
