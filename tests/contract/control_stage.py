"""A stage for the contract of call control: the same people, in memory or with real phones on a real Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

from core.events import LegArrived, LegEnded, LegFact
from core.leg import EndReason
from core.ports import CallControl, MediaControl, Survey
from telephony.ami.client import AmiClient, AmiSettings
from telephony.ari.settings import AriSettings
from telephony.control.asterisk import AsteriskCallControl
from telephony.fake.control import FakeCallControl
from telephony.fake.party import Party
from telephony.node.settings import NodeSettings
from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone
from tests.asterisk_fixture import AsteriskNode
from tests.phone_fixture import tone_wav

Fact = TypeVar("Fact", bound=LegFact)
Behaviour = Literal["answers", "rings", "busy", "rejects", "early_media"]


class Control(CallControl, MediaControl, Protocol):
    def connected_nodes(self) -> Any: ...


DEADLINE_S = 20.0
"""A request that hangs is told from one that a busy machine delays."""


class Facts:
    """What the sink was told, in order."""

    def __init__(self) -> None:
        self.told: list[LegFact] = []
        self._changed = asyncio.Event()

    def sink(self, fact: LegFact) -> None:
        self.told.append(fact)
        self._changed.set()

    def of(self, kind: type[Fact], leg_id: str) -> list[Fact]:
        return [fact for fact in self.told if isinstance(fact, kind) and fact.leg_id == leg_id]

    async def next(self, kind: type[Fact], leg_id: str = "", count: int = 1, timeout_s: float = 30.0) -> Fact:
        """The `count`-th fact of that kind (about that leg), also when it was told already."""
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    found = [fact for fact in self.told if isinstance(fact, kind) and leg_id in ("", fact.leg_id)]
                    if len(found) >= count:
                        return found[count - 1]
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            told = "\n  ".join(map(str, self.told))
            raise AssertionError(f"no {kind.__name__} #{count} for {leg_id or 'any leg'}; told:\n  {told}") from None


class Person(Protocol):
    """Somebody on a phone."""

    leg_id: str

    async def press(self, digits: str) -> None: ...

    async def hang_up(self) -> None: ...

    async def hold(self) -> None: ...

    async def resume(self) -> None: ...


class Stage(Protocol):
    """`endpoint`: whom to dial; `sound(s)`: a path that plays so long; `missing`: one that does not exist."""

    control: Control
    facts: Facts
    node: str
    endpoint: str

    async def caller(self) -> Person: ...

    async def callee(self, behaviour: Behaviour) -> None: ...

    async def callee_hangs_up(self) -> None: ...

    def sound(self, seconds: float) -> str: ...

    missing: str

    def is_kept(self, recording_id: str, destination: Path) -> bool: ...

    def destination(self, name: str) -> Path: ...

    def refuse_admission(self) -> None: ...

    async def knock(self) -> None:
        """Somebody calls who may not be let in."""
        ...

    async def was_turned_away(self) -> bool: ...


# -- in memory ---------------------------------------------------------------------------------------
class WallClock:
    def now_s(self) -> float:
        return time.time()


class FakePerson:
    def __init__(self, party: Party) -> None:
        self.leg_id = party.leg_id
        self._party = party

    async def press(self, digits: str) -> None:
        self._party.press(digits)

    async def hang_up(self) -> None:
        self._party.hang_up()

    async def hold(self) -> None:
        self._party.hold()

    async def resume(self) -> None:
        self._party.resume()


_FAKE_BEHAVIOURS: dict[str, Callable[[Party], None]] = {
    "answers": lambda party: (party.ring(), party.later(0.1, party.answer))[0],
    "rings": Party.ring,
    "busy": Party.decline,
    "rejects": lambda party: party.decline(EndReason.REJECTED, 21),
    "early_media": Party.early_media,
}


class FakeStage:
    def __init__(self, tmp_path: Path) -> None:
        self.facts = Facts()
        self.node = "fake"
        self.endpoint = "device:main-ana"
        self.missing = "/nowhere/at-all"
        self._admitting = True
        self.fake = FakeCallControl(self.facts.sink, WallClock(), node=self.node, admit=lambda arrived: self._admitting)
        self.control: Control = self.fake
        self.fake.durations[self.missing] = None
        self.fake.trunks_away.add("nowhere")
        self._tmp_path = tmp_path

    async def caller(self) -> Person:
        return FakePerson(self.fake.arrive("900100200", "1001", entry="main-caller"))

    async def callee(self, behaviour: Behaviour) -> None:
        self.fake.on_dial(self.endpoint, _FAKE_BEHAVIOURS[behaviour])

    async def callee_hangs_up(self) -> None:
        self.fake.dialed[-1].hang_up()

    def sound(self, seconds: float) -> str:
        path = f"/sounds/{seconds}"
        self.fake.durations[path] = seconds
        return path

    def is_kept(self, recording_id: str, destination: Path) -> bool:
        return self.fake.kept.get(recording_id) == str(destination)

    def destination(self, name: str) -> Path:
        return self._tmp_path / name

    def refuse_admission(self) -> None:
        self._admitting = False

    async def knock(self) -> None:
        await self.caller()

    async def was_turned_away(self) -> bool:
        return len(self.fake.turned_away) == 1


AnyFakeStage = TypeVar("AnyFakeStage", bound=FakeStage)


@contextlib.asynccontextmanager
async def fake_stage(tmp_path: Path, kind: type[AnyFakeStage] = FakeStage) -> AsyncIterator[AnyFakeStage]:
    stage = kind(tmp_path)
    await stage.fake.start()
    running = asyncio.create_task(stage.fake.run())
    try:
        yield stage
    finally:
        await stage.fake.close()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


# -- real --------------------------------------------------------------------------------------------
class PhonePerson:
    def __init__(self, leg_id: str, call: PhoneCall) -> None:
        self.leg_id = leg_id
        self.call = call

    async def press(self, digits: str) -> None:
        await self.call.dtmf(digits)

    async def hang_up(self) -> None:
        await self.call.hangup()

    async def hold(self) -> None:
        await self.call.hold()

    async def resume(self) -> None:
        await self.call.unhold()


def ari_settings(settings: NodeSettings, **changes: Any) -> AriSettings:
    """How to reach a test's node."""
    wanted: dict[str, Any] = {
        "node": settings.name,
        "user": "engine",
        "password": settings.secrets.ari_engine,
        "port": settings.http_port,
        "recordings_dir": settings.recordings,
        "scratch_dir": settings.state_dir / "spool" / "silence",
        "inbound_limit_s": float(settings.absolute_limit_s),
    }
    return AriSettings(**(wanted | changes))


