"""An offer, from the reservation to the answer or to the next agent."""

from __future__ import annotations

import pytest

from core.agent_facts import (
    AgentActed,
    AgentKept,
    DeviceChanged,
    WrapUpActed,
)
from core.decisions import Considered, StayEnded
from core.line_facts import LineChanged, LineReleased, LineRingback
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferRefused,
    OfferRinging,
    OfferWithdrawn,
)
from core.queue_facts import QueueJoined
from core.talk_facts import TalkEnded
from tests.unit.acd.shift import Shift, agent, check, queue, setup


def house(**more: object) -> Shift:
    shift = Shift(setup([agent("ana"), agent("bea")], [queue(**more)]))
    shift.logs_in("ana")
    return shift


def test_reserved_then_ringing_then_talking() -> None:
    shift = house(skills="not trainee")
    stay_id = shift.calls()
    assert shift.looks("ana") == "reserved"
    (offer,) = shift.offers[stay_id]
    assert (offer.offer_id, offer.device, offer.ring_s) == ("c1.o1", "main-ana", 20.0)
    shift.do(OfferRinging(stay_id, offer.offer_id))
    assert shift.looks("ana") == "ringing"
    shift.passes(4.0)
    shift.answers(stay_id)
    assert shift.looks("ana") == "talking"
    assert shift.ends == {"c1": ["answered"]}
    assert shift.today() == {"offered": 1, "answered": 1, "in_target": 1}


def test_a_caller_who_leaves_while_it_rings_stops_the_ringing_in_the_same_event() -> None:
    shift = house()
    stay_id = shift.calls()
    shift.passes(6.0)
    outcome_before = len(shift.log)
    shift.hangs_up(stay_id)
    assert OfferWithdrawn(stay_id, "c1.o1", "the customer left") in shift.log[outcome_before].facts
    assert shift.looks("ana") == "ready"
    assert shift.ends == {"c1": ["abandoned"]}


def test_one_who_gives_up_at_once_abandoned_shortly() -> None:
    shift = house()
    shift.passes(1.0)
    shift.hangs_up(shift.calls())
    assert shift.ends == {"c1": ["short_abandoned"]}


def test_ringing_out_makes_her_not_ready_and_the_caller_keeps_place_and_time() -> None:
    shift = house()
    first = shift.calls()
    shift.passes(5.0)
    shift.calls()
    shift.passes(15.0)
    shift.does_not_answer(first)
    view = shift.router.view_agent(("main", "ana"), shift.now_s)
    assert view is not None
    assert (view["presence"], view["reason"]) == ("not_ready", "rona")
    shift.logs_in("bea")
    assert shift.ringing() == {first: "bea"}
    assert shift.offers[first][0].waited_s == 20.0


def test_only_so_many_in_a_row_make_her_not_ready_and_an_answer_starts_over() -> None:
    shift = house(rona_after=2, refused_again_s=0.0)
    for _ in range(3):
        stay_id = shift.calls()
        assert shift.does_not_answer(stay_id) == "ana"
        assert shift.looks("ana") == "reserved"
        shift.answers(stay_id)
        shift.hangs_up(stay_id)
    stay_id = shift.calls()
    shift.does_not_answer(stay_id)
    shift.does_not_answer(stay_id)
    assert shift.looks("ana") == "not_ready"


def test_who_refused_is_not_offered_the_same_caller_for_a_while() -> None:
    shift = house(refused_again_s=30.0)
    refused = shift.calls()
    shift.does_not_answer(refused, "rejected")
    assert shift.looks("ana") == "ready"
    assert shift.ringing() == {}
    other = shift.calls()
    assert shift.ringing() == {other: "ana"}
    shift.hangs_up(other)
    shift.passes(29.0)
    assert shift.ringing() == {}
    shift.passes(1.0)
    assert shift.ringing() == {refused: "ana"}
    assert shift.decided[-1].waited_s == 30.0


def test_declining_at_her_desk_withdraws_the_leg() -> None:
    shift = house()
    stay_id = shift.calls()
    outcome = shift.do(OfferRefused("main", "ana", "c1.o1"))
    assert outcome.facts == [OfferWithdrawn(stay_id, "c1.o1", "she declined it")]
    assert shift.router.stay(stay_id).state.value == "waiting"  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "offer_id"), [("bea", "c1.o1"), ("ana", "c1.o9")])
def test_an_offer_that_is_not_hers_cannot_be_declined(name: str, offer_id: str) -> None:
    shift = house()
    shift.calls()
    outcome = shift.do(OfferRefused("main", name, offer_id))
    assert "not offered to you" in outcome.refused
    assert not outcome.facts
    assert not outcome.changed
    assert shift.ringing() == {"c1": "ana"}


def test_what_she_took_cannot_be_declined() -> None:
    shift = house()
    shift.answers(shift.calls())
    assert "already taken" in shift.do(OfferRefused("main", "ana", "c1.o1")).refused


