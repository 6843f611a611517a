"""A campaign's call to somebody: every state it can be in, every way it can end there."""

from dataclasses import replace

import pytest

from core.agent_facts import AgentKept
from core.attempt import AttemptState
from core.commands import GiveDisposition
from core.decisions import InteractionOpened, Noted
from core.dialing import AttemptCancelled, AttemptDisposed, AttemptProgressed
from core.events import (
    CommandRejected,
    DigitPressed,
    LegEarlyMedia,
    LegEnded,
    LegRinging,
    LegUp,
    QueueLeft,
)
from core.leg import EndReason
from core.leg_commands import BridgeLegs, HangUpLeg, OriginateLeg, Play, StartMusic
from core.line_facts import LineUsed
from core.offer_facts import OfferAccepted
from core.queue_facts import QueueJoined, StayGivenUp
from engine import decide
from engine.config.queue_prompts import QueuePrompts
from ivr.prompts import Prompt
from tests.unit.engine.attempt_case import AGENTLESS, AROUND, HER, ID, WANTED, Case, surroundings
from tests.unit.engine.attempt_stages import ringing

S = AttemptState


# -- dialing ---------------------------------------------------------------------------------------------
def test_she_is_dialed_over_the_trunk_and_sees_the_campaigns_number():
    case = Case()
    (dialed,) = case.commanded(OriginateLeg)
    assert (dialed.leg_id, dialed.endpoint, dialed.node) == (HER, "trunk:main-carrier/+34911234567", "n1")
    assert dialed.caller == "+34900100200"
    assert dialed.ring_s >= 20 + 15 - 1e-9, "from the first ring on she has her time, however long the network takes"
    assert case.last.dialed_by == "landlines"
    (opened,) = [decision for decision in case.decisions if isinstance(decision, InteractionOpened)]
    assert (opened.direction, opened.called, opened.rule) == ("outbound", "+34911234567", "campaign spring")
    assert case.state is S.DIALING
    assert case.progressed() == [], "the dialer knows that it asked for it"


def test_without_a_number_of_its_own_the_rules_is_shown():
    (dialed,) = Case(replace(WANTED, identity="")).commanded(OriginateLeg)
    assert dialed.caller == "+34900"


@pytest.mark.parametrize(("called", "why"), [("112", "emergency"), ("+15551234567", "no rule"), ("+34", "")])
def test_what_may_not_be_dialed_is_over_at_once(called, why):
    case = Case(replace(WANTED, called=called))
    assert case.commanded(OriginateLeg) == []
    assert case.progressed() == ["failed"]
    assert why in case.progress().why
    case.nothing_is_left()


def test_the_rules_hourly_cap_holds_for_campaigns():
    case = Case(around=replace(AROUND, dialed={"landlines": 5}))
    assert case.progressed() == ["failed"]
    assert "used up" in case.progress().why


def test_a_fault_while_it_is_opened_is_told_and_hurts_nobody():
    broken = replace(AROUND, outbound=None)
    decided = decide.decide(None, WANTED, broken, 1000.0)
    assert decided.refused
    assert [fact.event for fact in decided.turn.facts] == ["failed"]
    assert decided.turn.interaction.is_closed


# -- until she answers -----------------------------------------------------------------------------------------
ENDS = [
    (EndReason.BUSY, 17, "busy"),
    (EndReason.NO_ANSWER, 19, "no_answer"),
    (EndReason.INVALID_NUMBER, 1, "invalid"),
    (EndReason.REJECTED, 21, "failed"),
    (EndReason.CONGESTION, 34, "failed"),
    (EndReason.UNREACHABLE, 20, "failed"),
    (EndReason.UNREACHABLE, 19, "no_answer"),
    (EndReason.FAILED, 38, "failed"),
    (EndReason.LOST, 0, "lost"),
    (EndReason.LIMIT_REACHED, 0, "failed"),
]


