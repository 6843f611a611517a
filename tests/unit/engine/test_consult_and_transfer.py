"""Consultations, transfers and what they come to, whoever leaves first."""

from dataclasses import replace

import pytest

from core.decisions import Noted
from core.events import CommandRejected, DigitPressed, LegAdopted, LegEnded, LegRinging, LegUp, QueueLeft
from core.leg import EndReason, LegRole
from core.leg_commands import (
    BridgeLegs,
    DestroyBridge,
    HangUpLeg,
    MuteLeg,
    OriginateLeg,
    Play,
    SendDigits,
    StartMusic,
    StopPlayback,
)
from core.line_facts import LineUsed
from core.media import Tone
from core.queue_facts import MOST_PRIORITY, QueueJoined, StayGivenUp
from core.talk_facts import TalkChanged, TalkEnded
from tests.unit.engine.talk_case import CALLER, ID, Case, case, heard

__all__ = ["case"]

OUTSIDE = "+34911234567"
BOSS = f"{ID}.x"


@pytest.fixture
def talking(case):
    return case.talk()


def dialed(case):
    (command,) = case.commanded(OriginateLeg)
    return command


# -- blind transfers
def test_to_another_agent_in_person(talking):
    assert talking.act("transfer", "agent:eva", order="4711") == ""
    assert talking.said(TalkEnded) == [TalkEnded(ID, "ana", "transferred")]
    (joined,) = talking.said(QueueJoined)
    assert (joined.queue, joined.agent_id, joined.purpose) == ("", "eva", "transfer")
    assert joined.excluded_agents == ("ana",)
    assert HangUpLeg(talking.agent_leg) in talking.last.commands
    assert talking.commanded(StartMusic) == [StartMusic(CALLER, "jazz")]
    assert talking.interaction.values == {"order": "4711"}
    assert talking.interaction.run.variables["order"] == "4711"
    talking.talk("eva")
    assert talking.inside() == {CALLER, talking.agent_leg}
    talking.tell(LegEnded(talking.agent_leg, EndReason.HUNG_UP))
    assert heard(talking) == ["¿Qué tal?"]


def test_nobody_answers_and_she_comes_back_to_who_sent_her(talking):
    talking.act("transfer", "agent:eva")
    talking.tell(QueueLeft(ID, talking.interaction.waiting.stay_id, "overflowed"))
    (joined,) = talking.said(QueueJoined)
    assert (joined.queue, joined.preferred_agent, joined.purpose) == ("sales", "ana", "serve")
    assert joined.priority > MOST_PRIORITY
    assert joined.waited_s == 2.0
    talking.tell(QueueLeft(ID, joined.stay_id, "no_agents"))
    assert heard(talking) == ["Lo sentimos."]


def test_who_comes_back_again_and_again_is_no_further_ahead_each_time(talking):
    for _ in range(3):
        talking.act("transfer", "agent:eva")
        talking.tell(QueueLeft(ID, talking.interaction.waiting.stay_id, "overflowed"))
        (joined,) = talking.said(QueueJoined)
        assert joined.priority == MOST_PRIORITY + 1
        talking.talk()


def test_whatever_priority_her_flow_gave_her_she_is_before_others_when_she_comes_back(talking):
    talk = talking.interaction.talk
    served = talk.served.but(joined=replace(talk.served.joined, priority=MOST_PRIORITY))
    talking.interaction = talking.interaction.but(talk=talk.but(served=served))
    talking.act("transfer", "agent:eva")
    talking.tell(QueueLeft(ID, talking.interaction.waiting.stay_id, "overflowed"))
    assert talking.said(QueueJoined)[0].priority > 2 * MOST_PRIORITY


def test_to_another_queue(talking):
    assert talking.act("transfer", "queue:support") == ""
    (joined,) = talking.said(QueueJoined)
    assert (joined.queue, joined.waited_s) == ("support", 0.0)
    talking.tell(DigitPressed(CALLER, "9"))
    assert heard(talking) == ["Deje un mensaje."]
    assert [fact.stay_id for fact in talking.said(StayGivenUp)] == [joined.stay_id]


