"""People who talk: each says one tone all the time, and whom one hears shows in what reaches her phone."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path
from typing import Any, Protocol

from core.events import LegArrived, LegEnded, LegUp
from core.leg import LegRole
from core.leg_commands import OriginateLeg
from telephony.fake.party import Party
from telephony.softphone import ear
from telephony.softphone.calls import PhoneCall
from telephony.softphone.client import Softphone
from tests.ari_listener import ari
from tests.asterisk_fixture import MUSIC_HZ
from tests.contract.control_stage import AsteriskStage, Control, Facts, FakeStage
from tests.phone_fixture import tone_wav

MUSIC = "waiting"
VOICES_HZ = {"caller": 500.0, "ana": 900.0, "luis": 1300.0, "eva": 1700.0, MUSIC: MUSIC_HZ}
_LISTEN_S, _AT_MOST_S = 0.3, 20.0
_QUIET_DB = -50.0
_numbers = itertools.count(1)


class Talker(Protocol):
    """`headers`: of the call that came in."""

    name: str
    leg_id: str

    async def hears(self, *names: str) -> bool:
        """Whether it comes to that, and soon: these people are heard (or `MUSIC`) and nobody else."""
        ...

    async def packets(self) -> int:
        """How many have come to her phone."""
        ...

    async def press(self, digit: str) -> None:
        """As SIP INFO: of all keys, Asterisk passes these on latest."""
        ...

    async def digits(self, expected: str) -> str:
        """Those of others that her phone was sent, and she waits a moment for as many as expected."""
        ...

    async def hang_up(self) -> None: ...

    @property
    def headers(self) -> dict[str, str]: ...


class ConversationStage(Protocol):
    control: Control
    facts: Facts
    node: str

    async def caller(self) -> Talker: ...

    async def agent(self, name: str, **wanted: Any) -> Talker: ...

    def destination(self, name: str) -> Path: ...

    def sides(self, recording_id: str, destination: Path, from_s: float, to_s: float) -> tuple[set[str], set[str]]:
        """Who is heard in that stretch of the recording: left, right."""
        ...

    def sound(self, seconds: float) -> str: ...

    def spooled(self, recording_id: str) -> bool:
        """Whether anything of it is left where it was recorded."""
        ...

    async def eavesdroppers(self) -> bool:
        """Whether somebody's conversation goes on being listened to: ending it takes a moment."""
        ...


def originate(node: str, leg_id: str, name: str, **wanted: Any) -> OriginateLeg:
    endpoint, caller = f"device:main-{name}", wanted.pop("shown", "+34911234567")
    return OriginateLeg(leg_id, "i1", node, LegRole.AGENT, endpoint, caller, 10.0, 60.0, **wanted)


# -- in memory ---------------------------------------------------------------------------------------
class FakeTalker:
    def __init__(self, stage: FakeConversation, name: str, party: Party) -> None:
        self.name, self.leg_id = name, party.leg_id
        self._stage, self._party = stage, party

    async def hears(self, *names: str) -> bool:
        heard = {self._stage.names[leg_id] for leg_id in self._stage.fake.audible_to(self.leg_id)}
        return heard | ({self._party.music} if self._party.music else set()) == set(names)

    async def packets(self) -> int:
        return time.monotonic_ns() if self._party.is_parked else 0

    async def press(self, digit: str) -> None:
        self._party.press(digit)

    async def digits(self, expected: str) -> str:
        return self._party.digits_received

    async def hang_up(self) -> None:
        self._party.hang_up()

    @property
    def headers(self) -> dict[str, str]:
        said = {"From": self._party.arrival["shown"]}
        return said | ({"Call-Info": "answer-after=0"} if self._party.arrival["auto_answer"] else {})


class FakeConversation(FakeStage):
    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path)
        self.names: dict[str, str] = {}
        self._began_s: dict[str, float] = {}

    async def caller(self) -> Talker:  # type: ignore[override]
        party = self.fake.arrive("900100200", "1001", entry="main-caller")
        self.names[party.leg_id] = "caller"
        await self.control.answer(party.leg_id)
        return FakeTalker(self, "caller", party)

    async def agent(self, name: str, **wanted: Any) -> Talker:
        self.fake.on_dial(f"device:main-{name}", Party.answer)
        leg_id = f"{name}-{next(_numbers)}"
        await self.control.originate(originate(self.node, leg_id, name, **wanted))
        self.names[leg_id] = name
        return FakeTalker(self, name, self.fake.parties[leg_id])

    def sides(self, recording_id: str, destination: Path, from_s: float, to_s: float) -> tuple[set[str], set[str]]:
        """The fake keeps when it was paused, and no sound."""
        assert self.fake.kept[recording_id] == str(destination)
        talk = self.fake.talks[recording_id]
        paused = any(
            start_s - talk.began_s < to_s and (end_s is None or from_s < end_s - talk.began_s)
            for start_s, end_s in talk.paused
        )
        return (set(), set()) if paused else ({"caller"}, {"ana"})

    def spooled(self, recording_id: str) -> bool:
        return recording_id in self.fake.recordings

    async def eavesdroppers(self) -> bool:
        return bool(self.fake.rooms.listening)


