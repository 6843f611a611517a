"""What one carrier does not take, another may: for phones, flows and campaigns alike."""

from dataclasses import replace

import pytest

from core.commands import StartTimer
from core.decisions import Noted
from core.dialing import AttemptCancelled, AttemptProgressed
from core.events import (
    AudioVerdict,
    CommandRejected,
    LegAdopted,
    LegArrived,
    LegEarlyMedia,
    LegEnded,
    LegRinging,
    LegUp,
    ListenerLost,
)
from core.leg import EndReason, LegState
from core.leg_commands import BridgeLegs, HangUpLeg, OriginateLeg
from engine.config.numbers import NumberPlan, Route
from engine.config.outbound import OutboundRule
from engine.decide import decide
from engine.departures import SETUP_S
from tests.unit.engine.attempt_case import AROUND, ATTEMPT, HER, ID, WANTED

CALLER, THEM = "c1", "i-c1.x1"
REFUSED = LegEnded(THEM, EndReason.CONGESTION, 34, 503)


@pytest.fixture
def around():
    rule = OutboundRule("landlines", ("+349",), "main-a", failover=("main-b", "main-c"))
    callers = {"main-a": "+34911000001", "main-b": "+34911000002"}
    numbers = NumberPlan({}, (), {"main": Route("main", "reminder", "", "default", is_default=True)})
    return replace(AROUND, numbers=numbers, outbound=replace(AROUND.outbound, rules=(rule,), trunk_callers=callers))


class Call:
    def __init__(self, around, *events):
        self.around, self.now_s, self.interaction = around, 1000.0, None
        self.commands, self.notes, self.facts = [], [], []
        self.tell(*events)

    def tell(self, *events):
        for event in events:
            self.now_s += 0.1
            decided = decide(self.interaction, event, self.around, self.now_s)
            assert decided.refused == ()
            turn = decided.turn
            self.interaction = turn.interaction
            self.commands += turn.commands
            self.facts += turn.facts
            self.notes += [each.why for each in turn.decisions if isinstance(each, Noted) and each.what == "failover"]
        return self

    @property
    def dialed(self):
        return [(each.leg_id, each.endpoint, each.caller) for each in self.commands if isinstance(each, OriginateLeg)]


def from_phone(around):
    return Call(around, LegArrived(CALLER, "n1", "911234567", "1002", entry="main-1001"))


def test_a_phones_call_goes_over_each_carrier_until_one_takes_it(around):
    call = from_phone(around)
    away = CommandRejected("i-c1", "1.0", "OriginateLeg", "TrunkAway: n1 cannot reach it", THEM, refused=True)
    call.tell(away, REFUSED, LegRinging(THEM), LegUp(THEM))
    assert call.dialed == [
        (THEM, "trunk:main-a/+34911234567", "+34911000001"),
        (THEM, "trunk:main-b/+34911234567", "+34911000002"),
        (THEM, "trunk:main-c/+34911234567", ""),
    ]
    assert call.notes == ["main-a is away: over main-b", "main-b did not take the call (503): over main-c"]
    assert [each.leg_ids for each in call.commands if isinstance(each, BridgeLegs)] == [(CALLER, THEM)]
    assert call.interaction.ways == {}


def test_when_the_last_carrier_refuses_the_phone_is_told(around):
    call = from_phone(around).tell(REFUSED, REFUSED, REFUSED)
    assert len(call.dialed) == 3
    assert HangUpLeg(CALLER, EndReason.CONGESTION) in call.commands


@pytest.mark.parametrize(
    "end",
    [
        LegEnded(THEM, EndReason.BUSY, 17, 486),
        LegEnded(THEM, EndReason.REJECTED, 21, 603),
        LegEnded(THEM, EndReason.INVALID_NUMBER, 1, 404),
        LegEnded(THEM, EndReason.NO_ANSWER, 19),
        LegEnded(THEM, EndReason.LOST),
        LegEnded(THEM, EndReason.HUNG_UP_BY_US),
        CommandRejected("i-c1", "1.0", "OriginateLeg", "DeadlineExceeded: who knows", THEM),
    ],
)
def test_whom_the_carrier_reached_is_not_called_over_another(around, end):
    call = from_phone(around).tell(end)
    assert len(call.dialed) == 1
    assert call.interaction.ways == {}


@pytest.mark.parametrize("heard", [LegRinging(THEM), LegEarlyMedia(THEM), LegUp(THEM)])
def test_nobody_rings_twice(around, heard):
    assert len(from_phone(around).tell(heard, REFUSED).dialed) == 1


