"""A flow leads the caller through something secret in the middle of a conversation, and gives her back."""

import pytest

from core.events import DigitPressed, LegAdopted, LegEnded, PlaybackFinished
from core.leg import EndReason
from core.leg_commands import BridgeLegs, HangUpLeg, MuteLeg, PauseTalkRecording, Play, StopPlayback, UnbridgeLeg
from core.talk_facts import TalkChanged, TalkEnded
from engine import snapshots
from tests.unit.engine.talk_case import CALLER, ID, RECORDED, Case, heard

CARD = "4242424242424242"


@pytest.fixture
def asked():
    """She is asked for her card number; the agent waits."""
    case = Case(RECORDED).queue().talk()
    assert case.act("consult", "flow:pay", amount="12") == ""
    return case


def key(case, digits):
    for digit in digits:
        case.tell(DigitPressed(CALLER, digit))


def test_she_leaves_the_bridge_and_the_recording_pauses(asked):
    assert asked.commanded(UnbridgeLeg) == [UnbridgeLeg(CALLER, f"{ID}.b1")]
    assert heard(asked) == ["Su tarjeta."]
    assert asked.said(TalkChanged) == [TalkChanged(ID, "ana", "consult")]
    assert [pause.paused for pause in asked.commanded(PauseTalkRecording)] == [True]
    assert asked.inside() == {asked.agent_leg}
    assert asked.interaction.holds_secrets


def test_when_the_flow_ends_they_are_together_again(asked):
    asked.tell(PlaybackFinished(CALLER, asked.commanded(Play)[0].playback_id))
    key(asked, CARD)
    assert asked.inside() == {CALLER, asked.agent_leg}
    assert HangUpLeg(CALLER) not in asked.commands
    assert asked.said(TalkChanged) == [TalkChanged(ID, "ana", "consult_ended")]
    assert [pause.paused for pause in asked.commanded(PauseTalkRecording)] == [False]
    assert "card" not in asked.interaction.run.variables, "the secret died with its flow"
    assert CARD not in str(asked.interaction)
    asked.tell(LegEnded(asked.agent_leg, EndReason.HUNG_UP))
    assert heard(asked) == ["¿Qué tal?"]


def test_the_agent_fetches_her_back(asked):
    playing = asked.interaction.run.playing
    assert "a flow has the caller" in asked.act("transfer", "queue:support")
    assert asked.act("cancel_consult") == ""
    assert StopPlayback(CALLER, playing) in asked.last.commands
    assert asked.inside() == {CALLER, asked.agent_leg}
    key(asked, "42")
    assert asked.last.commands == []


@pytest.mark.parametrize(("reason", "next_"), [(EndReason.HUNG_UP, "¿Qué tal?"), (EndReason.LOST, "Se ha cortado.")])
def test_an_agent_who_leaves_meanwhile(asked, reason, next_):
    asked.tell(LegEnded(asked.agent_leg, reason))
    assert heard(asked) == [next_]
    assert asked.said(TalkEnded)
    asked.hang_up()
    asked.nothing_is_left()


def test_a_caller_who_hangs_up_meanwhile(asked):
    asked.hang_up()
    asked.nothing_is_left()


def test_a_restart_asks_her_again_and_what_she_keyed_is_nowhere(asked):
    key(asked, "4242")
    saved = snapshots.dump(asked.interaction)
    asked.interaction = snapshots.load(saved)
    asked.tell(LegAdopted(CALLER, up=True, bridge_id=""))
    assert heard(asked) == ["Su tarjeta."]
    assert asked.commanded(BridgeLegs) == []
    asked.tell(LegAdopted(asked.agent_leg, up=True, bridge_id=f"{ID}.b1"))
    assert asked.last.commands == [MuteLeg(asked.agent_leg, muted=False)]
    key(asked, CARD)
    assert asked.inside() == {CALLER, asked.agent_leg}
