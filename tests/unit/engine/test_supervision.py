"""A supervisor listens, whispers, barges in, takes over; and never disturbs by coming or going."""

import pytest

from core.agent_facts import PhoneUsed
from core.decisions import Noted, Supervised
from core.events import CommandRejected, DigitPressed, LegAdopted, LegEnded, LegUp
from core.leg import EndReason, LegRole
from core.leg_commands import BridgeLegs, HangUpLeg, ListenIn, OriginateLeg, Play, StopListening, UnbridgeLeg
from core.line_facts import LineParty, LineUsed
from core.talk_facts import SupervisionActed, SupervisorCalled, TalkEnded
from engine.supervision import RUNG, to_leave
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
    free = PhoneUsed(ID, "main-1003", used=False)
    assert (listens.last.commands, listens.last.facts, listens.state) == ([], [free], "connected")


def test_who_wants_to_follow_another_conversation_leaves_the_first(listens):
    other = listens.interaction.but(interaction_id="i-c2")
    known = {ID: listens.interaction, "i-c2": other.but(talk=other.talk.but(supervisor=None))}
    assert to_leave(SupervisionActed("i-c2", "luis", "whisper", "main-1003"), known, listens.around) == []
    wish = SupervisionActed("i-c2", "marta", "whisper", "main-1003")
    assert to_leave(wish, known, listens.around) == [SupervisionActed(ID, "marta", "stop")]
    elsewhere = {**known, "i-c2": other.but(tenant="acme")}
    assert to_leave(wish, elsewhere, listens.around) == [], "another company's marta is somebody else"
    assert to_leave(SupervisionActed(ID, "marta", "barge"), known, listens.around) == []
    assert to_leave(SupervisionActed("i-9", "marta", "listen"), known, listens.around) == []


@pytest.mark.parametrize(("action", "device"), [("take_over", "main-1003"), ("listen", "main-9999")])
def test_who_may_not_follow_another_conversation_stays_in_hers(listens, action, device):
    other = listens.interaction.but(interaction_id="i-c2")
    known = {ID: listens.interaction, "i-c2": other.but(talk=other.talk.but(supervisor=None))}
    assert to_leave(SupervisionActed("i-c2", "marta", action, device), known, listens.around) == []


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


# -- she calls in, and keys what she wants -----------------------------------------------------------------
HERS, HER_CALL = "c9", "i-c9"
CALLED = SupervisorCalled(ID, "marta", HERS, HER_CALL, "n1", "main-1003")


def keyed(case, digit):
    """What is written down, and how often it beeps."""
    case.tell(LineParty(ID, HERS, "digit", digit=digit))
    (beep,) = case.commanded(Play)
    assert beep.leg_id == HERS
    return next(d for d in case.last.decisions if isinstance(d, Supervised)), len(beep.parts)


@pytest.fixture
def called_in(case):
    case.talk()
    assert case.tell(CALLED).refused == ""
    return case


def test_who_calls_in_listens_at_once_over_her_own_call(called_in):
    assert called_in.last.commands == [ListenIn(HERS, called_in.agent_leg)]
    assert called_in.said(LineUsed) == [LineUsed(HER_CALL, HERS, ID)]
    assert called_in.commanded(OriginateLeg) == []


def test_her_keys_switch_and_are_in_the_audit_log(called_in):
    case = called_in
    assert keyed(case, "2") == (Supervised(ID, "main", "marta", "whisper", ("ana",), "main-1003"), 1)
    assert case.commanded(ListenIn) == [ListenIn(HERS, case.agent_leg, whisper=True)]
    assert keyed(case, "3")[0].action == "barge"
    assert case.inside() == {CALLER, case.agent_leg, HERS}
    assert keyed(case, "1")[0].action == "listen"
    assert case.inside() == {CALLER, case.agent_leg}
    for nothing in "059*#":
        case.tell(LineParty(ID, HERS, "digit", digit=nothing))
        assert (case.last.commands, case.last.decisions) == ([], [])


