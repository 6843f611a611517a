"""What the engine may rely on when people talk: who hears whom, in memory and with real phones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from core.errors import CommandRefused, LegGone
from core.events import DigitPressed, LegEnded, PlaybackFinished, RecordingFailed, RecordingFinished
from core.leg import EndReason
from tests.asterisk_fixture import AsteriskNode
from tests.contract.control_stage import asterisk_stage, fake_stage
from tests.contract.conversation_stage import MUSIC, AsteriskConversation, ConversationStage, FakeConversation


@pytest.fixture(params=["fake", pytest.param("asterisk", marks=pytest.mark.asterisk)])
def node(request: pytest.FixtureRequest) -> AsteriskNode | None:
    """None for the fake's half: it runs without an Asterisk."""
    return None if request.param == "fake" else request.getfixturevalue("asterisk_node")


@pytest.fixture
async def stage(node: AsteriskNode | None, tmp_path: Path) -> AsyncIterator[ConversationStage]:
    if node is None:
        async with fake_stage(tmp_path, FakeConversation) as fake:
            yield fake
    else:
        async with asterisk_stage(node, tmp_path, AsteriskConversation) as real:
            assert await real.manager.start()
            yield real


@pytest.fixture
def bridge(tmp_path: Path) -> str:
    return f"bridge-{tmp_path.name}"


async def test_who_is_held_hears_music_and_nobody_else_and_then_talks_again(
    stage: ConversationStage, bridge: str
) -> None:
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    assert await caller.hears("ana")
    assert await ana.hears("caller")
    await stage.control.unbridge(bridge, caller.leg_id)
    await stage.control.start_music(caller.leg_id, MUSIC)
    assert await caller.hears(MUSIC)
    assert await ana.hears()
    await stage.control.stop_music(caller.leg_id)
    await stage.control.bridge(bridge, [caller.leg_id])
    assert await caller.hears("ana")
    assert await ana.hears("caller")
    await stage.control.destroy_bridge(bridge)
    assert await caller.hears()
    assert await ana.hears()


async def test_music_ends_when_its_listener_is_bridged(stage: ConversationStage, bridge: str) -> None:
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.start_music(caller.leg_id, MUSIC)
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    assert await caller.hears("ana")
    assert await ana.hears("caller")
    await stage.control.unbridge(bridge, caller.leg_id)
    assert await caller.hears(), "and does not come back by itself"
    await stage.control.destroy_bridge(bridge)


async def test_out_of_a_bridge_it_is_not_in_a_leg_comes_at_once(stage: ConversationStage, bridge: str) -> None:
    caller = await stage.caller()
    await stage.control.unbridge("no-such-bridge", caller.leg_id)
    await stage.control.bridge(bridge, [caller.leg_id])
    await stage.control.unbridge(bridge, caller.leg_id)
    await stage.control.unbridge(bridge, caller.leg_id)
    await stage.control.destroy_bridge(bridge)
    await caller.hang_up()
    await stage.facts.next(LegEnded, caller.leg_id)
    with pytest.raises(LegGone):
        await stage.control.unbridge(bridge, caller.leg_id)


async def test_who_is_muted_hears_and_is_not_heard(stage: ConversationStage, bridge: str) -> None:
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    await stage.control.mute(ana.leg_id, True)
    await stage.control.mute(ana.leg_id, True)
    assert await caller.hears()
    assert await ana.hears("caller")
    await stage.control.mute(ana.leg_id, False)
    await stage.control.mute(ana.leg_id, False)
    assert await caller.hears("ana")
    assert await ana.hears("caller")
    await stage.control.destroy_bridge(bridge)


async def test_a_leg_moves_from_one_conversation_into_another(stage: ConversationStage, bridge: str) -> None:
    caller, ana, luis = await stage.caller(), await stage.agent("ana"), await stage.agent("luis")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    await stage.control.bridge(f"{bridge}.2", [caller.leg_id, luis.leg_id])
    assert await caller.hears("luis")
    assert await ana.hears()
    assert await luis.hears("caller")
    (survey,) = await stage.control.survey()
    there = {bridge_id: set(legs) for bridge_id, legs in survey.bridges.items()}
    assert there == {bridge: {ana.leg_id}, f"{bridge}.2": {caller.leg_id, luis.leg_id}}
    await stage.control.bridge(bridge, [caller.leg_id])
    assert await caller.hears("ana")
    assert await ana.hears("caller")
    assert await luis.hears()
    await stage.control.destroy_bridge(bridge)
    await stage.control.destroy_bridge(f"{bridge}.2")


