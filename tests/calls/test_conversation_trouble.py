"""Conversations when things go wrong, on a real Asterisk with real phones: the recorder is away, the disk is full, the
engine is another one now, a phone or its network has vanished.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import CommandRefused
from core.events import LegArrived, LegEnded, RecordingFailed, RecordingFinished
from core.leg import EndReason
from telephony.ami.client import AmiClient, AmiSettings
from telephony.control import dead_lines
from telephony.control.asterisk import AsteriskCallControl
from telephony.control.causes import VANISHED
from telephony.node.installation import Installation
from telephony.node.settings import Device
from telephony.softphone import ear
from telephony.softphone.calls import PhoneCall
from tests.ari_listener import ari
from tests.asterisk_fixture import AsteriskNode, started
from tests.callers import so_far
from tests.calls.control_line import Line
from tests.contract.control_stage import Facts, ari_settings
from tests.phone_fixture import Phones, tone_wav

pytestmark = pytest.mark.asterisk


class Conversation:
    """An adapter with a recorder whose line can be cut, and one caller on the phone."""

    def __init__(self, node: AsteriskNode, ami_port: int, line_vanished_s: float) -> None:
        settings = node.settings
        self.node = node
        self.facts = Facts()
        self.manager = AmiClient(
            AmiSettings(settings.name, "centralita", settings.secrets.ami, port=ami_port, quality=False, reconnect_s=1),
            lambda fact: None,
        )
        self.control = AsteriskCallControl(
            [replace(ari_settings(settings), line_vanished_s=line_vanished_s)],
            self.facts.sink,
            lambda name, what: None,
            recorders={settings.name: self.manager},
        )
        self.leg_id = ""
        self.pids: list[int] = []

    async def begins(self, phones: Phones, voice: Path, device: str = "main-caller") -> PhoneCall:
        phone = await phones(rate_hz=8000)
        await phone.register(device, self.node.device(device).secret, port=self.node.settings.sip_port)
        self.pids.append(phone.pid)
        call = await phone.call("900100200")
        self.leg_id = (await self.facts.next(LegArrived, count=len(self.pids))).leg_id
        await self.control.answer(self.leg_id)
        await call.until("confirmed")
        await call.play(tone_wav(voice, 500.0), loop=True)
        return call

    async def files(self, recording_id: str) -> list[str]:
        return [file.name for file in self.node.settings.recordings.iterdir() if recording_id in file.name]

    async def written(self, recording_id: str, seconds: float = 0.5) -> None:
        """Returns when so much of both sides has been written down."""
        least = seconds * 8000 * 2
        async with asyncio.timeout(30):
            while True:
                sizes = [
                    file.stat().st_size for file in self.node.settings.recordings.iterdir() if recording_id in file.name
                ]
                if sizes and max(sizes) > least:
                    return
                await asyncio.sleep(0.05)

    async def without_recorder(self) -> None:
        """Returns when the adapter knows that its line to the recorder is cut."""
        async with asyncio.timeout(30):
            while self.manager.is_connected:
                await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def conversation(
    node: AsteriskNode, ami_port: int = 0, line_vanished_s: float = 0.0
) -> AsyncIterator[Conversation]:
    talk = Conversation(node, ami_port or node.settings.ami_port, line_vanished_s)
    await talk.control.start()
    assert await talk.manager.start()
    try:
        yield talk
    finally:
        await talk.manager.close()
        await talk.control.close()


@pytest.fixture
def own_node(asterisk_installation: Installation, tmp_path: Path) -> Iterator[AsteriskNode]:
    node = started(asterisk_installation, tmp_path / "own", name="node-2", devices=(Device(name="main-caller"),))
    yield node
    node.launcher.stop()


# -- recording ---------------------------------------------------------------------------------------
async def test_without_its_recorder_nothing_is_recorded_and_the_call_goes_on(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    async with Line(asterisk_node.settings.ami_port) as line, conversation(asterisk_node, line.port) as talk:
        call = await talk.begins(softphones, tmp_path / "voice.wav")
        line.cut()
        await talk.without_recorder()
        await talk.control.start_talk_recording(talk.leg_id, f"{talk.leg_id}.t1")
        failed = await talk.facts.next(RecordingFailed, talk.leg_id)
        assert failed.recording_id == f"{talk.leg_id}.t1"
        assert "AMI" in failed.why
        line.mend()
        async with asyncio.timeout(30):
            while not talk.manager.is_connected:
                await asyncio.sleep(0.05)
        await talk.control.start_talk_recording(talk.leg_id, f"{talk.leg_id}.t2")
        await talk.written(f"{talk.leg_id}.t2")
        await talk.control.stop_talk_recording(talk.leg_id, f"{talk.leg_id}.t2")
        assert (await talk.facts.next(RecordingFinished, talk.leg_id)).recording_id == f"{talk.leg_id}.t2"
        await talk.control.discard_recording(talk.leg_id, f"{talk.leg_id}.t2")
        await call.hangup()
        await talk.facts.next(LegEnded, talk.leg_id)


async def test_what_must_not_be_recorded_and_cannot_be_paused_is_thrown_away(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    async with Line(asterisk_node.settings.ami_port) as line, conversation(asterisk_node, line.port) as talk:
        call = await talk.begins(softphones, tmp_path / "voice.wav")
        recording_id = f"{talk.leg_id}.t1"
        await talk.control.start_talk_recording(talk.leg_id, recording_id)
        await talk.written(recording_id)
        line.cut()
        await talk.without_recorder()
        await talk.control.pause_talk_recording(talk.leg_id, recording_id, True)
        assert "nothing of it is kept" in (await talk.facts.next(RecordingFailed, talk.leg_id)).why
        await call.hangup()
        await talk.facts.next(LegEnded, talk.leg_id)
        assert talk.facts.of(RecordingFinished, talk.leg_id) == []
        async with asyncio.timeout(30):  # Asterisk lets go of its files when the call is over
            while await talk.files(recording_id):
                await asyncio.sleep(0.05)


async def test_a_full_disk_fails_the_recording_and_the_call_goes_on(
    own_node: AsteriskNode, softphones: Phones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with conversation(own_node) as talk:
        call = await talk.begins(softphones, tmp_path / "voice.wav")
        resource.prlimit(own_node.launcher.pid, resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
        monkeypatch.setattr("telephony.control.recordings.RecordingFiles.is_disk_full", lambda files: True)
        await talk.control.start_talk_recording(talk.leg_id, f"{talk.leg_id}.t1")
        await asyncio.sleep(7)
        await talk.control.stop_talk_recording(talk.leg_id, f"{talk.leg_id}.t1")
        assert "disk" in (await talk.facts.next(RecordingFailed, talk.leg_id)).why
        assert call.state == "confirmed"
        await call.hangup()
        await talk.facts.next(LegEnded, talk.leg_id)


async def test_a_recording_that_ends_as_it_begins_is_kept_or_told(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    async with conversation(asterisk_node) as talk:
        call = await talk.begins(softphones, tmp_path / "voice.wav")

        async def is_kept(recording_id: str) -> bool:
            kept = tmp_path / f"{recording_id}.wav"
            try:
                await talk.control.keep_recording(talk.leg_id, recording_id, str(kept))
            except CommandRefused:
                return False
            return kept.exists()

        names = [f"{talk.leg_id}.t{number}" for number in range(5)]
        for name in names:
            await talk.control.start_talk_recording(talk.leg_id, name)
            await talk.control.stop_talk_recording(talk.leg_id, name)
            kept = await is_kept(name)
            told = [fact.recording_id for fact in talk.facts.of(RecordingFailed, talk.leg_id)]
            assert kept or name in told
        last = f"{talk.leg_id}.last"
        await talk.control.start_talk_recording(talk.leg_id, last)
        await talk.written(last)
        await call.hangup()
        await talk.facts.next(LegEnded, talk.leg_id)
        assert await is_kept(last)


async def test_the_next_engine_ends_and_keeps_what_the_one_before_it_began(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    async with conversation(asterisk_node) as former:
        call = await former.begins(softphones, tmp_path / "voice.wav")
        recording_id = f"{former.leg_id}.t1"
        await former.control.start_talk_recording(former.leg_id, recording_id)
    await former.written(recording_id, 1.2)
    async with conversation(asterisk_node) as talk:
        await talk.control.survey()
        await talk.control.pause_talk_recording(former.leg_id, recording_id, True)
        await talk.control.pause_talk_recording(former.leg_id, recording_id, False)
        await talk.control.stop_talk_recording(former.leg_id, recording_id)
        finished = await talk.facts.next(RecordingFinished, former.leg_id)
        assert finished.duration_s > 0.9
        kept = tmp_path / "kept.wav"
        await talk.control.keep_recording(former.leg_id, recording_id, str(kept))
        left, right = ear.load_channels(kept)
        assert ear.tone_share(left, 500.0, 0.3, 0.9) > 0.9
        assert ear.level_db(right.samples) < -50
        await call.hangup()
        await talk.facts.next(LegEnded, former.leg_id)


# -- vanishing -----------------------------------------------------------------------------------------
@pytest.fixture
def impatient_node(asterisk_installation: Installation, tmp_path: Path) -> Iterator[AsteriskNode]:
    node = started(
        asterisk_installation,
        tmp_path / "own",
        name="node-2",
        devices=(Device(name="main-caller"), Device(name="main-ana")),
        phone_vanished_s=3,
    )
    yield node
    node.launcher.stop()


async def test_a_phone_that_dies_ends_its_leg_and_says_so_and_one_that_is_only_quiet_stays(
    impatient_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    async with conversation(impatient_node) as talk:
        quiet = await talk.begins(softphones, tmp_path / "voice.wav")
        quiet_leg = talk.leg_id
        await quiet.stop_playing()
        await talk.begins(softphones, tmp_path / "voice2.wav", "main-ana")
        await talk.control.bridge("b1", [quiet_leg, talk.leg_id])
        os.kill(talk.pids[-1], signal.SIGKILL)
        ended = await talk.facts.next(LegEnded, talk.leg_id)
        assert (ended.reason, ended.cause) == (EndReason.FAILED, VANISHED)
        await talk.control.unbridge("b1", quiet_leg)
        await talk.control.start_music(quiet_leg, "default")
        await asyncio.sleep(4)
        await quiet.hold()
        await asyncio.sleep(4)
        assert quiet.state == "confirmed"
        assert talk.facts.of(LegEnded, quiet_leg) == []
        await quiet.hangup()
        assert (await talk.facts.next(LegEnded, quiet_leg)).reason is EndReason.HUNG_UP
        await talk.control.destroy_bridge("b1")


async def test_a_held_line_whose_phone_dies_is_ended_within_seconds_and_a_phone_that_holds_it_is_not(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dead_lines, "KNOWN_S", 4.0)
    async with conversation(asterisk_node, line_vanished_s=2.0) as talk:
        holding = await talk.begins(softphones, tmp_path / "voice.wav")
        holding_leg = talk.leg_id
        await holding.stop_playing()  # it sends silence
        await talk.control.park(holding_leg)
        await talk.begins(softphones, tmp_path / "voice2.wav", "main-luis")
        await talk.control.park(talk.leg_id)
        await asyncio.sleep(8)
        await holding.hold()
        killed_s = time.monotonic()
        os.kill(talk.pids[-1], signal.SIGKILL)
        ended = await talk.facts.next(LegEnded, talk.leg_id)
        assert (ended.reason, ended.cause) == (EndReason.FAILED, VANISHED)
        assert time.monotonic() - killed_s < 10
        await asyncio.sleep(6)
        assert talk.facts.of(LegEnded, holding_leg) == []
        await holding.hangup()
        await talk.facts.next(LegEnded, holding_leg)


# -- supervising ---------------------------------------------------------------------------------------
async def test_what_a_supervisor_of_the_engine_before_listened_through_is_cleared_away(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    async with conversation(asterisk_node) as former:
        agent = await former.begins(softphones, tmp_path / "voice.wav")
        agent_leg = former.leg_id
        supervisor = await former.begins(softphones, tmp_path / "voice2.wav", "main-luis")
        await former.control.listen_in(former.leg_id, agent_leg, True)
    async with conversation(asterisk_node) as talk:
        (survey,) = await talk.control.survey()
        assert {leg.leg_id for leg in survey.legs} == {agent_leg, former.leg_id}
        assert survey.bridges == {}
        async with asyncio.timeout(30):  # Asterisk has cleared it away too
            while [
                [channel["name"][:5] for channel in ari(asterisk_node, "GET", "channels").json()],
                ari(asterisk_node, "GET", "bridges").json(),
            ] != [["PJSIP", "PJSIP"], []]:
                await asyncio.sleep(0.05)
        await talk.control.listen_in(former.leg_id, agent_leg, True)
        recording = await supervisor.record(tmp_path / "heard.wav")
        async with asyncio.timeout(30):  # she listens again
            while not ear.tone_spans(so_far(recording.path), 500.0):
                await asyncio.sleep(0.1)
        for call, leg_id in ((supervisor, former.leg_id), (agent, agent_leg)):
            await call.hangup()
            await talk.facts.next(LegEnded, leg_id)
