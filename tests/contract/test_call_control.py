"""What the engine may rely on, the same for real Asterisk with real phones and for the shipped fake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import CommandRefused, LegGone, TrunkAway
from core.events import (
    DigitPressed,
    LegArrived,
    LegEarlyMedia,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    PlaybackFinished,
    RecordingFinished,
)
from core.leg import EndReason, LegRole
from core.leg_commands import OriginateLeg, StartRecording
from tests.asterisk_fixture import AsteriskNode
from tests.contract.control_stage import Stage, asterisk_stage, fake_stage, without_bridges

PROMPT_S = 60.0
"""Longer than anybody waits for what is to happen in the middle of it."""


@pytest.fixture(params=["fake", pytest.param("asterisk", marks=pytest.mark.asterisk)])
def node(request: pytest.FixtureRequest) -> AsteriskNode | None:
    """None for the fake's half: it runs without an Asterisk."""
    return None if request.param == "fake" else request.getfixturevalue("asterisk_node")


@pytest.fixture
async def stage(node: AsteriskNode | None, tmp_path: Path) -> AsyncIterator[Stage]:
    async with fake_stage(tmp_path) if node is None else asterisk_stage(node, tmp_path) as stage:
        yield stage


def originate(stage: Stage, leg_id: str, ring_s: float = 10.0, limit_s: float = 60.0) -> OriginateLeg:
    return OriginateLeg(leg_id, "i1", stage.node, LegRole.AGENT, stage.endpoint, "+34911234567", ring_s, limit_s)


def leg_of(stage: Stage, name: str, tmp_path: Path) -> str:
    """A leg id of this test's own: a node is shared by many tests."""
    return f"{name}-{tmp_path.name}"


# -- arriving, answering, hanging up -------------------------------------------------------------
async def test_an_arrival_says_who_called_whom(stage: Stage) -> None:
    caller = await stage.caller()
    (arrived,) = stage.facts.of(LegArrived, caller.leg_id)
    assert (arrived.node, arrived.called, arrived.entry) == (stage.node, "900100200", "main-caller")
    assert arrived.caller != ""
    assert not arrived.retried