async def test_who_was_left_alone_hears_whoever_comes_next(stage: ConversationStage, bridge: str) -> None:
    """With phones of several codecs: the translation for one partner is none for the next."""
    caller = await stage.caller()
    for name in ("ana", "luis", "eva", "ana"):
        agent = await stage.agent(name)
        await stage.control.bridge(bridge, [caller.leg_id, agent.leg_id])
        assert await caller.hears(name)
        assert await agent.hears("caller")
        await stage.control.hang_up(agent.leg_id, EndReason.HUNG_UP_BY_US)
        await stage.facts.next(LegEnded, agent.leg_id)
    await stage.control.destroy_bridge(bridge)


async def test_three_talk_and_the_two_who_stay_talk_on(stage: ConversationStage, bridge: str) -> None:
    caller, ana, luis = await stage.caller(), await stage.agent("ana"), await stage.agent("luis")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    await stage.control.bridge(bridge, [luis.leg_id])
    assert await caller.hears("ana", "luis")
    assert await ana.hears("caller", "luis")
    assert await luis.hears("caller", "ana")
    await ana.hang_up()
    await stage.facts.next(LegEnded, ana.leg_id)
    assert await caller.hears("luis")
    assert await luis.hears("caller")
    await stage.control.destroy_bridge(bridge)


async def test_a_parked_leg_gets_silence_and_is_in_a_conversation_when_it_is_wanted(
    stage: ConversationStage, bridge: str
) -> None:
    """`bench.held_line` measures how soon."""
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.park(ana.leg_id)
    await stage.control.park(ana.leg_id)
    before = await ana.packets()
    assert await ana.hears()
    assert await ana.packets() > before, "silence flows"
    await stage.control.start_music(caller.leg_id, MUSIC)
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    assert await ana.hears("caller")
    assert await caller.hears("ana")
    await stage.control.unbridge(bridge, ana.leg_id)
    await stage.control.park(ana.leg_id)
    assert await ana.hears()
    await stage.control.bridge(bridge, [ana.leg_id])
    assert await ana.hears("caller")
    await stage.control.destroy_bridge(bridge)


@pytest.mark.parametrize("late_s", [0.0, 0.001, 0.004, 0.015])
async def test_who_is_put_at_rest_while_she_is_put_through_hears_all_the_same(
    stage: ConversationStage, bridge: str, late_s: float
) -> None:
    """Whoever had her is told that his beep was stopped, and does not know yet that she is wanted."""
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.park(ana.leg_id)
    await stage.control.play(ana.leg_id, f"{ana.leg_id}.k1", ("tone:beep",) * 3)
    await asyncio.sleep(0.2)
    put_through = asyncio.ensure_future(stage.control.bridge(bridge, [caller.leg_id, ana.leg_id]))
    await stage.facts.next(PlaybackFinished, ana.leg_id)
    await asyncio.sleep(late_s)
    await stage.control.park(ana.leg_id)
    await put_through
    assert await ana.hears("caller")
    assert await caller.hears("ana")
    await stage.control.destroy_bridge(bridge)


