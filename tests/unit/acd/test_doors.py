"""Whether a contact may wait, how long, and where it goes then."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from acd.setup import Announcements, Callbacks, Relaxation, ServiceLevel, Setup
from core.agent_facts import AgentActed
from core.decisions import Noted
from core.events import QueueLeft
from core.queue_facts import (
    QueueActed,
    QueueJoined,
    QueuePosition,
    StayGivenUp,
)
from tests.unit.acd.shift import START_S, Shift, agent, check, queue, setup


@dataclass(frozen=True)
class Clockwork:
    """Open every other `every_s`, from START_S on."""

    every_s: float = 100.0

    def is_open(self, now_s: float) -> bool:
        return (now_s - START_S) // self.every_s % 2 == 0

    def changes_at(self, now_s: float) -> float:
        return START_S + ((now_s - START_S) // self.every_s + 1) * self.every_s


@dataclass(frozen=True)
class ShortDays:
    def ends_at(self, now_s: float) -> float:
        return (now_s // 1000.0 + 1.0) * 1000.0


def test_who_lacks_what_the_queue_asks_for_is_not_available_to_who_comes_next() -> None:
    shift = Shift(setup([agent("ana", skills={"es": 5}), agent("eva", skills={"es": 1})], [queue(skills="es >= 4")]))
    shift.logs_in("eva")
    status = shift.router.status("main", "sales", shift.now_s)
    assert (status.status, status.logged_in, status.available, status.ewt_s) == ("no_agents", 0, 0, -1.0)
    shift.logs_in("ana")
    status = shift.router.status("main", "sales", shift.now_s)
    assert (status.status, status.logged_in, status.available, status.ewt_s) == ("open", 1, 1, 0.0)


def test_who_may_serve_a_queue_once_its_callers_have_waited_counts_as_there_and_not_as_available() -> None:
    later = queue(skills="es >= 4", relaxations=(Relaxation(60.0, "es"),))
    shift = Shift(setup([agent("eva", skills={"es": 1})], [later]))
    shift.logs_in("eva")
    status = shift.router.status("main", "sales", shift.now_s)
    assert (status.status, status.logged_in, status.available) == ("open", 1, 0)


def test_nobody_waits_for_nobody() -> None:
    shift = Shift(setup([agent("ana", skills={"en": 5})], [queue(skills="es")]))
    shift.logs_in("ana")
    shift.calls()
    assert shift.left["c1"] == QueueLeft("c1", "c1", "no_agents")
    assert shift.ends == {"c1": ["overflowed"]}
    assert shift.today() == {"offered": 1, "overflowed": 1}


def test_who_could_after_a_relaxation_is_somebody() -> None:
    shift = Shift(setup([agent("ana")], [queue(skills="es", relaxations=(Relaxation(30.0, ""),))]))
    shift.logs_in("ana")
    shift.calls()
    assert shift.left == {}
    shift.passes(29.0)
    assert shift.ringing() == {}
    shift.passes(1.0)
    assert shift.ringing() == {"c1": "ana"}
    assert shift.decided[0].step == 1


def test_what_the_flow_asks_for_is_never_relaxed() -> None:
    relaxed = queue(skills="billing", no_agents="wait", relaxations=(Relaxation(30.0, ""),))
    shift = Shift(setup([agent("ana"), agent("bea", skills={"es": 4})], [relaxed]))
    shift.logs_in("ana", "bea")
    shift.calls(skills="es >= 3")
    shift.passes(30.0)
    assert shift.ringing() == {"c1": "bea"}


def test_a_requirement_of_the_flow_that_cannot_be_read_is_left_out() -> None:
    shift = Shift(setup([agent("ana")]))
    shift.logs_in("ana")
    outcome = shift.do(QueueJoined("i", "s", "main", "sales", skills="es >="))
    assert shift.ringing() == {"s": "ana"}
    assert any(isinstance(d, Noted) and "left out" in d.why for d in outcome.decisions)


def test_those_nobody_can_serve_any_more_go_when_the_last_logs_out() -> None:
    made = [queue(), queue("patient", no_agents="wait")]
    shift = Shift(setup([agent("ana", None), agent("bea", None, skills={"es": 3})], made))
    shift.logs_in("ana", "bea")
    for _ in range(2):
        shift.answers(shift.calls())
    spanish, anybody, patient = shift.calls(skills="es"), shift.calls(), shift.calls("patient", skills="es")
    shift.do(AgentActed("main", "bea", "log_out"))
    assert shift.left == {}
    shift.hangs_up("c2")
    assert shift.left.keys() == {spanish}
    assert {stay.stay_id for stay in shift.router.stays()} == {anybody, patient}


def test_a_full_queue() -> None:
    shift = Shift(setup([agent("ana")], [queue(max_waiting=2, no_agents="wait")]))
    for _ in range(3):
        shift.calls()
    assert {stay_id: left.outcome for stay_id, left in shift.left.items()} == {"c3": "full"}
    shift.hangs_up("c1")
    shift.calls()
    assert len(shift.left) == 1


def test_who_waited_too_long_goes_on_to_another_queue_with_her_time() -> None:
    made = [queue(max_wait_s=60.0, overflow_to="other", no_agents="wait"), queue("other", max_wait_s=60.0)]
    shift = Shift(setup([agent("ana", ["other"])], [replace(one, no_agents="wait") for one in made]))
    shift.calls()
    shift.passes(60.0)
    assert shift.left["c1"] == QueueLeft("c1", "c1", "overflowed", "other")
    shift.do(QueueJoined("c1", "again", "main", "other", waited_s=60.0))
    shift.passes(59.0)
    shift.logs_in("ana")
    assert shift.offers["again"][0].waited_s == 119.0
    assert shift.today("other") == {"offered": 1}
    assert shift.today() == {"offered": 1, "overflowed": 1}


@pytest.mark.parametrize(
    ("other", "why"),
    [
        ({"hours": Clockwork(), "no_agents": "wait"}, "closed"),
        ({"no_agents": "leave"}, "no_agents"),
        ({"no_agents": "wait", "max_waiting": 1}, "full"),
    ],
)
def test_a_queue_that_would_turn_her_away_gets_nobody_who_waited_elsewhere(other: dict[str, object], why: str) -> None:
    made = [queue(max_wait_s=60.0, overflow_to="other"), queue("other", **other)]
    shift = Shift(setup([agent("ana"), agent("bea", ["other"])], made))
    shift.logs_in("ana")
    shift.answers(shift.calls())
    shift.calls("other")
    shift.passes(60.0)  # within which the other queue closes
    waits = shift.calls()
    shift.passes(60.0)
    assert shift.left[waits] == QueueLeft(waits, waits, "overflowed")
    assert shift.today("other")["offered"] == 1, "she never came there"
    noted = [d.why for outcome in shift.log for d in outcome.decisions if isinstance(d, Noted)]
    assert f"it waited 60 s, and other would turn it away: {why}" in noted


def test_ringing_is_let_finish_before_it_is_too_long() -> None:
    shift = Shift(setup([agent("ana")], [queue(max_wait_s=30.0)]))
    shift.logs_in("ana")
    shift.calls()
    shift.passes(29.9)
    assert shift.ringing() == {"c1": "ana"}
    shift.does_not_answer("c1", "rejected")
    shift.passes(0.2)
    assert shift.left["c1"].outcome == "overflowed"


def test_hours() -> None:
    shift = Shift(setup([agent("ana")], [queue(hours=Clockwork())]))
    shift.logs_in("ana")
    shift.answers(shift.calls())
    waits = shift.calls()
    shift.passes(100.0)
    shift.calls()
    assert shift.left["c3"].outcome == "closed"
    assert shift.ends["c3"] == ["closed"]
    assert shift.router.status("main", "sales", shift.now_s).status == "closed"
    shift.hangs_up("c1")
    assert shift.ringing() == {waits: "ana"}
    shift.passes(100.0)
    shift.calls()
    assert "c4" not in shift.left


def test_who_waits_in_a_closed_queue_goes_when_nobody_is_left() -> None:
    shift = Shift(setup([agent("ana")], [queue(hours=Clockwork(), no_agents="wait")]))
    shift.calls()
    shift.passes(100.0)
    assert shift.left["c1"].outcome == "closed"


def test_a_supervisor_opens_and_closes_by_hand() -> None:
    shift = Shift(setup([agent("ana")], [queue(hours=Clockwork())]))
    shift.logs_in("ana")
    shift.do(QueueActed("main", "sales", "close"))
    shift.calls()
    assert shift.left["c1"].outcome == "closed"
    shift.passes(100.0)
    shift.do(QueueActed("main", "sales", "open"))
    shift.calls()
    assert "c2" not in shift.left
    shift.do(QueueActed("main", "sales", "by_hours"))
    shift.calls()
    assert shift.left["c3"].outcome == "closed"
    assert "no queue" in shift.do(QueueActed("main", "saels", "open")).refused


def test_a_queue_that_does_not_exist() -> None:
    shift = Shift(setup([agent("ana")]))
    outcome = shift.do(QueueJoined("i", "s", "main", "saels"))
    assert shift.left["s"].outcome == "no_agents"
    assert any("there is no queue saels" in getattr(d, "why", "") for d in outcome.decisions)
    assert shift.ends == {"s": ["overflowed"]}


def test_joining_twice_is_joining_once() -> None:
    shift = Shift(setup([agent("ana")]))
    shift.logs_in("ana")
    shift.calls()
    assert not shift.do(QueueJoined("c1", "c1", "main", "sales")).changed


def test_a_skill_nobody_can_have_is_told() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait")], skills=frozenset({"es"})))
    outcome = shift.do(QueueJoined("i", "s", "main", "sales", skills="es and espanol"))
    assert any("nobody can have espanol" in getattr(d, "why", "") for d in outcome.decisions)


def test_an_end_that_cannot_be_given_counts_as_lost() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait")]))
    shift.calls()
    shift.calls()
    shift.do(StayGivenUp("c1", "c1", "vanished"))
    shift.do(StayGivenUp("c2", "c2", "answered"))
    assert shift.ends == {"c1": ["lost"], "c2": ["lost"]}
    assert not shift.do(StayGivenUp("c1", "c1")).changed


def test_position_and_wait_are_told_at_intervals() -> None:
    told = Announcements(first_s=10.0, every_s=30.0, position=True)
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait", announcements=told)]))
    shift.calls()
    shift.calls()
    shift.passes(75.0)
    facts = [fact for outcome in shift.log for fact in outcome.facts if isinstance(fact, QueuePosition)]
    assert [(fact.stay_id, fact.position) for fact in facts] == [("c1", 1), ("c2", 2)] * 3
    assert {fact.ewt_s for fact in facts} == {-1.0}


@pytest.mark.parametrize("says_ewt", [True, False])
def test_a_callback_is_offered_while_the_wait_is_long_whether_that_is_said_or_not(says_ewt: bool) -> None:
    told = Announcements(first_s=10.0, every_s=30.0, position=False, ewt=says_ewt)
    house = queue(no_agents="wait", announcements=told, callback=Callbacks(min_ewt_s=100.0))
    shift = Shift(setup([agent("ana")], [house]))
    for _ in range(9):
        shift.calls()
    shift.logs_in("ana")
    for n in range(1, 6):
        shift.answers(f"c{n}")
        shift.passes(40.0)
        shift.hangs_up(f"c{n}")
    shift.passes(31.0)
    told_last = {
        fact.stay_id: fact for outcome in shift.log for fact in outcome.facts if isinstance(fact, QueuePosition)
    }
    assert {stay_id: told_last[stay_id].callback for stay_id in ("c7", "c9")} == {"c7": False, "c9": True}
    assert (told_last["c9"].ewt_s >= 0.0) == says_ewt


def test_while_nobody_can_say_how_long_it_takes_who_has_waited_long_is_offered_a_callback() -> None:
    told = Announcements(first_s=10.0, every_s=30.0)
    shift = Shift(
        setup([agent("ana")], [queue(no_agents="wait", announcements=told, callback=Callbacks(min_ewt_s=60.0))])
    )
    shift.calls()
    shift.passes(75.0)
    facts = [fact for outcome in shift.log for fact in outcome.facts if isinstance(fact, QueuePosition)]
    assert [(fact.ewt_s, fact.callback) for fact in facts] == [(-1.0, False), (-1.0, False), (-1.0, True)]


def test_the_expected_wait_follows_how_quickly_the_queue_is_answered() -> None:
    shift = Shift(setup([agent("ana")], [queue(no_agents="wait")]))
    for _ in range(9):
        shift.calls()
    shift.logs_in("ana")
    assert shift.router.status("main", "sales", shift.now_s).ewt_s == -1.0
    for n in range(1, 6):
        shift.answers(f"c{n}")
        shift.passes(40.0)
        shift.hangs_up(f"c{n}")
    found = shift.router.position("c9", shift.now_s)
    assert found is not None
    assert (found.position, found.ewt_s) == (4, 160.0)
    assert 0.0 <= found.ewt_low_s <= 160.0 <= found.ewt_high_s
    assert {name: each is not None for name, each in shift.router.estimates("main", "sales", 4).items()} == {
        "throughput": True,
        "last_served": True,
    }


def test_who_finds_an_agent_free_waits_for_nothing() -> None:
    shift = Shift(setup([agent("ana")]))
    shift.logs_in("ana")
    status = shift.router.status("main", "sales", shift.now_s)
    assert (status.status, status.waiting, status.ewt_s, status.available) == ("open", 0, 0.0, 1)


def test_who_waits_though_somebody_is_free_is_not_told_that_it_takes_no_time() -> None:
    shift = Shift(setup([agent("ana", skills={"vip": 5}), agent("eva")], skills=frozenset({"vip"})))
    shift.logs_in("ana", "eva")
    waiting = [shift.calls(skills="vip") for _ in range(6)]
    for stay_id in waiting[:4]:
        assert shift.answers(stay_id) == "ana"
        shift.passes(40.0)
        shift.hangs_up(stay_id)
    shift.answers(waiting[4])
    found = shift.router.position(waiting[5], shift.now_s)
    assert found is not None
    assert (found.position, found.ewt_s) == (1, 40.0)
    assert shift.router.status("main", "sales", shift.now_s).available == 1, "eva, who cannot serve her"


def test_counters_begin_anew_each_day() -> None:
    shift = Shift(setup([agent("ana")], days=ShortDays()))
    shift.logs_in("ana")
    shift.answers(shift.calls())
    shift.hangs_up("c1")
    assert shift.today() == {"offered": 1, "answered": 1, "in_target": 1}
    shift.passes(1000.0)
    assert shift.today() == {}
    assert shift.router.view_agent(("main", "ana"), shift.now_s)["handled"] == 0  # type: ignore[index]
    shift.answers(shift.calls())
    assert shift.today() == {"offered": 1, "answered": 1, "in_target": 1}


def test_service_level_and_its_variants() -> None:
    def level(variant: str) -> float:
        rule = ServiceLevel(within_s=20.0, short_abandon_s=5.0, variant=variant)  # type: ignore[arg-type]
        shift = Shift(setup([agent("ana")], [queue(no_agents="wait", service_level=rule)]))
        for after_s in (3.0, 10.0, 30.0):
            name = shift.calls()
            shift.passes(after_s)
            shift.do(StayGivenUp(name, name))
        shift.logs_in("ana")
        shift.answers(shift.calls())
        view = shift.router.view_queue(("main", "sales"), shift.now_s)
        assert view is not None
        return float(view["today"]["service_level"])

    assert level("late_abandons_count") == 50.0
    assert level("all_abandons_count") == 33.3
    assert level("answered_only") == 100.0


def test_a_removed_queue_drains_to_its_fallback() -> None:
    before = setup([agent("ana")], [queue("old"), queue("new")])
    shift = Shift(replace(before, agents={}))
    shift.do(QueueActed("main", "old", "open"))
    shift.heed(
        shift.router.change_setup(
            replace(before, queues={k: replace(q, no_agents="wait") for k, q in before.queues.items()}), START_S
        )
    )
    shift.calls("old")
    then = Setup(queues={("main", "new"): queue("new")}, fallbacks={("main", "old"): "new"})
    shift.heed(shift.router.change_setup(then, shift.now_s))
    assert shift.left["c1"] == QueueLeft("c1", "c1", "overflowed", "new")
    check(shift)


def test_a_removed_agent_finishes_first() -> None:
    made = setup([agent("ana"), agent("bea")], [queue(wrap_up_s=5.0)])
    shift = Shift(made)
    shift.logs_in("ana", "bea")
    shift.answers(shift.calls())
    shift.heed(shift.router.change_setup(replace(made, agents={}), shift.now_s))
    assert shift.looks("ana") == "talking"
    assert shift.router.agent(("main", "bea")) is None
    assert ("agent", "main/bea") not in shift.rows
    shift.hangs_up("c1")
    assert "not configured any more" in shift.do(AgentActed("main", "ana", "ready")).refused
    shift.passes(5.0)
    assert shift.router.agent(("main", "ana")) is None
    assert ("agent", "main/ana") not in shift.rows
    check(shift)
