"""A phone that its agent calls from rings for nobody."""

from __future__ import annotations

from core.agent_facts import AgentActed, PhoneUsed
from core.line_facts import LineChanged
from tests.unit.acd.shift import Shift, agent, check, queue, setup


def house(**more: object) -> Shift:
    return Shift(setup([agent("ana")], [queue(**more)]))


def test_whoever_calls_from_her_phone_is_not_rung_meanwhile() -> None:
    shift = house()
    shift.do(PhoneUsed("i-45", "main-ana", True))
    shift.logs_in("ana")  # in that very call
    stay_id = shift.calls()
    assert shift.ringing() == {}
    shift.do(PhoneUsed("i-46", "main-ana", True))
    shift.do(PhoneUsed("i-45", "main-ana", False))
    assert shift.ringing() == {}
    shift.do(PhoneUsed("i-46", "main-ana", False))
    assert shift.ringing() == {stay_id: "ana"}
    check(shift)


def test_over_a_held_line_she_takes_callers() -> None:
    shift = house()
    shift.logs_in("ana")
    shift.do(PhoneUsed("i-455", "main-ana", True))
    stay_id = shift.calls()
    assert shift.ringing() == {}
    shift.do(LineChanged("i-455", "main", "ana", "leg-1", True))
    assert shift.ringing() == {stay_id: "ana"}


def test_other_peoples_phones_matter_to_nobody() -> None:
    shift = house()
    shift.logs_in("ana")
    shift.do(PhoneUsed("i-1", "main-999", True))
    stay_id = shift.calls()
    assert shift.ringing() == {stay_id: "ana"}


def test_a_result_that_is_keyed_is_not_cut_off_by_the_end_of_wrap_up() -> None:
    shift = house(wrap_up_s=30.0)
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    shift.hangs_up(stay_id)
    shift.passes(25.0)
    shift.do(PhoneUsed("i-45", "main-ana", True))
    shift.passes(50.0)
    assert shift.looks("ana") == "wrap_up"
    shift.finishes("ana")
    shift.do(PhoneUsed("i-45", "main-ana", False))
    assert shift.looks("ana") == "ready"


def test_wrap_up_ends_soon_after_the_call_that_prolonged_it() -> None:
    shift = house(wrap_up_s=30.0)
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    shift.hangs_up(stay_id)
    shift.passes(10.0)
    shift.do(PhoneUsed("i-45", "main-ana", True))
    shift.passes(5.0)
    shift.do(PhoneUsed("i-45", "main-ana", False))
    shift.passes(14.0)
    assert shift.looks("ana") == "wrap_up", "its own time is not cut"
    shift.do(PhoneUsed("i-46", "main-ana", True))
    shift.passes(20.0)
    shift.do(PhoneUsed("i-46", "main-ana", False))
    assert shift.looks("ana") == "wrap_up"
    shift.passes(5.5)
    assert shift.looks("ana") == "ready"


def test_who_is_called_at_her_phone_keys_nothing_there() -> None:
    shift = house(wrap_up_s=30.0)
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    shift.hangs_up(stay_id)
    shift.passes(25.0)
    shift.do(PhoneUsed("i-45", "main-ana", True, rung=True))
    shift.passes(10.0)
    assert shift.looks("ana") == "ready"


def test_keying_takes_no_time_from_a_longer_wrap_up() -> None:
    shift = house(wrap_up_s=300.0)
    shift.logs_in("ana")
    stay_id = shift.calls()
    shift.answers(stay_id)
    shift.hangs_up(stay_id)
    shift.do(PhoneUsed("i-45", "main-ana", True))
    shift.passes(200.0)
    assert shift.looks("ana") == "wrap_up"


def test_who_moves_to_another_phone_leaves_its_calls_behind() -> None:
    shift = house()
    shift.logs_in("ana")
    shift.do(PhoneUsed("i-1", "main-ana", True))
    shift.do(AgentActed("main", "ana", "log_in", device="main-other"))
    stay_id = shift.calls()
    assert shift.ringing() == {stay_id: "ana"}