def test_to_a_flow_that_knows_what_the_agent_sent_along(talking):
    visit = talking.interaction.run.visit
    assert talking.act("transfer", "flow:pay", amount="12") == ""
    run = talking.interaction.run
    assert (run.flow_id, run.variables["amount"]) == ("pay", "12")
    assert run.visit > visit, "ids are not made twice"
    assert heard(talking) == ["Su tarjeta."]
    assert talking.state == "in_flow"


def test_to_a_number_by_the_outbound_rules(talking):
    assert talking.act("transfer", OUTSIDE) == ""
    out = dialed(talking)
    assert (out.endpoint, out.caller, out.role) == (f"trunk:main-carrier/{OUTSIDE}", "+34900", LegRole.EXTERNAL)
    assert talking.last.dialed_by == "landlines"
    (ringback,) = talking.commanded(Play)
    assert (ringback.leg_id, ringback.parts) == (CALLER, (Tone("ringback"),))
    assert talking.state == "transferring"
    talking.tell(LegRinging(out.leg_id), LegUp(out.leg_id))
    assert StopPlayback(CALLER, ringback.playback_id) in talking.last.commands
    assert talking.inside() == {CALLER, out.leg_id}
    talking.tell(LegEnded(out.leg_id, EndReason.HUNG_UP))
    assert talking.said(TalkEnded) == []
    assert heard(talking) == ["¿Qué tal?"]


@pytest.mark.parametrize("reason", [EndReason.NO_ANSWER, EndReason.BUSY, EndReason.LOST])
def test_a_number_that_does_not_answer_brings_her_back(talking, reason):
    talking.act("transfer", "device:1003")
    talking.tell(LegEnded(dialed(talking).leg_id, reason))
    (joined,) = talking.said(QueueJoined)
    assert (joined.queue, joined.preferred_agent) == ("sales", "ana")
    assert talking.commanded(StartMusic)
    talking.hang_up()
    talking.nothing_is_left()


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("agent:nobody", "there is no agent 'nobody'"),
        ("agent:ana", "the caller is with you already"),
        ("queue:nowhere", "there is no queue 'nowhere'"),
        ("flow:nothing", "there is no flow 'nothing'"),
        ("+15551234567", "no rule"),
        ("device:9999", "no device"),
        ("", "not a number"),
    ],
)
def test_what_cannot_be_dialed_is_refused_in_words_and_the_talk_goes_on(talking, target, why):
    assert why in talking.act("transfer", target)
    assert (talking.last.commands, talking.last.facts) == ([], [])
    assert talking.state == "connected"


def test_what_cannot_travel_is_refused(talking):
    assert "cannot travel" in talking.act("transfer", "agent:eva", **{"not a name": "x"})
    assert talking.state == "connected"


# -- consultations
def consulting(case, target="agent:eva"):
    assert case.act("consult", target) == ""
    if target.startswith("agent"):
        offer = case.offer("eva")
        case.tell(offer, LegUp(offer.offer_id))
        return offer.offer_id
    leg_id = dialed(case).leg_id
    case.tell(LegUp(leg_id))
    return leg_id


def test_consulting_a_colleague_while_the_caller_hears_music(talking):
    assert talking.act("consult", "agent:eva") == ""
    assert talking.said(TalkChanged) == [TalkChanged(ID, "ana", "consult")]
    (joined,) = talking.said(QueueJoined)
    assert (joined.agent_id, joined.purpose, joined.excluded_agents) == ("eva", "consult", ("ana",))
    assert [(play.leg_id, play.parts) for play in talking.commanded(Play)] == [(talking.agent_leg, (Tone("ringback"),))]
    assert talking.inside() == {talking.agent_leg}
    offer = talking.offer("eva")
    talking.tell(offer, LegUp(offer.offer_id))
    assert talking.inside() == {talking.agent_leg, offer.offer_id}
    assert talking.commanded(StopPlayback)


@pytest.mark.parametrize("target", ["agent:eva", "device:1003", OUTSIDE])
def test_an_attended_transfer(talking, target):
    other = consulting(talking, target)
    assert talking.act("complete") == ""
    assert talking.said(TalkEnded) == [TalkEnded(ID, "ana", "transferred")]
    assert talking.inside() == {CALLER, other}
    talking.tell(LegEnded(talking.agent_leg, EndReason.HUNG_UP_BY_US))
    talking.tell(LegEnded(other, EndReason.HUNG_UP))
    assert heard(talking) == ["¿Qué tal?"]
    assert [fact.agent_id for fact in talking.said(TalkEnded)] == (["eva"] if target == "agent:eva" else [])
    talking.hang_up()
    talking.nothing_is_left()


