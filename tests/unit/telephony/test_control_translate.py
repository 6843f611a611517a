"""From Asterisk's events to facts: whatever order they come in, a leg has one life."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.dialing import CALLED
from core.events import (
    LegArrived,
    LegEnded,
    LegFact,
    LegUp,
    PlaybackFinished,
    RecordingFailed,
    RecordingFinished,
)
from core.leg import EndReason
from telephony.ari import messages as m
from telephony.ari.node_client import NodeClient
from telephony.ari.settings import AriSettings
from telephony.control.legs import LegBook, LegMemory, RecordingMemory, TalkMemory
from telephony.control.recordings import RecordingFiles
from telephony.control.translate import Translator

LEG = "node-1-17.1"
OUT = "out-1"


class Stage:
    def __init__(self, tmp_path: Path, *, limit_s: float = 0.0, admitting: bool = True) -> None:
        self.told: list[LegFact] = []
        self.turned_away: list[str] = []
        self.book = LegBook()
        config = AriSettings(
            "node-1", "engine", "secret", recordings_dir=tmp_path, scratch_dir=tmp_path, inbound_limit_s=limit_s
        )
        self.node = NodeClient(
            config, lambda event: None, lambda node, what: None, lambda node: None, self.book.playing
        )
        self.files = RecordingFiles(tmp_path)
        self.translator = Translator(
            self.node,
            self.book,
            self.files,
            self.told.append,
            lambda arrived: admitting,
            lambda node, leg_id: self.turned_away.append(leg_id),
        )

    def take(self, *events: m.Event) -> list[LegFact]:
        for event in events:
            self.translator.take(event)
        return self.told

    def dial(self, leg_id: str = OUT) -> LegMemory:
        leg = LegMemory(leg_id, self.node, inbound=False, limit_s=60.0)
        self.book.add(leg)
        return leg


def channel(leg_id: str, state: str = "Ring", created: str = "2026-01-01T00:00:00.000+0000") -> m.Channel:
    return m.Channel(leg_id, "PJSIP/x", state, m.CallerId("Ana", "600"), m.Dialplan(), created)


def ref(leg_id: str, state: str = "Up", created: str = "2026-01-01T00:00:00.000+0000") -> m.ChannelRef:
    return m.ChannelRef(leg_id, state, created)


def arrives(leg_id: str = LEG, state: str = "Ring") -> m.StasisStart:
    return m.StasisStart(channel(leg_id, state), ["arrived", "100", "main-ana", "device"])


def leaves(leg_id: str = LEG, at: str = "2026-01-01T00:01:00.000+0000") -> m.StasisEnd:
    return m.StasisEnd(ref(leg_id), at)


def test_an_arrival(tmp_path: Path) -> None:
    assert Stage(tmp_path).take(arrives()) == [LegArrived(LEG, "node-1", "100", "600", "Ana", "main-ana")]


def test_one_the_dialplan_has_held_is_up_already(tmp_path: Path) -> None:
    told = Stage(tmp_path).take(arrives(state="Up"))
    assert told == [LegArrived(LEG, "node-1", "100", "600", "Ana", "main-ana", retried=True), LegUp(LEG)]


def test_at_the_door(tmp_path: Path) -> None:
    stage = Stage(tmp_path, admitting=False)
    assert stage.take(arrives(), m.ChannelStateChange(ref(LEG)), leaves()) == []
    assert stage.turned_away == [LEG]


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([m.ChannelHangupRequest(ref(LEG))], EndReason.HUNG_UP),
        ([], EndReason.LIMIT_REACHED),
    ],
)
def test_why_it_left(tmp_path: Path, events: list[m.Event], reason: EndReason) -> None:
    told = Stage(tmp_path, limit_s=60).take(arrives(), *events, leaves())
    ended = told[-1]
    assert isinstance(ended, LegEnded)
    assert ended.reason is reason


def test_one_that_leaves_before_its_limit_was_hung_up(tmp_path: Path) -> None:
    ended = Stage(tmp_path, limit_s=3600).take(arrives(), leaves())[-1]
    assert isinstance(ended, LegEnded)
    assert ended.reason is EndReason.HUNG_UP


def test_whom_somebody_else_sent_on_has_been_told_who_called(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    her = f"a1{CALLED}"
    stage.dial(her).limit_s = 3600.0
    sent = stage.take(arrives(her), leaves(her))[-1]
    assert isinstance(sent, LegEnded)
    assert sent.reason is EndReason.HARBOURED
    stage.dial(her).limit_s = 3600.0
    left = stage.take(arrives(her), m.ChannelHangupRequest(ref(her), 16), leaves(her))[-1]
    assert isinstance(left, LegEnded)
    assert left.reason is EndReason.HUNG_UP


def test_a_soft_hangups_flag_is_no_cause(tmp_path: Path) -> None:
    soft = Stage(tmp_path).take(arrives(), m.ChannelHangupRequest(ref(LEG), 32, soft=True), leaves())
    hard = Stage(tmp_path).take(arrives(), m.ChannelHangupRequest(ref(LEG), 44), leaves())
    assert [fact.cause for fact in (soft[-1], hard[-1]) if isinstance(fact, LegEnded)] == [16, 44]


def test_one_that_sends_no_audio_any_more_has_vanished(tmp_path: Path) -> None:
    gone = m.ChannelHangupRequest(ref(LEG), 1, soft=True)
    assert Stage(tmp_path).take(arrives(), gone, leaves())[-1] == LegEnded(LEG, EndReason.FAILED, 44)
    ours = Stage(tmp_path)
    ours.take(arrives())
    ours.book.get(LEG).asked_to_end = EndReason.HUNG_UP_BY_US
    assert ours.take(gone, leaves())[-1] == LegEnded(LEG, EndReason.HUNG_UP_BY_US, 16)


async def test_a_conversations_recording_ends_before_its_leg(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.take(arrives())
    stage.book.get(LEG).talk = TalkMemory("t1", asyncio.get_running_loop().time() - 2.0)
    stage.files.talk_path("t1").write_bytes(bytes(64_000))
    *_, finished, ended = stage.take(m.ChannelHangupRequest(ref(LEG)), leaves())
    assert isinstance(finished, RecordingFinished)
    assert finished == RecordingFinished(LEG, "t1", pytest.approx(2.0, abs=0.2), "hangup")
    assert isinstance(ended, LegEnded)


async def test_a_conversation_of_which_nothing_was_written_has_failed(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.take(arrives())
    stage.book.get(LEG).talk = TalkMemory("t1", asyncio.get_running_loop().time() - 2.0)
    assert isinstance(stage.take(leaves())[-2], RecordingFailed)


def test_a_playback_nobody_here_started_is_still_told(tmp_path: Path) -> None:
    """An engine before us played it; its end matters to whoever waits for it."""
    stage = Stage(tmp_path)
    stage.take(arrives(), m.PlaybackFinished(m.PlaybackRef("old.1", f"channel:{LEG}", "done")))
    assert stage.told[-1] == PlaybackFinished(LEG, "old.1", "completed")


def test_a_playback_cut_off_by_the_hangup_is_not_told(tmp_path: Path) -> None:
    """A flow that heard of its end would go on for a caller who has gone."""
    stage = Stage(tmp_path)
    stage.take(arrives())
    stage.book.get(LEG).playing["p"] = False
    stage.take(
        m.ChannelHangupRequest(ref(LEG)), m.PlaybackFinished(m.PlaybackRef("p", f"channel:{LEG}", "failed")), leaves()
    )
    assert [type(fact) for fact in stage.told] == [LegArrived, LegEnded]


@pytest.mark.parametrize(
    ("lasted_s", "written_s", "silence_s", "ended_by"),
    [
        (10.1, 10.0, 0, "limit"),
        (4.0, 2.0, 2, "silence"),
        (4.0, 3.9, 2, None),
        (4.0, 3.9, 0, None),
        (4.0, None, 0, None),
    ],
)
async def test_what_ended_a_recording(
    tmp_path: Path, lasted_s: float, written_s: float | None, silence_s: int, ended_by: str | None
) -> None:
    stage = Stage(tmp_path)
    stage.take(arrives())
    began_s = asyncio.get_running_loop().time() - lasted_s
    stage.book.get(LEG).recording = RecordingMemory("r", "none", 10, silence_s, began_s)
    if written_s is not None:
        stage.files.path("r").write_bytes(bytes(44 + round(written_s * 16_000)))
    stage.take(m.RecordingFinished(m.RecordingRef("r-r", f"channel:{LEG}", "done")))
    told = stage.told[-1]
    if ended_by is None:
        assert isinstance(told, RecordingFailed)
    else:
        assert isinstance(told, RecordingFinished)
        assert told.ended_by == ended_by
        assert told.duration_s == pytest.approx(lasted_s if ended_by == "silence" else written_s, abs=0.1)


@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize(
    ("lasted_s", "written_s", "failed"),
    [(8.0, 7.5, False), (8.0, 0.2, True), (60.0, 40.0, False), (60.0, 20.0, True), (1.4, 0.1, False)],
)
async def test_a_recording_of_which_most_is_missing_has_failed(
    tmp_path: Path, lasted_s: float, written_s: float, failed: bool, full: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller spoke and the disk was full: that is no silence of hers. With room, her phone sent nothing."""
    monkeypatch.setattr(RecordingFiles, "is_disk_full", lambda files: full)
    stage = Stage(tmp_path)
    stage.take(arrives())
    began_s = asyncio.get_running_loop().time() - lasted_s
    stage.book.get(LEG).recording = RecordingMemory("r", "#", 120, 0, began_s)
    stage.files.path("r").write_bytes(bytes(44 + round(written_s * 16_000)))
    stage.take(
        m.ChannelDtmfReceived(ref(LEG), "#"), m.RecordingFinished(m.RecordingRef("r-r", f"channel:{LEG}", "done"))
    )
    assert isinstance(stage.told[-1], RecordingFailed if failed and full else RecordingFinished)


