"""The fake beyond the contract: virtual time, scripts and injected failures."""

from __future__ import annotations

import asyncio

import pytest

from core.clock import VirtualClock
from core.errors import CommandRefused, LegGone, NodeUnavailable
from core.events import LegEnded, LegFact, PlaybackFinished, RecordingFinished
from core.leg import EndReason, LegRole
from core.leg_commands import OriginateLeg, StartRecording
from core.ports import CallControl, MediaControl
from telephony.fake.control import FakeCallControl


@pytest.fixture
def told() -> list[LegFact]:
    return []


@pytest.fixture
def fake(told: list[LegFact]) -> FakeCallControl:
    return FakeCallControl(told.append, VirtualClock(1000.0))


def test_it_is_both_ports(fake: FakeCallControl) -> None:
    calls: CallControl = fake
    media: MediaControl = fake
    assert calls is media


async def test_time_passes_only_when_told(fake: FakeCallControl, told: list[LegFact]) -> None:
    ana = fake.arrive("100")
    fake.durations["/welcome"] = 2.5
    await fake.play(ana.leg_id, "p1", ["/welcome", "silence:0.5", "/other"])
    fake.advance(3.9)
    assert fake.next_due_s() == 1004.0
    assert not [fact for fact in told if isinstance(fact, PlaybackFinished)]
    fake.advance(0.1)
    assert told[-1] == PlaybackFinished(ana.leg_id, "p1", "completed")
    assert [(heard.item, heard.at_s, heard.seconds) for heard in ana.heard] == [
        ("/welcome", 1000.0, 2.5),
        ("silence:0.5", 1002.5, 0.5),
        ("/other", 1003.0, 1.0),
    ]


async def test_what_is_cut_off_was_heard_in_part(fake: FakeCallControl) -> None:
    ana = fake.arrive("100")
    await fake.play(ana.leg_id, "p1", ["/welcome"])
    await fake.play(ana.leg_id, "p2", ["/menu"])
    fake.advance(0.25)
    await fake.stop_playback(ana.leg_id, "p1")
    fake.advance(5)
    assert [(heard.item, heard.seconds) for heard in ana.heard] == [("/welcome", 0.25), ("/menu", 1.0)]


async def test_silence_begins_when_she_stops_speaking(fake: FakeCallControl, told: list[LegFact]) -> None:
    ana = fake.arrive("100")
    await fake.start_recording(StartRecording(ana.leg_id, "r1", 60, silence_s=3))
    ana.speak(10)
    fake.advance(12.9)
    assert ana.recording_id == "r1"
    fake.advance(0.1)
    assert told[-1] == RecordingFinished(ana.leg_id, "r1", 13.0, "silence")


async def test_those_we_dial_do_as_they_were_told(fake: FakeCallControl, told: list[LegFact]) -> None:
    fake.on_dial("device:luis", lambda luis: luis.later(4.0, luis.answer))
    for leg_id, endpoint in (("a", "device:luis"), ("b", "device:eva")):
        await fake.originate(OriginateLeg(leg_id, "i", "fake", LegRole.AGENT, endpoint, "", 20.0, 60.0))
    fake.advance(20)
    assert fake.parties["a"].is_up
    assert told[-1] == LegEnded("b", EndReason.NO_ANSWER, 19)
    fake.advance(40)
    assert told[-1] == LegEnded("a", EndReason.LIMIT_REACHED, 0)
    assert fake.parties == {}


async def test_failures_on_purpose(fake: FakeCallControl) -> None:
    ana, eva = fake.arrive("100"), fake.arrive("100")
    fake.failures.fail("play", CommandRefused("no such codec"), leg_id=ana.leg_id)
    await fake.play(eva.leg_id, "p1", ["/welcome"])
    with pytest.raises(CommandRefused, match="codec"):
        await fake.play(ana.leg_id, "p2", ["/welcome"])
    await fake.play(ana.leg_id, "p3", ["/welcome"])
    fake.failures.hang("answer")
    answering = asyncio.create_task(fake.answer(ana.leg_id))
    await asyncio.sleep(0)
    assert not answering.done()
    fake.failures.release()
    await answering
    assert ana.is_up


async def test_a_lost_leg_says_nothing(fake: FakeCallControl, told: list[LegFact]) -> None:
    ana = fake.arrive("100")
    await fake.play(ana.leg_id, "p1", ["/welcome"])
    before = list(told)
    fake.lose(ana.leg_id)
    fake.advance(10)
    assert told == before
    with pytest.raises(LegGone):
        await fake.answer(ana.leg_id)


async def test_while_the_node_is_cut_off_facts_are_lost_and_commands_fail(told: list[LegFact]) -> None:
    gaps: list[str] = []
    fake = FakeCallControl(told.append, VirtualClock(), on_gap=lambda node, what: gaps.append(what))
    ana, eva = fake.arrive("100"), fake.arrive("100")
    await fake.play(ana.leg_id, "old", ["/welcome"])
    fake.cut()
    eva.hang_up()
    with pytest.raises(NodeUnavailable):
        await fake.answer(ana.leg_id)
    assert await fake.survey() == []
    fake.mend()
    (survey,) = await fake.survey()
    assert [leg.leg_id for leg in survey.legs] == [ana.leg_id]
    await fake.play(ana.leg_id, "new", ["/menu"])
    assert told[-1] == PlaybackFinished(ana.leg_id, "old", "stopped")
    fake.restart()
    (survey,) = await fake.survey()
    assert survey.legs == ()
    assert gaps == ["lost", "back", "lost", "back"]