def test_swap_conference_and_back(talking):
    other = consulting(talking)
    assert talking.act("swap") == ""
    assert talking.inside() == {CALLER, talking.agent_leg}
    assert talking.commanded(StartMusic) == [StartMusic(other, "jazz")]
    assert talking.act("swap") == ""
    assert talking.inside() == {other, talking.agent_leg}
    assert talking.act("conference") == ""
    assert talking.inside() == {CALLER, other, talking.agent_leg}
    assert talking.said(TalkChanged) == [TalkChanged(ID, "ana", "consult_ended")]
    assert "all together" in talking.act("swap")
    talking.tell(LegEnded(other, EndReason.HUNG_UP))
    assert talking.inside() == {CALLER, talking.agent_leg}
    assert talking.said(TalkEnded) == [TalkEnded(ID, "eva", "agent_hung_up")]
    assert talking.said(TalkChanged) == []
    assert talking.state == "connected"


def test_an_agent_who_leaves_a_conference_leaves_them_together(talking):
    other = consulting(talking)
    talking.act("conference")
    talking.tell(LegEnded(talking.agent_leg, EndReason.HUNG_UP))
    assert talking.said(TalkEnded) == [TalkEnded(ID, "ana", "agent_hung_up")]
    assert talking.inside() == {CALLER, other}
    assert talking.interaction.talk.agents == ("eva",)


def test_ending_the_consultation_fetches_the_caller_back(talking):
    other = consulting(talking)
    assert talking.act("cancel_consult") == ""
    assert HangUpLeg(other) in talking.last.commands
    assert talking.said(TalkEnded) == [TalkEnded(ID, "eva", "agent_hung_up")]
    assert talking.said(TalkChanged) == [TalkChanged(ID, "ana", "consult_ended")]
    assert talking.inside() == {CALLER, talking.agent_leg}


def test_a_colleague_who_is_not_there(talking):
    talking.act("consult", "agent:eva")
    talking.tell(QueueLeft(ID, talking.interaction.talk.other.stay_id, "no_agents"))
    assert talking.said(TalkChanged) == [TalkChanged(ID, "ana", "consult_ended")]
    assert talking.inside() == {CALLER, talking.agent_leg}


def test_a_colleague_who_does_not_answer_may_be_given_up(talking):
    talking.act("consult", "agent:eva")
    offer = talking.offer("eva")
    talking.tell(offer)
    assert talking.act("cancel_consult") == ""
    assert HangUpLeg(offer.offer_id) in talking.last.commands
    assert [fact.stay_id for fact in talking.said(StayGivenUp)] == [offer.stay_id]
    assert talking.inside() == {CALLER, talking.agent_leg}


def test_a_consulted_number_that_fails(talking):
    talking.act("consult", OUTSIDE)
    out = dialed(talking)
    talking.tell(CommandRejected(ID, "9.0", "OriginateLeg", "no such trunk", out.leg_id))
    assert talking.inside() == {CALLER, talking.agent_leg}
    assert talking.state == "connected"


@pytest.mark.parametrize("target", ["agent:eva", OUTSIDE])
def test_who_hangs_up_while_it_rings_hands_the_caller_over(talking, target):
    talking.act("consult", target)
    talking.tell(LegEnded(talking.agent_leg, EndReason.HUNG_UP))
    assert talking.said(TalkEnded) == [TalkEnded(ID, "ana", "transferred")]
    assert [play.leg_id for play in talking.commanded(Play)] == [CALLER]
    if target == OUTSIDE:
        answered = talking.interaction.talk.other.leg_id
        talking.tell(LegUp(answered))
    else:
        offer = talking.offer("eva")
        answered = offer.offer_id
        talking.tell(offer, LegUp(answered))
    assert talking.inside() == {CALLER, answered}
    assert talking.state == "connected"


def test_a_phone_that_vanishes_during_a_consultation_does_not_lose_the_caller(talking):
    talking.act("consult", OUTSIDE)
    out = dialed(talking)
    talking.tell(LegEnded(talking.agent_leg, EndReason.LOST))
    assert HangUpLeg(out.leg_id) in talking.last.commands
    assert talking.state == "queued"
    assert heard(talking) == ["Se ha cortado."]