async def test_answering_is_told_once(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    await asyncio.sleep(0.2)
    assert len(stage.facts.of(LegUp, caller.leg_id)) == 1


async def test_a_caller_who_hangs_up_has_ended_once(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await caller.hang_up()
    ended = await stage.facts.next(LegEnded, caller.leg_id)
    assert ended.reason is EndReason.HUNG_UP
    await asyncio.sleep(0.2)
    assert len(stage.facts.of(LegEnded, caller.leg_id)) == 1


async def test_who_hangs_up_in_the_middle_of_a_prompt_has_not_heard_it(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.play(caller.leg_id, f"{caller.leg_id}.1", [stage.sound(20.0)])
    await asyncio.sleep(0.3)
    await caller.hang_up()
    await stage.facts.next(LegEnded, caller.leg_id)
    await asyncio.sleep(0.2)
    assert stage.facts.of(PlaybackFinished, caller.leg_id) == []


async def test_when_we_hang_up_it_says_so(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.hang_up(caller.leg_id, EndReason.HUNG_UP_BY_US)
    ended = await stage.facts.next(LegEnded, caller.leg_id)
    assert ended.reason is EndReason.HUNG_UP_BY_US


async def test_a_caller_can_be_declined_unanswered(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.hang_up(caller.leg_id, EndReason.BUSY)
    ended = await stage.facts.next(LegEnded, caller.leg_id)
    assert ended.reason is EndReason.BUSY
    assert stage.facts.of(LegUp, caller.leg_id) == []


async def test_commands_for_a_leg_that_has_gone_say_so(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await caller.hang_up()
    await stage.facts.next(LegEnded, caller.leg_id)
    with pytest.raises(LegGone):
        await stage.control.play(caller.leg_id, "p1", [stage.sound(1.0)])
    with pytest.raises(LegGone):
        await stage.control.hang_up(caller.leg_id, EndReason.HUNG_UP_BY_US)
    with pytest.raises(LegGone):
        await stage.control.answer("no-such-leg")


async def test_who_is_not_admitted_is_turned_away_unsaid(stage: Stage) -> None:
    stage.refuse_admission()
    await stage.knock()
    assert await stage.was_turned_away()
    assert stage.facts.told == []


async def test_holding_is_told(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    await caller.hold()
    await stage.facts.next(LegHeld, caller.leg_id)
    await caller.resume()
    await stage.facts.next(LegResumed, caller.leg_id)


# -- playing ---------------------------------------------------------------------------------------
async def test_what_is_heard_to_its_end_is_completed(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    media = [stage.sound(0.3), "silence:0.2", "tone:beep"]
    await stage.control.play(caller.leg_id, f"{caller.leg_id}.1", media)
    finished = await stage.facts.next(PlaybackFinished, caller.leg_id)
    assert (finished.playback_id, finished.how) == (f"{caller.leg_id}.1", "completed")


async def test_what_is_stopped_says_so_and_stopping_again_is_no_error(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    playback_id = f"{caller.leg_id}.1"
    await stage.control.play(caller.leg_id, playback_id, [stage.sound(20.0), stage.sound(20.0)])
    await asyncio.sleep(0.2)
    await stage.control.stop_playback(caller.leg_id, playback_id)
    finished = await stage.facts.next(PlaybackFinished, caller.leg_id)
    assert finished.how == "stopped"
    await stage.control.stop_playback(caller.leg_id, playback_id)
    await stage.control.stop_playback(caller.leg_id, "never-played")


async def test_silence_and_tones_can_be_stopped(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    for count, item in enumerate(["silence:30", "tone:ringback", "tone:busy", "tone:congestion"], start=1):
        playback_id = f"{caller.leg_id}.{count}"
        await stage.control.play(caller.leg_id, playback_id, [item])
        await asyncio.sleep(0.1)
        await stage.control.stop_playback(caller.leg_id, playback_id)
        finished = await stage.facts.next(PlaybackFinished, caller.leg_id, count=count)
        assert (finished.playback_id, finished.how) == (playback_id, "stopped")


async def test_a_missing_sound_has_failed(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.play(caller.leg_id, f"{caller.leg_id}.1", [stage.missing])
    finished = await stage.facts.next(PlaybackFinished, caller.leg_id)
    assert finished.how == "failed"


async def test_nonsense_is_refused_before_it_is_sent(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    for media in ([], ["relative/path"], ["digits:123"]):
        with pytest.raises(CommandRefused):
            await stage.control.play(caller.leg_id, "p1", media)
    with pytest.raises(CommandRefused):
        await stage.control.send_digits(caller.leg_id, "12;3")
    with pytest.raises(CommandRefused):
        await stage.control.start_music(caller.leg_id, "../etc")
    with pytest.raises(CommandRefused):
        await stage.control.start_recording(StartRecording(caller.leg_id, "r1", 5, terminators="12"))


async def test_answering_or_bridging_during_a_prompt_silences_it_first(stage: Stage, tmp_path: Path) -> None:
    caller = await stage.caller()
    await stage.control.play(caller.leg_id, f"{caller.leg_id}.1", [stage.sound(PROMPT_S)])
    async with asyncio.timeout(PROMPT_S / 2):
        await stage.control.answer(caller.leg_id)
    await stage.control.play(caller.leg_id, f"{caller.leg_id}.2", [stage.sound(PROMPT_S)])
    bridge_id = leg_of(stage, "bridge", tmp_path)
    async with asyncio.timeout(PROMPT_S / 2):
        await stage.control.bridge(bridge_id, [caller.leg_id])
    played = [await stage.facts.next(PlaybackFinished, caller.leg_id, count=n) for n in (1, 2)]
    assert [fact.how for fact in played] == ["stopped", "stopped"]
    await stage.control.destroy_bridge(bridge_id)


async def test_music_starts_and_stops(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.start_music(caller.leg_id, "default")
    await stage.control.stop_music(caller.leg_id)
    await stage.control.stop_music(caller.leg_id)


# -- digits ------------------------------------------------------------------------------------------
async def test_digits_come_in_order_also_while_a_prompt_plays(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    await stage.control.play(caller.leg_id, f"{caller.leg_id}.1", [stage.sound(20.0)])
    await asyncio.sleep(0.3)
    await caller.press("12*#0")
    await stage.facts.next(DigitPressed, caller.leg_id, count=5)
    assert [fact.digit for fact in stage.facts.of(DigitPressed, caller.leg_id)] == list("12*#0")


# -- recording -----------------------------------------------------------------------------------------
async def test_a_recording_ends_by_its_digit_and_is_kept(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    recording_id = f"{caller.leg_id}/r1"
    await stage.control.start_recording(StartRecording(caller.leg_id, recording_id, 20, beep=False))
    await asyncio.sleep(1.0)
    await caller.press("1")
    await asyncio.sleep(0.3)
    await caller.press("#")
    finished = await stage.facts.next(RecordingFinished, caller.leg_id)
    assert (finished.recording_id, finished.ended_by) == (recording_id, "digit")
    assert 0.5 < finished.duration_s < 19, "before its limit"
    destination = stage.destination("kept/message.wav")
    await stage.control.keep_recording(caller.leg_id, recording_id, str(destination))
    assert stage.is_kept(recording_id, destination)
    with pytest.raises(CommandRefused):
        await stage.control.keep_recording(caller.leg_id, recording_id, str(destination))


async def test_a_recording_ends_by_its_limit_or_when_stopped(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    await stage.control.start_recording(StartRecording(caller.leg_id, f"{caller.leg_id}.r1", 1, beep=False))
    finished = await stage.facts.next(RecordingFinished, caller.leg_id)
    assert finished.ended_by == "limit"
    await stage.control.start_recording(StartRecording(caller.leg_id, f"{caller.leg_id}.r2", 20, beep=True))
    await asyncio.sleep(0.5)
    await stage.control.stop_recording(caller.leg_id, f"{caller.leg_id}.r2")
    finished = await stage.facts.next(RecordingFinished, caller.leg_id, count=2)
    assert finished.ended_by == "stopped"
    await stage.control.stop_recording(caller.leg_id, f"{caller.leg_id}.r2")
    for recording_id in ("r1", "r2"):
        await stage.control.discard_recording(caller.leg_id, f"{caller.leg_id}.{recording_id}")


async def test_silence_ends_a_recording(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    recording_id = f"{caller.leg_id}.r1"
    await stage.control.start_recording(StartRecording(caller.leg_id, recording_id, 20, silence_s=2, beep=False))
    finished = await stage.facts.next(RecordingFinished, caller.leg_id)
    assert finished.ended_by == "silence"
    assert finished.duration_s >= 1.9
    await stage.control.discard_recording(caller.leg_id, recording_id)


async def test_a_recording_may_be_kept_in_the_moment_it_is_stopped(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    recording_id = f"{caller.leg_id}.r1"
    await stage.control.start_recording(StartRecording(caller.leg_id, recording_id, 20, beep=False))
    await asyncio.sleep(1.0)
    await stage.control.stop_recording(caller.leg_id, recording_id)
    destination = stage.destination("stopped.wav")
    await stage.control.keep_recording(caller.leg_id, recording_id, str(destination))
    assert stage.is_kept(recording_id, destination)
    assert (await stage.facts.next(RecordingFinished, caller.leg_id)).duration_s > 0.2


async def test_hanging_up_ends_a_recording_and_it_can_still_be_kept(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    recording_id = f"{caller.leg_id}.r1"
    await stage.control.start_recording(StartRecording(caller.leg_id, recording_id, 20, beep=False))
    await asyncio.sleep(0.8)
    await caller.hang_up()
    await stage.facts.next(LegEnded, caller.leg_id)
    (finished,) = stage.facts.of(RecordingFinished, caller.leg_id)
    assert finished.ended_by == "hangup"
    assert stage.facts.told.index(finished) < len(stage.facts.told) - 1
    destination = stage.destination("late.wav")
    await stage.control.keep_recording(caller.leg_id, recording_id, str(destination))
    assert stage.is_kept(recording_id, destination)


async def test_a_discarded_recording_is_gone_and_says_nothing(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.facts.next(LegUp, caller.leg_id)
    recording_id = f"{caller.leg_id}.r1"
    await stage.control.start_recording(StartRecording(caller.leg_id, recording_id, 20, beep=False))
    with pytest.raises(CommandRefused):
        await stage.control.start_recording(StartRecording(caller.leg_id, f"{caller.leg_id}.r2", 20))
    await asyncio.sleep(0.3)
    await stage.control.discard_recording(caller.leg_id, recording_id)
    await asyncio.sleep(0.3)
    assert stage.facts.of(RecordingFinished, caller.leg_id) == []
    with pytest.raises(CommandRefused):
        await stage.control.keep_recording(caller.leg_id, recording_id, str(stage.destination("x.wav")))
    await stage.control.discard_recording(caller.leg_id, recording_id)


# -- dialing ---------------------------------------------------------------------------------------------
async def test_dialing_somebody_who_answers(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("answers")
    leg_id = leg_of(stage, "leg", tmp_path)
    await stage.control.originate(originate(stage, leg_id))
    await stage.facts.next(LegUp, leg_id)
    assert [type(fact) for fact in stage.facts.told] == [LegRinging, LegUp]
    with pytest.raises(CommandRefused):
        await stage.control.originate(originate(stage, leg_id))
    await stage.control.play(leg_id, f"{leg_id}.1", ["tone:beep"])
    assert (await stage.facts.next(PlaybackFinished, leg_id)).how == "completed"
    await stage.callee_hangs_up()
    assert (await stage.facts.next(LegEnded, leg_id)).reason is EndReason.HUNG_UP


@pytest.mark.parametrize(("behaviour", "reason"), [("busy", EndReason.BUSY), ("rejects", EndReason.REJECTED)])
async def test_dialing_somebody_who_does_not_want(
    stage: Stage, tmp_path: Path, behaviour: str, reason: EndReason
) -> None:
    await stage.callee(behaviour)  # type: ignore[arg-type]
    leg_id = leg_of(stage, "leg", tmp_path)
    await stage.control.originate(originate(stage, leg_id))
    assert (await stage.facts.next(LegEnded, leg_id)).reason is reason
    assert stage.facts.of(LegUp, leg_id) == []


async def test_dialing_somebody_who_lets_it_ring(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("rings")
    leg_id = leg_of(stage, "leg", tmp_path)
    await stage.control.originate(originate(stage, leg_id, ring_s=3))
    assert (await stage.facts.next(LegEnded, leg_id)).reason is EndReason.NO_ANSWER
    assert [type(fact) for fact in stage.facts.told] == [LegRinging, LegEnded]


async def test_early_media_is_told(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("early_media")
    leg_id = leg_of(stage, "leg", tmp_path)
    await stage.control.originate(originate(stage, leg_id))
    await stage.facts.next(LegEarlyMedia, leg_id)
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    assert (await stage.facts.next(LegEnded, leg_id)).reason is EndReason.HUNG_UP_BY_US
    assert stage.facts.of(LegUp, leg_id) == []


async def test_a_leg_lives_no_longer_than_its_limit(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("answers")
    leg_id = leg_of(stage, "leg", tmp_path)
    await stage.control.originate(originate(stage, leg_id, limit_s=4.0))
    await stage.facts.next(LegUp, leg_id)
    assert (await stage.facts.next(LegEnded, leg_id)).reason is EndReason.LIMIT_REACHED


@pytest.mark.parametrize("endpoint", ["device:a&PJSIP/b", "trunk:main-carrier/12(3)", "trunk:x", "Local/1@x", ""])
async def test_an_endpoint_that_means_more_than_it_says_is_refused(stage: Stage, endpoint: str) -> None:
    command = OriginateLeg("leg", "i1", stage.node, LegRole.AGENT, endpoint, "", 5.0, 60.0)
    with pytest.raises(CommandRefused):
        await stage.control.originate(command)
    assert stage.facts.told == []


async def test_where_a_trunk_is_away_the_leg_is_dialed_another_way(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("answers")
    leg_id = leg_of(stage, "leg", tmp_path)
    wanted = originate(stage, leg_id)
    with pytest.raises(TrunkAway):
        await stage.control.originate(replace(wanted, endpoint="trunk:nowhere/123"))
    await stage.control.originate(wanted)
    await stage.facts.next(LegUp, leg_id)
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, leg_id)
    assert len(stage.facts.of(LegEnded, leg_id)) == 1


async def test_a_leg_that_was_refused_is_dialed_again_by_its_name(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("busy")
    leg_id = leg_of(stage, "leg", tmp_path)
    await stage.control.originate(originate(stage, leg_id))
    await stage.facts.next(LegEnded, leg_id)
    await stage.callee("answers")
    await stage.control.originate(originate(stage, leg_id))
    await stage.facts.next(LegUp, leg_id)
    (survey,) = await stage.control.survey()
    assert [leg.up for leg in survey.legs if leg.leg_id == leg_id] == [True]
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, leg_id, 2)
    assert len(stage.facts.of(LegEnded, leg_id)) == 2


# -- bridging, and the truth after a gap -----------------------------------------------------------------
async def test_two_legs_talk_and_part(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("answers")
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    leg_id, bridge_id = leg_of(stage, "leg", tmp_path), leg_of(stage, "bridge", tmp_path)
    await stage.control.originate(originate(stage, leg_id))
    await stage.facts.next(LegUp, leg_id)
    await stage.control.bridge(bridge_id, [caller.leg_id, leg_id])
    (survey,) = await stage.control.survey()
    assert {bridge: set(legs) for bridge, legs in survey.bridges.items()} == {bridge_id: {caller.leg_id, leg_id}}
    await stage.control.bridge(bridge_id, [caller.leg_id, leg_id])
    (survey,) = await stage.control.survey()
    assert set(survey.bridges[bridge_id]) == {caller.leg_id, leg_id}, "asked again, nobody notices"
    await caller.press("5")
    assert (await stage.facts.next(DigitPressed, caller.leg_id)).digit == "5"
    await stage.control.destroy_bridge(bridge_id)
    await stage.control.destroy_bridge(bridge_id)
    survey = await without_bridges(stage.control)
    assert {leg.leg_id for leg in survey.legs} == {caller.leg_id, leg_id}
    with pytest.raises(CommandRefused):
        await stage.control.bridge(bridge_id, [])


async def test_a_leg_that_was_taken_in_can_still_be_turned_away(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.turn_away(caller.leg_id)
    assert (await stage.facts.next(LegEnded, caller.leg_id)).reason is EndReason.CONGESTION
    with pytest.raises(LegGone):
        await stage.control.answer(caller.leg_id)
    await without_bridges(stage.control, and_legs=True)


async def test_a_leg_that_hears_a_tone_without_end_can_be_turned_away(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.play(caller.leg_id, f"{caller.leg_id}.ringback", ["tone:ringback"])
    await stage.control.turn_away(caller.leg_id)
    assert (await stage.facts.next(LegEnded, caller.leg_id)).reason is EndReason.CONGESTION
    await without_bridges(stage.control, and_legs=True)


async def test_a_survey_tells_who_is_there_and_how_they_came(stage: Stage, tmp_path: Path) -> None:
    await stage.callee("rings")
    caller = await stage.caller()
    leg_id = leg_of(stage, "leg", tmp_path)
    await stage.control.originate(originate(stage, leg_id))
    await stage.facts.next(LegRinging, leg_id)
    await stage.control.answer(caller.leg_id)
    (survey,) = await stage.control.survey()
    legs = {leg.leg_id: leg for leg in survey.legs}
    assert set(legs) == {caller.leg_id, leg_id}
    (arrived,) = stage.facts.of(LegArrived, caller.leg_id)
    found = legs[caller.leg_id]
    assert (found.inbound, found.up) == (True, True)
    assert (found.called, found.caller, found.entry) == (arrived.called, arrived.caller, arrived.entry)
    assert (legs[leg_id].inbound, legs[leg_id].up) == (False, False)
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, leg_id)


async def test_digits_can_be_sent(stage: Stage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.send_digits(caller.leg_id, "12#")