def test_a_phone_that_cannot_be_rung_takes_her_off_until_it_is_back() -> None:
    shift = house()
    stay_id = shift.calls()
    shift.does_not_answer(stay_id, "unreachable")
    assert shift.looks("ana") == "not_ready"
    shift.do(DeviceChanged("main-ana", False))
    shift.passes(60.0)
    shift.do(DeviceChanged("main-ana", True))
    assert shift.ringing() == {stay_id: "ana"}


def test_a_phone_that_is_gone_is_not_rung() -> None:
    shift = house()
    shift.do(DeviceChanged("main-ana", False))
    stay_id = shift.calls()
    assert shift.ringing() == {}
    assert "unreachable" in {c.excluded for c in shift.router.explain(stay_id, shift.now_s).agents}  # type: ignore[union-attr]
    shift.do(DeviceChanged("main-ana", True))
    assert shift.ringing() == {stay_id: "ana"}


def test_an_offer_nobody_reports_on_is_given_up() -> None:
    shift = house(ring_s=20.0)
    stay_id = shift.calls()
    shift.passes(29.0)
    assert shift.ringing() == {stay_id: "ana"}
    shift.passes(1.0)
    assert shift.ringing() == {}
    assert shift.looks("ana") == "not_ready"


def test_an_acceptance_that_comes_too_late_is_answered() -> None:
    shift = house()
    stay_id = shift.calls()
    shift.hangs_up(stay_id)
    outcome = shift.do(OfferAccepted(stay_id, "c1.o1"))
    assert [type(fact) for fact in outcome.facts] == [OfferWithdrawn]
    assert not outcome.changed
    assert not shift.do(OfferFailed(stay_id, "c1.o1", "rona")).changed


def test_a_held_line_is_offered_with_its_leg() -> None:
    shift = Shift(setup([agent("ana", device="")]))
    shift.logs_in("ana")
    stay_id = shift.calls()
    assert shift.ringing() == {}
    shift.do(LineChanged("line-1", "main", "ana", "leg-1", True))
    (offer,) = shift.offers[stay_id]
    assert (offer.line_leg_id, offer.line_interaction_id, offer.device) == ("leg-1", "line-1", "")
    shift.answers(stay_id)
    shift.hangs_up(stay_id)
    shift.do(LineChanged("line-1", "main", "ana", "leg-other", False))
    shift.hangs_up(shift.calls())
    assert len(shift.decided) == 2
    shift.do(LineChanged("line-1", "main", "ana", "leg-1", False))
    shift.calls()
    assert len(shift.decided) == 2


def test_the_line_of_who_logs_out_is_released() -> None:
    shift = Shift(setup([agent("ana", device="")]))
    shift.logs_in("ana")
    shift.do(LineChanged("line-1", "main", "ana", "leg-1", True))
    assert shift.do(AgentActed("main", "ana", "log_out")).facts == [LineReleased("line-1", "leg-1")]
    assert shift.do(AgentActed("main", "ana", "log_out")).facts == []


def test_it_is_released_once_her_work_is_over() -> None:
    shift = Shift(setup([agent("ana", device="")]))
    shift.logs_in("ana")
    shift.do(LineChanged("line-1", "main", "ana", "leg-1", True))
    stay_id = shift.calls()
    shift.answers(stay_id)
    assert LineReleased("line-1", "leg-1") not in shift.do(AgentActed("main", "ana", "log_out")).facts
    talked = shift.do(TalkEnded(stay_id, "ana"))
    work = shift.do(WrapUpActed(stay_id, "main", "ana", finish=True))
    assert [*talked.facts, *work.facts].count(LineReleased("line-1", "leg-1")) == 1


def test_it_is_released_once_whom_she_is_kept_for_is_dialed_no_more() -> None:
    shift = house()
    shift.do(LineChanged("line-1", "main", "ana", "leg-1", True))
    shift.do(AgentKept("dial-a1", "main", "ana", True))
    assert shift.do(AgentActed("main", "ana", "log_out")).facts == []
    over = shift.do(AgentKept("dial-a1", "main", "ana", False))
    assert over.facts == [LineRingback("line-1", "leg-1", "dial-a1", False), LineReleased("line-1", "leg-1")]


def test_who_is_kept_takes_only_whom_she_is_kept_for() -> None:
    shift = house()
    shift.do(AgentKept("line-a1", "main", "ana", True))
    shift.do(AgentKept("dial-a1", "main", "ana", True))
    assert shift.looks("ana") == "reserved"
    waiting = shift.calls()
    shift.do(QueueJoined("other", "s1", "main", agent_id="ana"))
    assert shift.ringing() == {}
    shift.do(QueueJoined("dial-a1", "dial-a1", "main", agent_id="ana"))
    assert shift.ringing() == {"dial-a1": "ana"}
    shift.answers("dial-a1")
    shift.do(AgentKept("dial-a1", "main", "ana", False))
    shift.hangs_up("dial-a1")
    assert shift.ringing() == {}, "her phone has not been hung up yet"
    shift.do(AgentKept("line-a1", "main", "ana", False))
    assert shift.ringing() == {waiting: "ana"}
    check(shift)