def test_a_caller_who_hangs_up_ends_it_all(talking):
    other = consulting(talking)
    talking.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert {fact.agent_id for fact in talking.said(TalkEnded)} == {"ana", "eva"}
    assert {c.leg_id for c in talking.commanded(HangUpLeg)} == {talking.agent_leg, other}
    talking.tell(*(LegEnded(leg, EndReason.HUNG_UP_BY_US) for leg in (talking.agent_leg, other)))
    talking.nothing_is_left()


def test_a_line_that_was_held_or_muted_is_given_back_as_it_came(case):
    case.tell(case.line_offer("ana"))
    case.tell(LegAdopted(CALLER, up=True))
    case.act("mute")
    case.act("transfer", "queue:support")
    names = [type(c).__name__ for c in case.last.commands if getattr(c, "leg_id", "") == "line-ana"]
    assert names == ["MuteLeg", "UnbridgeLeg"]
    assert case.said(LineUsed) == [LineUsed("i-line-ana", "line-ana")]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("swap", "nobody is being consulted"),
        ("complete", "nobody is being consulted"),
        ("conference", "nobody is being consulted"),
        ("cancel_consult", "nobody is being consulted"),
    ],
)
def test_what_needs_a_consultation(talking, action, why):
    assert talking.act(action) == why


def test_what_a_consultation_does_not_allow(talking):
    other = consulting(talking)
    assert "somebody else" in talking.act("hold")
    assert "somebody else" in talking.act("transfer", "queue:support")
    assert talking.act("consult", OUTSIDE) == "somebody is being consulted already"
    assert talking.act("transfer", "queue:support", agent_id="eva") == "only who has the caller can do that"
    assert talking.act("hang_up", agent_id="eva") == ""
    assert HangUpLeg(other) in talking.last.commands
    assert talking.inside() == {CALLER, talking.agent_leg}


def test_a_call_from_the_phone_to_a_held_consultation_survives_a_restart(talking):
    other = consulting(talking)
    bridge = talking.interaction.talk.bridge_id
    talking.tell(LegAdopted(CALLER, up=True, bridge_id=bridge))
    assert talking.commanded(BridgeLegs) == []
    assert talking.commanded(StartMusic) == [StartMusic(CALLER, "jazz")]
    talking.tell(LegAdopted(other, up=True, bridge_id=""))
    assert talking.commanded(BridgeLegs) == [BridgeLegs(bridge, (other,), keyed=(talking.agent_leg, other))]


def test_who_had_her_caller_on_hold_is_told_that_keys_count_again_after_a_gap(talking):
    bridge, hers = talking.interaction.talk.bridge_id, talking.agent_leg

    def found():
        told = len(talking.commands)
        talking.tell(LegAdopted(CALLER, up=True, bridge_id=""), LegAdopted(hers, up=True, bridge_id=bridge))
        return [(c.leg_id, c.parts) for c in talking.commands[told:] if isinstance(c, Play)]

    talking.act("hold")
    assert found() == [(hers, (Tone("beep"),))]
    press(talking, "*1")
    assert talking.inside() == {CALLER, hers}
    told = len(talking.commands)
    talking.tell(*(LegAdopted(leg, up=True, bridge_id=bridge) for leg in (CALLER, hers)))
    assert not any(isinstance(c, Play) for c in talking.commands[told:]), "nobody is on hold"
    talking.act("consult", OUTSIDE)
    assert not any(parts == (Tone("beep"),) for _, parts in found()), "she talks with somebody"


def test_who_is_muted_is_so_after_a_gap_whatever_reached_asterisk(talking):
    bridge, hers = talking.interaction.talk.bridge_id, talking.agent_leg

    def found():
        talking.tell(LegAdopted(CALLER, up=True, bridge_id=bridge), LegAdopted(hers, up=True, bridge_id=bridge))
        return talking.commanded(MuteLeg)

    assert found() == [MuteLeg(hers, False)]
    press(talking, "*9")
    assert found() == [MuteLeg(hers, True)]
    press(talking, "*9")
    assert found() == [MuteLeg(hers, False)]


