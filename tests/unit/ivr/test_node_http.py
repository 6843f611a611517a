"""http: what is sent, and where each answer leads."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from core.commands import SendHttp
from core.decisions import Noted
from core.events import CommandOutcomeUnknown, CommandRejected, HttpReplied
from core.leg_commands import StartMusic, StopMusic
from ivr import snapshot
from ivr.nodes import http
from ivr.scenario.promises import Given, WebReply
from ivr.scenario.tiny import tiny_call

ASK = {
    "type": "http",
    "url": "https://crm.example/customers/{{ id }}",
    "into": {"balance": "account.balance"},
    "on": {"404": "unknown", "5xx": "later"},
    "next": "done",
    "error": "failed",
}
REST = {name: {"type": "hangup", "prompt": name} for name in ("done", "unknown", "later", "failed")}
BALANCE = WebReply("*", body={"account": {"balance": 120.5}})


def call(*replies, variables=None, **changes):
    nodes = {"ask": {**ASK, **changes}, **REST}
    return tiny_call(nodes, given=Given(web=replies), variables=variables or {"id": "7"})


def sent(caller):
    (command,) = caller.ordered(SendHttp)
    return command


def test_a_good_reply_goes_on_with_its_values():
    caller = call(BALANCE)
    caller.listen()
    assert caller.path() == ["ask", "done"]
    assert caller.run.variables["balance"] == "120.5"
    assert sent(caller).mapping == {"balance": "account.balance"}


def test_values_in_the_address_cannot_change_it():
    caller = call(BALANCE, variables={"id": "7/../admin?x=1#"}, query={"phone": "{{ caller }}"})
    assert sent(caller).url == "https://crm.example/customers/7%2F..%2Fadmin%3Fx%3D1%23?phone=%2B34911234567"


def test_json_form_and_headers():
    caller = call(
        BALANCE, method="POST", json={"id": "{{ id + 1 }}", "name": 'O\'Neil "x"'}, headers={"X-Id": "{{ id }}"}
    )
    command = sent(caller)
    assert json.loads(command.body) == {"id": 8, "name": 'O\'Neil "x"'}
    assert command.headers == {"X-Id": "7", "Content-Type": "application/json"}
    caller = call(BALANCE, method="POST", form={"a": "ñ &"})
    assert sent(caller).body == "a=%C3%B1+%26"


def test_a_header_cannot_be_split():
    caller = call(BALANCE, variables={"id": "x\r\nEvil: 1"}, headers={"X-Id": "{{ id }}"})
    assert sent(caller).headers["X-Id"] == "x  Evil: 1"


@pytest.mark.parametrize(
    ("reply", "reached"),
    [
        (WebReply("*", status=404), "unknown"),
        (WebReply("*", status=503), "later"),
        (WebReply("*", status=401), "failed"),
        (WebReply("*", error="connection refused"), "failed"),
        (WebReply("*", body={"other": 1}), "failed"),
        (WebReply("*", body=BALANCE.body, after_s=60), "failed"),
    ],
)
def test_every_answer_has_its_way(reply, reached):
    caller = call(reply)
    caller.pass_time(30)
    assert caller.path() == ["ask", reached]


def test_a_reply_that_comes_too_late_is_dropped():
    caller = call(WebReply("*", body=BALANCE.body, after_s=20))
    caller.pass_time(30)
    assert caller.path() == ["ask", "failed"]


def test_music_plays_until_the_reply():
    caller = call(BALANCE, hold="music")
    assert caller.ordered(StartMusic) == [StartMusic("leg-1", "default")]
    caller.listen()
    assert caller.ordered(StopMusic) == [StopMusic("leg-1")]


def test_the_hold_prompt_is_heard_to_its_end_and_music_follows_only_if_needed():
    caller = call(BALANCE, hold={"prompt": "Un momento, por favor", "music": "default"})
    assert caller.heard() == ["Un momento, por favor"]
    caller.listen()
    assert caller.path() == ["ask", "done"]
    assert not caller.ordered(StartMusic)
    slow = call(WebReply("*", body=BALANCE.body, after_s=4), hold={"prompt": "Un momento", "music": "default"})
    slow.listen()
    assert slow.path() == ["ask", "done"]
    assert len(slow.ordered(StartMusic)) == len(slow.ordered(StopMusic)) == 1


def test_digits_typed_meanwhile_are_kept():
    menu = {"type": "menu", "prompt": "m", "keys": {"1": "failed"}}
    caller = tiny_call(
        {"ask": {**ASK, "next": "menu"}, "menu": menu, **REST}, given=Given(web=[BALANCE]), variables={"id": "1"}
    )
    caller.press("1")
    caller.listen()
    assert caller.path() == ["ask", "menu", "failed"]


def test_a_request_nobody_knows_the_outcome_of_takes_the_error_exit():
    caller = call(WebReply("*", after_s=60), method="POST")
    caller.tell(CommandOutcomeUnknown("i-1", "1.1", "SendHttp", sent(caller).request_id))
    assert caller.path() == ["ask", "failed"]
    caller = call(WebReply("*", after_s=60))
    caller.tell(CommandRejected("i-1", "1.1", "SendHttp", "no", subject_id=sent(caller).request_id))
    assert caller.path() == ["ask", "failed"]


def test_a_reply_to_an_earlier_request_means_nothing():
    caller = call(WebReply("*", after_s=60))
    caller.tell(HttpReplied("i-1", "another", 200, {"balance": "1"}))
    assert caller.path() == ["ask"]


def test_after_a_restart_only_a_get_is_sent_again():
    get = call(WebReply("*", body=BALANCE.body, after_s=3))
    get.survive_restart()
    assert len(get.ordered(SendHttp)) == 2
    get.listen()
    assert get.path() == ["ask", "done"]
    post = call(WebReply("*", body=BALANCE.body, after_s=3), method="POST")
    post.survive_restart()
    assert len(post.ordered(SendHttp)) == 1
    post.listen()
    assert post.path() == ["ask", "done"]


def test_after_a_restart_a_reply_that_never_comes_is_given_up():
    post = call(WebReply("*", after_s=3600), method="POST")
    post.survive_restart()
    post.pass_time(30)
    assert post.path() == ["ask", "failed"]


def test_sensitive_replies_are_kept_in_memory_alone():
    caller = call(BALANCE, sensitive="yes", next="say", hold={"prompt": "Un momento, por favor"})
    caller = tiny_call(
        {
            "ask": {**ASK, "sensitive": "yes", "next": "w"},
            "w": {"type": "wait", "seconds": "9", "next": "done"},
            **REST,
        },
        given=Given(web=[BALANCE]),
        variables={"id": "7"},
    )
    caller.pass_time(1)
    assert caller.run.variables["balance"] == "120.5"
    assert b"120.5" not in snapshot.dump(caller.run)


def test_the_log_says_the_status():
    caller = call(BALANCE)
    caller.listen()
    assert Noted("http", "status 200") in caller.decided(Noted)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"on": {"4044": "unknown"}}, "no HTTP status"),
        ({"method": "POST", "retries": "1"}, "never repeated"),
        ({"timeout_s": "300"}, "no time to keep a caller waiting"),
        ({"json": {"a": "1"}, "form": {"a": "1"}, "method": "POST"}, "both `json` and `form`"),
        ({"url": "https://{{ 9 ** 9 }}"}, "not allowed"),
    ],
)
def test_bad_models_are_explained(changes, complaint):
    with pytest.raises(ValidationError, match=complaint):
        http.Model.model_validate({**ASK, **changes})


def test_the_host_is_known_before_any_call():
    model = http.Model.model_validate(ASK)
    assert [reference.name for reference in model.references()] == ["crm.example"]
    hidden = http.Model.model_validate({**ASK, "url": "https://{{ host }}/x"})
    assert [reference.name for reference in hidden.references()] == ["https://{{ host }}/x"]