@pytest.mark.parametrize(("reason", "cause", "event"), ENDS)
@pytest.mark.parametrize("rings", [False, True])
def test_every_way_not_to_be_reached(reason, cause, event, rings):
    case = Case()
    if rings:
        case.tell(LegRinging(HER))
    case.tell(LegEnded(HER, reason, cause))
    assert case.progressed() == ["ringing"] * rings + [event]
    assert (case.progress().cause, case.progress().why) == (cause, reason.value)
    assert case.said(QueueJoined) == []
    case.nothing_is_left()


def test_what_a_carrier_answered_is_told():
    case = Case()
    case.tell(LegEnded(HER, EndReason.CONGESTION, 34, 503))
    assert case.progress().why == "congestion (SIP 503)"


def test_early_media_is_ringing_and_no_answer():
    case = Case()
    case.tell(LegEarlyMedia(HER), LegRinging(HER), LegEarlyMedia(HER))
    assert case.progressed() == ["ringing"]
    assert case.said(QueueJoined) == []


def test_a_leg_that_could_not_be_dialed_has_failed():
    case = Case()
    case.tell(CommandRejected(ID, "1.0", "OriginateLeg", "no such trunk", HER, HER))
    assert case.progressed() == ["failed"]
    assert case.progress().why == "no such trunk"
    assert case.is_hung_up, "in case it exists"
    case.nothing_is_left()


def test_a_leg_that_the_node_refused_to_dial_never_left_it():
    case = Case()
    why = "acme cannot reach the trunk carrier (500 …)"
    case.tell(CommandRejected(ID, "1.0", "OriginateLeg", f"CommandRefused: {why}", HER, HER, refused=True))
    assert case.progressed() == ["not_sent"]
    assert case.progress().why == why, "read by a campaign's manager"
    case.nothing_is_left()


def test_her_phone_rings_so_long_from_its_first_ring_on():
    case = Case()
    case.wait(10)
    case.tell(LegRinging(HER))
    case.wait(19)
    assert not case.is_hung_up
    case.wait(2)
    assert case.progressed() == ["ringing", "no_answer"]
    assert case.is_hung_up
    case.over(EndReason.NO_ANSWER)


# -- called off ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rings", [False, True])
def test_nobody_cancels_before_the_least_ring(rings):
    case = Case()
    if rings:
        case.tell(LegRinging(HER))
    case.tell(AttemptCancelled(ID, "at-1", "no agents"))
    case.wait(14 if rings else 29)
    assert not case.is_hung_up, "where nobody says that it rings it may have begun late"
    case.tell(AttemptCancelled(ID, "at-1", "no agents"))
    case.wait(2)
    assert case.progressed()[-1] == "cancel"
    assert case.is_hung_up
    case.over(EndReason.HUNG_UP_BY_US)


def test_a_first_ring_after_the_wish_to_cancel_begins_the_least_ring_again():
    case = Case()
    case.tell(AttemptCancelled(ID, "at-1"))
    case.wait(10)
    case.tell(LegRinging(HER))
    case.wait(14)
    assert not case.is_hung_up
    case.wait(2)
    assert case.is_hung_up


def test_without_a_least_ring_it_is_cancelled_at_once_and_who_answered_is_not():
    free = replace(WANTED, least_ring_s=0.0)
    case = Case(free)
    case.tell(LegRinging(HER), AttemptCancelled(ID, "at-1"))
    assert case.is_hung_up
    case = Case(free).answer()
    case.tell(AttemptCancelled(ID, "at-1"))
    assert not case.is_hung_up
    assert case.progressed() == ["answered"]


def test_a_wish_to_cancel_that_waits_is_forgotten_when_she_answers():
    case = Case()
    case.tell(LegRinging(HER), AttemptCancelled(ID, "at-1"))
    case.answer().connect()
    case.wait(60)
    assert case.progressed() == ["ringing", "answered", "connect"]
    assert not case.is_hung_up


