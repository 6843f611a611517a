"""What whoever listens to legs may rely on, the same over each transport with real phones, and in memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import LegGone, TrunkAway
from core.events import AudioVerdict, LegEnded, LegRinging, LegUp, ListenerLost, PlaybackFinished
from core.leg import EndReason
from core.leg_commands import ListenToLeg
from tests.asterisk_fixture import AsteriskNode
from tests.contract.live_audio_stage import LiveStage, WorkerProcesses, live_stage, originate, worker_processes


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcesses]:
    with worker_processes(tmp_path_factory.mktemp("media")) as running:
        yield running


WEBSOCKET, RTP, TALK = (pytest.param(kind, marks=pytest.mark.asterisk) for kind in ("websocket", "rtp", "talk"))
whatever_carries_it = pytest.mark.parametrize("stage", ["fake", WEBSOCKET], indirect=True)
"""What has nothing to do with the transport is not tried over each of them."""
TRIES = 3
"""Whoever is on the way of the audio may stand still for a moment, but not each time."""
whoever_listens = pytest.mark.parametrize("stage", ["fake", "fake-talk", WEBSOCKET, RTP, TALK], indirect=True)
"""What holds without the audio as well."""


@pytest.fixture(params=["fake", WEBSOCKET, RTP])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[LiveStage]:
    real = not request.param.startswith("fake")
    node: AsteriskNode | None = request.getfixturevalue("asterisk_node") if real else None
    workers = request.getfixturevalue("processes") if real else None
    async with live_stage(request.param, node, workers, tmp_path) as stage:
        yield stage


def told(verdict: AudioVerdict) -> dict[str, Any]:
    notes: dict[str, Any] = json.loads(verdict.evidence)
    return notes


def nothing_but(hz: float, notes: dict[str, Any]) -> bool:
    """One tone was heard. Where a busy machine lost a piece of it, it looks like a slightly different one."""
    return bool(notes["hz"]) and all(abs(each - hz) <= 25 for each in notes["hz"])


async def test_every_word_is_heard_once_in_order_and_on_time(stage: LiveStage) -> None:
    caller = await stage.caller()
    leg_id = caller.leg_id
    await stage.control.answer(leg_id)
    for once in range(1, TRIES + 1):
        await stage.control.listen(ListenToLeg(leg_id, f"l{once}", "notebook"))
        await stage.say(caller, 440.0, 0.6)
        await asyncio.sleep(1.6)
        await stage.control.dismiss(leg_id, f"l{once}")
        verdict = await stage.facts.next(AudioVerdict, leg_id, count=once)
        notes = told(verdict)
        assert (verdict.listening_id, verdict.listener) == (f"l{once}", "notebook")
        assert (verdict.label, verdict.final) == ("heard", True)
        assert notes["leg_id"] == leg_id
        assert notes["in_order"]
        assert notes["even"]
        assert notes["bytes"] == [320]
        assert notes["answered"] == 0
        # A tone that begins within a frame touches one more.
        if notes["loud"] in (30, 31, 32) and notes["filled_within"] == 0:
            break
    else:
        pytest.fail(f"never whole and on time: {notes}")
    assert notes["last_loud"] - notes["first_loud"] == notes["loud"] - 1
    assert notes["hz"] == [pytest.approx(440, abs=4)]
    assert verdict.heard_s == pytest.approx(notes["blocks"] * 0.02)
    assert verdict.answered_s == verdict.heard_s
    # The clock of the audio is that of the world.
    assert verdict.heard_s == pytest.approx(verdict.at_s - notes["began_s"], abs=0.001)
    assert await stage.left() == []
    # The leg goes on as if nothing had been.
    await stage.control.play(leg_id, f"{leg_id}.p", [stage.sound(0.3)])
    assert (await stage.facts.next(PlaybackFinished, leg_id)).how == "completed"


async def test_who_wants_16_khz_gets_them(stage: LiveStage) -> None:
    caller = await stage.caller()
    await stage.control.answer(caller.leg_id)
    await stage.control.listen(ListenToLeg(caller.leg_id, "l1", "notebook16", {"seconds": "2"}))
    await stage.say(caller, 1000.0, 0.4, 16000)
    notes = told(await stage.facts.next(AudioVerdict, caller.leg_id))
    assert (notes["blocks"], notes["rate_hz"], notes["bytes"]) == (100, [16000], [640])
    assert nothing_but(1000, notes)


async def test_what_a_listener_says_is_heard_whole_and_at_its_pace(stage: LiveStage) -> None:
    for once in range(TRIES):
        caller = await stage.caller()
        await stage.control.answer(caller.leg_id)
        await stage.record(caller)
        await stage.control.listen(ListenToLeg(caller.leg_id, f"l{once}", "speaker", {"hz": "700", "seconds": "0.6"}))
        await asyncio.sleep(2.0)
        spans = await stage.heard(caller, 700.0)
        # A jitter buffer stretches it on a busy machine.
        if [end_s - start_s for start_s, end_s in spans] == [pytest.approx(0.6, abs=0.2)]:
            return
        await stage.control.hang_up(caller.leg_id, EndReason.HUNG_UP_BY_US)
        await stage.facts.next(LegEnded, caller.leg_id)
    pytest.fail(f"never heard whole: {spans}")


async def test_who_barges_in_hears_no_more_of_what_was_queued(stage: LiveStage) -> None:
    caller = await stage.caller()
    leg_id = caller.leg_id
    await stage.control.answer(leg_id)
    options = {"hz": "700", "seconds": "10", "yield": "yes"}
    for once in range(1, TRIES + 1):
        await stage.record(caller)
        await stage.control.listen(ListenToLeg(leg_id, f"l{once}", "speaker", options))
        await asyncio.sleep(0.6)
        await stage.say(caller, 440.0, 0.2)
        verdict = await stage.facts.next(AudioVerdict, leg_id, count=once)
        await asyncio.sleep(1.0)
        flushed = told(verdict)
        assert verdict.label == "flushed"
        assert flushed["queued_s"] > 3.0
        spans = await stage.heard(caller, 700.0)  # several, if a busy machine has swallowed something in between
        start_s, end_s = spans[0][0], spans[-1][1]
        # Her phone hears everything somewhat late: as late as the first word.
        late_s = start_s - flushed["said_s"]
        left_s = end_s - flushed["at_s"] - late_s
        if left_s <= 0.5:
            return
    pytest.fail(f"{left_s} s more of it, of {flushed['queued_s']}; `bench.live_audio` measures how soon")


@whoever_listens
async def test_where_a_trunk_is_away_nobody_is_left_listening(stage: LiveStage, tmp_path: Path) -> None:
    """And the leg may be dialed another way, listener and all."""
    leg_id = f"away-{tmp_path.name}"
    wanted = originate(stage, leg_id, ListenToLeg(leg_id, "l1", stage.notebook))
    with pytest.raises(TrunkAway):
        await stage.control.originate(replace(wanted, endpoint="trunk:nowhere/123"))
    assert await stage.left() == []
    await stage.callee("answers")
    await stage.control.originate(wanted)
    await stage.facts.next(LegUp, leg_id)
    assert stage.facts.of(ListenerLost, leg_id) == []
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, leg_id)


@whoever_listens
async def test_a_leg_that_is_dialed_again_is_heard_by_who_listens_now(stage: LiveStage, tmp_path: Path) -> None:
    """Another carrier takes what the first one refused; what the first listener says last is its own."""
    leg_id = f"again-{tmp_path.name}"
    await stage.callee("busy")
    await stage.control.originate(originate(stage, leg_id, ListenToLeg(leg_id, "l1", stage.notebook)))
    await stage.facts.next(LegEnded, leg_id)
    await stage.callee("answers")
    await stage.control.originate(originate(stage, leg_id, ListenToLeg(leg_id, "l2", stage.notebook)))
    await stage.facts.next(LegUp, leg_id)
    await asyncio.sleep(1.5)  # longer than the first one's last word may take
    assert {each.listening_id for each in stage.facts.of(ListenerLost, leg_id)} <= {"l1"}
    await stage.control.dismiss(leg_id, "l2")
    said = [*stage.facts.of(AudioVerdict, leg_id), *stage.facts.of(ListenerLost, leg_id)]
    assert [each for each in said if each.listening_id == "l2"], "it listened until now"
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    await stage.facts.next(LegEnded, leg_id, 2)
    assert await stage.left() == []


async def test_a_dialed_leg_is_heard_from_the_first_ring_on(stage: LiveStage, tmp_path: Path) -> None:
    await stage.callee_speaks_early(600.0, 0.6, answers_after_s=2.0)
    leg_id = f"out.x{tmp_path.name}"
    await stage.control.originate(originate(stage, leg_id, ListenToLeg(leg_id, "l1", "notebook")))
    await stage.facts.next(LegUp, leg_id)
    await asyncio.sleep(0.3)
    await stage.control.dismiss(leg_id, "l1")
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    notes = told(verdict)
    assert nothing_but(600, notes)
    assert notes["loud_unanswered"] == notes["loud"] >= 29
    assert notes["answered"] > notes["last_loud"]
    assert verdict.answered_s >= 0.2
    assert verdict.heard_s > verdict.answered_s + 0.6
    assert stage.shown() == '"Ana García" <+34911234567>'
    assert len(stage.facts.of(LegUp, leg_id)) == 1
    await stage.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
    assert (await stage.facts.next(LegEnded, leg_id)).reason is EndReason.HUNG_UP_BY_US


@whatever_carries_it
async def test_a_leg_that_is_busy_after_all_ends_as_busy_and_what_was_heard_is_told(
    stage: LiveStage, tmp_path: Path
) -> None:
    await stage.callee_speaks_early(425.0, 0.5, answers_after_s=None)
    leg_id = f"out.x{tmp_path.name}"
    await stage.control.originate(originate(stage, leg_id, ListenToLeg(leg_id, "l1", "notebook")))
    ended = await stage.facts.next(LegEnded, leg_id)
    assert (ended.reason, ended.cause) == (EndReason.BUSY, 17)
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    assert nothing_but(425, told(verdict))
    assert verdict.answered_s == 0.0
    assert stage.facts.of(LegUp, leg_id) == []
    assert await stage.left() == []


@whoever_listens
async def test_nobody_listens_longer_than_asked(stage: LiveStage) -> None:
    caller = await stage.caller()
    leg_id = caller.leg_id
    await stage.control.answer(leg_id)
    await stage.control.listen(ListenToLeg(leg_id, "first", stage.notebook))
    # Another one takes its place,
    await stage.control.listen(ListenToLeg(leg_id, "second", stage.notebook, limit_s=0.5))
    assert [verdict.listening_id for verdict in stage.facts.of(AudioVerdict, leg_id)][:1] == ["first"]
    # its time runs out,
    second = await stage.facts.next(AudioVerdict, leg_id, count=2)
    assert second.listening_id == "second"
    assert second.heard_s >= 0.3
    # the leg talks with somebody,
    await stage.control.listen(ListenToLeg(leg_id, "third", stage.notebook))
    await stage.control.bridge(f"b-{leg_id}", [leg_id])
    assert (await stage.facts.next(AudioVerdict, leg_id, count=3)).listening_id == "third"
    await stage.control.destroy_bridge(f"b-{leg_id}")
    # and the leg ends.
    await stage.control.listen(ListenToLeg(leg_id, "fourth", stage.notebook))
    await caller.hang_up()
    assert (await stage.facts.next(AudioVerdict, leg_id, count=4)).listening_id == "fourth"
    await stage.facts.next(LegEnded, leg_id)
    assert await stage.left() == []
    assert stage.facts.of(ListenerLost, leg_id) == []
    with pytest.raises(LegGone):
        await stage.control.listen(ListenToLeg(leg_id, "fifth", stage.notebook))


@whatever_carries_it
async def test_a_listener_that_cannot_is_lost_and_hinders_nothing(stage: LiveStage) -> None:
    caller = await stage.caller()
    leg_id = caller.leg_id
    await stage.control.answer(leg_id)
    attempts = [
        ("unknown", {}, "there is no listener 'unknown'"),
        ("absent", {}, ""),
        ("clumsy", {"on": "making"}, "never good enough"),
        ("level", {"volume": "11"}, "no option volume"),
        ("clumsy", {"on": "block"}, "dropped it"),
        ("clumsy", {"on": "end"}, "lost for words"),
    ]
    for count, (listener, options, why) in enumerate(attempts, start=1):
        limit_s = 0.1 if options == {"on": "end"} else 60.0
        await stage.control.listen(ListenToLeg(leg_id, f"l{count}", listener, options, limit_s=limit_s))
        lost = await stage.facts.next(ListenerLost, leg_id, count=count)
        assert lost.listening_id == f"l{count}"
        assert why in lost.why
    assert stage.facts.of(AudioVerdict, leg_id) == []
    await stage.control.listen(ListenToLeg(leg_id, "at last", "level", {"for_s": "0.1"}))
    await stage.say(caller, 440.0, 0.5)
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    assert (verdict.label, verdict.evidence.partition(" Hz")[0]) == ("sound", "440")
    assert await stage.left() == []


@whoever_listens
async def test_who_is_listened_to_hears_prompts_as_ever(stage: LiveStage) -> None:
    caller = await stage.caller()
    leg_id = caller.leg_id
    await stage.control.answer(leg_id)
    await stage.control.listen(ListenToLeg(leg_id, "l1", stage.notebook, {"seconds": "0.4"}))
    await stage.control.play(leg_id, f"{leg_id}.p1", [stage.sound(2.0)])
    # The verdict comes in the middle, and cuts nothing off.
    verdict = await stage.facts.next(AudioVerdict, leg_id)
    finished = await stage.facts.next(PlaybackFinished, leg_id)
    assert finished.how == "completed"
    assert stage.facts.told.index(verdict) < stage.facts.told.index(finished)
    await stage.control.play(leg_id, f"{leg_id}.p2", [stage.sound(20.0)])
    await stage.control.stop_playback(leg_id, f"{leg_id}.p2")
    assert (await stage.facts.next(PlaybackFinished, leg_id, count=2)).how == "stopped"


async def test_beside_a_talk_the_leg_alone_is_heard(stage: LiveStage) -> None:
    customer, agent = await stage.caller(), await stage.caller()
    leg_id, talk = customer.leg_id, f"talk-{customer.leg_id}"
    for person in (customer, agent):
        await stage.control.answer(person.leg_id)
    await stage.control.listen(ListenToLeg(leg_id, "l1", "notebook", beside=True))
    await stage.control.bridge(talk, [leg_id, agent.leg_id])
    await asyncio.sleep(0.1)
    await stage.say(agent, 700.0, 0.3)
    await stage.say(customer, 440.0, 0.3)
    await asyncio.sleep(1.5)
    (survey,) = await stage.control.survey()
    assert {leg.leg_id for leg in survey.legs} == {leg_id, agent.leg_id}
    assert {bridge: set(legs) for bridge, legs in survey.bridges.items()} == {talk: {leg_id, agent.leg_id}}
    await stage.control.dismiss(leg_id, "l1")
    notes = told(await stage.facts.next(AudioVerdict, leg_id))
    assert nothing_but(440, notes)
    assert 14 <= notes["loud"] <= 17
    assert notes["in_order"]
    # Who asks for less does not tear the talk apart,
    await stage.control.listen(ListenToLeg(leg_id, "l2", "level"))
    assert "beside" in (await stage.facts.next(ListenerLost, leg_id)).why
    # and one may begin in the middle of it.
    await stage.control.listen(ListenToLeg(leg_id, "l3", "level", beside=True))
    await stage.say(customer, 500.0, 0.4)
    assert (await stage.facts.next(AudioVerdict, leg_id, count=2)).evidence.startswith("500 Hz")
    assert await stage.left() == []
    await stage.control.destroy_bridge(talk)


@whoever_listens
async def test_a_leg_that_is_listened_to_ends_for_the_reasons_others_end_for(stage: LiveStage, tmp_path: Path) -> None:
    await stage.callee("rings")
    for name, ring_s, reason in (("a", 1.0, EndReason.NO_ANSWER), ("b", 10.0, EndReason.HUNG_UP_BY_US)):
        leg_id = f"{name}.x{tmp_path.name}"
        await stage.control.originate(originate(stage, leg_id, ListenToLeg(leg_id, "l1", stage.notebook), ring_s))
        if reason is EndReason.HUNG_UP_BY_US:
            await stage.facts.next(LegRinging, leg_id)
            await stage.control.hang_up(leg_id, reason)
        assert (await stage.facts.next(LegEnded, leg_id)).reason is reason
        # The node makes no ringback of its own up.
        assert told(await stage.facts.next(AudioVerdict, leg_id))["loud"] == 0
    assert await stage.left() == []
