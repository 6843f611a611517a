"""A machine answered: what it gets, how it is taken from an agent, and what the dialer is told."""

from dataclasses import replace

import pytest

from core.attempt import AttemptState
from core.dialing import OnMachine
from core.events import AudioVerdict, LegAdopted, LegEnded, ListenerLost, PlaybackFinished
from core.leg import EndReason
from core.leg_commands import BridgeLegs, DestroyBridge, DismissListener, HangUpLeg, OriginateLeg, Play
from core.line_facts import LineUsed
from core.queue_facts import QueueJoined, StayGivenUp
from core.talk_facts import TalkEnded
from dialer.amd.limits import LIMIT_S
from engine import screening
from tests.unit.engine.attempt_case import AGENTLESS, HER, ID, WANTED, Case

S = AttemptState
MESSAGE = replace(WANTED, screen=True, on_machine="message", machine_flow="voicemail", beep_within_s=20.0)
FIRST = replace(WANTED, screen=True, bridge_first=True)


def heard(label, *, final=True, at_s=0.0, why="so it sounds"):
    return AudioVerdict(HER, "at-1.amd", "amd", label, 0.9, why, final, at_s)


def spoken(case):
    return [command for command in case.commanded(Play) if command.leg_id == HER]


def finish(case):
    """The message has been played to its end, and the flow hangs up."""
    (play,) = spoken(case)
    case.tell(PlaybackFinished(HER, play.playback_id, "completed"))


# -- a message after the beep ------------------------------------------------------------------------------------
def test_the_message_follows_the_beep_and_is_left_when_it_was_said():
    case = Case(MESSAGE)
    assert case.commanded(OriginateLeg)[0].listen.listener == "mailbox"
    case.answer()
    case.tell(heard("machine", final=False))
    assert case.state is S.LEAVING_MESSAGE
    assert spoken(case) == [], "its greeting is not talked into"
    case.wait(8)
    case.tell(heard("beep"))
    assert spoken(case)
    assert case.progressed() == ["answered", "screen", "mailbox"]
    finish(case)
    assert case.is_hung_up
    assert case.progressed() == ["answered", "screen", "mailbox", "message_left"]
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is S.MESSAGE_LEFT


@pytest.mark.parametrize("label", ["beep", "quiet"])
def test_a_beep_at_once_needs_no_verdict_before(label):
    case = Case(MESSAGE).answer()
    case.tell(heard(label))
    assert case.progressed() == ["answered", "screen", "mailbox"]
    assert spoken(case)
    finish(case)
    case.over(EndReason.HUNG_UP_BY_US)


@pytest.mark.parametrize(("no_beep", "left"), [("hang_up", False), ("message", True)])
@pytest.mark.parametrize(
    "silence",
    [None, heard("machine", why="no beep came"), ListenerLost(HER, "at-1.amd", "its worker died")],
    ids=["time", "verdict", "worker"],
)
def test_what_follows_when_no_beep_comes(no_beep: OnMachine, left, silence):
    case = Case(replace(MESSAGE, no_beep=no_beep)).answer()
    case.tell(heard("machine", final=False))
    if silence is None:
        case.wait(MESSAGE.beep_within_s)
    else:
        case.tell(silence)
    assert bool(spoken(case)) is left
    if left:
        finish(case)
    assert case.is_hung_up
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is (S.MESSAGE_LEFT if left else S.MACHINE)


def test_a_machine_that_hangs_up_first_has_no_message():
    case = Case(MESSAGE).answer()
    case.tell(heard("machine", final=False), heard("beep"))
    assert spoken(case)
    case.over(EndReason.HUNG_UP)
    assert case.state is S.MACHINE
    assert case.progressed()[-1] == "hung_up"


def test_a_person_is_no_mailbox_and_a_late_verdict_changes_nothing():
    case = Case(MESSAGE).answer()
    case.tell(heard("human", at_s=case.now_s))
    assert case.said(QueueJoined)
    case.tell(heard("machine", final=False), heard("beep"))
    assert case.state is S.SCREENING
    case.connect()
    case.tell(heard("beep"))
    assert case.state is S.CONNECTED
    case.over()


def test_where_the_law_lets_none_be_left_it_says_why():
    case = Case(replace(MESSAGE, on_machine="hang_up", machine_why="us/consent: no consent")).answer()
    case.tell(heard("machine"))
    assert case.progressed()[-1] == "machine"
    assert "us/consent: no consent" in case.progress().why


