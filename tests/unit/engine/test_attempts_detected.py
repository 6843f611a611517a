"""A campaign's call that is screened: what the detector says, and what becomes of who answered."""

from dataclasses import replace

import pytest

from core.attempt import AttemptState
from core.decisions import Noted
from core.events import (
    CommandRejected,
    LegAdopted,
    LegEarlyMedia,
    LegRinging,
    ListenerLost,
)
from core.leg import EndReason
from core.leg_commands import OriginateLeg
from core.queue_facts import QueueJoined
from engine import screening
from tests.unit.engine.attempt_case import HER, ID, WANTED, Case
from tests.unit.engine.attempt_stages import heard

S = AttemptState
SCREENED = replace(WANTED, screen=True)


def test_a_detector_listens_from_the_dialing_on_and_a_person_meets_an_agent():
    case = Case(SCREENED)
    (dialed,) = case.commanded(OriginateLeg)
    assert (dialed.listen.listener, dialed.listen.listening_id) == ("amd", "at-1.amd")
    assert dialed.listen.options == {"limit_s": "6", "speaks_on_s": "9", "rest_s": "1.6"}
    assert Case(WANTED).commanded(OriginateLeg)[0].listen is None
    case.answer()
    assert case.said(QueueJoined) == []
    case.tell(heard("machine", final=False), heard("human", at_s=case.now_s))
    assert case.progressed() == ["answered", "screen"]
    assert case.interaction.waiting is not None
    case.connect()
    assert case.progressed() == ["answered", "screen", "connect"]
    case.over()


@pytest.mark.parametrize(
    ("label", "outcome"),
    [("machine", "machine"), ("beep", "machine"), ("fax", "fax"), ("busy", "machine"), ("sit", "machine")],
)
def test_a_machine_is_hung_up_on(label, outcome):
    case = Case(SCREENED).answer()
    case.tell(heard(label))
    assert case.progressed() == ["answered", "screen", outcome]
    assert case.is_hung_up
    case.over(EndReason.HUNG_UP_BY_US)


@pytest.mark.parametrize(
    ("label", "outcome"), [("fax", "fax"), ("busy", "busy"), ("congestion", "failed"), ("sit", "invalid")]
)
def test_the_network_may_say_it_before_anybody_answers(label, outcome):
    case = Case(SCREENED)
    case.tell(LegEarlyMedia(HER), heard(label))
    assert case.progressed() == ["ringing", outcome]
    assert case.is_hung_up


@pytest.mark.parametrize(
    "lost",
    [
        heard("not_sure"),
        ListenerLost(HER, "at-1.amd", "its worker died"),
        CommandRejected(ID, "7.1", "ListenToLeg", "there is no worker", HER, "at-1.amd"),
    ],
)
def test_without_a_detector_whoever_answers_is_a_person(lost):
    early = Case(SCREENED)
    early.tell(LegRinging(HER), lost)
    early.answer()
    assert early.progressed() == ["ringing", "answered"]
    assert early.said(QueueJoined)
    late = Case(SCREENED).answer()
    late.tell(lost)
    assert late.progressed()[:2] == ["answered", "screen"]
    assert late.said(QueueJoined)


def test_after_a_gap_nobody_listens():
    case = Case(SCREENED)
    case.restart()
    case.tell(LegAdopted(HER, up=False))
    case.answer()
    assert case.progressed() == ["answered"]
    assert case.said(QueueJoined)


def test_the_time_for_an_agent_is_counted_from_the_end_of_her_greeting():
    case = Case(SCREENED).answer()
    case.wait(1.5)
    case.tell(heard("human", at_s=case.now_s - 0.2))
    case.wait(1.5)
    assert case.progressed() == ["answered", "screen"]
    case.wait(0.5)
    assert case.progressed() == ["answered", "screen", "no_agent"]
    case.over()


def test_the_time_for_an_agent_is_counted_from_the_answer_of_who_says_nothing():
    case = Case(SCREENED).answer()
    case.wait(WANTED.within_s - screening.HAND_OVER_S)
    case.tell(heard("silence", at_s=case.now_s))
    assert case.interaction.waiting is not None
    assert case.attempt.greeted_s == 0.0, "no greeting has ended"
    case.wait(screening.HAND_OVER_S)
    assert case.progressed() == ["answered", "screen", "no_agent"]
    case.over()


def test_where_the_law_counts_from_the_answer_listening_ends_in_time_for_it():
    case = Case(replace(SCREENED, after_answer_s=2.0))
    (dialed,) = case.commanded(OriginateLeg)
    assert dialed.listen.options == {"limit_s": "1.4", "speaks_on_s": "1.4", "rest_s": "1.6"}
    case.answer()
    case.wait(2.0 - screening.HAND_OVER_S)
    assert case.said(QueueJoined), "whoever it is, an agent has time to come"
    assert (case.attempt.verdict, case.progressed()) == ("unknown", ["answered", "screen"])
    case.wait(screening.HAND_OVER_S)
    assert case.progressed() == ["answered", "screen", "no_agent"]


def test_a_greeting_gives_no_time_that_the_law_counts_from_the_answer():
    case = Case(replace(SCREENED, after_answer_s=2.0)).answer()
    case.wait(1.5)
    case.tell(heard("human", at_s=case.now_s))
    case.wait(0.4)
    assert case.progressed() == ["answered", "screen", "no_agent"]


def test_who_answered_is_told_with_every_move_after_it():
    case = Case(SCREENED).answer()
    case.tell(heard("human", at_s=case.now_s))
    case.connect()
    told = case.progress()
    assert (told.event, told.verdict, told.evidence) == ("connect", "human", "so it sounds")
    assert told.greeted_s == case.attempt.greeted_s
    assert told.greeted_s > 0
    machine = Case(SCREENED).answer()
    machine.tell(heard("machine"))
    assert (machine.progress().verdict, machine.progress().greeted_s) == ("machine", 0.0)
    assert Noted("screened", "machine: so it sounds") in machine.decisions


def test_a_verdict_that_does_not_come_is_a_person():
    case = Case(SCREENED).answer()
    case.wait(screening.LONGEST_S)
    assert case.progressed()[:2] == ["answered", "screen"]
    assert case.said(QueueJoined)
    case.tell(heard("machine"))
    assert len(case.said(QueueJoined)) == 1
    case.wait(5)
    assert case.is_heard