def test_she_takes_over_by_a_key_and_gets_her_call_back_at_the_end(called_in):
    case = called_in
    case.act("consult", "agent:eva")
    written, beeps = keyed(case, "4")
    assert ("somebody else" in written.refused, beeps) == (True, 2)
    case.act("cancel_consult")
    written, beeps = keyed(case, "4")
    assert (written.action, written.agents, written.refused, beeps) == ("take_over", ("ana",), "", 1)
    assert case.said(TalkEnded) == [TalkEnded(ID, "ana", "taken_over")]
    assert case.inside() == {CALLER, HERS}
    case.tell(LegEnded(case.agent_leg, EndReason.HUNG_UP_BY_US), LineParty(ID, HERS, "digit", digit="*"))
    case.tell(LineParty(ID, HERS, "digit", digit="1"))
    assert case.inside() == {HERS}, "now the keys are those of who has the caller"
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.said(LineUsed) == [LineUsed(HER_CALL, HERS)]
    case.nothing_is_left()


@pytest.mark.parametrize("digit", ["", "3"])
def test_her_hanging_up_is_written_down_and_nobodys_business(called_in, digit):
    if digit:
        keyed(called_in, digit)
    called_in.tell(LineParty(ID, HERS, "ended"))
    assert (called_in.last.commands, called_in.last.facts, called_in.state) == ([], [], "connected")
    assert [d.action for d in called_in.last.decisions if isinstance(d, Supervised)] == ["stop"]
    called_in.hang_up()
    assert called_in.said(LineUsed) == []


@pytest.mark.parametrize(("digit", "undone"), [("2", StopListening(HERS)), ("3", UnbridgeLeg(HERS, f"{ID}.b1"))])
def test_the_end_of_the_conversation_gives_her_leg_back(called_in, digit, undone):
    keyed(called_in, digit)
    called_in.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert undone in called_in.last.commands
    assert called_in.said(LineUsed) == [LineUsed(HER_CALL, HERS)]
    assert HangUpLeg(HERS) not in called_in.last.commands


@pytest.mark.parametrize(("what", "subject"), [("ListenIn", ""), ("BridgeLegs", f"{ID}.b1")])
def test_a_leg_that_cannot_hear_goes_back_to_her_own_call(called_in, what, subject):
    called_in.tell(CommandRejected(ID, "9.1", what, "no", HERS, subject))
    assert called_in.said(LineUsed) == [LineUsed(HER_CALL, HERS)]
    assert called_in.inside() == {CALLER, called_in.agent_leg}


def test_after_a_restart_who_called_in_hears_on(called_in):
    keyed(called_in, "2")
    called_in.tell(LineParty(ID, HERS, "adopted"))
    assert called_in.last.commands == [ListenIn(HERS, called_in.agent_leg, whisper=True)]


def test_where_she_cannot_call_in(case):
    assert "nobody talks" in case.tell(CALLED).refused
    case.talk()
    outside = SupervisorCalled(ID, "marta", HERS, HER_CALL, "n2")
    assert "follow it from the desk" in case.tell(outside).refused
    assert "yourself" in case.tell(SupervisorCalled(ID, "ana", HERS, HER_CALL, "n1")).refused
    supervise(case, "listen")
    assert "marta follows" in case.tell(CALLED).refused
    assert case.said(LineUsed) == []
    hers = case.interaction.talk.supervisor.leg_id
    case.tell(LegUp(hers), DigitPressed(hers, "2"))
    assert case.commanded(ListenIn) == [ListenIn(hers, case.agent_leg, whisper=True)], "who was rung has keys too"
    assert [d.device for d in case.last.decisions if isinstance(d, Supervised)] == ["main-1003"]


def test_who_calls_in_at_another_node_is_rung_there(case):
    case.talk()
    elsewhere = SupervisorCalled(ID, "marta", HERS, HER_CALL, "n2", "main-1003")
    assert "hang up" in case.tell(elsewhere).refused
    noted = [(each.what, each.why) for each in case.last.decisions if isinstance(each, Noted)]
    assert noted == [("supervision", f"listen by marta, who called in: {RUNG}")], "something was done"
    [rung] = [each for each in case.last.commands if isinstance(each, OriginateLeg)]
    assert rung.endpoint == "device:main-1003"
    assert case.said(LineUsed) == [], "her own call is left alone"
    case.tell(LegUp(rung.leg_id))
    assert case.last.commands == [ListenIn(rung.leg_id, case.agent_leg, whisper=False)]
