"""A caller waits, an agent is rung, they talk: what either of them, the router and a crash do to it."""

import pytest

from core.decisions import InteractionClosed
from core.events import (
    CommandRejected,
    DigitPressed,
    LegAdopted,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    QueueLeft,
)
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
    StopMusic,
    UnbridgeLeg,
)
from core.line_facts import LineParty, LineUsed
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferRinging,
    OfferWithdrawn,
)
from core.queue_facts import MOST_PRIORITY, QueueJoined, StayGivenUp
from core.talk_facts import TalkChanged, TalkEnded
from tests.unit.engine.talk_case import CALLER, ID, Case, case, heard, play_out

__all__ = ["case"]


def test_who_joins_a_queue_is_told_to_the_router_and_hears_the_queues_music(case):
    (joined,) = case.said(QueueJoined)
    assert (joined.queue, joined.channel, joined.language, joined.node) == ("sales", "call", "es", "n1")
    assert case.commanded(StartMusic) == [StartMusic(CALLER, "jazz")]
    assert case.state == "queued"


def test_an_offer_rings_the_agents_phone_and_shows_who_calls(case):
    offer = case.offer("ana", auto_answer=True, ring_s=12.0)
    case.tell(offer)
    (dialed,) = case.commanded(OriginateLeg)
    assert (dialed.leg_id, dialed.endpoint, dialed.role) == (offer.offer_id, "device:main-1001", LegRole.AGENT)
    assert (dialed.caller, dialed.caller_name, dialed.ring_s) == ("+34600000000", "Eva Luz", 12.0)
    assert dialed.auto_answer
    assert case.tell(LegRinging(offer.offer_id)).facts == [OfferRinging(ID, offer.offer_id)]
    assert case.tell(LegRinging(offer.offer_id)).facts == []


def test_told_twice_it_rings_once(case):
    offer = case.offer("ana")
    case.tell(offer, offer)
    assert case.last.commands == []


def test_an_agent_who_answers_talks_with_the_caller(case):
    case.talk()
    assert case.said(OfferAccepted) == [OfferAccepted(ID, case.agent_leg)]
    assert case.last.commands[-2:] == [
        StopMusic(CALLER),
        BridgeLegs(f"{ID}.b1", (CALLER, case.agent_leg), keyed=(case.agent_leg,)),
    ]
    assert case.state == "connected"


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        (EndReason.REJECTED, "rejected"),
        (EndReason.BUSY, "rejected"),
        (EndReason.NO_ANSWER, "rona"),
        (EndReason.UNREACHABLE, "unreachable"),
        (EndReason.LOST, "rejected"),
        (EndReason.CONGESTION, "unreachable"),
    ],
)
def test_how_ringing_ends_in_vain(case, reason, how):
    case.tell(case.offer("ana"))
    ringing = case.ringing
    case.tell(LegEnded(ringing, reason))
    assert [(f.offer_id, f.how) for f in case.said(OfferFailed)] == [(ringing, how)]
    assert (case.state, case.interaction.offers) == ("queued", ())


def test_a_phone_that_cannot_be_dialed_is_unreachable(case):
    case.tell(case.offer("ana"))
    ringing = case.ringing
    case.tell(CommandRejected(ID, "9.0", "OriginateLeg", "not registered", ringing))
    assert case.said(OfferFailed) == [OfferFailed(ID, ringing, "unreachable", "not registered")]
    assert case.commanded(HangUpLeg) == [HangUpLeg(ringing, EndReason.FAILED)]


def test_a_phone_that_stops_because_a_colleague_was_first_is_told_that_it_missed_nothing(case):
    case.tell(case.offer("ana"))
    ringing = case.ringing
    case.tell(OfferWithdrawn(ID, ringing, "bea was first", answered=True))
    assert case.last.commands == [HangUpLeg(ringing, EndReason.ANSWERED_ELSEWHERE)]


def test_an_offer_that_is_withdrawn_stops_ringing_and_an_answer_that_crosses_it_is_hung_up(case):
    case.tell(case.offer("ana"))
    ringing = case.ringing
    case.tell(OfferWithdrawn(ID, ringing))
    assert case.last.commands == [HangUpLeg(ringing)]
    case.tell(LegUp(ringing))
    assert case.last.commands == [HangUpLeg(ringing)]
    assert case.last.facts == []


