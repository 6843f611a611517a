"""The examples of bench.amd as calls over SIP through one real Asterisk: to its `app_amd`, and to our live listener.

Who answers plays the example from the answer on. `app_amd` tells its verdict by the cause with which it hangs up, so
the time is that on the wire, answer to BYE; ours is told by the adapter, which hangs up at once: the same wire.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvloop

from bench.amd_examples import REST_S, Example, Told
from bench.sip_people import Call, People, Person, _header
from bench.whole_system import free_port
from core.events import AudioVerdict, LegFact, ListenerLost
from core.leg import EndReason, LegRole
from core.leg_commands import ListenToLeg, OriginateLeg
from engine.ears import Ears
from engine.listeners import LISTENERS, WATCHES
from speech.recognisers import make_recogniser
from telephony.ari.settings import AriSettings
from telephony.control.asterisk import AsteriskCallControl
from telephony.live_audio.worker import run
from telephony.live_audio.workers import MediaWorkers
from telephony.node.install import install
from telephony.node.launcher import Launcher
from telephony.node.ports import free_settings
from telephony.node.settings import Trunk

FAR_SIDE = "127.0.0.24"
PROFILES = {"defaults": "", "vicidial": "2000,2000,1000,5000,120,50,4,256"}
"""Arguments of AMD(): none, which is the amd.conf that Asterisk ships; VICIdial's own extensions.conf."""
CAUSES = {16: "human", 17: "machine", 18: "not_sure", 27: "hung_up"}
LONGEST_S = 14.0
ROOT = Path(__file__).resolve().parents[1]
_AMD_CONF = """[general]
total_analysis_time = 5000
silence_threshold = 256
initial_silence = 2500
after_greeting_silence = 800
greeting = 1500
min_word_length = 100
maximum_word_length = 5000
between_words_silence = 50
maximum_number_of_words = 2
"""


def _dialplan() -> str:
    lines = []
    for name, arguments in PROFILES.items():
        lines += [
            f"[amd-{name}]",
            "exten => s,1,Answer()",
            f" same => n,AMD({arguments})",
            " same => n,GotoIf($[${AMDSTATUS}=HUMAN]?human)",
            " same => n,GotoIf($[${AMDSTATUS}=MACHINE]?machine)",
            " same => n,GotoIf($[${AMDSTATUS}=HANGUP]?gone)",
            " same => n,Hangup(18)",
            " same => n(human),Hangup(16)",
            " same => n(machine),Hangup(17)",
            " same => n(gone),Hangup(27)",
        ]
    return "\n".join(lines) + "\n"


class _Launcher(Launcher):
    """The shipped node, with `app_amd` loaded and two contexts that call it."""

    def _run(self, configuration: Path) -> None:
        etc = configuration.parent
        (etc / "amd.conf").write_text(_AMD_CONF)
        for name, more in (("modules.conf", "\nload = app_amd.so\n"), ("extensions.conf", "\n" + _dialplan())):
            with (etc / name).open("a") as file:
                file.write(more)
        super()._run(configuration)


class _People(People):
    """Those who play examples; keeps the cause of each BYE."""

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        if text.startswith("BYE"):
            found = re.search(r"cause=(\d+)", _header(text, "Reason"))
            self.causes[_header(text, "Call-ID")] = int(found[1]) if found else 0
        super().datagram_received(data, addr)

    @property
    def causes(self) -> dict[str, int]:
        return self.__dict__.setdefault("_causes", {})


@dataclass
class Stage:
    """One Asterisk, everybody behind its trunk, and our own adapter with media workers."""

    http: httpx.AsyncClient
    people: _People
    control: AsteriskCallControl
    playing: dict[str, Example]
    verdicts: dict[str, asyncio.Future[AudioVerdict | ListenerLost]] = field(default_factory=dict)

    def took_s(self, number: str) -> tuple[Call, float] | None:
        """Answer to BYE, as the far side saw it."""
        calls = self.people.of(number)
        if not calls or not calls[-1].answered_s or not calls[-1].ended_s:
            return None
        return calls[-1], calls[-1].ended_s - calls[-1].answered_s


