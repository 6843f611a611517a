"""What is saved, what is read again, and what a restart makes of it."""

from __future__ import annotations

import msgspec
import pytest

from acd import saved
from acd.records import Agent, Stay
from acd.router import Router
from core.decisions import Noted, StayEnded, WorkEnded
from core.offer_facts import OfferWithdrawn
from core.talk_facts import TalkEnded
from tests.unit.acd.shift import Shift, agent, check, queue, setup

VERSION_1 = {
    ("agent", "main/ana"): (
        "9201de0006a674656e616e74a46d61696ea86167656e745f6964a3616e61a870726573656e6365a57265616479a773696e63655f73cb41"
        "da556e40400000a6646576696365a86d61696e2d616e61ac69646c655f73696e63655f73cb41da556e40000000"
    ),
}
"""As the first release wrote it: to be readable for ever."""


def house() -> Shift:
    shift = Shift(setup([agent("ana"), agent("bea")], [queue(wrap_up_s=30.0, no_agents="wait")]))
    shift.logs_in("ana", "bea")
    return shift


def again(shift: Shift, gone: tuple[str, ...] = ()) -> Shift:
    """The same shift after a restart, in which some interactions are gone."""
    shift.router = Router(shift.router.setup)
    shift.timers.clear()
    shift.offers.clear()
    shift.heed(shift.router.restore(shift.rows, shift.now_s, lambda interaction_id: interaction_id not in gone))
    check(shift)
    return shift


def test_place_and_waited_time_survive() -> None:
    shift = house()
    for _ in range(4):
        shift.calls()
        shift.passes(5.0)
    shift.answers("c1")
    places = [shift.router.position(f"c{n}", shift.now_s) for n in (2, 3, 4)]
    assert all(places)
    again(shift)
    assert [shift.router.position(f"c{n}", shift.now_s) for n in (2, 3, 4)] == places
    assert shift.looks("ana") == "talking"
    assert shift.looks("bea") == "reserved"


def test_an_offer_whose_interaction_is_gone_is_withdrawn_and_the_agent_is_free_for_the_next() -> None:
    shift = house()
    for _ in range(3):
        shift.calls()
    again(shift, gone=("c1",))
    facts = shift.log[-1].facts
    assert OfferWithdrawn("c1", "c1.o1", "its interaction is gone") in facts
    assert shift.ringing() == {"c3": "ana"}
    assert shift.ends == {"c1": ["lost"]}


def test_a_conversation_whose_interaction_is_gone_goes_on_to_wrap_up() -> None:
    shift = house()
    shift.answers(shift.calls())
    shift.passes(10.0)
    again(shift, gone=("c1",))
    assert shift.looks("ana") == "wrap_up"
    shift.passes(30.0)
    assert shift.work[-1].how == "lost"
    assert shift.looks("ana") == "ready"


def test_wrap_up_outlives_its_interaction() -> None:
    shift = house()
    shift.answers(shift.calls())
    shift.hangs_up("c1")
    shift.passes(10.0)
    again(shift, gone=("c1",))
    assert shift.looks("ana") == "wrap_up"
    shift.passes(20.0)
    assert shift.looks("ana") == "ready"


def test_what_became_due_meanwhile_is_done_at_once() -> None:
    shift = house()
    shift.answers(shift.calls())
    shift.hangs_up("c1")
    shift.now_s += 3600.0
    again(shift)
    shift.passes(0.0)
    assert shift.looks("ana") == "ready"


def test_a_stay_offered_to_somebody_who_is_not_saved_waits_again() -> None:
    shift = house()
    shift.calls()
    del shift.rows["agent", "main/ana"]
    again(shift)
    assert shift.ringing() == {"c1": "bea"}


def test_work_whose_stay_is_not_saved_is_over() -> None:
    shift = house()
    shift.calls()
    del shift.rows["stay", "c1"]
    again(shift)
    assert shift.looks("ana") == "ready"


@pytest.mark.parametrize("body", [b"", b"\xc1", b"not a record", saved.dump(Agent("main", "x"))[:-3], b"\x92\x01\x80"])
def test_what_cannot_be_read_is_left_out_and_said(body: bytes) -> None:
    shift = house()
    shift.calls()
    shift.rows["stay", "c9"] = body
    shift.router = Router(shift.router.setup)
    outcome = shift.router.restore(shift.rows, shift.now_s, lambda _: True)
    (noted,) = [d for d in outcome.decisions if isinstance(d, Noted)]
    assert "c9 is left out" in noted.why
    assert not any(isinstance(d, StayEnded | WorkEnded) for d in outcome.decisions)


def test_a_newer_release_is_not_guessed_at() -> None:
    body = msgspec.msgpack.encode([saved.VERSION + 1, {"anything": 1}])
    with pytest.raises(saved.SavedUnreadable, match="newer release"):
        saved.load("agent", body)


def test_what_the_first_release_saved_is_read() -> None:
    (body,) = VERSION_1.values()
    read = saved.load("agent", bytes.fromhex(body))
    assert isinstance(read, Agent)
    assert (read.agent_id, read.presence.value, read.device) == ("ana", "ready", "main-ana")


def test_a_field_a_later_version_adds_has_its_default() -> None:
    stay = Stay("s", "i", "main", "sales", 1.0, 1)
    assert saved.load("stay", saved.dump(stay)) == stay


@pytest.mark.parametrize("rest_s", [0.0, 20.0])
def test_a_clock_put_back_before_a_restart_makes_nobody_rest_for_an_hour(rest_s: float) -> None:
    shift = Shift(setup([agent("ana")], [queue(wrap_up_s=0.0, refused_again_s=30.0)], rest_s=rest_s))
    shift.logs_in("ana")
    shift.answers(shift.calls())
    shift.do(TalkEnded("c1", "ana", "caller_hung_up"))
    shift.passes(1.0 + rest_s)
    shift.does_not_answer(waits := shift.calls(), "rejected")
    again = Shift(shift.router.setup)
    again.now_s = shift.now_s - 3600.0
    again.heed(again.router.restore(shift.rows, again.now_s, lambda _: True))
    again.passes(30.0)
    assert again.ringing() == {waits: "ana"}