# -- recording ---------------------------------------------------------------------------------------
async def test_a_conversation_is_recorded_in_two_channels_and_falls_silent_while_paused(
    stage: ConversationStage, bridge: str
) -> None:
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    assert await ana.hears("caller")
    assert await caller.hears("ana")
    recording_id, control = f"{caller.leg_id}/talk", stage.control
    began = await _moment(control.start_talk_recording(caller.leg_id, recording_id))
    stretch_s = 1.0 + began[1] - began[0]
    await asyncio.sleep(stretch_s)
    paused = await _moment(control.pause_talk_recording(caller.leg_id, recording_id, True))
    await asyncio.sleep(stretch_s)
    resumed = await _moment(control.pause_talk_recording(caller.leg_id, recording_id, False))
    await asyncio.sleep(stretch_s)
    stopped = await _moment(control.stop_talk_recording(caller.leg_id, recording_id))
    finished = await stage.facts.next(RecordingFinished, caller.leg_id)
    assert (finished.recording_id, finished.ended_by) == (recording_id, "stopped")
    assert stopped[0] - began[1] - 0.4 < finished.duration_s < stopped[1] - began[0] + 0.4
    await stage.control.stop_talk_recording(caller.leg_id, recording_id)
    destination = stage.destination("kept/talk.wav")
    await stage.control.keep_recording(caller.leg_id, recording_id, str(destination))
    assert not stage.spooled(recording_id)
    # What was done some time between two moments is left out, and what a busy machine is late by.
    for after, before, heard in (
        (began, paused, ({"caller"}, {"ana"})),
        (paused, resumed, (set(), set())),
        (resumed, stopped, ({"caller"}, {"ana"})),
    ):
        from_s, to_s = after[1] - began[0] + 0.2, before[0] - began[1] - 0.2
        assert stage.sides(recording_id, destination, from_s, to_s) == heard, (from_s, to_s)
    assert await caller.hears("ana"), "the call goes on"
    await stage.control.destroy_bridge(bridge)


async def _moment(done: Awaitable[None]) -> tuple[float, float]:
    """Between which two moments it was done, seconds."""
    before_s = time.monotonic()
    await done
    return before_s, time.monotonic()


async def test_a_recorded_leg_that_ends_has_ended_its_recording_before(stage: ConversationStage, bridge: str) -> None:
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    assert await ana.hears("caller")
    assert await caller.hears("ana")
    recording_id = f"{caller.leg_id}/talk"
    await stage.control.start_talk_recording(caller.leg_id, recording_id)
    with pytest.raises(CommandRefused):
        await stage.control.start_talk_recording(caller.leg_id, f"{recording_id}2")
    await asyncio.sleep(1.0)
    await caller.hang_up()
    await stage.facts.next(LegEnded, caller.leg_id)
    (finished,) = stage.facts.of(RecordingFinished, caller.leg_id)
    assert finished.ended_by == "hangup"
    destination = stage.destination("talk.wav")
    await stage.control.keep_recording(caller.leg_id, recording_id, str(destination))
    assert stage.sides(recording_id, destination, 0.3, 0.9) == ({"caller"}, {"ana"})
    await stage.control.stop_talk_recording(caller.leg_id, recording_id)
    await stage.control.destroy_bridge(bridge)


async def test_a_conversation_that_is_discarded_leaves_nothing(stage: ConversationStage) -> None:
    caller = await stage.caller()
    recording_id = f"{caller.leg_id}/talk"
    await stage.control.start_talk_recording(caller.leg_id, recording_id)
    await asyncio.sleep(0.3)
    await stage.control.discard_recording(caller.leg_id, recording_id)
    await asyncio.sleep(0.3)
    assert stage.facts.of(RecordingFinished, caller.leg_id) == []
    assert not stage.spooled(recording_id)
    await caller.hang_up()
    await stage.facts.next(LegEnded, caller.leg_id)
    assert stage.facts.of(RecordingFinished, caller.leg_id) == []
    assert stage.facts.of(RecordingFailed, caller.leg_id) == []


# -- keys --------------------------------------------------------------------------------------------
async def test_a_beep_after_an_agents_key_parts_nobody(stage: ConversationStage, bridge: str) -> None:
    caller, ana = await stage.caller(), await stage.agent("ana")
    await stage.control.bridge(bridge, [ana.leg_id])  # as an engine finds her that was not there before
    await stage.control.bridge(bridge, [caller.leg_id], keyed=[ana.leg_id])
    for n, digit in enumerate("*6*5", start=1):
        await ana.press(digit)
        assert (await stage.facts.next(DigitPressed, ana.leg_id, count=n)).digit == digit
        await stage.control.play(ana.leg_id, f"{ana.leg_id}.{n}", [stage.sound(0.3)])
        await stage.facts.next(PlaybackFinished, ana.leg_id, count=n)
        assert await caller.hears("ana")
        assert await ana.hears("caller")
    await caller.press("7")
    assert await ana.digits("7") == "7"
    await stage.control.send_digits(caller.leg_id, "8")
    assert await caller.digits("8") == "8", "and none of the agent's"
    assert await caller.hears("ana")
    assert await ana.hears("caller")
    await stage.control.destroy_bridge(bridge)