def ami_settings(settings: NodeSettings) -> AmiSettings:
    """Its manager's interface."""
    return AmiSettings(settings.name, "centralita", settings.secrets.ami, port=settings.ami_port, quality=False)


class AsteriskStage:
    def __init__(self, node: AsteriskNode, phones: contextlib.AsyncExitStack, tmp_path: Path) -> None:
        self.facts = Facts()
        self.node = node.settings.name
        self.endpoint = "device:main-ana"
        self.missing = "/nowhere/at-all"
        self.asterisk = node
        self.gaps: list[tuple[str, str]] = []
        self._admitting = True
        self._phones = phones
        self._tmp_path = tmp_path
        self._running: list[Softphone] = []
        self._knocking: PhoneCall | None = None
        self._callee: Softphone | None = None
        self.manager = AmiClient(ami_settings(node.settings), lambda fact: None)
        self.control: Control = AsteriskCallControl(
            [ari_settings(node.settings, deadline_s=DEADLINE_S)],
            self.facts.sink,
            lambda name, what: self.gaps.append((name, what)),
            admit=lambda arrived: self._admitting,
            recorders={self.node: self.manager},
        )

    async def phone(self, device: str) -> Softphone:
        phone = await self._phones.enter_async_context(Softphone.start(rate_hz=8000))
        await phone.register(device, self.asterisk.device(device).secret, port=self.asterisk.settings.sip_port)
        self._running.append(phone)
        return phone

    async def caller(self) -> Person:
        phone = await self.phone("main-caller" if not self._running else "main-luis")
        arrived = len([fact for fact in self.facts.told if isinstance(fact, LegArrived)])
        call = await phone.call("900100200")
        fact = await self.facts.next(LegArrived, count=arrived + 1)
        return PhonePerson(fact.leg_id, call)

    async def callee(self, behaviour: Behaviour) -> None:
        self._callee = await self.phone("main-ana")
        if behaviour == "answers":
            await self._callee.auto_answer(100)
        elif behaviour in ("busy", "rejects"):
            await self._callee.auto_reject(486 if behaviour == "busy" else 603)
        elif behaviour == "early_media":
            self._early = asyncio.create_task(self._open_early_media(self._callee))

    async def _open_early_media(self, phone: Softphone) -> None:
        await (await phone.incoming()).answer(183)

    async def callee_hangs_up(self) -> None:
        assert self._callee is not None
        call = await self._callee.incoming()
        await call.until("confirmed")
        await call.hangup()

    def sound(self, seconds: float) -> str:
        path = self.asterisk.settings.sounds_dirs[-1] / f"tone-{seconds}.wav"
        if not path.exists():
            tone_wav(path, 700.0, seconds=seconds)
        return str(path.with_suffix(""))

    def is_kept(self, recording_id: str, destination: Path) -> bool:
        return destination.stat().st_size > 44

    def destination(self, name: str) -> Path:
        return self._tmp_path / name

    def refuse_admission(self) -> None:
        self._admitting = False

    async def knock(self) -> None:
        phone = await self.phone("main-caller")
        self._knocking = await phone.call("900100200")

    async def was_turned_away(self) -> bool:
        assert self._knocking is not None
        await self._knocking.until("disconnected", timeout_s=30)
        return True

    async def leave_nothing(self) -> None:
        """Everybody goes; then no leg and no bridge may be left."""
        for phone in self._running:
            await phone.close()
        for fact in [fact for fact in self.facts.told if isinstance(fact, LegArrived)]:
            await self.facts.next(LegEnded, fact.leg_id)


