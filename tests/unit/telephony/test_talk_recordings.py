"""A conversation's recording is kept whole, or it is told that it is not, whatever the recorder does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import wave
from pathlib import Path

import pytest

from core.errors import CommandFailed, CommandRefused, DeadlineExceeded, NodeUnavailable
from core.events import LegFact, RecordingFailed
from telephony.ari.settings import AriSettings
from telephony.control import media, talks
from telephony.control.asterisk import AsteriskCallControl
from telephony.control.legs import LegMemory
from telephony.control.recordings import RecordingFiles

LEG, ID = "node-1-17.1", "i-1.r3"
SECOND = bytes(32_000)


class Recorder:
    """`troubles`: what the next requests end in."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.troubles: list[CommandFailed | None] = []

    async def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.troubles and (trouble := self.troubles.pop(0)) is not None:
            raise trouble

    async def start_mix(self, leg_id: str, file: str) -> None:
        await self._ask("start")

    async def mute_mix(self, leg_id: str, muted: bool) -> None:
        await self._ask("mute" if muted else "unmute")

    async def stop_mix(self, leg_id: str) -> None:
        await self._ask("stop")


class Node:
    def __init__(self, directory: Path) -> None:
        self.told: list[LegFact] = []
        self.recorder = Recorder()
        settings = AriSettings("node-1", "engine", "secret", recordings_dir=directory, scratch_dir=directory)
        self.control = AsteriskCallControl(
            [settings],
            lambda fact: self.told.append(fact),  # type: ignore[arg-type]
            lambda node, what: None,
            recorders={"node-1": self.recorder},
        )
        self.leg = LegMemory(LEG, self.control._nodes["node-1"], inbound=True)
        self.control._book.add(self.leg)
        self.raw = RecordingFiles(directory).talk_path(ID)

    @property
    def failures(self) -> list[LegFact]:
        return [fact for fact in self.told if isinstance(fact, RecordingFailed)]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


async def test_it_is_kept_once_asterisk_has_closed_it_and_with_what_was_written_last(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "SETTLED_LOOKS", 1_000_000)
    kept = tmp_path / "kept" / "talk.wav"
    with node.raw.open("wb") as asterisk:
        asterisk.write(SECOND)
        asterisk.flush()
        keeping = asyncio.create_task(node.control.keep_recording(LEG, ID, str(kept)))
        await asyncio.wait({keeping}, timeout=0.3)
        assert not keeping.done()
        asterisk.write(SECOND)
    await keeping
    with wave.open(str(kept)) as file:
        assert file.getnframes() == 16_000
    assert not node.raw.exists()


async def test_where_the_file_system_cannot_tell_what_stopped_growing_is_closed(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecordingFiles, "is_open", lambda files, recording_id: None)
    monkeypatch.setattr(media, "SETTLED_LOOKS", 3)
    node.raw.write_bytes(SECOND)
    await node.control.keep_recording(LEG, ID, str(tmp_path / "talk.wav"))
    assert not node.raw.exists()


async def test_it_is_found_on_whichever_node_it_was_made(node: Node, tmp_path: Path) -> None:
    node.raw.write_bytes(SECOND)
    node.control._book.forget(LEG)
    await node.control.keep_recording("somebody else's leg", ID, str(tmp_path / "talk.wav"))
    assert not node.raw.exists()


async def test_a_recorder_too_busy_to_answer_may_record_all_the_same(node: Node) -> None:
    """It would otherwise go on recording what nobody keeps, or pauses where it must not listen."""
    node.recorder.troubles = [DeadlineExceeded("busy")]
    await node.control.start_talk_recording(LEG, ID)
    assert node.failures == []
    await node.control.pause_talk_recording(LEG, ID, True)
    await node.control.stop_talk_recording(LEG, ID)
    assert node.recorder.asked == ["start", "mute", "stop"]


async def test_that_it_never_recorded_shows_at_the_end(node: Node) -> None:
    node.recorder.troubles = [DeadlineExceeded("busy"), CommandRefused("nothing to stop")]
    await node.control.start_talk_recording(LEG, ID)
    await node.control.stop_talk_recording(LEG, ID)
    assert [type(fact) for fact in node.told] == [RecordingFailed]


async def test_a_recorder_that_is_back_in_a_moment_records(node: Node) -> None:
    node.recorder.troubles = [NodeUnavailable("not connected"), NodeUnavailable("not connected")]
    await node.control.start_talk_recording(LEG, ID)
    assert node.recorder.asked == ["start"] * 3
    assert node.failures == []


async def test_a_recorder_that_stays_away_is_told(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talks, "RECORDER_BACK_S", 0.0)
    node.recorder.troubles = [NodeUnavailable("not connected")] * 99
    await node.control.start_talk_recording(LEG, ID)
    assert len(node.failures) == 1
    with contextlib.suppress(CommandFailed):
        await node.control.stop_talk_recording(LEG, ID)


async def test_what_an_engine_before_started_is_not_started_over(node: Node) -> None:
    node.raw.write_bytes(SECOND)
    await node.control.start_talk_recording(LEG, ID)
    assert node.recorder.asked == []
    await node.control.stop_talk_recording(LEG, ID)
    assert node.recorder.asked == ["stop"]
    assert node.failures == []


async def test_a_recorder_too_busy_to_stop_is_asked_once_more(node: Node) -> None:
    await node.control.start_talk_recording(LEG, ID)
    node.raw.write_bytes(SECOND)
    node.recorder.troubles = [DeadlineExceeded("busy")]
    await node.control.stop_talk_recording(LEG, ID)
    assert node.recorder.asked == ["start", "stop", "stop"]