# -- ringing -----------------------------------------------------------------------------------------
async def test_a_phone_is_asked_to_answer_by_itself_and_shown_who_calls(stage: ConversationStage) -> None:
    ana = await stage.agent("ana", auto_answer=True, caller_name='Marta "M" López <b>')
    assert "answer-after=0" in ana.headers["Call-Info"]
    assert ana.headers["From"].startswith('"Marta M López b" <')
    luis = await stage.agent("luis")
    assert "Call-Info" not in luis.headers
    for agent in (ana, luis):
        await stage.control.hang_up(agent.leg_id, EndReason.HUNG_UP_BY_US)
        await stage.facts.next(LegEnded, agent.leg_id)


@pytest.mark.parametrize("caller", ["anonymous", "reception"])
async def test_a_phone_rings_for_a_caller_who_shows_no_number(stage: ConversationStage, caller: str) -> None:
    ana = await stage.agent("ana", shown=caller)
    assert ana.headers["From"].startswith(f'"{caller}" <')
    assert caller in ana.headers["From"].partition("<")[2]
    await stage.control.hang_up(ana.leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, ana.leg_id)


# -- supervising -------------------------------------------------------------------------------------
async def test_a_supervisor_listens_whispers_and_barges_in(stage: ConversationStage, bridge: str) -> None:
    caller, ana, luis = await stage.caller(), await stage.agent("ana"), await stage.agent("luis")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    await stage.control.listen_in(luis.leg_id, ana.leg_id, False)
    assert await luis.hears("caller", "ana")
    assert await ana.hears("caller")
    assert await caller.hears("ana")
    await stage.control.listen_in(luis.leg_id, ana.leg_id, True)
    assert await ana.hears("caller", "luis")
    assert await caller.hears("ana")
    await stage.control.listen_in(luis.leg_id, ana.leg_id, False)
    assert await ana.hears("caller")
    (survey,) = await stage.control.survey()
    assert set(survey.bridges) == {bridge}
    assert {leg.leg_id for leg in survey.legs} == {caller.leg_id, ana.leg_id, luis.leg_id}
    await stage.control.bridge(bridge, [luis.leg_id])
    assert await caller.hears("ana", "luis")
    assert await luis.hears("caller", "ana")
    await stage.control.unbridge(bridge, luis.leg_id)
    await stage.control.destroy_bridge(bridge)
    assert not await stage.eavesdroppers()


async def test_who_listens_hears_nobody_any_more_when_the_agent_goes(stage: ConversationStage, bridge: str) -> None:
    caller, ana, luis = await stage.caller(), await stage.agent("ana"), await stage.agent("luis")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    await stage.control.park(luis.leg_id)
    await stage.control.listen_in(luis.leg_id, ana.leg_id, True)
    assert await luis.hears("caller", "ana")
    await ana.hang_up()
    await stage.facts.next(LegEnded, ana.leg_id)
    assert await luis.hears()
    with pytest.raises(LegGone):
        await stage.control.listen_in(luis.leg_id, ana.leg_id, False)
    await stage.control.stop_listening(luis.leg_id)
    await stage.control.bridge(bridge, [luis.leg_id])
    assert await luis.hears("caller")
    assert await caller.hears("luis")
    await stage.control.destroy_bridge(bridge)
    assert not await stage.eavesdroppers()


async def test_nobody_notices_that_a_supervisor_leaves(stage: ConversationStage, bridge: str) -> None:
    caller, ana, luis = await stage.caller(), await stage.agent("ana"), await stage.agent("luis")
    await stage.control.bridge(bridge, [caller.leg_id, ana.leg_id])
    await stage.control.listen_in(luis.leg_id, ana.leg_id, True)
    assert await ana.hears("caller", "luis")
    await luis.hang_up()
    await stage.facts.next(LegEnded, luis.leg_id)
    assert await ana.hears("caller")
    assert await caller.hears("ana")
    assert not await stage.eavesdroppers()
    await stage.control.destroy_bridge(bridge)