@pytest.mark.parametrize("why", ["cancelled", "rang out"])
def test_an_answer_that_crosses_our_hang_up_is_an_abandoned_call(why):
    case = Case(replace(WANTED, least_ring_s=0.0))
    case.tell(LegRinging(HER))
    if why == "cancelled":
        case.tell(AttemptCancelled(ID, "at-1"))
    else:
        case.wait(21)
    case.answer()
    assert case.progressed()[-1] == "answered"
    assert case.state is S.ABANDONED
    case.over(EndReason.HUNG_UP_BY_US)


# -- she answers -----------------------------------------------------------------------------------------------
def test_she_waits_in_silence_for_an_agent_and_the_held_line_connects_at_once():
    case = Case().answer()
    (joined,) = case.said(QueueJoined)
    assert (joined.queue, joined.node, joined.language) == ("sales", "n1", "es")
    assert not case.is_heard
    case.connect()
    assert case.progressed() == ["answered", "connect"]
    assert case.progress().agent_id == "ana"
    assert [command.leg_ids for command in case.commanded(BridgeLegs)] == [(HER, "line-ana")]
    case.wait(60)
    assert case.progressed() == ["answered", "connect"], "no deadline is left"
    case.over()
    assert case.state is S.COMPLETED
    assert case.said(LineUsed)[-1].talking_in == ""


def test_nothing_is_said_between_the_answer_and_the_agent():
    noisy = surroundings(record_percent=100)
    prompts = QueuePrompts(whisper=Prompt({"es": "Ventas"}), recording_notice=Prompt({"es": "Se graba."}))
    case = Case(around=replace(noisy, queue_prompts={("main", "sales"): prompts})).answer().connect()
    assert case.commanded(Play) == []
    assert case.interaction.recording is None, "nobody told her"
    assert any(isinstance(d, Noted) and d.what == "talk_recording" for d in case.decisions)


def test_an_agent_without_a_line_is_rung_and_withdrawn_at_the_deadline():
    case = Case().answer()
    offer = case.offer("ana")
    case.tell(offer)
    (_, ringing) = case.commanded(OriginateLeg)
    assert (ringing.endpoint, ringing.caller) == ("device:main-1001", "+34911234567")
    case.wait(2)
    assert case.progressed() == ["answered", "no_agent"]
    assert any(command.leg_id == offer.offer_id for command in case.commanded(HangUpLeg))
    assert case.commanded(Play)[-1].leg_id == HER
    case.over()


def test_the_agent_who_answers_in_time_has_her():
    case = Case().answer()
    offer = case.offer("ana")
    case.tell(offer, LegUp(offer.offer_id))
    assert case.said(OfferAccepted)
    assert case.progressed() == ["answered", "connect"]
    case.over()


def test_who_answered_before_we_heard_of_it_is_served_by_the_laws_clock_not_ours():
    case = Case()
    case.tell(LegUp(HER, late_s=1.5))
    case.wait(0.4)
    assert not case.is_heard
    case.wait(0.2)
    assert case.progressed() == ["answered", "no_agent"]


# -- too late --------------------------------------------------------------------------------------------------
def test_the_deadline_is_the_laws_and_the_message_follows():
    case = Case().answer()
    case.wait(1.9)
    assert not case.is_heard
    case.wait(0.2)
    assert case.progressed() == ["answered", "no_agent"]
    assert case.state is S.ABANDONED
    assert [fact.outcome for fact in case.said(StayGivenUp)] == ["abandoned"]
    assert case.commanded(Play)[0].leg_id == HER
    case.over()


def test_the_campaign_may_let_her_wait_on_and_she_is_abandoned_all_the_same():
    case = Case(replace(WANTED, drop_action="queue")).answer()
    case.wait(3)
    assert case.progressed() == ["answered", "no_agent"]
    assert case.commanded(StartMusic)[0].music == "jazz"
    case.connect()
    assert case.progressed() == ["answered", "no_agent"]
    assert case.commanded(BridgeLegs)
    case.over()
    assert case.state is S.ABANDONED