def test_a_caller_who_has_hung_up_is_dialed_for_no_more(around):
    call = from_phone(around).tell(LegEnded(CALLER, EndReason.HUNG_UP), REFUSED)
    assert len(call.dialed) == 1
    assert call.interaction.is_closed


def test_who_may_have_rung_while_nobody_watched_is_not_called_over_another(around):
    call = from_phone(around).tell(LegAdopted(THEM, up=False), REFUSED)
    assert len(call.dialed) == 1


def test_a_carrier_that_refuses_late_has_had_its_time(around):
    call = from_phone(around)
    call.now_s += SETUP_S
    assert len(call.tell(REFUSED).dialed) == 1


def test_an_event_that_could_not_be_handled_ends_it_too(around, monkeypatch):
    def broken(*arguments):
        raise ZeroDivisionError

    call = from_phone(around)
    monkeypatch.setattr("engine.interactions._hand_over", broken)
    decided = decide(call.interaction, LegRinging(THEM), around, call.now_s)
    assert decided.refused
    assert decided.turn.interaction.ways == {}


def campaigns(around, **changes):
    return Call(around, replace(WANTED, **{"identity": "", **changes}))


def test_a_campaigns_call_is_one_attempt_over_however_many_carriers(around):
    call = campaigns(around).tell(replace(REFUSED, leg_id=HER))
    assert [endpoint for _, endpoint, _ in call.dialed] == ["trunk:main-a/+34911234567", "trunk:main-b/+34911234567"]
    assert [fact for fact in call.facts if isinstance(fact, AttemptProgressed)] == []
    call.tell(LegRinging(HER))
    assert [fact.event for fact in call.facts if isinstance(fact, AttemptProgressed)] == ["ringing"]
    assert call.interaction.customer.state is LegState.RINGING


@pytest.mark.parametrize(("first", "told"), [("refused", "failed"), ("away", "not_sent")])
def test_a_call_that_no_carrier_took_has_left_us_when_one_was_asked(around, first, told):
    away = CommandRejected(ID, "1.0", "OriginateLeg", "TrunkAway: n1 cannot reach it", HER, refused=True)
    call = campaigns(around).tell(replace(REFUSED, leg_id=HER) if first == "refused" else away, away, away)
    assert [fact.event for fact in call.facts if isinstance(fact, AttemptProgressed)] == [told]


def test_it_is_known_which_number_she_saw(around):
    call = campaigns(around)
    assert (call.interaction.caller, call.interaction.identity) == ("+34911000001", "+34911000001")
    call.tell(replace(REFUSED, leg_id=HER))
    assert (call.interaction.caller, call.interaction.identity) == ("+34911000002", "+34911000002")
    call.tell(LegRinging(HER))
    assert [f.identity for f in call.facts if isinstance(f, AttemptProgressed)] == ["+34911000002"]
    ours = campaigns(around, identity="+34900100200").tell(replace(REFUSED, leg_id=HER))
    assert ours.interaction.identity == "+34900100200"


def test_what_nobody_needs_any_more_is_not_dialed_again(around):
    call = campaigns(around).tell(AttemptCancelled(ID, ATTEMPT, "no agent"), replace(REFUSED, leg_id=HER))
    assert len(call.dialed) == 1


def test_the_least_ring_is_counted_from_the_call_that_was_taken(around):
    call = campaigns(around, least_ring_s=15.0)
    call.now_s += 14.0
    call.tell(replace(REFUSED, leg_id=HER))
    redialed_s = call.now_s
    call.now_s += 17.0
    call.tell(AttemptCancelled(ID, ATTEMPT, "no agent"))
    assert [each for each in call.commands if isinstance(each, HangUpLeg)] == [], "it may have begun to ring just now"
    (timer,) = (each for each in call.commands if isinstance(each, StartTimer))
    assert timer.due_s == pytest.approx(redialed_s + SETUP_S + 15.0)


def test_who_listens_to_the_second_carriers_call_is_not_taken_for_who_listened_to_the_first(around):
    call = campaigns(around, screen=True).tell(replace(REFUSED, leg_id=HER))
    first, second = (each.listen for each in call.commands if isinstance(each, OriginateLeg))
    assert first.listening_id != second.listening_id
    call.tell(ListenerLost(HER, first.listening_id, "the leg has ended"), LegRinging(HER), LegUp(HER))
    call.tell(AudioVerdict(HER, second.listening_id, "amd", "machine", 0.9, "so it sounds", True, 0.0))
    assert [f.event for f in call.facts if isinstance(f, AttemptProgressed)] == [
        "ringing",
        "answered",
        "screen",
        "machine",
    ]
