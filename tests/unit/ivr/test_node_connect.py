"""queue and transfer: where the caller comes out."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.commands import JoinQueue, LeaveQueue, Transfer
from core.events import CommandRejected, QueueLeft, TransferEnded
from core.leg_commands import HangUpLeg, StartMusic, StopMusic
from ivr.nodes import transfer
from ivr.scenario.promises import Given
from ivr.scenario.tiny import tiny_call

REST = {name: {"type": "hangup", "prompt": name} for name in ("survey", "voicemail", "other", "failed", "message")}
QUEUE = {
    "type": "queue",
    "queue": "sales",
    "priority": "5",
    "skills": "{{ language }}",
    "keys": {"1": "message"},
    "no_agents": "voicemail",
    "next": "other",
    "error": "failed",
}


def queue(outcome="answered", nodes=None, **changes):
    given = Given(queues={"sales": (outcome, 30.0)})
    return tiny_call({"q": {**QUEUE, **changes}, **(nodes or {}), **REST}, given=given, variables={"vip": "yes"})


def test_the_caller_joins_with_music_and_what_is_known_of_her():
    caller = queue()
    (join,) = caller.ordered(JoinQueue)
    assert (join.queue, join.priority, join.skills) == ("sales", 5, "es")
    assert join.variables["vip"] == "yes"
    assert caller.ordered(StartMusic)


@pytest.mark.parametrize(
    ("outcome", "reached"), [("no_agents", "voicemail"), ("full", "other"), ("overflowed", "other")]
)
def test_every_end_of_the_stay_has_its_way(outcome, reached):
    caller = queue(outcome)
    caller.listen()
    assert caller.path() == ["q", reached]
    assert caller.ordered(StopMusic)


def test_without_any_way_the_error_exit():
    caller = queue("closed", next=None)
    caller.listen()
    assert caller.path() == ["q", "failed"]


def test_an_answered_caller_is_not_hung_up_on():
    caller = queue("answered")
    caller.listen()
    assert caller.ended.outcome == "completed"
    assert not caller.ordered(HangUpLeg)


def test_after_the_conversation_a_survey():
    caller = queue("answered", answered="survey")
    caller.listen()
    assert caller.path() == ["q", "survey"]


def test_a_key_leaves_the_queue_and_others_do_not():
    caller = queue()
    caller.press("7")
    assert caller.path() == ["q"]
    caller.press("1")
    assert caller.path() == ["q", "message"]
    (leave,) = caller.ordered(LeaveQueue)
    assert leave.stay_id == caller.ordered(JoinQueue)[0].stay_id
    assert leave.outcome == "left_by_key"


@pytest.mark.parametrize(
    ("node", "outcome"),
    [
        ({"type": "record", "mailbox": "m", "prompt": "p", "next": "survey"}, "voicemail"),
        ({"type": "callback", "prompt": "p", "confirm": {"prompt": "{{ value }}"}, "next": "survey"}, "callback"),
    ],
)
def test_a_key_that_leads_to_a_message_or_a_callback_says_so(node, outcome):
    caller = queue(keys={"1": "instead"}, nodes={"instead": node})
    caller.press("1")
    assert [leave.outcome for leave in caller.ordered(LeaveQueue)] == [outcome]


@pytest.mark.parametrize(("value", "taken"), [("80", 80.0), ("900", 100.0), ("a lot", 0.0), ("", 0.0)])
def test_what_a_customer_is_worth_and_whom_she_prefers(value, taken):
    (join,) = queue(value=value, prefer=" ana ").ordered(JoinQueue)
    assert (join.value, join.preferred_agent) == (taken, "ana")


def test_a_hangup_leaves_the_queue():
    caller = queue()
    caller.hang_up()
    assert len(caller.ordered(LeaveQueue)) == 1
    assert caller.ended.outcome == "caller_hung_up"


def test_a_restart_loses_no_place():
    caller = queue("no_agents")
    caller.survive_restart()
    assert len(caller.ordered(JoinQueue)) == 1
    caller.listen()
    assert caller.path() == ["q", "voicemail"]


def test_a_refused_queue_and_a_late_stay():
    caller = queue()
    caller.tell(QueueLeft("i-1", "another-stay", "no_agents"))
    assert caller.path() == ["q"]
    caller.tell(CommandRejected("i-1", "1.1", "JoinQueue", "no", subject_id=caller.run.memory.stay_id))
    assert caller.path() == ["q", "failed"]


TRANSFER = {"type": "transfer", "to": "device:1001", "busy": "voicemail", "next": "other", "error": "failed"}


def connect(outcome="answered", **changes):
    node = {**TRANSFER, **changes}
    given = Given(transfers={"device:1001": (outcome, 5.0)})
    return tiny_call({"t": node, **REST}, given=given, variables={"number": "+34 911 234 567"})


def test_a_transfer_is_asked_for():
    caller = connect(ring_s="15", caller="{{ called }}")
    (command,) = caller.ordered(Transfer)
    assert (command.target, command.ring_s, command.caller) == ("device:1001", 15.0, "100")


@pytest.mark.parametrize(("outcome", "reached"), [("busy", "voicemail"), ("no_answer", "other"), ("refused", "other")])
def test_every_end_of_a_transfer_has_its_way(outcome, reached):
    caller = connect(outcome)
    caller.listen()
    assert caller.path() == ["t", reached]


def test_after_the_conversation_the_call_is_over():
    caller = connect()
    caller.listen()
    assert caller.ended.outcome == "completed"
    assert caller.ordered(HangUpLeg)


def test_numbers_come_from_variables_and_nonsense_is_not_dialed():
    caller = connect(to="{{ number }}")
    assert caller.ordered(Transfer)[0].target == "+34911234567"
    caller = connect(to="{{ caller }}; rm")
    assert not caller.ordered(Transfer)
    assert caller.path() == ["t", "failed"]


def test_a_transfer_survives_a_restart_and_a_rejection_fails():
    caller = connect("busy")
    caller.survive_restart()
    caller.listen()
    assert caller.path() == ["t", "voicemail"]
    caller = connect()
    caller.tell(TransferEnded("i-1", "another", "busy"))
    caller.tell(CommandRejected("i-1", "1.1", "Transfer", "no", subject_id=caller.run.memory.transfer_id))
    assert caller.path() == ["t", "other"]


def test_what_cannot_be_dialed_is_explained():
    with pytest.raises(ValidationError, match="cannot be dialed"):
        transfer.Model.model_validate({"type": "transfer", "to": "sip:ana@example"})
