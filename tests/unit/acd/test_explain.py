"""Why somebody waits, and what would have been ten seconds later."""

from __future__ import annotations

import inspect
import re

from acd import capacity, explain, words
from acd.setup import Relaxation
from core.agent_facts import AgentActed
from tests.unit.acd.shift import Shift, agent, queue, setup


def house() -> Shift:
    people = [
        agent("ana", skills={"es": 5}),
        agent("bea", skills={"en": 5}),
        agent("cai", skills={"es": 5}),
        agent("dan", ["support"], skills={"es": 9}),
        agent("eva", skills={"es": 5}),
    ]
    lines = [queue(skills="es >= 3", wrap_up_s=20.0, relaxations=(Relaxation(60.0, "es or en"),)), queue("support")]
    shift = Shift(setup(people, lines))
    shift.logs_in("ana", "bea", "dan")
    shift.do(AgentActed("main", "eva", "log_in"))
    shift.do(AgentActed("main", "eva", "not_ready", "lunch"))
    shift.answers(shift.calls())
    return shift


def why(shift: Shift, stay_id: str) -> dict[str, str]:
    found = shift.router.explain(stay_id, shift.now_s)
    assert found is not None
    return {considered.agent_id: considered.excluded for considered in found.agents}


def test_everybody_has_a_reason() -> None:
    shift = house()
    stay_id = shift.calls()
    assert why(shift, stay_id) == {
        "ana": "busy",
        "bea": "skill:es >= 3",
        "cai": "logged_out",
        "dan": "other_queue",
        "eva": "not_ready:lunch",
    }


def test_in_words() -> None:
    shift = house()
    stay_id = shift.calls()
    shift.passes(25.0)
    found = shift.router.explain(stay_id, shift.now_s)
    assert found is not None
    assert found.paragraph() == (
        "It has waited 25 s and is number 1 of 1 in sales; it asks for es >= 3. Its score is 85.0 = priority 0.0 + "
        "value 0.0 + urgency 60.0 + ageing 25.0. Nobody can take it: 1 busy, 1 in other queues only, 1 "
        "logged out, 1 on a pause, 1 without the skill. Its requirement is relaxed in 35 s."
    )


def test_refusals_and_patience_are_told() -> None:
    shift = house()
    shift.hangs_up("c1")
    shift.finishes("ana")
    refused = shift.calls()
    shift.does_not_answer(refused, "rejected")
    assert why(shift, refused)["ana"] == "refused_before"
    shift.answers(shift.calls())
    prefers = shift.calls(preferred_agent="ana")
    assert why(shift, prefers)["eva"] == "preferred:ana"
    excluded = shift.calls(excluded_agents=("ana",))
    assert why(shift, excluded)["ana"] == "excluded"


def test_ten_seconds_later_a_wrap_up_would_have_ended() -> None:
    shift = house()
    stay_id = shift.calls()
    shift.hangs_up("c1")
    shift.passes(9.0)
    later = shift.router.counterfactual(stay_id, shift.now_s)
    assert later is not None
    assert later.agent_id == ""
    shift.passes(1.0)
    later = shift.router.counterfactual(stay_id, shift.now_s)
    assert later is not None
    assert (later.agent_id, later.at_s) == ("ana", shift.now_s + 10.0)
    shift.passes(10.0)
    assert shift.ringing() == {stay_id: "ana"}
    assert "ana gets it" in shift.router.explain(stay_id, shift.now_s).paragraph()  # type: ignore[union-attr]


def test_ten_seconds_later_who_is_ahead_would_have_had_her() -> None:
    shift = house()
    first, second = shift.calls(), shift.calls()
    shift.hangs_up("c1")
    shift.passes(15.0)
    later = shift.router.counterfactual(second, shift.now_s)
    assert later is not None
    assert (later.agent_id, later.ahead) == ("", (first,))


def test_ten_seconds_later_it_would_have_been_relaxed() -> None:
    shift = house()
    stay_id = shift.calls()
    shift.passes(50.0)
    later = shift.router.counterfactual(stay_id, shift.now_s)
    assert later is not None
    assert (later.step, later.requirement, later.agent_id) == (1, "es >= 1 or en >= 1", "bea")
    shift.passes(10.0)
    assert shift.ringing() == {stay_id: "bea"}


def test_who_does_not_wait_is_not_explained() -> None:
    shift = house()
    assert shift.router.explain("c1", shift.now_s) is None
    assert shift.router.counterfactual("c1", shift.now_s) is None
    assert shift.router.position("c1", shift.now_s) is None


def test_every_reason_has_words() -> None:
    source = "".join(map(inspect.getsource, (explain.why_not, capacity.hindrance, capacity._hindered)))
    codes = set(re.findall(r'(?:return|else) f?"([a-z_]+)[":]', source))
    assert {"skill", "other_queue", "busy", "not_ready"} <= codes <= set(words._WORDS)
    assert words.why_not("not_ready:long_lunch") == "on a pause: long lunch"
    assert words.why_not("skill:es >= 3") == "without the skill es >= 3"