def test_a_caller_who_leaves_while_it_rings_stops_it_at_once(case):
    case.tell(case.offer("ana"))
    ringing, stay = case.ringing, case.interaction.waiting.stay_id
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.commanded(HangUpLeg) == [HangUpLeg(ringing)]
    assert case.said(StayGivenUp) == [StayGivenUp(ID, stay, "abandoned")]
    case.tell(LegEnded(ringing, EndReason.HUNG_UP_BY_US))
    case.nothing_is_left()


def test_who_vanishes_by_our_fault_has_not_abandoned(case):
    case.tell(LegEnded(CALLER, EndReason.LOST))
    assert [fact.outcome for fact in case.said(StayGivenUp)] == ["lost"]


def test_an_offer_for_a_stay_that_is_over_is_not_rung(case):
    stay_id = case.interaction.waiting.stay_id
    case.tell(DigitPressed(CALLER, "9"))
    assert [(f.stay_id, f.outcome) for f in case.said(StayGivenUp)] == [(stay_id, "left_by_key")]
    assert heard(case) == ["Deje un mensaje."]
    case.tell(OfferMade(ID, stay_id, "late", "ana", "main-1001"))
    assert case.last.commands == []
    assert case.said(StayGivenUp)


def test_several_ring_and_the_first_has_her(case):
    first, second = case.offer("ana"), case.offer("eva")
    case.tell(first, second, LegUp(second.offer_id), LegUp(first.offer_id))
    assert case.commanded(HangUpLeg) == [HangUpLeg(first.offer_id)]
    assert [fact.how for fact in case.said(OfferFailed)] == ["unreachable"]
    assert case.interaction.talk.agents == ("eva",)


@pytest.mark.parametrize("outcome", ["no_agents", "overflowed", "closed"])
def test_a_stay_the_router_ends_takes_the_flows_branch(case, outcome):
    case.tell(QueueLeft(ID, case.interaction.waiting.stay_id, outcome))
    assert heard(case) == ["Lo sentimos."]
    assert case.state == "in_flow"


def test_an_overflow_to_another_queue_keeps_the_waited_time_and_the_flow_does_not_notice(case):
    stay_id = case.interaction.waiting.stay_id
    case.now_s += 100
    case.tell(QueueLeft(ID, stay_id, "overflowed", "support"))
    (joined,) = case.said(QueueJoined)
    assert (joined.queue, joined.waited_s) == ("support", 101.0)
    assert joined.stay_id != stay_id
    case.tell(DigitPressed(CALLER, "9"))
    assert [fact.stay_id for fact in case.said(StayGivenUp)] == [joined.stay_id]


def test_a_router_that_cannot_take_her_in_sends_her_to_the_error_exit(case):
    case.tell(CommandRejected(ID, "", "JoinQueue", "a fault", subject_id=case.interaction.waiting.stay_id))
    assert case.commanded(HangUpLeg) == [HangUpLeg(CALLER)]


# -- talking
def test_an_agent_who_hangs_up_gives_the_caller_back_to_her_flow(case):
    case.talk().tell(LegEnded(case.agent_leg, EndReason.HUNG_UP))
    assert case.said(TalkEnded) == [TalkEnded(ID, "ana", "agent_hung_up")]
    assert case.commanded(DestroyBridge) == [DestroyBridge(f"{ID}.b1")]
    assert heard(case) == ["¿Qué tal?"]
    case.hang_up()
    case.nothing_is_left()


def test_without_a_survey_the_caller_is_hung_up():
    case = Case().queue("2").talk()
    case.tell(LegEnded(case.agent_leg, EndReason.HUNG_UP))
    assert case.commanded(HangUpLeg) == [HangUpLeg(CALLER)]


