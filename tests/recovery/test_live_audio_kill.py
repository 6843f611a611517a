"""Whoever dies while legs are listened to: worker, engine or Asterisk. No media leg outlives it, no leg suffers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.events import AudioVerdict, LegArrived, ListenerLost, PlaybackFinished
from core.leg import EndReason
from core.leg_commands import ListenToLeg
from engine.supervisor import Supervisor
from telephony.control.asterisk import AsteriskCallControl
from telephony.live_audio import workers as workers_module
from telephony.node.installation import Installation
from telephony.node.settings import Device, NodeSettings
from telephony.softphone.client import Softphone
from tests.asterisk_fixture import AsteriskNode, started
from tests.contract.control_stage import Facts, ari_settings
from tests.contract.live_audio_stage import (
    ROOT,
    LiveStage,
    WorkerProcesses,
    live_stage,
    media_workers,
    worker_processes,
)
from tests.recovery.media_engine import LEG
from tests.recovery.test_engine_kill import FLOW
from tests.system_fixture import Systems

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcesses]:
    with worker_processes(tmp_path_factory.mktemp("media")) as running:
        yield running


@pytest.fixture(params=["websocket", "rtp"])
async def stage(
    request: pytest.FixtureRequest, asterisk_node: AsteriskNode, processes: WorkerProcesses, tmp_path: Path
) -> AsyncIterator[LiveStage]:
    async with live_stage(request.param, asterisk_node, processes, tmp_path) as stage:
        yield stage


async def listened(stage: Any, listener: str = "notebook", **options: str) -> tuple[str, int]:
    """A caller who is listened to, and the worker that does."""
    leg_id = (await stage.caller()).leg_id
    await stage.control.answer(leg_id)
    await stage.control.listen(ListenToLeg(leg_id, "l1", listener, options))
    return leg_id, stage.control._taps[leg_id].stream.pid


async def until_ready(stage: Any, count: int) -> None:
    async with asyncio.timeout(60):
        while len(stage.workers.pids) < count:
            await asyncio.sleep(0.02)


async def still_works(stage: Any, leg_id: str) -> None:
    await stage.control.play(leg_id, f"{leg_id}.p", [stage.sound(0.2)])
    assert (await stage.facts.next(PlaybackFinished, leg_id)).how == "completed"


async def test_a_killed_worker_loses_its_own_verdicts_and_nothing_else(stage: Any, processes: WorkerProcesses) -> None:
    mine, victim = await listened(stage)
    other, survivor = await listened(stage)
    assert victim != survivor  # the one with the fewest legs is asked
    os.kill(victim, signal.SIGKILL)
    lost = await stage.facts.next(ListenerLost, mine)
    assert (lost.listening_id, str(victim) in lost.why) == ("l1", True)
    await still_works(stage, mine)
    # Whoever asks meanwhile is served by those who are left.
    await stage.control.listen(ListenToLeg(mine, "l2", "notebook"))
    assert stage.control._taps[mine].stream.pid == survivor
    await stage.control.dismiss(mine, "l2")
    await stage.control.dismiss(other, "l1")
    assert (await stage.facts.next(AudioVerdict, other)).label == "heard"
    assert len(stage.facts.of(AudioVerdict, other)) == 1
    assert stage.facts.of(ListenerLost, other) == []
    assert await stage.left() == []
    processes.replace(victim)
    await until_ready(stage, 2)


@pytest.mark.parametrize("stage", ["websocket"], indirect=True)
async def test_a_worker_that_hangs_is_killed(
    stage: Any, processes: WorkerProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers_module, "HANGS_AFTER_S", 2.5)
    leg_id, victim = await listened(stage, "clumsy", on="hang")
    lost = await stage.facts.next(ListenerLost, leg_id)
    assert "hung" in lost.why
    await still_works(stage, leg_id)
    processes.replace(victim)
    await until_ready(stage, 2)
    assert await stage.left() == []


@pytest.mark.parametrize("transport", ["websocket", "rtp"])
async def test_an_engine_that_is_killed_leaves_no_media_leg(
    transport: str, asterisk_node: AsteriskNode, tmp_path: Path
) -> None:
    settings = asterisk_node.settings
    async with Softphone.start(rate_hz=8000) as phone:
        await phone.register("main-ana", asterisk_node.device("main-ana").secret, port=settings.sip_port)
        await phone.auto_answer(100)
        with worker_processes(tmp_path, 1) as processes:
            where = (str(processes.socket), str(settings.http_port), settings.secrets.ari_engine, transport)
            command = [sys.executable, "-m", "tests.recovery.media_engine", *where, str(tmp_path)]
            engine = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
            assert engine.stdout is not None
            assert await asyncio.wait_for(engine.stdout.readline(), 90) == b"up\n"
            engine.kill()
            await engine.wait()
        # Whatever heard it is gone, or goes as soon as the next engine looks.
        next_one = AsteriskCallControl([ari_settings(settings)], lambda fact: None, lambda node, what: None)
        await next_one.start()
        try:
            (survey,) = await next_one.survey()
            assert [(leg.leg_id, leg.up) for leg in survey.legs] == [(LEG, True)]
            assert survey.bridges == {}
            async with asyncio.timeout(30):
                while await media_legs(settings):
                    await asyncio.sleep(0.02)
            await next_one.hang_up(LEG, EndReason.HUNG_UP_BY_US)
            await (await phone.incoming()).until("disconnected")
        finally:
            await next_one.close()


async def media_legs(settings: NodeSettings) -> list[str]:
    """Channels and bridges of live audio that are there."""
    auth = ("supervisor", settings.secrets.ari_supervisor)
    async with httpx.AsyncClient(base_url=settings.ari_url, auth=auth, trust_env=False, timeout=30) as ari:
        there = [*(await ari.get("/channels")).json(), *(await ari.get("/bridges")).json()]
    return [one["id"] for one in there if one["id"].startswith(("media-", "hear-"))]


async def test_an_asterisk_that_dies_takes_all_of_it_along(
    asterisk_installation: Installation, processes: WorkerProcesses, tmp_path: Path
) -> None:
    devices = (Device(name="main-ana"), Device(name="main-caller"))
    node = await asyncio.to_thread(started, asterisk_installation, tmp_path / "node", devices=devices)
    facts, back = Facts(), asyncio.Event()
    try:
        async with media_workers(processes) as workers, Softphone.start(rate_hz=8000) as phone:
            await phone.register("main-caller", node.device("main-caller").secret, port=node.settings.sip_port)
            control = AsteriskCallControl(
                [ari_settings(node.settings, reconnect_max_s=0.2)],
                facts.sink,
                lambda name, what: back.set() if what == "back" else back.clear(),
                workers=workers,
            )
            await control.start()
            legs = []
            for transport in ("websocket", "rtp"):
                control._transports[node.settings.name] = transport
                await phone.call("900100200")
                legs.append((await facts.next(LegArrived, count=len(legs) + 1)).leg_id)
                await control.answer(legs[-1])
                await control.listen(ListenToLeg(legs[-1], "l1", "notebook"))
            assert len(workers) == 2
            node.launcher.kill()
            await asyncio.to_thread(node.launcher.start)
            await asyncio.wait_for(back.wait(), 30)
            assert [survey.legs for survey in await control.survey()] == [()]

            def ends(leg_id: str) -> int:
                return len(facts.of(AudioVerdict, leg_id)) + len(facts.of(ListenerLost, leg_id))

            async with asyncio.timeout(30):
                while not all(map(ends, legs)):
                    await asyncio.sleep(0.02)
            assert [ends(leg_id) for leg_id in legs] == [1, 1]
            assert len(workers) == 0
            assert await media_legs(node.settings) == []
            await control.close()
    finally:
        await asyncio.to_thread(node.launcher.stop)


async def test_media_workers_come_with_the_system_and_find_its_next_engine(system: Systems) -> None:
    async def with_a_worker(supervisor: Supervisor) -> None:
        supervisor.workers += [supervisor._child("media_worker-1")]

    running = await system({"hold": FLOW}, before_start=with_a_worker)
    log = running.home.logs / "media_worker-1.out"

    async def connected(times: int) -> None:
        async with asyncio.timeout(60):
            while not log.exists() or log.read_text().count("connected to the engine") < times:
                await asyncio.sleep(0.05)

    await connected(1)
    running.kill_engine()
    await running.until(lambda body: body["ready"], 40)
    await connected(2)