async def without_bridges(control: CallControl, and_legs: bool = False, within_s: float = 30.0) -> Survey:
    """The one node's, once Asterisk has cleared away what was destroyed (and who has gone): that takes it a moment."""
    until_s = time.monotonic() + within_s
    while True:
        (survey,) = await control.survey()
        if not survey.bridges and not (and_legs and survey.legs):
            return survey
        assert time.monotonic() < until_s, f"left behind: {survey}"
        await asyncio.sleep(0.02)


AnyStage = TypeVar("AnyStage", bound=AsteriskStage)


@contextlib.asynccontextmanager
async def asterisk_stage(
    node: AsteriskNode,
    tmp_path: Path,
    kind: type[AnyStage] = AsteriskStage,
) -> AsyncIterator[AnyStage]:
    async with contextlib.AsyncExitStack() as phones:
        stage = kind(node, phones, tmp_path)
        control = stage.control
        assert isinstance(control, AsteriskCallControl)
        before = asyncio.all_tasks()
        await control.start(timeout_s=30.0)
        assert stage.gaps == [(stage.node, "back")]
        try:
            yield stage
            await stage.leave_nothing()
            await without_bridges(control, and_legs=True)
        finally:
            await control.close()
            await stage.manager.close()
        leaked = {task for task in asyncio.all_tasks() - before if not task.done() and "ari" in task.get_name()}
        assert leaked == set()
