"""split, tag, note, ticket, message, callback, queue_status: as a caller meets them."""

from __future__ import annotations

from collections import Counter

import pytest
from pydantic import ValidationError

from core.commands import (
    GiveDisposition,
    ListNumber,
    NoteInteraction,
    OpenTicket,
    RequestCallback,
    SendMessage,
    TagInteraction,
)
from core.events import CommandOutcomeUnknown
from ivr.run import Start
from ivr.scenario.caller import Caller
from ivr.scenario.promises import Given, QueueReply
from ivr.scenario.tiny import tiny_call, tiny_release
from ivr.visit import World

BYE = {"bye": {"type": "hangup", "prompt": "Adiós"}, "sorry": {"type": "hangup", "prompt": "Disculpe"}}


def call(node, *, rejected=(), statuses=None, caller="+34600123123", language="es", **more):
    given = Given(rejected=rejected, statuses=statuses or {})
    return tiny_call({"it": node, **more, **BYE}, given=given, caller=caller, language=language)


def listened(*args, **kwargs):
    caller = call(*args, **kwargs)
    caller.listen()
    return caller


# -- split -----------------------------------------------------------------------------------------------
SPLIT = {"type": "split", "ways": [{"percent": "20", "next": "bye"}, {"percent": "80", "next": "sorry"}]}


def way(seed, caller="+34600123123", **node):
    release = tiny_release({"tiny": {"nodes": {"it": {**SPLIT, **node}, **BYE}}})
    begin = Start(f"i-{seed}", "leg-1", "main", "tiny", "es", caller=caller, seed=seed)
    return Caller(World(release), begin, 0.0, Given()).path()[1]


def test_a_split_keeps_its_percentages_and_a_call_its_way():
    ways = Counter(way(seed) for seed in range(1000))
    assert 160 < ways["bye"] < 240
    assert [way(seed) for seed in range(20)] == [way(seed) for seed in range(20)]


def test_a_split_by_the_caller_does_not_depend_on_chance():
    ways = {way(seed, by="{{ caller }}") for seed in range(30)}
    assert len(ways) == 1
    assert len({way(1, f"+3460012{n:04}", by="{{ caller }}") for n in range(50)}) == 2


@pytest.mark.parametrize(
    "ways",
    [
        [{"percent": "20", "next": "bye"}, {"percent": "70", "next": "sorry"}],
        [{"percent": "100", "next": "bye"}],
        [{"percent": "50", "next": "bye"}, {"percent": "50", "next": "bye"}],
    ],
)
def test_a_split_that_makes_no_sense_is_refused(ways):
    with pytest.raises(ValidationError):
        call({"type": "split", "ways": ways})


# -- tag, note ------------------------------------------------------------------------------------------
def test_tags_and_notes_are_kept_and_hold_no_secret():
    pin = {"type": "collect", "prompt": "p", "digits": "4", "sensitive": "yes", "into": "pin", "next": "tag"}
    tag = {"type": "tag", "tags": ["sales", "{{ pin }}"], "remove": "old", "next": "note"}
    note = {"type": "note", "text": "calls from {{ caller }}", "next": "bye"}
    caller = call(pin, tag=tag, note=note)
    caller.press("1234")
    assert caller.ordered(TagInteraction) == [TagInteraction("i-1", ("sales", "***"), ("old",))]
    assert caller.ordered(NoteInteraction) == [NoteInteraction("i-1", "calls from +34600123123")]
    assert caller.path()[-1] == "bye"


def test_a_tag_that_does_nothing_is_refused():
    with pytest.raises(ValidationError):
        call({"type": "tag", "next": "bye"})


# -- disposition ------------------------------------------------------------------------------------------
def test_a_disposition_is_said_with_what_she_answered_and_no_secret():
    pin = {"type": "collect", "prompt": "p", "digits": "4", "sensitive": "yes", "into": "pin", "next": "said"}
    answers = {"pay_on": " {{ today }} ", "code": "{{ pin }}", "nothing": "{{ ghost | default('') }}"}
    said = {"type": "disposition", "value": "promise/new", "answers": answers, "next": "bye"}
    caller = call(pin, said=said)
    caller.press("1234")
    (given,) = caller.ordered(GiveDisposition)
    assert (given.interaction_id, given.disposition, set(given.answers)) == ("i-1", "promise/new", {"pay_on", "code"})
    assert given.answers["code"] == "***"
    assert given.answers["pay_on"].count("-") == 2
    assert caller.path()[-1] == "bye"


def test_a_disposition_without_a_value_is_refused():
    with pytest.raises(ValidationError):
        call({"type": "disposition", "value": "", "next": "bye"})