IDS = st.sampled_from([LEG, OUT, "nobody"])
STATES = st.sampled_from(["Ring", "Ringing", "Up", "Down", "Busy", ""])
REFS = st.builds(ref, IDS, STATES, st.sampled_from(["2026-01-01T00:00:00.000+0000", "", "junk"]))
PLAYBACKS = st.builds(
    m.PlaybackRef,
    st.sampled_from(["p1", "p2"]),
    IDS.map(lambda leg: f"channel:{leg}"),
    st.sampled_from(["done", "failed"]),
)
RECORDINGS = st.builds(m.RecordingRef, st.just("r-r"), IDS.map(lambda leg: f"channel:{leg}"), st.just("done"))
EVENTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(m.StasisStart, st.builds(channel, st.just(OUT), STATES), st.sampled_from([[], ["dialed"], ["x"]])),
    st.builds(m.StasisEnd, REFS, st.sampled_from(["2026-01-01T00:01:00.000+0000", ""])),
    st.builds(m.ChannelStateChange, REFS),
    st.builds(m.ChannelHold, REFS),
    st.builds(m.ChannelUnhold, REFS),
    st.builds(m.ChannelDtmfReceived, REFS, st.sampled_from("0123456789*#")),
    st.builds(m.ChannelHangupRequest, REFS, st.integers(0, 127), st.booleans()),
    st.builds(m.ChannelDestroyed, REFS, st.integers(0, 127), st.integers(0, 699)),
    st.builds(m.Dial, REFS, st.sampled_from(["", "RINGING", "PROGRESS", "ANSWER", "BUSY"])),
    st.builds(m.PlaybackFinished, PLAYBACKS),
    st.builds(m.RecordingFinished, RECORDINGS),
    st.builds(m.RecordingFailed, RECORDINGS),
)


