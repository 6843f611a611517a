"""A supervisor listens, whispers, barges in, takes over; and never disturbs by coming or going."""

import pytest

from core.events import CommandRejected, LegAdopted, LegEnded, LegUp
from core.leg import EndReason, LegRole
from core.leg_commands import BridgeLegs, HangUpLeg, ListenIn, OriginateLeg, UnbridgeLeg
from core.routing import SupervisionActed, TalkEnded
from tests.unit.engine.talk_case import CALLER, ID, case

__all__ = ["case"]


def supervise(case, action, device="main-1003", who="marta"):
    return case.tell(SupervisionActed(ID, who, action, device)).refused


@pytest.fixture
def listens(case):
    case.talk()
    assert supervise(case, "listen") == ""
    (dialed,) = case.commanded(OriginateLeg)
    assert (dialed.role, dialed.endpoint, dialed.auto_answer) == (LegRole.SUPERVISOR, "device:main-1003", True)
    case.hers = dialed.leg_id
    case.tell(LegUp(case.hers))
    return case


def test_she_hears_the_agent_and_nobody_hears_her(listens):
    assert listens.last.commands == [ListenIn(listens.hers, listens.agent_leg)]
    assert listens.inside() == {CALLER, listens.agent_leg}


def test_she_whispers_and_barges_in_and_goes_back(listens):
    assert supervise(listens, "whisper") == ""
    assert listens.last.commands == [ListenIn(listens.hers, listens.agent_leg, whisper=True)]
    assert supervise(listens, "barge") == ""
    assert listens.inside() == {CALLER, listens.agent_leg, listens.hers}
    assert supervise(listens, "listen") == ""
    assert listens.commanded(UnbridgeLeg) == [UnbridgeLeg(listens.hers, f"{ID}.b1")]
    assert supervise(listens, "stop") == ""
    assert listens.commanded(HangUpLeg) == [HangUpLeg(listens.hers)]
    assert listens.inside() == {CALLER, listens.agent_leg}


def test_she_takes_over_and_the_agent_is_free(listens):
    assert supervise(listens, "take_over") == ""
    assert listens.said(TalkEnded) == [TalkEnded(ID, "ana", "taken_over")]
    assert listens.inside() == {CALLER, listens.hers}
    listens.tell(LegEnded(listens.agent_leg, EndReason.HUNG_UP_BY_US))
    assert listens.act("hold", agent_id="marta") == ""
    assert listens.inside() == {listens.hers}
    listens.hang_up()
    listens.nothing_is_left()


def test_a_caller_on_hold_is_fetched_by_who_takes_over(listens):
    listens.act("hold")
    assert supervise(listens, "take_over") == ""
    assert listens.inside() == {CALLER, listens.hers}


def test_her_leaving_is_nobodys_business(listens):
    listens.tell(LegEnded(listens.hers, EndReason.HUNG_UP))
    assert (listens.last.commands, listens.last.facts, listens.state) == ([], [], "connected")


@pytest.mark.parametrize("what", ["OriginateLeg", "ListenIn"])
def test_what_cannot_be_done_for_her_touches_nobody_else(case, what):
    case.talk()
    supervise(case, "listen")
    leg_id = case.interaction.talk.supervisor.leg_id
    case.tell(CommandRejected(ID, "9.1", what, "no", leg_id))
    assert case.last.commands == [HangUpLeg(leg_id, EndReason.FAILED)]
    assert case.inside() == {CALLER, case.agent_leg}


def test_a_bridge_that_does_not_take_her_costs_the_agent_nothing(listens):
    supervise(listens, "barge")
    listens.tell(CommandRejected(ID, "9.1", "BridgeLegs", "no", listens.hers, f"{ID}.b1"))
    assert listens.inside() == {CALLER, listens.agent_leg}
    assert listens.state == "connected"


def test_it_ends_with_the_conversation(listens):
    listens.act("transfer", "queue:support")
    assert HangUpLeg(listens.hers) in listens.last.commands
    listens.hang_up()
    listens.nothing_is_left()


def test_she_follows_the_caller_to_the_next_agent(listens):
    listens.act("consult", "agent:eva")
    offer = listens.offer("eva")
    listens.tell(offer, LegUp(offer.offer_id))
    listens.act("complete")
    assert listens.commanded(ListenIn) == [ListenIn(listens.hers, offer.offer_id)]


def test_after_a_restart_she_hears_on(listens):
    listens.tell(LegAdopted(listens.hers, up=True, bridge_id=""))
    assert listens.last.commands == [ListenIn(listens.hers, listens.agent_leg)]


@pytest.mark.parametrize(
    ("who", "device", "action", "why"),
    [
        ("eva", "main-1002", "listen", "marta follows this conversation already"),
        ("marta", "", "take_over", ""),
        ("ana", "main-1001", "listen", "marta follows"),
    ],
)
def test_one_at_a_time(listens, who, device, action, why):
    refused = supervise(listens, action, device, who)
    assert why in refused
    assert bool(refused) is bool(why)


def test_what_cannot_be(case):
    assert "nobody talks" in supervise(case, "listen")
    case.talk()
    assert "no phone" in supervise(case, "listen", "other-1003")
    assert "no phone" in supervise(case, "listen", "")
    assert "yourself" in supervise(case, "listen", who="ana")
    assert "listen to it first" in supervise(case, "take_over")
    assert supervise(case, "stop") == ""
    assert case.commanded(BridgeLegs) == []