# -- real --------------------------------------------------------------------------------------------
class PhoneTalker:
    def __init__(self, name: str, leg_id: str, call: PhoneCall, place: Path) -> None:
        self.name, self.leg_id, self.call = name, leg_id, call
        self._place = place

    async def hears(self, *names: str) -> bool:
        """What changes reaches an ear later than Asterisk's answer: through the network and the phone's buffer."""
        until_s = time.monotonic() + _AT_MOST_S
        while True:
            recording = await self.call.record(self._place / f"heard-{next(_numbers)}.wav")
            await asyncio.sleep(_LISTEN_S)
            await self.call.stop_recording()
            heard = who_is_in(ear.load(await recording.saved()))
            if heard == set(names):
                return True
            if time.monotonic() > until_s:
                print(f"{self.name} hears {heard or 'nobody'}")  # noqa: T201
                return False

    async def packets(self) -> int:
        return int((await self.call.stats())["heard"]["packets"])

    async def press(self, digit: str) -> None:
        await self.call.dtmf(digit, method="info")

    async def digits(self, expected: str) -> str:
        until_s = time.monotonic() + _AT_MOST_S
        while len(self.call.digits_received) < len(expected) and time.monotonic() < until_s:
            await asyncio.sleep(0.05)
        return self.call.digits_received

    async def hang_up(self) -> None:
        await self.call.hangup()

    @property
    def headers(self) -> dict[str, str]:
        return dict(self.call.headers)


def who_is_in(sound: ear.Sound) -> set[str]:
    if ear.level_db(sound.samples) < _QUIET_DB:
        return set()
    shares = {name: ear.tone_share(sound, hz) for name, hz in VOICES_HZ.items()}
    heard = {name for name, share in shares.items() if share > 0.15}
    return heard if sum(shares.values()) > 0.5 else {"something else"}


class AsteriskConversation(AsteriskStage):
    """All sit at one phone with several accounts."""

    _switchboard: Softphone | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._seated: set[str] = set()

    async def _seat(self, name: str) -> Softphone:
        if self._switchboard is None:
            self._switchboard = await self._phones.enter_async_context(Softphone.start(rate_hz=8000))
            self._running.append(self._switchboard)
        device = f"main-{name}"
        if device not in self._seated:  # registering again would first take the old registration away
            self._seated.add(device)
            port = self.asterisk.settings.sip_port
            await self._switchboard.register(device, self.asterisk.device(device).secret, port=port)
        return self._switchboard

    async def _speaks(self, name: str, call: PhoneCall) -> None:
        await call.play(tone_wav(self._tmp_path / f"{name}.wav", VOICES_HZ[name], seconds=2.0), loop=True)

    async def caller(self) -> Talker:  # type: ignore[override]
        phone = await self._seat("caller")
        call = await phone.call("900100200", account="main-caller")
        leg_id = (await self.facts.next(LegArrived)).leg_id
        await self.control.answer(leg_id)
        await call.until("confirmed")
        await self._speaks("caller", call)
        return PhoneTalker("caller", leg_id, call, self._tmp_path)

    async def agent(self, name: str, **wanted: Any) -> Talker:
        phone = await self._seat(name)
        await phone.auto_answer(account=f"main-{name}")
        leg_id = f"{name}-{self._tmp_path.name}-{next(_numbers)}"
        await self.control.originate(originate(self.node, leg_id, name, **wanted))
        call = await phone.incoming(account=f"main-{name}")
        await self.facts.next(LegUp, leg_id)
        await call.until("confirmed")
        await self._speaks(name, call)
        return PhoneTalker(name, leg_id, call, self._tmp_path)

    def sides(self, recording_id: str, destination: Path, from_s: float, to_s: float) -> tuple[set[str], set[str]]:
        left, right = (sound.between(from_s, to_s) for sound in ear.load_channels(destination))
        return who_is_in(left), who_is_in(right)

    def spooled(self, recording_id: str) -> bool:
        return any(recording_id.replace("/", "=2f") in file.name for file in self.recordings.iterdir())

    async def eavesdroppers(self) -> bool:
        until_s = time.monotonic() + _AT_MOST_S
        while there := await self._eavesdroppers():
            if time.monotonic() > until_s:
                break
            await asyncio.sleep(0.05)
        return there

    async def _eavesdroppers(self) -> bool:
        channels = await asyncio.to_thread(ari, self.asterisk, "GET", "channels")
        bridges = await asyncio.to_thread(ari, self.asterisk, "GET", "bridges")
        return any(channel["name"].startswith("Snoop") for channel in channels.json()) or any(
            bridge["name"] == "centralita-listening" for bridge in bridges.json()
        )

    @property
    def recordings(self) -> Path:
        return self.asterisk.settings.recordings

    async def leave_nothing(self) -> None:
        await super().leave_nothing()
        for fact in [fact for fact in self.facts.told if isinstance(fact, LegUp)]:
            await self.facts.next(LegEnded, fact.leg_id)
