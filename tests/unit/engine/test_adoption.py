"""What was decided and may never have been carried out when the engine died: nobody is left alone on the line."""

from dataclasses import replace

import pytest

from core.decisions import InteractionClosed, InteractionOpened
from core.events import CommandRejected, DigitPressed, LegAdopted, LegArrived, LegEnded, LegRinging, LegUp, TimerFired
from core.interaction import InteractionState
from core.leg import EndReason, LegState
from core.leg_commands import BridgeLegs, DestroyBridge, HangUpLeg, OriginateLeg, StopPlayback, TurnAwayLeg
from engine import interactions
from engine.config.numbers import NumberPlan, Route
from engine.decide import decide
from tests.unit.engine.test_interactions import ANA, CALLER, Case, around, from_phone

__all__ = ["around"]


@pytest.fixture
def case(around):
    found = Case(around)
    found.tell(LegUp(CALLER))
    return found


def test_the_other_side_of_a_caller_who_has_gone_is_hung_up_again(case):
    case.tell(DigitPressed(CALLER, "1"), LegUp(ANA), LegEnded(CALLER, EndReason.HUNG_UP))
    case.tell(LegAdopted(ANA, up=True))
    assert case.commanded(HangUpLeg) == [HangUpLeg(ANA)]


def test_a_phone_still_ringing_for_nobody_is_hung_up_again(case):
    case.tell(DigitPressed(CALLER, "1"), LegRinging(ANA), LegEnded(CALLER, EndReason.HUNG_UP))
    case.tell(LegAdopted(ANA, up=False))
    assert case.commanded(HangUpLeg) == [HangUpLeg(ANA)]


def test_who_called_a_phone_directly_is_hung_up_again_when_that_was_decided(around):
    case = from_phone(around, "1001")
    case.tell(LegUp(ANA), LegEnded(ANA, EndReason.HUNG_UP))
    case.tell(LegAdopted(CALLER, up=True))
    assert case.commanded(HangUpLeg) == [HangUpLeg(CALLER)]


def test_ringback_from_before_the_gap_does_not_keep_two_people_apart(case):
    case.tell(DigitPressed(CALLER, "1"))
    ringback = case.interaction.run.playing
    assert ringback
    case.tell(LegRinging(ANA), LegAdopted(CALLER, up=True), LegAdopted(ANA, up=False), LegUp(ANA))
    names = [type(command).__name__ for command in case.last.commands]
    assert StopPlayback(CALLER, ringback) in case.last.commands
    assert names.index("StopPlayback") < names.index("BridgeLegs")


def test_a_bridge_that_was_refused_is_a_failed_transfer_and_no_conversation(case):
    case.tell(DigitPressed(CALLER, "1"), LegUp(ANA))
    case.tell(CommandRejected("i-c1", "9.1", "BridgeLegs", "frozen", ANA, "i-c1.b1"))
    assert DestroyBridge("i-c1.b1") in case.last.commands
    assert HangUpLeg(ANA, EndReason.FAILED) in case.last.commands
    assert [d.why for d in case.last.decisions if getattr(d, "what", "") == "transfer"] == ["failed"]


def test_two_people_whose_bridge_was_never_made_are_bridged_when_both_are_found(case):
    case.tell(DigitPressed(CALLER, "1"), LegUp(ANA))
    case.tell(LegAdopted(CALLER, up=True, bridge_id=""), LegAdopted(ANA, up=True, bridge_id=""))
    assert case.commanded(BridgeLegs) == [BridgeLegs("i-c1.b1", (CALLER, ANA))]


def test_two_people_who_are_in_their_bridge_notice_nothing(case):
    case.tell(DigitPressed(CALLER, "1"), LegUp(ANA))
    told = len(case.all_commands)
    case.tell(LegAdopted(CALLER, up=True, bridge_id="i-c1.b1"), LegAdopted(ANA, up=True, bridge_id="i-c1.b1"))
    assert case.all_commands[told:] == []


def test_a_leg_that_would_not_hang_up_is_told_again(case):
    case.tell(*(DigitPressed(CALLER, "9") for _ in range(3)))
    case.tell(*(TimerFired("i-c1", timer) for timer in case.interaction.run.timers))
    while not case.interaction.outcome:
        case.tell(DigitPressed(CALLER, "9"))
        case.now_s += 10
    assert case.interaction.customer.state is not LegState.ENDED
    case.tell(CommandRejected("i-c1", "9.9", "HangUpLeg", "no answer in time", CALLER))
    (timer,) = [c for c in case.last.commands if type(c).__name__ == "StartTimer"]
    assert timer.due_s > case.now_s
    case.tell(TimerFired("i-c1", timer.timer_id))
    assert [c.leg_id for c in case.commanded(HangUpLeg)] == [CALLER]
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP_BY_US))
    assert case.state is InteractionState.CLOSED


@pytest.mark.parametrize("late", [LegRinging(ANA), LegUp(ANA)])
def test_a_phone_that_rings_after_it_was_written_off_is_hung_up(case, late):
    case.tell(DigitPressed(CALLER, "1"), CommandRejected("i-c1", "9.0", "OriginateLeg", "no answer in time", ANA))
    case.tell(late)
    assert [c.leg_id for c in case.commanded(HangUpLeg)] == [ANA]


def from_phone_to_help(around):
    rules = replace(around.outbound, emergency_numbers=frozenset({"112"}), emergency_trunk="main-carrier")
    return from_phone(replace(around, outbound=rules), "112")


@pytest.mark.parametrize(
    "why",
    [
        CommandRejected("i-c1", "9.0", "OriginateLeg", "slow disk", ANA),
        *(LegEnded(ANA, reason) for reason in (EndReason.CONGESTION, EndReason.REJECTED, EndReason.NO_ANSWER)),
    ],
)
def test_an_emergency_call_that_we_cannot_make_is_made_by_the_dialplan(around, why):
    case = from_phone_to_help(around)
    assert case.commanded(OriginateLeg)[0].endpoint == "trunk:main-carrier/112"
    case.tell(why)
    assert case.commanded(TurnAwayLeg) == [TurnAwayLeg(CALLER)]
    assert HangUpLeg(CALLER) not in case.all_commands


def test_an_emergency_call_that_was_answered_is_over_when_they_hang_up(around):
    case = from_phone_to_help(around)
    case.tell(LegUp(ANA), LegEnded(ANA, EndReason.HUNG_UP))
    assert case.commanded(TurnAwayLeg) == []
    assert HangUpLeg(CALLER) in case.last.commands


def test_who_arrives_and_cannot_be_served_goes_to_overflow_and_is_counted(around):
    nowhere = replace(around, numbers=NumberPlan({}, (), {"main": Route("main", "gone", "", "default")}))
    turn = decide(None, LegArrived(CALLER, "n1", "100", "+34600000000"), nowhere, 1000.0).turn
    assert turn.commands == [TurnAwayLeg(CALLER)]
    assert any(isinstance(decision, InteractionOpened) for decision in turn.decisions)
    after = interactions.handle(turn.interaction, LegEnded(CALLER, EndReason.CONGESTION), nowhere, 1001.0)
    assert InteractionClosed("i-c1", "error") in after.decisions