def test_a_caller_who_hangs_up_frees_the_agent(case):
    case.talk().tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.said(TalkEnded) == [TalkEnded(ID, "ana", "customer_hung_up")]
    assert case.said(StayGivenUp) == []
    assert case.commanded(HangUpLeg) == [HangUpLeg(case.agent_leg)]
    case.tell(LegEnded(case.agent_leg, EndReason.HUNG_UP_BY_US))
    case.nothing_is_left()
    assert InteractionClosed(ID, "caller_hung_up") in case.last.decisions


def test_hold_and_resume(case):
    case.talk()
    assert case.act("hold") == ""
    assert case.last.commands == [UnbridgeLeg(CALLER, f"{ID}.b1"), StartMusic(CALLER, "jazz")]
    assert case.said(TalkChanged) == [TalkChanged(ID, "ana", "hold")]
    assert case.inside() == {case.agent_leg}
    assert case.act("hold") == ""
    assert case.last.facts == []
    assert case.act("resume") == ""
    assert case.inside() == {CALLER, case.agent_leg}
    assert case.said(TalkChanged) == [TalkChanged(ID, "ana", "resume")]


def test_a_phone_that_holds_by_itself_is_told_too(case):
    case.talk().tell(LegHeld(case.agent_leg))
    assert case.said(TalkChanged) == [TalkChanged(ID, "ana", "hold")]
    case.tell(LegResumed(case.agent_leg))
    assert case.said(TalkChanged) == [TalkChanged(ID, "ana", "resume")]


def test_mute_and_digits(case):
    case.talk()
    assert case.act("mute") == ""
    assert case.last.commands == [MuteLeg(case.agent_leg)]
    assert case.act("mute") == ""
    assert case.last.commands == []
    assert case.act("unmute") == ""
    assert case.last.commands == [MuteLeg(case.agent_leg, muted=False)]
    assert case.act("send_digits", "12#") == ""
    assert case.last.commands == [SendDigits(CALLER, "12#")]
    assert "digits are" in case.act("send_digits", "call me")


def test_who_is_not_in_it_is_refused_in_words(case):
    assert case.act("hold") == "ana is not in this conversation"
    case.talk()
    assert case.act("hold", agent_id="eva") == "eva is not in this conversation"
    assert case.last.commands == []


def test_an_agent_hangs_up_at_her_desk(case):
    case.talk()
    assert case.act("hang_up") == ""
    assert HangUpLeg(case.agent_leg) in case.last.commands
    assert case.said(TalkEnded) == [TalkEnded(ID, "ana", "agent_hung_up")]
    case.tell(LegEnded(case.agent_leg, EndReason.HUNG_UP_BY_US))
    assert case.last.facts == []


@pytest.mark.parametrize("cause", [(EndReason.LOST, 0), (EndReason.FAILED, 0), (EndReason.HUNG_UP, 44)])
def test_a_caller_whose_agent_vanished_is_told_and_returns_to_the_head(case, cause):
    case.talk().tell(LegEnded(case.agent_leg, *cause))
    assert case.said(TalkEnded) == [TalkEnded(ID, "ana", "vanished")]
    (joined,) = case.said(QueueJoined)
    assert (joined.queue, joined.spared_agents, joined.waited_s) == ("sales", ("ana",), 2.0)
    assert joined.priority > MOST_PRIORITY
    assert heard(case) == ["Se ha cortado."]
    play_out(case)
    assert case.commanded(StartMusic) == [StartMusic(CALLER, "jazz")]
    case.talk("eva")
    assert case.inside() == {CALLER, case.agent_leg}
    assert case.interaction.talk.bridge_id != f"{ID}.b1"


@pytest.mark.parametrize("action", ["transfer", "consult"])
def test_whose_phone_vanished_once_is_not_spared_what_a_colleague_sends_on(case, action):
    case.talk().tell(LegEnded(case.agent_leg, EndReason.LOST))
    play_out(case)
    case.talk("eva")
    assert case.act(action, "queue:support", agent_id="eva") == ""
    (joined,) = case.said(QueueJoined)
    assert (joined.queue, joined.spared_agents) == ("support", ())


def test_the_end_of_a_later_stay_is_the_end_of_the_flows(case):
    case.talk().tell(LegEnded(case.agent_leg, EndReason.LOST))
    case.tell(QueueLeft(ID, case.interaction.waiting.stay_id, "no_agents"))
    assert heard(case) == ["Lo sentimos."]