def test_on_a_held_line_too(case):
    case.tell(case.line_offer("ana"), LegAdopted(CALLER, up=True))
    case.act("hold")
    case.tell(LegAdopted(CALLER, up=True, bridge_id=""))
    assert [c.parts for c in case.commanded(Play)] == [(Tone("beep"),)]


# -- keys
def press(case, keys):
    for key in keys:
        case.tell(DigitPressed(case.agent_leg, key))


def test_other_keys_than_codes_reach_who_is_no_agent_and_codes_reach_nobody(talking):
    def passed_on(keys):
        told = len(talking.commands)
        press(talking, keys)
        return [(c.leg_id, c.digits) for c in talking.commands[told:] if isinstance(c, SendDigits)]

    assert passed_on("5#") == [(CALLER, "5"), (CALLER, "#")]
    assert passed_on("*#1") == [(CALLER, "*"), (CALLER, "1")]
    assert passed_on("*9*9") == []
    machine = consulting(talking, OUTSIDE)
    assert passed_on("1") == [(machine, "1")], "the caller hears music"
    press(talking, "*6")
    assert passed_on("2") == [(CALLER, "2"), (machine, "2")]
    talking.act("cancel_consult")
    talking.act("hold")
    assert passed_on("3") == []


def test_an_agent_without_a_screen(talking):
    press(talking, "*1")
    assert talking.inside() == {talking.agent_leg}
    press(talking, "*1")
    assert talking.inside() == {CALLER, talking.agent_leg}
    press(talking, "59")
    assert not talking.interaction.talk.lead.muted, "keys that are no code are between her and the caller"
    press(talking, "***9")
    assert talking.interaction.talk.lead.muted


def test_a_transfer_by_keys_to_an_agents_code(talking):
    press(talking, "*222#")
    assert [(f.agent_id, f.purpose) for f in talking.said(QueueJoined)] == [("eva", "transfer")]


def test_a_consultation_by_keys(talking):
    press(talking, "*31003#")
    out = dialed(talking)
    talking.tell(LegUp(out.leg_id))
    press(talking, "*4")
    assert talking.inside() == {CALLER, out.leg_id}


def test_what_keys_cannot_do_is_heard(talking):
    press(talking, "*2999999#")
    assert [play.leg_id for play in talking.commanded(Play)] == [talking.agent_leg]
    assert talking.state == "connected"
    assert talking.last.refused == ""


@pytest.fixture
def eva_is_away(talking):
    def hindered(interaction, agent_id, now_s):
        return "Eva cannot be rung now" if agent_id == "eva" else ""

    talking.around = replace(talking.around, hindered=hindered)
    return talking


@pytest.mark.parametrize("code", ["*2", "*3"])
def test_a_colleague_who_is_away_is_not_let_have_the_customer_by_keys(eva_is_away, code):
    talking = eva_is_away
    press(talking, f"{code}22#")
    assert [play.leg_id for play in talking.commanded(Play)] == [talking.agent_leg]
    assert (talking.said(QueueJoined), talking.inside()) == ([], {CALLER, talking.agent_leg})
    why = f"{'transfer' if code == '*2' else 'consult'} by ana: Eva cannot be rung now"
    assert Noted("request_refused", why) in talking.last.decisions


@pytest.mark.parametrize("action", ["transfer", "consult"])
def test_that_a_colleague_is_away_is_said_after_what_the_conversation_has_against_it(eva_is_away, action):
    talking = eva_is_away
    assert talking.act(action, "agent:eva") == "Eva cannot be rung now"
    assert (talking.last.commands, talking.last.facts) == ([], [])
    assert Noted("request_refused", f"{action} by ana: Eva cannot be rung now") in talking.last.decisions
    assert "cannot travel" in talking.act(action, "agent:eva", **{"not a name": "x"})
    assert talking.act(action, "agent:eva", agent_id="luis") == "luis is not in this conversation"
    assert talking.act("consult", OUTSIDE) == ""
    assert "consult" in talking.act(action, "agent:eva")


def test_hanging_up_by_key():
    case = Case().queue("2").talk()
    press(case, "*0")
    assert DestroyBridge(f"{ID}.b1") in case.last.commands
    assert HangUpLeg(CALLER) in case.last.commands
