"""A supervisor's own call: asked for, lent to the conversation she follows, given back."""

import pytest

from core.commands import AskAgent
from core.decisions import Supervised
from core.events import AgentAnswered, DigitPressed, LegAdopted, LegEnded, PlaybackFinished
from core.leg import EndReason
from core.leg_commands import HangUpLeg, Play
from core.line_facts import LineChanged, LineParty, LineUsed
from core.media import Tone
from tests.unit.engine.talk_case import CALLER, ID, Case, heard

WHO = {"agent_id": "marta", "followed": "eva", "conversation": "i-9", "device": "main-1003"}


@pytest.fixture
def asking():
    return Case().queue("4")


def answer(case, *, why="", values=WHO):
    (asked,) = (each for each in case.commands if isinstance(each, AskAgent))
    assert (asked.action, asked.value) == ("supervise", "22")
    return case.tell(AgentAnswered(ID, asked.request_id, not why, why, values))


@pytest.fixture
def lent(asking):
    asking.tell(LineUsed(ID, CALLER, "i-9"))
    answer(asking)
    return asking


def test_her_flow_is_over_and_her_call_is_not(lent):
    assert lent.commanded(HangUpLeg) == []
    assert [d for d in lent.last.decisions if isinstance(d, Supervised)] == [
        Supervised("i-9", "main", "marta", "listen", ("eva",), "main-1003")
    ]


def test_keys_ends_of_sounds_and_restarts_are_the_conversations(lent):
    assert lent.tell(DigitPressed(CALLER, "2")).facts == [LineParty("i-9", CALLER, "digit", digit="2")]
    assert lent.tell(PlaybackFinished(CALLER, "i-9.w1")).facts == [
        LineParty("i-9", CALLER, "played", playback_id="i-9.w1")
    ]
    assert lent.tell(LegAdopted(CALLER, up=True, bridge_id="b")).facts == [
        LineParty("i-9", CALLER, "adopted", bridge_id="b")
    ]
    assert lent.last.commands == []


def test_who_hangs_up_leaves_the_conversation_and_is_no_line_to_the_router(lent):
    lent.tell(LegEnded(CALLER, EndReason.HUNG_UP))
    assert lent.said(LineParty) == [LineParty("i-9", CALLER, "ended")]
    assert lent.said(LineChanged) == []
    lent.nothing_is_left()


@pytest.mark.parametrize("adopted", [False, True])
def test_a_beep_and_the_end_when_the_conversation_is_over(lent, adopted):
    (beep,) = lent.tell(LineUsed(ID, CALLER)).commands
    assert isinstance(beep, Play)
    assert beep.parts == (Tone("beep"),)
    assert lent.tell(DigitPressed(CALLER, "2")).facts == []
    over = LegAdopted(CALLER, up=True, bridge_id="") if adopted else PlaybackFinished(CALLER, beep.playback_id)
    assert lent.tell(over).commands == [HangUpLeg(CALLER)]
    lent.tell(LegEnded(CALLER, EndReason.HUNG_UP_BY_US))
    assert lent.said(LineParty) == []
    lent.nothing_is_left()


def test_a_refusal_is_in_the_audit_log_and_her_flow_says_why(asking):
    answer(asking, why="nobody talks", values={**WHO, "conversation": ""})
    assert heard(asking) == ["Lo sentimos."]
    assert asking.interaction.line is None
    assert [d.refused for d in asking.last.decisions if isinstance(d, Supervised)] == ["nobody talks"]


def test_who_is_not_known_has_asked_for_nothing(asking):
    answer(asking, why="wrong PIN", values={})
    assert not [d for d in asking.last.decisions if isinstance(d, Supervised)]
    assert heard(asking) == ["Lo sentimos."]


def test_until_she_has_an_answer_a_restart_asks_again(asking):
    asking.tell(LegAdopted(CALLER, up=True, bridge_id=""))
    first, second = (each.request_id for each in asking.commands if isinstance(each, AskAgent))
    assert (asking.interaction.line.request_id, first == second) == (second, False)