def test_whoever_is_kept_hears_over_her_line_that_it_rings() -> None:
    shift = house()
    shift.do(AgentKept("line-a1", "main", "ana", True))
    shift.do(LineChanged("line-a1", "main", "ana", "leg-1", True))
    rings = shift.do(AgentKept("dial-a1", "main", "ana", True))
    assert rings.facts == [LineRingback("line-a1", "leg-1", "dial-a1", True)]
    over = shift.do(AgentKept("dial-a1", "main", "ana", False))
    assert over.facts == [LineRingback("line-a1", "leg-1", "dial-a1", False)]
    assert shift.do(AgentKept("line-a1", "main", "ana", False)).facts == []


def test_an_agent_in_person() -> None:
    shift = Shift(setup([agent("ana"), agent("bea", queues=())]))
    shift.logs_in("ana", "bea")
    shift.do(QueueJoined("i", "s", "main", agent_id="bea", purpose="consult"))
    assert shift.ringing() == {"s": "bea"}
    assert shift.offers["s"][0].purpose == "consult"
    answered = shift.do(OfferAccepted("i", shift.offers["s"][0].offer_id))
    (ended,) = [each for each in answered.decisions if isinstance(each, StayEnded)]
    assert ended.purpose == "consult", "who counts by whom customers were served leaves her out"
    assert shift.looks("bea") == "talking"
    assert shift.today() == {}
    check(shift)


@pytest.mark.parametrize(("wanted", "why"), [("nobody", "no agent"), ("bea", "logged_out"), ("ana", "busy")])
def test_an_agent_in_person_who_cannot_is_told_at_once(wanted: str, why: str) -> None:
    shift = house()
    shift.answers(shift.calls())
    outcome = shift.do(QueueJoined("i", "s", "main", agent_id=wanted, purpose="transfer"))
    assert shift.left["s"].outcome == "no_agents"
    assert any(why in getattr(decision, "why", "") for decision in outcome.decisions)
    assert shift.ends["s"] == ["overflowed"]


def test_an_agent_in_person_who_does_not_answer() -> None:
    shift = house()
    shift.do(QueueJoined("i", "s", "main", agent_id="ana", purpose="transfer"))
    shift.does_not_answer("s", "rejected")
    assert shift.left["s"].outcome == "overflowed"
    assert shift.looks("ana") == "ready"


def test_who_is_excluded_is_never_offered_it() -> None:
    shift = house(no_agents="wait")
    shift.calls(excluded_agents=("ana",))
    assert shift.ringing() == {}
    shift.passes(3600.0)
    shift.logs_in("bea")
    assert shift.ringing() == {"c1": "bea"}


def test_whose_phone_vanished_in_the_middle_is_spared_for_a_while_and_then_is_somebody_to_wait_for() -> None:
    shift = house(refused_again_s=0.0, wrap_up_s=0.0)
    shift.calls(spared_agents=("ana",))
    assert (shift.ringing(), shift.left) == ({}, {}), "nobody else is there: she waits, and is not turned away"
    shift.passes(29.0)
    assert shift.ringing() == {}
    shift.passes(1.0)
    assert shift.ringing() == {"c1": "ana"}


def test_who_works_on_a_contact_is_not_offered_it_again() -> None:
    shift = Shift(setup([agent("ana", capacity=200)], [queue(no_agents="wait"), queue("other")]))
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    shift.do(QueueJoined(stay_id, "again", "main", "sales", purpose="transfer"))
    assert shift.ringing() == {}


def test_the_offer_explains_itself() -> None:
    shift = Shift(
        setup([agent(n, skills={"es": 5}) for n in ("ana", "bea", "cai")] + [agent("dan")], [queue(skills="es")])
    )
    shift.logs_in("ana", "bea")
    shift.passes(3.0)
    shift.logs_in("dan")
    shift.do(AgentActed("main", "cai", "log_in"))
    shift.calls()
    (decided,) = shift.decided
    assert decided.agent_id == "ana"
    assert decided.considered == (Considered("ana", "", (shift.now_s - 3,)), Considered("bea", "", (shift.now_s - 3,)))
    assert decided.excluded == {"not_ready": 1, "skill": 1}
    assert (decided.strategy, decided.requirement) == ("longest_idle", "es >= 1")


def test_who_steps_back_for_the_agent_she_prefers_is_not_said_to_lack_a_skill() -> None:
    shift = Shift(setup([agent(n, skills={"es": 5}) for n in ("ana", "bea")] + [agent("dan")], [queue(skills="es")]))
    shift.logs_in("ana", "bea", "dan")
    shift.calls(preferred_agent="bea")
    (decided,) = shift.decided
    assert (decided.agent_id, decided.excluded) == ("bea", {"preferred": 1, "skill": 1})
