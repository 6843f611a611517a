"""What an agent chooses, and what work makes of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acd.setup import NotReadyReason, Setup
from core.agent_facts import AgentActed, DeviceChanged
from core.decisions import Noted
from core.offer_facts import OfferFailed
from tests.unit.acd.shift import Shift, agent, queue, setup


def acts(shift: Shift, action: str, reason: str = "", device: str = "", name: str = "ana", by: str = "agent") -> str:
    return shift.do(AgentActed("main", name, action, reason, device, by)).refused  # type: ignore[arg-type]


def presence(shift: Shift, name: str = "ana") -> str:
    view = shift.router.view_agent(("main", name), shift.now_s)
    assert view is not None
    return f"{view['presence']}{':' if view['reason'] else ''}{view['reason']}"


@pytest.fixture
def shift() -> Shift:
    return Shift(setup([agent("ana"), agent("bea", name="Bea Ruiz")], [queue(wrap_up_s=10.0)]))


def test_from_login_to_logout(shift: Shift) -> None:
    assert "log in first" in acts(shift, "ready")
    assert "log in first" in acts(shift, "not_ready", "lunch")
    assert acts(shift, "log_in") == ""
    assert presence(shift) == "not_ready:login"
    assert acts(shift, "ready") == ""
    assert presence(shift) == "ready"
    assert acts(shift, "not_ready", "lunch") == ""
    assert presence(shift) == "not_ready:lunch"
    assert acts(shift, "log_out") == ""
    assert presence(shift) == "logged_out"
    assert acts(shift, "log_out") == ""


def test_who_is_unknown_is_told(shift: Shift) -> None:
    assert "no agent zoe" in acts(shift, "log_in", name="zoe")


def test_a_phone_that_is_not_there_is_refused_in_words() -> None:
    phones = frozenset({"main-ana", "main-2", "acme-7"})
    shift = Shift(setup([agent("ana"), agent("bea", device="main-gone"), agent("cai", device="")], devices=phones))
    assert acts(shift, "log_in", device="main-9999") == "there is no phone 9999: choose another"
    assert "there is no phone acme-7" in acts(shift, "log_in", device="acme-7"), "another tenant's"
    assert presence(shift) == "logged_out"
    assert "your phone gone is not configured any more: choose another" in acts(shift, "log_in", name="bea")
    assert acts(shift, "log_in", device="main-2", name="bea") == ""
    assert "there is no phone 9999" in acts(shift, "log_in", device="main-9999", name="bea"), "nor to move to"
    assert acts(shift, "log_in", name="cai") == "", "who has no phone yet may log in without one"
    assert acts(shift, "log_in") == ""


def test_who_is_logged_in_at_a_phone_that_goes_logs_in_again_in_peace() -> None:
    made = setup([agent("ana")], devices=frozenset({"main-ana"}))
    shift = Shift(made)
    assert acts(shift, "log_in") == ""
    shift.heed(shift.router.change_setup(replace(made, devices=frozenset({"main-2"})), shift.now_s))
    assert acts(shift, "log_in") == ""


def test_reasons_are_those_of_the_house(shift: Shift) -> None:
    acts(shift, "log_in")
    assert "choose one of lunch" in acts(shift, "not_ready", "beach")
    assert "system alone" in acts(shift, "not_ready", "rona")
    assert acts(shift, "not_ready", "rona", by="system") == ""


def test_a_reason_that_agents_do_not_choose_is_given_by_supervisors() -> None:
    made = setup([agent("ana")])
    meeting = {("main", "meeting"): NotReadyReason("meeting", chosen=False)}
    shift = Shift(replace(made, reasons={**made.reasons, **meeting}))
    acts(shift, "log_in")
    assert "is given by supervisors alone: choose one of lunch" in acts(shift, "not_ready", "meeting")
    assert "choose one of lunch, meeting" in acts(shift, "not_ready", "rona", by="supervisor")
    assert acts(shift, "not_ready", "meeting", by="supervisor") == ""
    assert presence(shift) == "not_ready:meeting"


def test_a_pause_during_work_waits_for_its_end(shift: Shift) -> None:
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    acts(shift, "not_ready", "lunch")
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["pending"] == "not_ready"  # type: ignore[index]
    shift.calls()
    shift.hangs_up(stay_id)
    assert presence(shift) == "ready"
    assert shift.looks("ana") == "wrap_up"
    shift.passes(10.0)
    assert presence(shift) == "not_ready:lunch"
    assert shift.ringing() == {}


def test_ready_cancels_a_pending_pause(shift: Shift) -> None:
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    acts(shift, "not_ready", "lunch")
    acts(shift, "ready")
    shift.hangs_up(stay_id)
    shift.passes(10.0)
    assert presence(shift) == "ready"


def test_ringing_out_clears_a_pending_pause(shift: Shift) -> None:
    shift.logs_in("ana")
    stay_id = shift.calls()
    acts(shift, "not_ready", "lunch")
    assert shift.ringing() == {stay_id: "ana"}
    shift.does_not_answer(stay_id)
    assert presence(shift) == "not_ready:rona"


def test_a_pending_logout_is_taken_even_when_it_rings_out(shift: Shift) -> None:
    shift.logs_in("ana")
    stay_id = shift.calls()
    acts(shift, "log_out")
    shift.does_not_answer(stay_id)
    assert presence(shift) == "logged_out"


def test_a_person_in_two_places_is_one_agent(shift: Shift) -> None:
    acts(shift, "log_in", device="main-7")
    assert shift.router.agent_at("main-7").agent_id == "ana"  # type: ignore[union-attr]
    acts(shift, "ready")
    assert acts(shift, "log_in", device="main-8") == ""
    assert shift.router.agent_at("main-7") is None
    stay_id = shift.calls()
    assert shift.offers[stay_id][0].device == "main-8"
    assert "end what you do there" in acts(shift, "log_in", device="main-9")


def test_two_people_are_not_at_one_phone(shift: Shift) -> None:
    acts(shift, "log_in", device="main-bea", name="bea")
    assert "Bea Ruiz is logged in at main-bea" in acts(shift, "log_in", device="main-bea")
    acts(shift, "log_out", name="bea")
    assert acts(shift, "log_in", device="main-bea") == ""


def test_a_phone_known_to_be_gone_is_gone_at_login_too(shift: Shift) -> None:
    shift.do(DeviceChanged("main-7", False))
    acts(shift, "log_in", device="main-7")
    acts(shift, "ready")
    shift.calls()
    assert shift.ringing() == {}
    shift.do(DeviceChanged("main-7", True))
    assert shift.ringing() == {"c1": "ana"}


def test_who_could_not_be_rung_is_tried_again_while_her_phone_seems_to_be_there(shift: Shift) -> None:
    shift.logs_in("ana")
    shift.calls()
    shift.do(OfferFailed("c1", "c1.o1", "unreachable"))
    assert presence(shift) == "not_ready:unreachable"
    shift.passes(29.0)
    assert presence(shift) == "not_ready:unreachable"
    shift.passes(1.0)
    assert shift.ringing() == {"c1": "ana"}


def test_who_was_taken_off_long_ago_is_not_put_back(shift: Shift) -> None:
    shift.logs_in("ana")
    shift.calls()
    shift.do(DeviceChanged("main-ana", False))
    shift.do(OfferFailed("c1", "c1.o1", "unreachable"))
    shift.passes(301.0)
    shift.do(DeviceChanged("main-ana", True))
    assert presence(shift) == "not_ready:unreachable"


def test_a_break_over_its_limit_is_noted_and_shown_once(shift: Shift) -> None:
    acts(shift, "log_in")
    acts(shift, "not_ready", "lunch")
    shift.passes(1799.0)
    assert not shift.router.view_agent(("main", "ana"), shift.now_s)["over_limit"]  # type: ignore[index]
    shift.passes(3600.0)
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["over_limit"]  # type: ignore[index]
    told = [d for o in shift.log for d in o.decisions if isinstance(d, Noted) and d.what == "over_limit"]
    assert len(told) == 1
    acts(shift, "ready")
    assert not shift.router.view_agent(("main", "ana"), shift.now_s)["over_limit"]  # type: ignore[index]


def test_boards_are_told_of_the_phones_of_who_is_not_logged_in(shift: Shift) -> None:
    for reachable in (False, True):
        outcome = shift.do(DeviceChanged("main-ana", reachable))
        assert outcome.changed == {("agent", "main/ana")}
        assert shift.router.view_agent(("main", "ana"), shift.now_s)["reachable"] is reachable  # type: ignore[index]
        assert shift.do(DeviceChanged("main-ana", reachable)).changed == set(), "nothing is new"
    acts(shift, "log_in", device="main-7")
    assert shift.do(DeviceChanged("main-ana", False)).changed == set(), "she is at another"


def test_phones_that_are_away_are_told_anew_after_a_restart(shift: Shift) -> None:
    acts(shift, "log_in")
    for name in ("ana", "bea"):
        shift.do(DeviceChanged(f"main-{name}", False))
    again = Shift(shift.router.setup)
    again.heed(again.router.restore(shift.rows, again.now_s, lambda _: True))
    told = set().union(*(again.do(DeviceChanged(f"main-{name}", False)).changed for name in ("ana", "bea")))
    for name in ("ana", "bea"):
        assert again.router.view_agent(("main", name), again.now_s)["reachable"] is False  # type: ignore[index]
    assert told == {("agent", "main/bea")}, "that of who is logged in was kept"


def test_who_is_ready_is_so_since_her_last_contact_was_over(shift: Shift) -> None:
    def since_s() -> float:
        view = shift.router.view_agent(("main", "ana"), shift.now_s)
        assert view is not None
        return shift.now_s - view["looks_since_s"]

    shift.logs_in("ana")
    shift.passes(60.0)
    assert since_s() == 60.0
    name = shift.calls()
    shift.answers(name)
    shift.passes(60.0)
    shift.hangs_up(name)
    shift.passes(5.0)
    shift.finishes("ana")
    shift.passes(3.0)
    assert (shift.looks("ana"), since_s()) == ("ready", 3.0)
    acts(shift, "not_ready", "lunch")
    shift.passes(2.0)
    assert since_s() == 2.0
    acts(shift, "ready")
    assert since_s() == 0.0


def test_boards_are_told_of_agents_and_queues_that_are_new_or_set_up_anew(shift: Shift) -> None:
    before = shift.router.setup
    coming = setup(
        [agent("ana"), agent("bea", name="Bea Sanz"), agent("cai", queues=None)],
        [*before.queues.values(), queue("vip")],
    )
    outcome = shift.heed(shift.router.change_setup(coming, shift.now_s))
    assert outcome.changed == {("agent", "main/bea"), ("agent", "main/cai"), ("queue", "main/vip")}
    outcome = shift.heed(shift.router.change_setup(before, shift.now_s))
    assert {("agent", "main/bea"), ("agent", "main/cai"), ("queue", "main/vip")} <= outcome.changed
    assert shift.router.view_queue(("main", "vip"), shift.now_s) is None


def test_a_screen_break_is_due_by_the_hour() -> None:
    made = setup([agent("ana")])
    breaks = {**made.reasons, ("main", "screen"): NotReadyReason("screen", per_hour_s=300.0)}
    shift = Shift(Setup(agents=made.agents, queues=made.queues, reasons=breaks))
    shift.logs_in("ana")
    shift.passes(7200.0)
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["breaks_due_s"] == {"screen": 600.0}  # type: ignore[index]
    acts(shift, "not_ready", "screen")
    shift.passes(240.0)
    acts(shift, "ready")
    due_s = shift.router.view_agent(("main", "ana"), shift.now_s)["breaks_due_s"]["screen"]  # type: ignore[index]
    assert due_s == pytest.approx(600 + 240 / 12 - 240)


def test_when_the_next_screen_break_is_due() -> None:
    made = setup([agent("ana")])
    breaks = {("main", "screen"): NotReadyReason("screen", per_hour_s=300.0)}
    shift = Shift(Setup(agents=made.agents, queues=made.queues, reasons=breaks))
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["breaks_at_s"] == {}  # type: ignore[index]
    began_s = shift.now_s
    shift.logs_in("ana")
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["breaks_at_s"] == {"screen": began_s + 3600}  # type: ignore[index]
    shift.passes(3600.0)
    acts(shift, "not_ready", "screen")
    shift.passes(300.0)
    acts(shift, "ready")
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["breaks_at_s"] == {"screen": began_s + 7200}  # type: ignore[index]


def test_rest_between_contacts() -> None:
    shift = Shift(setup([agent("ana", rest_s=5.0)]))
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    shift.calls()
    shift.hangs_up(stay_id)
    assert shift.ringing() == {}
    shift.passes(4.0)
    assert shift.ringing() == {}
    shift.passes(1.0)
    assert shift.ringing() == {"c2": "ana"}


def test_a_phone_is_its_owners_while_nobody_else_is_logged_in_there(shift: Shift) -> None:
    assert shift.router.agent_at("main-ana").agent_id == "ana"  # type: ignore[union-attr]
    acts(shift, "log_in", device="main-ana", name="bea")
    assert shift.router.agent_at("main-ana").agent_id == "bea"  # type: ignore[union-attr]
    acts(shift, "log_out", name="bea")
    assert shift.router.agent_at("main-ana").agent_id == "ana"  # type: ignore[union-attr]
    assert shift.router.agent_at("main-9") is None
    acts(shift, "log_in", name="bea")
    assert shift.router.view_agent(("main", "bea"), shift.now_s)["device"] == "main-bea"  # type: ignore[index]