def test_a_bridge_that_cannot_be_made_costs_the_agent_and_not_the_caller(case):
    case.talk()
    case.tell(CommandRejected(ID, "9.1", "BridgeLegs", "frozen", case.agent_leg, f"{ID}.b1"))
    assert HangUpLeg(case.agent_leg, EndReason.FAILED) in case.last.commands
    assert case.state == "queued"


# -- held lines
def test_a_held_line_whispers_and_then_talks(case):
    case.tell(case.line_offer("ana"))
    assert case.said(LineUsed) == [LineUsed("i-line-ana", "line-ana", ID)]
    assert case.said(OfferAccepted)
    assert case.commanded(OriginateLeg) == []
    (whisper,) = case.commanded(Play)
    assert (whisper.leg_id, heard(case)) == ("line-ana", ["Ventas"])
    case.tell(LineParty(ID, "line-ana", "played", playback_id=whisper.playback_id))
    assert case.inside() == {CALLER, "line-ana"}
    case.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert case.commanded(HangUpLeg) == []
    assert case.said(LineUsed) == [LineUsed("i-line-ana", "line-ana")]
    case.nothing_is_left()


def test_without_words_to_whisper_they_are_put_together_at_once():
    case = Case().queue("2")
    case.tell(case.line_offer("ana"))
    assert case.inside() == {CALLER, "line-ana"}


def test_a_line_that_ends_is_an_agent_who_hangs_up_or_vanishes(case):
    case.tell(case.line_offer("ana"))
    play = case.commanded(Play)[0]
    case.tell(LineParty(ID, "line-ana", "played", playback_id=play.playback_id))
    case.tell(LineParty(ID, "line-ana", "ended", vanished=True))
    assert case.state == "queued"
    case.hang_up()
    case.nothing_is_left()


def test_an_agent_who_leaves_during_the_whisper_costs_the_caller_nothing(case):
    case.tell(case.line_offer("ana"), LineParty(ID, "line-ana", "ended"))
    assert (case.state, heard(case)) == ("queued", ["Se ha cortado."])


# -- crashes
def test_a_wait_survives_a_restart_with_music(case):
    stay = case.interaction.waiting.stay_id
    case.tell(LegAdopted(CALLER, up=True, bridge_id=""))
    assert case.commanded(StartMusic) == [StartMusic(CALLER, "jazz")]
    assert case.last.facts == []
    assert case.interaction.waiting.stay_id == stay


def test_an_answer_that_the_gap_hid_connects(case):
    case.tell(case.offer("ana"))
    ringing = case.ringing
    case.tell(LegAdopted(CALLER, up=True, bridge_id=""), LegAdopted(ringing, up=True, bridge_id=""))
    assert case.said(OfferAccepted)
    assert case.inside() == {CALLER, ringing}


def test_a_talk_survives_a_restart_without_notice(case):
    case.talk()
    told = len(case.commands)
    bridge = f"{ID}.b1"
    case.tell(LegAdopted(CALLER, up=True, bridge_id=bridge), LegAdopted(case.agent_leg, up=True, bridge_id=bridge))
    assert case.commands[told:] == [MuteLeg(case.agent_leg, muted=False)]


def test_legs_found_outside_of_their_bridge_are_put_back(case):
    case.talk()
    case.tell(LegAdopted(CALLER, up=True, bridge_id=""))
    assert case.commanded(BridgeLegs) == [BridgeLegs(f"{ID}.b1", (CALLER,), keyed=(case.agent_leg,))]
    case.tell(LegAdopted(case.agent_leg, up=True, bridge_id=""))
    assert case.commanded(BridgeLegs) == [BridgeLegs(f"{ID}.b1", (case.agent_leg,), keyed=(case.agent_leg,))]


def test_a_whisper_from_before_the_gap_is_not_waited_for(case):
    case.tell(case.line_offer("ana"))
    case.tell(LegAdopted(CALLER, up=True, bridge_id=""))
    assert case.inside() == {CALLER, "line-ana"}