def test_the_campaign_may_hang_up():
    case = Case(replace(WANTED, drop_action="hang_up")).answer()
    case.wait(3)
    assert case.is_hung_up
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is S.ABANDONED


def test_the_campaigns_own_flow_is_heard_and_a_missing_one_lets_her_go():
    case = Case(replace(WANTED, drop_action="flow", drop_flow="reminder")).answer()
    case.wait(3)
    assert case.interaction.run.flow_id == "reminder"
    case = Case(replace(WANTED, drop_action="flow", drop_flow="nowhere")).answer()
    case.wait(3)
    assert case.is_hung_up
    assert any(isinstance(d, Noted) and "nowhere" in d.why for d in case.decisions)
    case.over(EndReason.HUNG_UP_BY_US)


@pytest.mark.parametrize("outcome", ["no_agents", "closed", "full"])
def test_a_queue_that_turns_her_away_is_no_silence(outcome):
    case = Case().answer()
    case.tell(QueueLeft(ID, case.interaction.waiting.stay_id, outcome))
    assert case.progressed() == ["answered", "no_agent"]
    assert outcome in case.progress().why
    assert case.commanded(Play)[0].leg_id == HER
    case.over()


def test_neither_is_one_that_could_not_take_her_in():
    case = Case().answer()
    stay_id = case.interaction.waiting.stay_id
    case.tell(CommandRejected(ID, "", "JoinQueue", "a fault", subject_id=stay_id))
    assert case.progressed() == ["answered", "no_agent"]
    assert case.is_heard


def test_who_waits_on_after_the_deadline_and_is_turned_away_hears_the_message():
    case = Case(replace(WANTED, drop_action="queue")).answer()
    case.wait(3)
    case.tell(QueueLeft(ID, case.interaction.waiting.stay_id, "no_agents"))
    assert case.progressed() == ["answered", "no_agent"]
    assert case.commanded(Play)[0].leg_id == HER
    case.over()


def test_an_overflow_within_the_time_goes_on_to_the_other_queue():
    case = Case().answer()
    case.tell(QueueLeft(ID, case.interaction.waiting.stay_id, "overflowed", "sales"))
    assert case.interaction.waiting is not None
    case.wait(3)
    assert case.progressed() == ["answered", "no_agent"]


def test_whom_the_node_told_who_called_while_no_engine_lived_was_abandoned():
    case = ringing()
    case.restart(60)
    case.over(EndReason.HARBOURED)
    assert case.progressed() == ["ringing", "answered", "no_agent"]
    assert case.state is S.ABANDONED


def test_whom_a_flow_had_on_paper_only_was_abandoned():
    """The engine hung, and hears of her answer and of the node's message in the same moment."""
    case = Case(AGENTLESS).answer()
    case.over(EndReason.HARBOURED)
    assert case.progressed() == ["answered", "connect", "harboured"]
    assert case.state is S.ABANDONED
    heard = Case(AGENTLESS).answer()
    heard.wait(5)
    heard.over(EndReason.HARBOURED)
    assert heard.state is S.COMPLETED, "she had heard some of it"


# -- she hangs up ------------------------------------------------------------------------------------------------
def test_who_hangs_up_while_she_waits_had_no_agent():
    case = Case().answer()
    case.over()
    assert case.progressed() == ["answered", "hung_up"]
    assert case.state is S.CUSTOMER_HUNG_UP
    assert [fact.outcome for fact in case.said(StayGivenUp)] == ["abandoned"]


def test_who_hangs_up_in_the_message_is_abandoned_once():
    case = Case().answer()
    case.wait(3)
    case.over()
    assert case.progressed() == ["answered", "no_agent"]


