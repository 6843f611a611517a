"""survey, as a caller meets it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.survey import SurveyAnswered, SurveyAsked
from ivr.scenario.tiny import tiny_call

SURVEY = {
    "type": "survey",
    "survey": "after_call",
    "questions": [
        {"name": "csat", "kind": "csat", "prompt": "1 a 5"},
        {"name": "nps", "kind": "nps", "prompt": "0 a 10", "optional": "yes"},
        {"name": "solved", "kind": "yes_no", "prompt": "1 sí, 2 no"},
    ],
    "no_input": {"retries": "1", "then": "bye"},
    "no_match": {"retries": "1", "prompt": "No vale", "then": "bye"},
    "next": "thanks",
}
REST = {"thanks": {"type": "hangup", "prompt": "Gracias"}, "bye": {"type": "hangup", "prompt": "Adiós"}}


def call(**changes):
    return tiny_call({"it": {**SURVEY, **changes}, **REST})


def answers(caller):
    return {answered.question: answered.value for answered in caller.decided(SurveyAnswered)}


def test_every_answer_is_kept_and_becomes_a_variable():
    caller = call()
    caller.press("4")
    caller.listen()
    caller.press("10")
    caller.listen()
    caller.press("2")
    caller.listen()
    assert caller.heard() == ["1 a 5", "0 a 10", "1 sí, 2 no", "Gracias"]
    assert answers(caller) == {"csat": "4", "nps": "10", "solved": "no"}
    assert {name: caller.run.variables[name] for name in answers(caller)} == answers(caller)


def test_a_one_that_is_not_followed_by_a_zero_is_an_answer():
    caller = call()
    caller.press("4")
    caller.press("1")
    caller.pass_time(2.5)
    assert answers(caller) == {"csat": "4", "nps": "1"}
    assert caller.heard()[-1] == "1 sí, 2 no"


def test_who_knows_the_questions_answers_them_at_once():
    caller = call()
    caller.press("412")
    assert answers(caller) == {"csat": "4", "nps": "1", "solved": "no"}
    caller.listen()
    assert caller.path() == ["it", "thanks"]


def test_the_last_answers_surplus_is_for_the_next_node():
    nps = {**SURVEY, "questions": [SURVEY["questions"][1]], "next": "menu"}
    menu = {"type": "menu", "prompt": "m", "keys": {"7": "thanks"}}
    caller = tiny_call({"it": nps, "menu": menu, **REST})
    caller.press("17")
    assert caller.path() == ["it", "menu", "thanks"]


def test_an_optional_question_may_be_passed_over():
    caller = call()
    caller.press("4#")
    caller.listen()
    assert caller.heard()[-1] == "1 sí, 2 no"
    caller = call()
    caller.press("4")
    for _ in range(2):
        caller.listen()
        caller.pass_time(6)
    assert caller.heard()[-1] == "1 sí, 2 no"
    assert answers(caller) == {"csat": "4"}


def test_a_question_that_must_be_answered_leads_out():
    caller = call()
    for _ in range(2):
        caller.listen()
        caller.pass_time(6)
    assert caller.path() == ["it", "bye"]
    caller = call()
    caller.press("9")
    assert caller.heard()[-1] == "No vale 1 a 5"
    caller.pass_time(2)
    caller.press("0")
    assert caller.path() == ["it", "bye"]


def test_who_hangs_up_has_answered_all_the_same():
    caller = call()
    caller.press("5")
    caller.hang_up()
    assert answers(caller) == {"csat": "5"}


def test_after_a_restart_no_question_is_asked_twice():
    caller = call()
    caller.press("5")
    caller.survive_restart()
    assert caller.heard()[-1] == "0 a 10"
    caller.press("3")
    caller.press("1")
    caller.listen()
    assert caller.run.variables["csat"] == "5"


def test_each_question_is_asked_once_however_often_it_is_said():
    caller = call()
    caller.press("9")
    caller.pass_time(2)
    caller.press("5")
    caller.survive_restart()
    caller.press("3")
    caller.hang_up()
    asked = [(each.survey, each.question, each.kind, each.language) for each in caller.decided(SurveyAsked)]
    assert asked == [
        ("after_call", "csat", "csat", "es"),
        ("after_call", "nps", "nps", "es"),
        ("after_call", "solved", "yes_no", "es"),
    ]
    assert {each.language for each in caller.decided(SurveyAnswered)} == {"es"}


def test_two_questions_of_one_name_are_refused():
    with pytest.raises(ValidationError):
        call(questions=[SURVEY["questions"][0], SURVEY["questions"][0]])
