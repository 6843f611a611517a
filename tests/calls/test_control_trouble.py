"""What the adapter does when things go wrong, on a real Asterisk with real phones: frozen channels, broken lines,
an engine that dies, an Asterisk that restarts, a disk that is full.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import CommandFailed, CommandRefused, DeadlineExceeded, LegGone, TrunkAway
from core.events import DigitPressed, LegArrived, LegEnded, LegUp, PlaybackFinished, RecordingFailed, RecordingFinished
from core.leg import EndReason, LegRole
from core.leg_commands import OriginateLeg, StartRecording
from telephony.control.asterisk import AsteriskCallControl
from telephony.node.installation import Installation
from telephony.node.settings import Device
from telephony.reconcile import KnownLeg, reconcile
from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone
from tests.ari_listener import ari
from tests.asterisk_fixture import AsteriskNode, started
from tests.calls.control_line import Line
from tests.contract.control_stage import Facts, ari_settings
from tests.phone_fixture import Phones, tone_wav

pytestmark = pytest.mark.asterisk


class Engine:
    """An adapter and what it told."""

    def __init__(self, node: AsteriskNode, **settings: Any) -> None:
        self.facts = Facts()
        self.gaps: list[str] = []
        self.stolen: list[str] = []
        self.control = AsteriskCallControl(
            [ari_settings(node.settings, **settings)],
            self.facts.sink,
            lambda name, what: self.gaps.append(what),
            on_stolen=self.stolen.append,
        )

    async def gap(self, count: int, timeout_s: float = 30.0) -> None:
        async with asyncio.timeout(timeout_s):
            while len(self.gaps) < count:
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def engine(node: AsteriskNode, **settings: Any) -> AsyncIterator[Engine]:
    running = Engine(node, **settings)
    await running.control.start()
    assert running.gaps == ["back"]
    try:
        yield running
    finally:
        await running.control.close()


@pytest.fixture
def long_sound(asterisk_node: AsteriskNode) -> str:
    path = asterisk_node.settings.sounds_dirs[-1] / "long-90.wav"
    if not path.exists():
        tone_wav(path, 700.0, seconds=90.0)
    return str(path.with_suffix(""))


async def registered(node: AsteriskNode, phones: Phones, device: str) -> Softphone:
    phone = await phones(rate_hz=8000)
    await phone.register(device, node.device(device).secret, port=node.settings.sip_port)
    return phone


async def calling(node: AsteriskNode, running: Engine, phone: Softphone) -> tuple[PhoneCall, str]:
    """A call that has arrived, and its leg."""
    before = len([fact for fact in running.facts.told if isinstance(fact, LegArrived)])
    call = await phone.call("900100200")
    arrived = await running.facts.next(LegArrived, count=before + 1)
    return call, arrived.leg_id


async def until_gone(running: Engine, *calls: PhoneCall) -> None:
    for call in calls:
        await call.hangup()
    async with asyncio.timeout(30):
        while (await running.control.survey())[0].legs:
            await asyncio.sleep(0.05)


# -- the freeze ------------------------------------------------------------------------------------
async def test_a_prompt_on_one_leg_delays_nobody_when_it_is_answered_or_bridged(
    asterisk_node: AsteriskNode, softphones: Phones, long_sound: str, tmp_path: Path
) -> None:
    """All legs share one request socket here: whatever froze it would be felt."""
    async with engine(asterisk_node, request_sockets=1, deadline_s=60.0) as running:
        control = running.control
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, talked_to = await calling(asterisk_node, running, phone)
        other_call, other = await calling(asterisk_node, running, phone)
        await control.answer(other)
        worst_s = 0.0

        async def others_work() -> None:
            nonlocal worst_s
            for n in range(60):
                began = time.monotonic()
                await control.play(other, f"{other}.{n}", ["tone:beep"])
                await control.stop_playback(other, f"{other}.{n}")
                worst_s = max(worst_s, time.monotonic() - began)
                await asyncio.sleep(0.01)

        working = asyncio.create_task(others_work())
        for n in range(4):
            await control.play(talked_to, f"{talked_to}.{n}", [long_sound])
            await asyncio.sleep(0.1)
            if n == 0:
                await control.answer(talked_to)
            else:
                await control.bridge(f"bridge-{tmp_path.name}-{n}", [talked_to])
                await control.destroy_bridge(f"bridge-{tmp_path.name}-{n}")
        await working
        assert worst_s < 30.0, "a freeze lasts 60 s, the deadline, or 90, the prompt; this is a few milliseconds"
        assert running.gaps == ["back"]
        await until_gone(running, call, other_call)


async def test_a_prompt_can_be_stopped_in_the_instant_it_begins(
    asterisk_node: AsteriskNode, softphones: Phones, long_sound: str
) -> None:
    """Asterisk declines to stop what it has begun and does not play yet; who types ahead must not hear it."""
    async with engine(asterisk_node) as running:
        control = running.control
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, leg_id = await calling(asterisk_node, running, phone)
        await control.answer(leg_id)
        for n in range(300):
            await control.play(leg_id, f"{leg_id}.{n}", [long_sound])
            if n % 3:
                await asyncio.sleep(n % 7 * 0.0003)
            await control.stop_playback(leg_id, f"{leg_id}.{n}")
        await running.facts.next(PlaybackFinished, leg_id, count=300)
        assert {fact.how for fact in running.facts.of(PlaybackFinished, leg_id)} == {"stopped"}
        await until_gone(running, call)


async def test_a_frozen_lane_is_freed_over_the_rescue_socket(
    asterisk_node: AsteriskNode, softphones: Phones, long_sound: str
) -> None:
    async with engine(asterisk_node, request_sockets=1, deadline_s=2.0, rescue_s=20.0) as running:
        control = running.control
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, leg_id = await calling(asterisk_node, running, phone)
        other_call, other = await calling(asterisk_node, running, phone)
        await control.play(leg_id, f"{leg_id}.1", [long_sound])
        await asyncio.sleep(0.2)
        # Around the freeze rule, as a request would be whose playback nobody remembered to stop.
        leg = control._book.get(leg_id)
        began = time.monotonic()
        frozen = leg.node.send(leg_id, "POST", f"channels/{leg_id}/answer")
        await control.answer(other)
        others_waited_s = time.monotonic() - began
        assert (await frozen).status_code == 204
        assert 1.9 < others_waited_s < 60.0, "the deadline is 2 s, the prompt 90 s"
        assert (await running.facts.next(PlaybackFinished, leg_id)).how == "stopped"
        assert running.gaps == ["back"]
        await until_gone(running, call, other_call)


async def test_a_lane_that_cannot_be_freed_is_replaced(
    asterisk_node: AsteriskNode, softphones: Phones, long_sound: str
) -> None:
    """The prompt belongs to an engine before ours: nobody here knows its id."""
    async with engine(asterisk_node) as former:
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, leg_id = await calling(asterisk_node, former, phone)
        await former.control.play(leg_id, f"{leg_id}.forgotten", [long_sound])
    async with engine(asterisk_node, request_sockets=1, deadline_s=2.0, rescue_s=0.3) as running:
        control = running.control
        await control.survey()
        other_call, other = await calling(asterisk_node, running, phone)
        began = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await control.answer(leg_id)
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(CommandFailed):
                    await control.answer(other)
                    break
                await asyncio.sleep(0.05)
        assert time.monotonic() - began < 60.0, "the deadline is 2 s, the prompt 90 s"
        # Who remembers the id can stop it, and then all is well.
        await control.stop_playback(leg_id, f"{leg_id}.forgotten")
        await running.facts.next(PlaybackFinished, leg_id)
        await control.answer(leg_id)
        await running.facts.next(LegUp, leg_id)
        assert len(running.facts.of(LegUp, leg_id)) == 1
        await until_gone(running, call, other_call)


async def test_a_leg_that_leaves_a_bridge_is_at_once_free_for_anything(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    """In the moment a bridge dissolves, Asterisk may hang whatever is asked of its legs, once in some hundred times."""
    async with engine(asterisk_node) as running:
        control = running.control
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, leg_id = await calling(asterisk_node, running, phone)
        await control.answer(leg_id)
        for n in range(200):
            bridge_id = f"bridge-{tmp_path.name}-{n}"
            await control.bridge(bridge_id, [leg_id])
            await asyncio.sleep(n % 5 * 0.004)
            await control.destroy_bridge(bridge_id)
            if n % 2:
                await control.play(leg_id, f"{leg_id}.{n}", ["tone:beep"])
        await running.facts.next(PlaybackFinished, leg_id, count=100)
        await until_gone(running, call)


# -- broken lines ------------------------------------------------------------------------------------
async def test_when_the_line_breaks_calls_live_on_and_those_that_ended_are_lost(
    asterisk_node: AsteriskNode, softphones: Phones, long_sound: str
) -> None:
    async with Line(asterisk_node.settings.http_port) as line, engine(asterisk_node, port=line.port) as running:
        control = running.control
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, stays = await calling(asterisk_node, running, phone)
        other_call, leaves = await calling(asterisk_node, running, phone)
        for leg_id in (stays, leaves):
            await control.answer(leg_id)
        await control.play(stays, f"{stays}.old", [long_sound])
        line.cut()
        await running.gap(2)
        with pytest.raises(CommandFailed):
            await control.play(stays, f"{stays}.none", [long_sound])
        await other_call.hangup()
        async with asyncio.timeout(30):  # her phone has hung up; Asterisk has yet to clear her leg away
            while any(channel["id"] == leaves for channel in ari(asterisk_node, "GET", "channels").json()):
                await asyncio.sleep(0.05)
        line.mend()
        await running.gap(3)
        assert running.gaps == ["back", "lost", "back"]
        (survey,) = await control.survey()
        now_s = time.time()
        known = {leg_id: KnownLeg(survey.node, now_s - 60) for leg_id in (stays, leaves)}
        plan = reconcile(survey, known, frozenset(), now_s, grace_s=5)
        assert dict(plan.adopt) == {stays: True}
        assert plan.lost == (leaves,)
        with pytest.raises(LegGone):
            await control.play(leaves, "p", [long_sound])
        # The old prompt still plays: the new one replaces it and is not queued behind it.
        began = time.monotonic()
        await control.play(stays, f"{stays}.new", ["tone:beep"])
        await running.facts.next(PlaybackFinished, stays, count=2)
        assert time.monotonic() - began < 60.0, "the old prompt lasts 90 s"
        await call.dtmf("7")
        assert (await running.facts.next(DigitPressed, stays)).digit == "7"
        await until_gone(running, call)
        assert len(running.facts.of(LegEnded, stays)) == 1


async def test_a_line_that_falls_silent_is_noticed(asterisk_node: AsteriskNode) -> None:
    async with (
        Line(asterisk_node.settings.http_port) as line,
        engine(asterisk_node, port=line.port, ping_s=0.3) as running,
    ):
        began = time.monotonic()
        line.stall()
        await running.gap(2)
        assert time.monotonic() - began < 35, "its own end would be noticed after 40 s"
        line.mend()
        await running.gap(3)


# -- engines that come and go ------------------------------------------------------------------------
async def test_the_next_engine_finds_the_callers_and_goes_on(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    bridge_id = f"bridge-{tmp_path.name}"
    async with engine(asterisk_node) as former:
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, leg_id = await calling(asterisk_node, former, phone)
        (arrived,) = former.facts.of(LegArrived, leg_id)
        await former.control.answer(leg_id)
        await former.control.bridge(bridge_id, [leg_id])
    async with engine(asterisk_node) as running:
        control = running.control
        (survey,) = await control.survey()
        assert survey.bridges[bridge_id] == (leg_id,)
        (found,) = survey.legs
        assert found.up
        plan = reconcile(survey, {}, frozenset(survey.bridges) - {bridge_id}, time.time(), grace_s=5)
        assert [(leg.leg_id, leg.called, leg.caller, leg.entry) for leg in plan.arrived] == [
            (leg_id, arrived.called, arrived.caller, arrived.entry)
        ]
        assert plan.leaked_bridges == (bridge_id,)
        await control.destroy_bridge(bridge_id)
        await control.answer(leg_id)
        assert len(running.facts.of(LegUp, leg_id)) == 1
        await control.play(leg_id, f"{leg_id}.1", ["tone:beep"])
        assert (await running.facts.next(PlaybackFinished, leg_id)).how == "completed"
        await call.hangup()
        assert (await running.facts.next(LegEnded, leg_id)).reason is EndReason.HUNG_UP
        assert len(running.facts.of(LegEnded, leg_id)) == 1


async def test_a_leg_that_was_dialed_by_an_engine_before_is_found_while_it_rings(
    asterisk_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    leg_id = f"leg-{tmp_path.name}"
    await registered(asterisk_node, softphones, "main-ana")
    async with engine(asterisk_node) as former:
        command = OriginateLeg(
            leg_id, "i1", asterisk_node.settings.name, LegRole.AGENT, "device:main-ana", "+34911", 20.0, 60.0
        )
        await former.control.originate(command)
        await asyncio.sleep(0.3)
    async with engine(asterisk_node) as running:
        (survey,) = await running.control.survey()
        (found,) = survey.legs
        assert (found.leg_id, found.inbound, found.up) == (leg_id, False, False)
        with pytest.raises(CommandRefused):
            await running.control.originate(command)
        await running.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
        assert (await running.facts.next(LegEnded, leg_id)).reason is EndReason.HUNG_UP_BY_US


async def test_a_device_that_is_nowhere_or_unknown_is_refused_at_once(asterisk_node: AsteriskNode) -> None:
    async with engine(asterisk_node) as running:
        for endpoint in ("device:main-nowhere", "device:nobody", "trunk:nowhere/123"):
            command = OriginateLeg(
                f"leg-{endpoint[-4:]}", "i1", asterisk_node.settings.name, LegRole.AGENT, endpoint, "", 5.0, 60.0
            )
            what = (
                "cannot reach the trunk nowhere .*answer"
                if endpoint.startswith("trunk")
                else "cannot dial .*registered"
            )
            with pytest.raises(TrunkAway if endpoint.startswith("trunk") else CommandRefused, match=what):
                await running.control.originate(command)
        assert running.facts.told == []
        assert (await running.control.survey())[0].legs == ()


async def test_a_carrier_that_does_not_answer_is_unreachable(asterisk_node: AsteriskNode, tmp_path: Path) -> None:
    async with engine(asterisk_node) as running:
        leg_id = f"leg-{tmp_path.name}"
        command = OriginateLeg(
            leg_id, "i1", asterisk_node.settings.name, LegRole.CUSTOMER, "trunk:main-carrier/123", "+34", 1.0, 60.0
        )
        await running.control.originate(command)
        ended = await running.facts.next(LegEnded, leg_id)
        assert ended.reason in (EndReason.UNREACHABLE, EndReason.CONGESTION)


async def test_a_caller_who_came_while_no_engine_was_there_is_served(
    asterisk_node: AsteriskNode, softphones: Phones
) -> None:
    phone = await registered(asterisk_node, softphones, "main-caller")
    call = await phone.call("900100200")
    await call.until("confirmed")  # the dialplan answers to play music
    async with engine(asterisk_node) as running:
        arrived = await running.facts.next(LegArrived)
        assert arrived.retried
        await running.facts.next(LegUp, arrived.leg_id)
        await running.control.answer(arrived.leg_id)
        assert len(running.facts.of(LegUp, arrived.leg_id)) == 1
        await until_gone(running, call)


async def test_an_engine_whose_name_was_taken_says_so_and_does_not_fight(asterisk_node: AsteriskNode) -> None:
    async with engine(asterisk_node) as former, engine(asterisk_node) as running:
        async with asyncio.timeout(30):
            while not former.stolen or len(former.gaps) < 2 or former.control.connected_nodes():
                await asyncio.sleep(0.02)
        assert former.gaps == ["back", "lost"]
        assert running.gaps == ["back"]


# -- Asterisk itself -----------------------------------------------------------------------------------
@pytest.fixture
def own_node(asterisk_installation: Installation, tmp_path: Path) -> Iterator[AsteriskNode]:
    node = started(asterisk_installation, tmp_path / "own", name="node-2", devices=(Device(name="main-caller"),))
    yield node
    node.launcher.stop()


async def test_after_a_restart_of_asterisk_everything_is_lost_and_new_calls_work(
    own_node: AsteriskNode, softphones: Phones
) -> None:
    async with engine(own_node) as running:
        control = running.control
        phone = await registered(own_node, softphones, "main-caller")
        _, leg_id = await calling(own_node, running, phone)
        await control.answer(leg_id)
        own_node.launcher.kill()
        own_node.launcher.start()
        await running.gap(3)
        (survey,) = await control.survey()
        plan = reconcile(survey, {leg_id: KnownLeg(survey.node, time.time() - 60)}, frozenset(), time.time(), grace_s=5)
        assert (plan.lost, plan.adopt) == ((leg_id,), {})
        with pytest.raises(LegGone):
            await control.start_music(leg_id, "default")
        again = await registered(own_node, softphones, "main-caller")
        call, new_leg_id = await calling(own_node, running, again)
        await control.answer(new_leg_id)
        await running.facts.next(LegUp, new_leg_id)
        await until_gone(running, call)


async def test_two_nodes_at_once(asterisk_node: AsteriskNode, own_node: AsteriskNode, softphones: Phones) -> None:
    facts = Facts()
    control = AsteriskCallControl(
        [ari_settings(asterisk_node.settings), ari_settings(own_node.settings)], facts.sink, lambda name, what: None
    )
    await control.start()
    try:
        assert list(control.connected_nodes()) == ["node-1", "node-2"]
        legs: dict[str, str] = {}
        calls = []
        for node in (asterisk_node, own_node):
            phone = await registered(node, softphones, "main-caller")
            calls.append(await phone.call("900100200"))
            arrived = await facts.next(LegArrived, count=len(calls))
            legs[arrived.node] = arrived.leg_id
            await control.answer(arrived.leg_id)
        assert set(legs) == {"node-1", "node-2"}
        with pytest.raises(CommandRefused, match="relay"):
            await control.bridge("bridge-across", list(legs.values()))
        surveys = {survey.node: [leg.leg_id for leg in survey.legs] for survey in await control.survey()}
        assert surveys == {node: [leg_id] for node, leg_id in legs.items()}
        own_node.launcher.kill()
        async with asyncio.timeout(30):
            while list(control.connected_nodes()) != ["node-1"]:
                await asyncio.sleep(0.05)
        await control.play(legs["node-1"], f"{legs['node-1']}.1", ["tone:beep"])
        await facts.next(PlaybackFinished, legs["node-1"])
        await calls[0].hangup()
        await facts.next(LegEnded, legs["node-1"])
    finally:
        await control.close()


async def test_a_full_disk_fails_the_recording_and_the_call_goes_on(
    own_node: AsteriskNode, softphones: Phones, tmp_path: Path
) -> None:
    async with engine(own_node) as running:
        control = running.control
        phone = await registered(own_node, softphones, "main-caller")
        call, leg_id = await calling(own_node, running, phone)
        await control.answer(leg_id)
        await call.until("confirmed")
        await call.play(tone_wav(tmp_path / "speech.wav", 700.0, seconds=20.0))
        assert own_node.launcher.pid is not None
        resource.prlimit(own_node.launcher.pid, resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
        for n, silence_s in enumerate((0, 2)):
            recording_id = f"{leg_id}.r{n}"
            await control.start_recording(StartRecording(leg_id, recording_id, 15, silence_s=silence_s, beep=False))
            failed = await running.facts.next(RecordingFailed, leg_id, count=n + 1)
            assert failed.recording_id == recording_id
            assert "disk" in failed.why
            await control.discard_recording(leg_id, recording_id)
        await control.play(leg_id, f"{leg_id}.1", ["tone:beep"])
        assert (await running.facts.next(PlaybackFinished, leg_id)).how == "completed"
        await until_gone(running, call)


async def test_a_place_that_cannot_be_written_refuses_or_fails_the_recording_and_the_call_goes_on(
    asterisk_node: AsteriskNode, softphones: Phones
) -> None:
    async with engine(asterisk_node) as running:
        control = running.control
        phone = await registered(asterisk_node, softphones, "main-caller")
        call, leg_id = await calling(asterisk_node, running, phone)
        await control.answer(leg_id)
        recording_id = f"{leg_id}.r1"
        await control.start_recording(StartRecording(leg_id, recording_id, 1, beep=False))
        await running.facts.next(RecordingFinished, leg_id)
        with pytest.raises(CommandRefused):
            await control.keep_recording(leg_id, recording_id, "/proc/no-such-place/message.wav")
        await control.discard_recording(leg_id, recording_id)
        await control.play(leg_id, f"{leg_id}.1", ["tone:beep"])
        assert (await running.facts.next(PlaybackFinished, leg_id)).how == "completed"
        await until_gone(running, call)