def test_both_hang_up_in_the_same_instant():
    case = Case().answer()
    offer = case.offer("ana")
    case.tell(offer, LegUp(offer.offer_id))
    case.tell(LegEnded(offer.offer_id, EndReason.HUNG_UP, 16))
    case.tell(LegEnded(HER, EndReason.HUNG_UP, 16))
    case.nothing_is_left()
    assert case.progressed() == ["answered", "connect", "hung_up"]


def test_the_agent_hangs_up_and_she_is_let_go():
    case = Case().answer()
    offer = case.offer("ana")
    case.tell(offer, LegUp(offer.offer_id), LegEnded(offer.offer_id, EndReason.HUNG_UP, 16))
    assert case.is_hung_up
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is S.COMPLETED


# -- without agents ------------------------------------------------------------------------------------------------
def test_without_a_queue_the_campaigns_flow_has_her_with_the_leads_fields():
    case = Case(AGENTLESS).answer()
    assert case.progressed() == ["answered", "connect"]
    assert case.progress().agent_id == ""
    (said,) = case.commanded(Play)
    assert "lunes" in str(said.parts)
    assert case.interaction.run.facts["caller"] == "+34911234567", "who is on the line, whoever called whom"
    case.tell(DigitPressed(HER, "1"))
    assert case.is_hung_up
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is S.COMPLETED


CHOICE = replace(AGENTLESS, flow="choice")


def test_what_she_chooses_in_the_campaigns_flow_is_told_at_once():
    case = Case(CHOICE).answer()
    case.tell(DigitPressed(HER, "1"))
    said = AttemptDisposed(ID, WANTED.attempt_id, "", "confirmed", answers={"day": "lunes"})
    assert case.said(AttemptDisposed) == [said]
    assert not case.is_hung_up, "she hears our thanks"
    case.over()
    assert (case.state, case.progress().agent_id) == (S.COMPLETED, "")


def test_an_agent_to_whom_the_flow_handed_her_is_told_with_the_end():
    case = Case(CHOICE).answer()
    case.tell(DigitPressed(HER, "2"))
    offer = case.offer("ana")
    case.tell(offer, LegUp(offer.offer_id))
    case.tell(LegEnded(offer.offer_id, EndReason.HUNG_UP, 16))
    assert [said.disposition for said in case.said(AttemptDisposed)] == ["talked"], "her flow goes on after the agent"
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.progressed() == ["answered", "connect", "hung_up"]
    assert (case.state, case.progress().agent_id) == (S.COMPLETED, "ana")


def test_what_leads_somebody_through_a_drop_says_nothing_of_what_came_of_her():
    case = Case(replace(WANTED, drop_action="flow", drop_flow="choice")).answer()
    case.wait(3)
    case.tell(DigitPressed(HER, "1"))
    assert [command.disposition for command in case.commanded(GiveDisposition)] == ["confirmed"], "the journal has it"
    assert case.said(AttemptDisposed) == []


def test_without_a_limit_she_has_music_until_her_agent_comes():
    case = Case(replace(WANTED, mode="preview", within_s=0.0, agent_id="ana")).answer()
    (joined,) = case.said(QueueJoined)
    assert joined.agent_id == "ana"
    assert case.commanded(StartMusic)
    case.wait(60)
    assert case.progressed() == ["answered"]


def test_her_agent_is_kept_for_her_until_they_talk_or_nobody_answers():
    own = replace(WANTED, mode="manual", within_s=0.0, agent_id="ana")
    case = Case(own)
    assert [(fact.agent_id, fact.kept) for fact in case.said(AgentKept)] == [("ana", True)]
    case.over(EndReason.BUSY)
    assert [fact.kept for fact in case.said(AgentKept)] == [True, False]
    ours = [fact for fact in case.facts if isinstance(fact, AgentKept | AttemptProgressed)]
    assert isinstance(ours[-1], AttemptProgressed), "the dialer finds her free"
    assert Case(WANTED).answer().said(AgentKept) == [], "anybody may have her"
