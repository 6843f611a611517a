"""A stage for the contract of live audio: the same legs, in memory or with real phones, heard over each transport."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from core.leg import LegRole
from core.leg_commands import ListenToLeg, OriginateLeg
from core.live_audio import LiveAudio
from telephony.fake.party import Party
from telephony.live_audio.workers import MediaWorkers
from telephony.softphone.calls import PhoneCall, Recording
from telephony.softphone.ear import Sound, load, tone_spans
from tests.asterisk_fixture import AsteriskNode
from tests.contract.control_stage import (
    DEADLINE_S,
    AsteriskStage,
    Behaviour,
    Control,
    Facts,
    FakeStage,
    Person,
    ari_settings,
    asterisk_stage,
    fake_stage,
)
from tests.media_listeners import KINDS, WATCHES, tone
from tests.phone_fixture import tone_wav

ROOT = Path(__file__).resolve().parents[2]
CALLER, CALLER_NAME = "+34911234567", "Ana García"


class Hearing(Control, LiveAudio, Protocol):
    """Every port of a node."""


class LiveStage(Protocol):
    """`say`: the person makes a tone; `heard`: when (seconds, from the beginning of the leg's audio) she heard one.
    `notebook`: the listener that writes down what it heard."""

    notebook: str
    control: Any
    facts: Facts
    node: str
    endpoint: str

    async def caller(self) -> Person: ...

    async def callee(self, behaviour: Behaviour) -> None: ...

    def sound(self, seconds: float) -> str: ...

    async def say(self, person: Person, hz: float, seconds: float, rate_hz: int = 8000) -> None: ...

    async def record(self, person: Person) -> None: ...

    async def heard(self, person: Person, hz: float) -> list[tuple[float, float]]:
        """Stretches of that tone, UTC seconds."""
        ...

    async def callee_speaks_early(self, hz: float, seconds: float, answers_after_s: float | None) -> None:
        """Early media with a tone, then she answers, or is busy when `answers_after_s` is None."""
        ...

    def shown(self) -> str:
        """Who calls, as the dialed phone is told."""
        ...

    async def left(self) -> list[str]:
        """Channels and bridges of the node beyond the legs themselves."""
        ...


def originate(stage: LiveStage, leg_id: str, listen: ListenToLeg, ring_s: float = 10.0) -> OriginateLeg:
    return OriginateLeg(
        leg_id,
        "i1",
        stage.node,
        LegRole.CUSTOMER,
        stage.endpoint,
        CALLER,
        ring_s,
        60.0,
        caller_name=CALLER_NAME,
        listen=listen,
    )


# -- in memory ---------------------------------------------------------------------------------------
class FakeLiveStage(FakeStage):
    notebook = "notebook"

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.fake.live.kinds = dict(KINDS)
        self._recording_s = 0.0

    async def say(self, person: Person, hz: float, seconds: float, rate_hz: int = 8000) -> None:
        self.fake.live.say(person.leg_id, tone(hz, seconds, rate_hz))

    async def record(self, person: Person) -> None:
        self.fake.live.said.pop(person.leg_id, None)
        self._recording_s = time.time()

    async def heard(self, person: Person, hz: float) -> list[tuple[float, float]]:
        samples = np.frombuffer(self.fake.live.said[person.leg_id], np.int16) / 32768
        spans = tone_spans(Sound(samples, 8000), hz)
        return [(self._recording_s + start_s, self._recording_s + end_s) for start_s, end_s in spans]

    async def callee_speaks_early(self, hz: float, seconds: float, answers_after_s: float | None) -> None:
        def behave(party: Party) -> None:
            party.ring()
            party.later(0.1, party.early_media)
            party.later(0.1, lambda: self.fake.live.say(party.leg_id, tone(hz, seconds)))
            if answers_after_s is None:
                party.later(seconds + 1.0, party.decline)
            else:
                party.later(answers_after_s, party.answer)

        self.fake.on_dial(self.endpoint, behave)

    def shown(self) -> str:
        return self.fake.dialed[-1].arrival["shown"]

    async def left(self) -> list[str]:
        return [str(self.fake.live)] * len(self.fake.live)


# -- real --------------------------------------------------------------------------------------------
class RealLiveStage(AsteriskStage):
    notebook = "notebook"
    transport: Literal["websocket", "rtp"] = "websocket"
    workers: MediaWorkers

    def __init__(self, node: AsteriskNode, phones: contextlib.AsyncExitStack, tmp_path: Path) -> None:
        super().__init__(node, phones, tmp_path)
        from telephony.control.asterisk import AsteriskCallControl

        self.control = AsteriskCallControl(
            [ari_settings(node.settings, live_audio=self.transport, deadline_s=DEADLINE_S)],
            self.facts.sink,
            lambda name, what: self.gaps.append((name, what)),
            admit=lambda arrived: self._admitting,
            recorders={self.node: self.manager},
            workers=self.workers,
            watches=WATCHES,
        )
        self._recordings: dict[str, Recording] = {}
        self._dialed: PhoneCall | None = None

    async def say(self, person: Person, hz: float, seconds: float, rate_hz: int = 8000) -> None:
        call: PhoneCall = person.call  # type: ignore[attr-defined]
        await call.until("confirmed")
        await call.play(self._tone(hz, seconds))

    def _tone(self, hz: float, seconds: float) -> Path:
        return tone_wav(self._tmp_path / f"say-{hz:.0f}-{seconds}.wav", hz, seconds=seconds)

    async def record(self, person: Person) -> None:
        call: PhoneCall = person.call  # type: ignore[attr-defined]
        await call.until("confirmed")
        self._recordings[person.leg_id] = await call.record(self._tmp_path / f"{len(self._recordings)}.wav")

    async def heard(self, person: Person, hz: float) -> list[tuple[float, float]]:
        recording = self._recordings.pop(person.leg_id)
        await recording.call.stop_recording()
        began_s = recording.t_s + time.time() - time.monotonic()
        spans = tone_spans(load(await recording.saved()), hz)
        return [(began_s + start_s, began_s + end_s) for start_s, end_s in spans]

    async def callee_speaks_early(self, hz: float, seconds: float, answers_after_s: float | None) -> None:
        phone = await self.phone("main-ana")

        async def behave() -> None:
            self._dialed = call = await phone.incoming()
            await call.answer(180)
            await asyncio.sleep(0.1)
            await call.play(self._tone(hz, seconds))
            await call.answer(183)
            if answers_after_s is None:
                await asyncio.sleep(seconds + 1.0)
                await call.answer(486)
            else:
                await asyncio.sleep(answers_after_s)
                await call.answer(200)

        self._early = asyncio.create_task(behave())

    def shown(self) -> str:
        assert self._dialed is not None
        name, _, rest = self._dialed.headers["From"].partition("<sip:")
        return f"{name.strip()} <{rest.partition('@')[0]}>"

    async def leave_nothing(self) -> None:
        await super().leave_nothing()
        assert await self.left() == []

    async def left(self) -> list[str]:
        node = next(iter(self.control._nodes.values()))  # type: ignore[attr-defined]
        until_s = time.monotonic() + 20.0
        while True:
            channels = (await node.ask("GET", "channels")).message_body
            bridges = (await node.ask("GET", "bridges")).message_body
            if '"media-' not in channels and '"hear-' not in bridges:
                return []
            if time.monotonic() > until_s:
                return [channels, bridges]
            await asyncio.sleep(0.02)


class WorkerProcesses:
    """Media workers of a test module's own, on a socket of their own."""

    def __init__(self, folder: Path, count: int) -> None:
        self.socket = folder / "media.sock"
        self._log = (folder / "workers.log").open("ab")
        self._processes = [self._spawn() for _ in range(count)]

    def _spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.media_listeners", str(self.socket)]
        return subprocess.Popen(command, cwd=ROOT, stdout=self._log, stderr=self._log)

    def replace(self, pid: int) -> None:
        """As the supervisor does when one has died."""
        (dead,) = [process for process in self._processes if process.pid == pid]
        dead.wait()
        self._processes.remove(dead)
        self._processes.append(self._spawn())

    def close(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        self._log.close()


@contextlib.contextmanager
def worker_processes(folder: Path, count: int = 2) -> Iterator[WorkerProcesses]:
    processes = WorkerProcesses(folder, count)
    try:
        yield processes
    finally:
        processes.close()


@contextlib.asynccontextmanager
async def media_workers(processes: WorkerProcesses, count: int = 2) -> AsyncIterator[MediaWorkers]:
    workers = MediaWorkers(processes.socket, KINDS)
    await workers.start()
    try:
        async with asyncio.timeout(60):
            while len(workers.pids) < count:
                await asyncio.sleep(0.02)
        yield workers
    finally:
        await workers.close()


@contextlib.asynccontextmanager
async def live_stage(
    kind: str, node: AsteriskNode | None, processes: WorkerProcesses | None, tmp_path: Path
) -> AsyncIterator[Any]:
    """`kind`: fake, websocket or rtp; fake-talk or talk: who gets no audio."""
    listens = {"notebook": "talk_notebook" if kind.endswith("talk") else "notebook"}
    if node is None or processes is None:
        async with fake_stage(tmp_path, type("Stage", (FakeLiveStage,), listens)) as stage:
            yield stage
        return
    async with media_workers(processes) as workers:
        settings = {"transport": "rtp" if kind == "rtp" else "websocket", "workers": workers, **listens}
        async with asterisk_stage(node, tmp_path, type("Stage", (RealLiveStage,), settings)) as real:
            yield real


__all__ = ["LiveStage", "live_stage", "media_workers", "originate", "worker_processes"]