# -- ticket, message ------------------------------------------------------------------------------------
TICKET = {
    "type": "ticket",
    "subject": "Broken: {{ caller }}",
    "fields": {"who": "{{ caller }}"},
    "category": "repairs",
    "into": "number",
    "error": "sorry",
    "next": "said",
}
SAID = {"said": {"type": "hangup", "prompt": "Número {{ number }}"}}


def test_a_ticket_is_opened_before_its_number_is_said():
    caller = call(TICKET, **SAID)
    assert caller.heard() == []
    caller.listen()
    (ticket,) = caller.ordered(OpenTicket)
    assert (ticket.subject, ticket.category, ticket.fields) == (
        "Broken: +34600123123",
        "repairs",
        {"who": "+34600123123"},
    )
    assert caller.heard() == ["Número T-1"]


def test_a_ticket_that_nobody_opens_takes_the_error_exit():
    assert listened(TICKET, rejected=["OpenTicket"], **SAID).path()[-1] == "sorry"
    caller = call(TICKET, **SAID)
    caller.tell(CommandOutcomeUnknown("i-1", "1.1", "OpenTicket", caller.run.memory.subject_id))
    assert caller.path()[-1] == "sorry"
    caller = call(TICKET, **SAID)
    caller._forget(caller.run.memory.subject_id)
    caller.pass_time(16)
    assert caller.path()[-1] == "sorry"


def test_after_a_restart_a_ticket_is_waited_for_and_not_opened_twice():
    caller = call(TICKET, **SAID)
    caller.survive_restart()
    caller.listen()
    assert len(caller.ordered(OpenTicket)) == 1
    assert caller.heard() == ["Número T-1"]


MESSAGE = {
    "type": "message",
    "channel": "sms",
    "to": "{{ caller }}",
    "text": {"es": "Hola {{ caller }}", "en": "Hi"},
    "failed": "sorry",
    "next": "bye",
}


def test_a_message_is_sent_in_the_callers_language():
    (spanish,) = listened(MESSAGE).ordered(SendMessage)
    assert (spanish.channel, spanish.target, spanish.text) == ("sms", "+34600123123", "Hola +34600123123")
    (english,) = listened(MESSAGE, language="en").ordered(SendMessage)
    assert english.text == "Hi"


def test_a_message_that_is_not_sent_has_a_way_of_its_own_or_fails():
    assert listened(MESSAGE, rejected=["SendMessage"]).path()[-1] == "sorry"
    assert listened({**MESSAGE, "to": " "}).path()[-1] == "sorry"
    bare = {name: value for name, value in MESSAGE.items() if name != "failed"}
    caller = listened({**bare, "error": {"prompt": "Fallo", "then": "bye"}}, rejected=["SendMessage"])
    assert caller.heard() == ["Fallo", "Adiós"]


def test_a_message_gives_no_secret_away():
    pin = {"type": "collect", "prompt": "p", "digits": "4", "sensitive": "yes", "into": "pin", "next": "send"}
    caller = call(pin, send={**MESSAGE, "text": "{{ pin }}"})
    caller.press("1234")
    caller.listen()
    assert (caller.ordered(SendMessage), caller.path()[-1]) == ([], "sorry")


# -- callback -------------------------------------------------------------------------------------------
CALLBACK = {
    "type": "callback",
    "queue": "sales",
    "prompt": "Marque el número",
    "confirm": {"prompt": "Al {{ value }}: 1, otro: 2"},
    "into": "number",
    "error": "sorry",
    "no_match": {"prompt": "No vale", "then": "sorry"},
    "no_input": {"retries": "1", "then": "sorry"},
    "next": "bye",
}


def test_the_callers_own_number_is_offered_and_promised_once_it_is_safe():
    caller = call(CALLBACK)
    caller.press("1")
    (request,) = caller.ordered(RequestCallback)
    assert (request.target, request.queue) == ("+34600123123", "sales")
    assert caller.path() == ["it"]
    caller.listen()
    assert caller.path() == ["it", "bye"]
    assert caller.run.variables["number"] == "+34600123123"


def test_another_number_is_asked_for_checked_and_read_back():
    caller = call(CALLBACK)
    caller.press("2")
    caller.press("12#")
    caller.pass_time(1)
    assert caller.heard()[-1] == "No vale Marque el número"
    caller.press("911234567")
    caller.pass_time(4)
    assert caller.heard()[-1] == "Al +34911234567: 1, otro: 2"
    caller.press("1")
    assert caller.ordered(RequestCallback)[0].target == "+34911234567"


def test_who_hides_her_number_is_asked_at_once():
    assert call(CALLBACK, caller="anonymous").heard() == ["Marque el número"]