@settings(max_examples=200, deadline=None)
@given(events=st.lists(EVENTS, max_size=30), arrival_at=st.integers(0, 30))
def test_whatever_comes_a_leg_has_one_life(tmp_path_factory: Any, events: list[Any], arrival_at: int) -> None:
    async def run() -> list[LegFact]:
        stage = Stage(Path("/nowhere"))
        stage.dial()
        return stage.take(*events[:arrival_at], arrives(), *events[arrival_at:])

    told = asyncio.run(run())
    for leg_id in (LEG, OUT):
        of_leg = [fact for fact in told if fact.leg_id == leg_id]
        assert len([fact for fact in of_leg if isinstance(fact, LegUp)]) <= 1
        ends = [n for n, fact in enumerate(of_leg) if isinstance(fact, LegEnded)]
        assert ends in ([], [len(of_leg) - 1])
        if leg_id == LEG:
            assert isinstance(of_leg[0], LegArrived)
    assert not [fact for fact in told if fact.leg_id == "nobody"]


@pytest.mark.parametrize(
    ("args", "late_s"),
    [
        (["dialed"], 0.0),
        (["dialed", "0"], 0.0),
        (["dialed", "4"], 1.0),
        (["dialed", "0", "", "", ""], 0.0),
        (["dialed", "4", "HUMAN", "HUMAN-800-800", "3"], 4.0),
    ],
)
def test_how_long_whom_we_called_has_been_waiting_for_an_engine(tmp_path: Path, args: list[str], late_s: float) -> None:
    stage = Stage(tmp_path)
    stage.dial()
    assert stage.take(m.StasisStart(channel(OUT, "Up"), args)) == [LegUp(OUT, late_s)]