def test_a_message_whose_flow_is_not_there_hangs_up():
    case = Case(replace(MESSAGE, machine_flow="nothing")).answer()
    case.tell(heard("beep"))
    assert case.is_hung_up
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is S.MACHINE


def test_after_a_gap_the_beep_may_be_over():
    waiting = Case(MESSAGE).answer()
    waiting.tell(heard("machine", final=False))
    waiting.restart()
    waiting.tell(LegAdopted(HER, up=True))
    assert waiting.state is S.MACHINE
    speaking = Case(MESSAGE).answer()
    speaking.tell(heard("beep"))
    speaking.restart()
    speaking.tell(LegAdopted(HER, up=True))
    assert speaking.state is S.LEAVING_MESSAGE
    assert len(spoken(speaking)) == 2, "the flow says it again"


def test_an_agentless_call_leaves_it_too():
    case = Case(replace(AGENTLESS, screen=True, on_machine="message", machine_flow="voicemail")).answer()
    case.tell(heard("beep"))
    finish(case)
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is S.MESSAGE_LEFT


# -- an agent hears her first -----------------------------------------------------------------------------------------
def test_an_agent_has_her_before_anybody_knows():
    case = Case(FIRST)
    assert case.commanded(OriginateLeg)[0].listen.beside
    case.answer()
    assert case.said(QueueJoined)
    case.connect()
    assert case.progressed() == ["answered", "connect"]
    case.tell(heard("human", at_s=case.now_s))
    assert case.attempt.verdict == "human"
    case.tell(heard("machine"))
    assert case.state is S.CONNECTED
    case.over()


@pytest.mark.parametrize(
    ("label", "outcome"), [("machine", "machine"), ("beep", "machine"), ("fax", "fax"), ("busy", "machine")]
)
def test_a_machine_is_taken_from_its_agent(label, outcome):
    case = Case(FIRST).answer().connect()
    case.tell(heard(label))
    assert case.progressed() == ["answered", "connect", outcome]
    assert case.is_hung_up
    (bridged,) = case.commanded(BridgeLegs)
    assert [gone.bridge_id for gone in case.commanded(DestroyBridge)] == [bridged.bridge_id]
    assert case.said(LineUsed)[-1].talking_in == "", "she has her line back at once"
    assert [(end.agent_id, end.how) for end in case.said(TalkEnded)] == [("ana", "machine")]
    case.over(EndReason.HUNG_UP_BY_US)


def test_a_machine_that_still_waits_for_an_agent_gets_none():
    case = Case(FIRST).answer()
    case.tell(heard("machine"))
    assert [given.stay_id for given in case.said(StayGivenUp)]
    assert case.progressed() == ["answered", "machine"]
    case.wait(10)
    assert case.progressed() == ["answered", "machine"]
    case.over(EndReason.HUNG_UP_BY_US)


def test_nobody_is_taken_away_after_the_limit():
    case = Case(FIRST)
    assert case.commanded(OriginateLeg)[0].listen.options == {"limit_s": "6", "speaks_on_s": "6"}
    case.answer().connect()
    case.wait(LIMIT_S + screening.LATE_S)
    (dismissed,) = case.commanded(DismissListener)
    assert dismissed.leg_id == HER
    case.tell(heard("machine"))
    assert case.state is S.CONNECTED
    assert not case.is_hung_up
    case.over()


def test_taken_from_its_agent_it_may_still_get_a_message():
    case = Case(replace(MESSAGE, bridge_first=True)).answer().connect()
    case.tell(heard("machine", final=False))
    assert case.state is S.LEAVING_MESSAGE
    assert not [hung for hung in case.commanded(HangUpLeg) if hung.leg_id == HER]
    case.tell(heard("beep"))
    finish(case)
    case.over(EndReason.HUNG_UP_BY_US)
    assert case.state is S.MESSAGE_LEFT


def test_she_may_hang_up_while_it_is_listened_to():
    case = Case(FIRST).answer().connect()
    case.tell(LegEnded(HER, EndReason.HUNG_UP, 16))
    assert case.state is S.COMPLETED
    case.tell(AudioVerdict(HER, "at-1.amd", "amd", "machine", 0.9, "late", True))
    assert case.state is S.COMPLETED
    assert ID