def test_silence_and_wrong_keys_lead_out():
    caller = call(CALLBACK)
    for _ in range(2):
        caller.listen()
        caller.pass_time(6)
    assert caller.path()[-1] == "sorry"
    caller = call(CALLBACK)
    for _ in range(3):
        caller.press("7")
        caller.pass_time(2)
    assert caller.path()[-1] == "sorry"


def test_a_callback_that_cannot_be_kept_is_not_promised():
    caller = call(CALLBACK, rejected=["RequestCallback"])
    caller.press("1")
    caller.listen()
    assert caller.heard()[-1] == "Disculpe"


def test_a_number_that_nobody_may_call_has_an_exit_of_its_own():
    caller = call({**CALLBACK, "refused": "sorry"}, rejected=["RequestCallback"])
    caller.press("1")
    caller.listen()
    assert caller.path()[-1] == "sorry"


def test_after_a_restart_a_callback_is_the_same_request():
    caller = call(CALLBACK)
    caller.press("1")
    caller.survive_restart()
    caller.listen()
    first, second = caller.ordered(RequestCallback)
    assert first == second
    assert caller.path() == ["it", "bye"]


def test_a_number_being_typed_is_offered_anew_after_a_restart():
    caller = call(CALLBACK)
    caller.press("2")
    caller.survive_restart()
    assert caller.heard()[-1] == "Marque el número"


# -- queue_status ---------------------------------------------------------------------------------------
STATUS = {
    "type": "queue_status",
    "queue": "sales",
    "into": {
        "waiting": "callers",
        "ewt_s": "wait",
        "status": "how",
        "longest_wait_s": "longest",
        "agents_ready": "ready",
        "agents_logged_in": "there",
    },
    "open": "here",
    "long_wait": "long",
    "no_agents": "sorry",
    "error": "failed",
}
WAYS = {name: {"type": "hangup"} for name in ("here", "long", "failed")}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (QueueReply("open", 2, 40.0, 35.0, 0, 4), "here"),
        (QueueReply("open", 9, 400.0), "long"),
        (QueueReply("no_agents"), "sorry"),
        (QueueReply("closed"), "failed"),
    ],
)
def test_a_queue_says_how_it_is(status, expected):
    caller = listened(STATUS, statuses={"sales": status}, **WAYS)
    assert caller.path() == ["it", expected]
    if expected in ("here", "long"):
        known = caller.run.variables
        assert (known["callers"], known["wait"]) == (str(status.waiting), f"{status.ewt_s:.0f}")
        assert (known["how"], known["longest"]) == (status.status, f"{status.longest_wait_s:.0f}")
        assert (known["ready"], known["there"]) == (str(status.agents_ready), str(status.agents_logged_in))


def test_a_way_without_a_node_takes_the_common_one():
    caller = listened({**STATUS, "next": "bye"}, statuses={"sales": QueueReply("closed")}, **WAYS)
    assert caller.path() == ["it", "bye"]


def test_a_queue_that_says_nothing_is_an_error_and_a_restart_asks_again():
    assert listened(STATUS, rejected=["AskQueueStatus"], **WAYS).path() == ["it", "failed"]
    caller = call(STATUS, **WAYS)
    caller.survive_restart()
    caller.listen()
    assert caller.path() == ["it", "here"]


def test_keys_pressed_meanwhile_are_kept():
    menu = {"type": "menu", "prompt": "m", "keys": {"5": "bye"}}
    caller = call({**TICKET, "next": "menu"}, menu=menu)
    caller.press("5")
    caller.listen()
    assert caller.path() == ["it", "menu", "bye"]


# -- do_not_call -------------------------------------------------------------------------------------------
OPT_OUT = {"type": "do_not_call", "error": "sorry", "next": "said"}


def test_she_is_on_the_list_before_it_is_said():
    caller = call(OPT_OUT, **SAID)
    assert caller.heard() == []
    caller.listen()
    (listed,) = caller.ordered(ListNumber)
    assert (listed.called, listed.scope) == ("+34600123123", "tenant")
    assert caller.path()[-1] == "said"


def test_for_one_campaign_and_another_number():
    caller = listened({**OPT_OUT, "scope": "campaign", "number": "911 234 567"}, **SAID)
    (listed,) = caller.ordered(ListNumber)
    assert (listed.called, listed.scope) == ("+34911234567", "campaign")


def test_what_is_no_number_or_cannot_be_listed_takes_the_error_exit():
    assert listened({**OPT_OUT, "number": "hidden"}, **SAID).path()[-1] == "sorry"
    assert listened(OPT_OUT, rejected=["ListNumber"], **SAID).path()[-1] == "sorry"


def test_after_a_restart_it_is_asked_again():
    caller = call(OPT_OUT, **SAID)
    caller.survive_restart()
    caller.listen()
    assert len(caller.ordered(ListNumber)) == 2
    assert caller.path()[-1] == "said"