@contextlib.asynccontextmanager
async def stage(folder: Path, workers: int = 2, words: bool = False) -> AsyncIterator[Stage]:
    loop = asyncio.get_running_loop()
    port = free_port(range(15900, 15950))
    trunk = Trunk(name="far", host=FAR_SIDE, port=port, qualify_s=0, codecs=("alaw",))
    launcher = _Launcher(free_settings(folder / "node", trunks=(trunk,)), install())
    launcher.start()
    playing: dict[str, Example] = {}
    listening: list[asyncio.subprocess.Process] = []
    password = launcher.settings.secrets.ari_engine
    base = f"http://127.0.0.1:{launcher.settings.http_port}/ari"
    _, people = await loop.create_datagram_endpoint(
        lambda: _People(lambda number: Person(ring_s=0.0, hz=0.0, sound=playing[number.lstrip("+")].sound)),
        local_addr=(FAR_SIDE, port),
    )
    media = MediaWorkers(folder / "media.sock", LISTENERS)
    settings = AriSettings(
        node="node-1",
        user="engine",
        password=password,
        port=launcher.settings.http_port,
        recordings_dir=folder,
        scratch_dir=folder,
    )
    made: list[Stage] = []
    control = AsteriskCallControl(
        [settings], lambda fact: _take(made[0], fact), lambda node, what: None, workers=media, watches=WATCHES
    )
    try:
        async with httpx.AsyncClient(base_url=base, auth=("engine", password), timeout=20) as http:
            made.append(Stage(http, people, control, playing))
            await media.start()
            listening = [
                await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "bench.amd_calls", str(folder / "media.sock"), *["words"] * words),
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                )
                for _ in range(workers)
            ]
            while len(media.pids) < workers:
                await asyncio.sleep(0.05)
            await control.start()
            yield made[0]
            await control.close()
            await media.close()
    finally:
        for process in listening:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        people.close()
        launcher.stop()


def _take(stage: Stage, fact: LegFact) -> None:
    if isinstance(fact, AudioVerdict | ListenerLost):
        waiting = stage.verdicts.get(fact.leg_id)
        final = isinstance(fact, ListenerLost) or fact.final
        if waiting is not None and final and not waiting.done():
            waiting.set_result(fact)


async def app_amd(at: Stage, found: Sequence[Example], profile: str, at_once: int) -> list[Told]:
    async def one(n: int, example: Example) -> Told:
        number = f"{profile[0]}{n}"
        at.playing[number] = example
        answer = await at.http.post(
            "/channels",
            params={"endpoint": f"PJSIP/{number}@far", "extension": "s", "context": f"amd-{profile}", "timeout": 10},
        )
        answer.raise_for_status()
        ended = await _ended(at, number)
        if ended is None:
            return Told(example.name, "failed", LONGEST_S)
        call, took_s = ended
        cause = at.people.causes.get(_header(call.invite, "Call-ID"), 0)
        return Told(example.name, CAUSES.get(cause, "failed"), took_s)

    return await _all(found, one, at_once)


async def ours(
    at: Stage,
    found: Sequence[Example],
    at_once: int,
    limit_s: float = 6.0,
    listener: str = "amd",
    profile: str = "",
    words: bool = False,
) -> list[Told]:
    """`listener`, `profile`: who listens; by TALK_DETECT with the numbers of a profile. `words`: they count, too."""

    async def one(n: int, example: Example) -> Told:
        name = f"{listener[0]}{profile[:1]}{'w' * words}"
        number, leg_id = f"{name}{n}", f"{listener}-{name}-{n}"
        at.playing[number] = example
        at.verdicts[leg_id] = asyncio.get_running_loop().create_future()
        options = {"limit_s": str(limit_s), "rest_s": str(REST_S)} | ({"profile": profile} if profile else {})
        options |= {"words": example.language} if words else {}
        listen = ListenToLeg(leg_id, "l", listener, options, LONGEST_S)
        ring = OriginateLeg(
            leg_id, f"i{n}", "node-1", LegRole.CUSTOMER, f"trunk:far/{number}", "+34911234567", 10, 60, listen=listen
        )
        await at.control.originate(ring)
        try:
            async with asyncio.timeout(LONGEST_S + 4):
                verdict = await at.verdicts[leg_id]
        except TimeoutError:
            verdict = ListenerLost(leg_id, "l", "no verdict came")
        await at.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US)
        ended = await _ended(at, number)
        took_s = ended[1] if ended else LONGEST_S
        if isinstance(verdict, ListenerLost):
            return Told(example.name, "failed", took_s, verdict.why)
        return Told(example.name, verdict.label, took_s, verdict.evidence)

    return await _all(found, one, at_once)


async def _ended(at: Stage, number: str) -> tuple[Call, float] | None:
    until_s = time.monotonic() + LONGEST_S
    while time.monotonic() < until_s:
        if (ended := at.took_s(number)) is not None:
            return ended
        await asyncio.sleep(0.05)
    return None


async def _all(found: Sequence[Example], one, at_once: int) -> list[Told]:  # type: ignore[no-untyped-def]
    """So many at a time; a call that fails is told as `failed`."""
    gate = asyncio.Semaphore(at_once)

    async def guarded(n: int, example: Example) -> Told:
        async with gate:
            try:
                return await one(n, example)  # type: ignore[no-any-return]
            except Exception as failure:
                return Told(example.name, "failed", LONGEST_S, str(failure))

    return await asyncio.gather(*(guarded(n, example) for n, example in enumerate(found)))


if __name__ == "__main__":
    ears = Ears(make_recogniser("whisper-short")).ear if sys.argv[2:] == ["words"] else None
    uvloop.run(run(Path(sys.argv[1]), LISTENERS, ears))