async def test_one_that_is_away_in_the_dialplan_is_up_when_she_answers_and_comes_once(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    leg = stage.dial()
    away = leg.away = asyncio.Event()
    assert stage.take(m.ChannelStateChange(ref(OUT, "Up"))) == [LegUp(OUT)]
    assert not away.is_set()
    stage.take(m.StasisStart(channel(OUT, "Up"), ["dialed", "0", "HUMAN", "HUMAN-800-800", "2"]))
    assert away.is_set()
    assert leg.away is None
    assert stage.told == [LegUp(OUT)], "not told twice"
    # One that ends there keeps nobody waiting either.
    gone = stage.dial("out-2")
    ended = gone.away = asyncio.Event()
    stage.take(m.ChannelDestroyed(ref("out-2"), 16))
    assert ended.is_set()


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ([m.ChannelStateChange(ref(OUT, "Up"))], EndReason.HUNG_UP),
        ([m.ChannelStateChange(ref(OUT, "Ringing"))], EndReason.NO_ANSWER),
        ([], EndReason.UNREACHABLE),
    ],
)
def test_who_answers_and_hangs_up_before_the_dialplan_hands_her_over_has_answered(
    tmp_path: Path, before: list[m.Event], reason: EndReason
) -> None:
    stage = Stage(tmp_path)
    stage.dial()
    told = stage.take(*before, m.ChannelDestroyed(ref(OUT), 16))
    assert (LegUp(OUT) in told) == (reason is EndReason.HUNG_UP)
    assert told[-1] == LegEnded(OUT, reason, 16)


def test_one_that_an_engine_before_us_dialed_is_remembered_for_the_survey(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    assert stage.take(m.StasisStart(channel(OUT, "Up"), ["dialed", "2"])) == []
    assert stage.book.entered == {OUT}


@pytest.mark.parametrize("ends", [m.StasisEnd, m.ChannelDestroyed])
def test_one_that_ends_while_a_survey_is_under_way_is_not_found_by_it(tmp_path: Path, ends: Any) -> None:
    """An engine before us dialed it, so only that survey's list would make it known, and nobody would tell its end."""
    stage = Stage(tmp_path)
    stage.take(ends(ref(OUT)))
    stage.book.begin_survey()
    assert stage.book.ended_so_far() == set()
    assert stage.take(ends(ref(OUT))) == []
    assert stage.book.ended_so_far() == {OUT}
    assert stage.book.ended_meanwhile() == {OUT}
    stage.take(ends(ref(OUT)))
    assert stage.book.ended_so_far() == set()
