"""What live audio costs, how late it is heard, and how soon a verdict ends a call, at 1, 20 and 60 legs at once.

    python -m bench.live_audio [--legs 1,20,60] [--seconds 10] [--workers 2] [--transports websocket,rtp] [--json]

Real calls over SIP from the shipped adapter to a far side that speaks packets stamped with their time
(`bench/stamped_lines.py`). A listener in the shipped media workers (`probe`) reads the stamps and measures the level of
every block as well; after so many seconds it says so, and the adapter hangs up at once. `bare` does nothing. *Heard*:
packet sent -> listener called. *Reaction*: the listener's verdict -> BYE at the far side. The cost of a stream is the
difference to the same calls with nobody listening. No interaction and no journal are in between here.

`--legs 400 --seconds 1` makes set-ups of it: 20 a second, about 25 at once. `--precedence`: all processes of the
benchmark, the system's included, come before whatever else runs on the machine (needs root; autogroup -10).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench import precedence as precedences
from bench.stamped_lines import codes, digits_of_samples, late_s, read_stamp
from bench.whole_system import free_port
from core.events import AudioVerdict, LegEnded, LegFact, LegUp, ListenerLost
from core.leg import EndReason, LegRole
from core.leg_commands import ListenToLeg, OriginateLeg
from core.live_audio import AudioBlock, ListenerKind, Verdict
from telephony.ari.settings import AriSettings
from telephony.control.asterisk import AsteriskCallControl
from telephony.live_audio.level import Level
from telephony.live_audio.samples import from_mu_law
from telephony.live_audio.worker import run
from telephony.live_audio.workers import MediaWorkers
from telephony.node.install import install
from telephony.node.launcher import Launcher
from telephony.node.ports import free_settings
from telephony.node.settings import Trunk

FAR_SIDE = "127.0.0.23"
STARTS_A_S = 20
SETTLE_S = 1.0
KINDS = {"probe": ListenerKind("bench.live_audio:Probe"), "bare": ListenerKind("bench.live_audio:Bare")}
ROOT = Path(__file__).resolve().parents[1]
HEARD_WITHIN_S, REACTS_WITHIN_S = 0.040, 0.050


class Bare:
    """Hears, and does nothing with it."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._left = round(float(options["seconds"]) * 50)

    def feed(self, block: AudioBlock) -> Verdict | None:
        self._left -= 1
        return None if self._left else self.end()

    def end(self) -> Verdict:
        return Verdict("heard", 1.0, json.dumps({"said_s": time.time(), "late_us": [], "lost": 0}))


class Probe:
    """Reads stamps, and does the level meter's work on every block."""

    def __init__(self, options: Mapping[str, str]) -> None:
        self._blocks = round(float(options["seconds"]) * 50)
        self._level = Level({"above_db": "0"})
        self._digits = digits_of_samples(from_mu_law(codes()))
        self._late_us: list[int] = []
        self._numbers: list[int] = []
        self._unread = 0

    def feed(self, block: AudioBlock) -> Verdict | None:
        now_s = time.time()
        found = read_stamp(block.pcm, self._digits)
        self._level.feed(block)
        if found is None:
            self._unread += 1
            return None
        self._late_us.append(round(late_s(found[0], now_s) * 1e6))
        self._numbers.append(found[1])
        return self.end() if len(self._numbers) == self._blocks else None

    def end(self) -> Verdict:
        numbers = self._numbers
        lost = numbers[-1] - numbers[0] + 1 - len(numbers) if numbers else 0
        told = {"said_s": time.time(), "late_us": self._late_us, "lost": lost, "unread": self._unread}
        return Verdict("probed", 1.0, json.dumps(told))


@dataclass(frozen=True, slots=True)
class Step:
    """One step. CPU in % of a core for all legs, over the time all of them were heard; delays in seconds."""

    transport: str
    listener: str
    legs: int
    failed: int
    lost_blocks: int
    asterisk_cpu: float
    engine_cpu: float
    workers_cpu: float
    heard_p50_s: float = 0.0
    heard_p99_s: float = 0.0
    heard_max_s: float = 0.0
    reaction_p50_s: float = 0.0
    reaction_p99_s: float = 0.0
    set_up_p50_s: float = 0.0
    set_up_p99_s: float = 0.0


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0


def cpu_s(pid: int) -> float:
    """User and system, of all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# -- the engine's process ------------------------------------------------------------------------------
class Caller:
    """The least of an engine: dials, and hangs up at a verdict. One of its own process, told what to do on stdin."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.workers = MediaWorkers(Path(given["socket"]), KINDS)
        settings = AriSettings(
            node="node-1",
            user="engine",
            password=given["password"],
            port=given["port"],
            recordings_dir=Path(given["folder"]),
            scratch_dir=Path(given["folder"]),
            live_audio=given["transport"],
        )
        self.control = AsteriskCallControl([settings], self.take, lambda node, what: None, workers=self.workers)
        self.up: set[str] = set()
        self.over: set[str] = set()
        self.told: dict[str, dict[str, Any]] = {}
        self.set_up_s: list[float] = []
        self.lost: list[str] = []
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, fact: LegFact) -> None:
        match fact:
            case LegUp(leg_id):
                self.up.add(leg_id)
            case LegEnded(leg_id):
                self.over.add(leg_id)
            case AudioVerdict(leg_id):
                self.hang_up(leg_id)
                self.told[leg_id] = json.loads(fact.evidence)
            case ListenerLost():
                self.lost.append(fact.why)
                self.hang_up(fact.leg_id)
        self._changed.set()

    def hang_up(self, leg_id: str) -> None:
        task = asyncio.ensure_future(self.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def until(self, what: Callable[[], bool], within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not what():
                    self._changed.clear()
                    await self._changed.wait()

    async def dial(self, leg_id: str, number: str, seconds: float, listen: str) -> None:
        listening = ListenToLeg(leg_id, "l", listen, {"seconds": str(seconds)}, seconds + 10) if listen else None
        began_s = time.monotonic()
        ring = OriginateLeg(
            leg_id, "i", "node-1", LegRole.CUSTOMER, f"trunk:far/{number}", "+34911234567", 10, 120, listen=listening
        )
        await self.control.originate(ring)
        self.set_up_s.append(time.monotonic() - began_s)

    async def step(self, name: str, legs: int, seconds: float, listen: str) -> dict[str, Any]:
        """Says on stdout when all legs are up, and when the measured time is over."""
        for memory in (self.up, self.over, self.told, self.set_up_s, self.lost):
            memory.clear()
        dialing = []
        for number in range(legs):
            dialing.append(asyncio.create_task(self.dial(f"{name}.x{number}", f"{name}{number}", seconds, listen)))
            await asyncio.sleep(1 / STARTS_A_S)
        failed = sum(isinstance(end, Exception) for end in await asyncio.gather(*dialing, return_exceptions=True))
        await self.until(lambda: len(self.up) >= legs - failed, 10)
        say("up")
        if listen:
            await self.until(lambda: bool(self.told or self.lost), seconds + 20)
            say("over")
            await self.until(lambda: len(self.told) + len(self.lost) >= legs - failed, legs / STARTS_A_S + 10)
        else:
            await asyncio.sleep(max(1.0, seconds - legs / STARTS_A_S))
            say("over")
            for leg_id in sorted(self.up):
                self.hang_up(leg_id)
        await self.until(lambda: len(self.over) >= legs - failed, 10)
        return {"failed": failed + len(self.lost), "why": self.lost[:3], "told": self.told, "set_up_s": self.set_up_s}


def say(what: str) -> None:
    print(what, flush=True)


async def engine(given: dict[str, Any]) -> None:
    caller = Caller(given)
    await caller.workers.start()
    while len(caller.workers.pids) < given["workers"]:
        await asyncio.sleep(0.05)
    await caller.control.start()
    say("ready")
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        say(json.dumps(await caller.step(**json.loads(line))))
    await caller.control.close()
    await caller.workers.close()


# -- the measuring process -----------------------------------------------------------------------------
async def line_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    text = (await process.stdout.readline()).decode().strip()
    if not text:
        raise RuntimeError("a process of the benchmark ended: see above")
    return text


async def spawn(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        limit=64 * 1024 * 1024,
    )


async def measure(
    counts: list[int], seconds: float, workers: int, transport: str, folder: Path, precedence: bool
) -> list[Step]:
    sip_port, rtp_port = free_port(range(15700, 15750)), free_port(range(15750, 15800))
    trunk = Trunk(name="far", host=FAR_SIDE, port=sip_port, qualify_s=0, codecs=("ulaw",))
    launcher = Launcher(free_settings(folder / "node", trunks=(trunk,)), install())
    launcher.start()
    if precedence:
        precedences.take(launcher.pid or "self")
    processes: list[asyncio.subprocess.Process] = []
    steps: list[Step] = []
    try:
        far = await spawn("bench.stamped_lines", FAR_SIDE, str(sip_port), str(rtp_port))
        processes.append(far)
        await line_of(far)
        given = {
            "socket": str(folder / "media.sock"),
            "port": launcher.settings.http_port,
            "password": launcher.settings.secrets.ari_engine,
            "folder": str(folder),
            "transport": transport,
            "workers": workers,
        }
        calling = await spawn("bench.live_audio", "--engine", json.dumps(given))
        processes.append(calling)
        listening = [await spawn("bench.live_audio", "--worker", given["socket"]) for _ in range(workers)]
        processes += listening
        await line_of(calling)
        pids = [launcher.pid, calling.pid, *(worker.pid for worker in listening)]
        told: list[tuple[Step, dict[str, Any]]] = []
        for legs in counts:
            for listen in ("", "bare", "probe"):
                name = f"{legs}{listen}n"
                asked = {"name": name, "legs": legs, "seconds": seconds, "listen": listen}
                step, result = await one(calling, [pid for pid in pids if pid], asked, transport)
                told.append((step, {**result, "name": name}))
                await asyncio.sleep(SETTLE_S)
        assert far.stdin is not None
        far.stdin.close()
        ended_s = json.loads(await line_of(far))
        steps = [with_delays(step, result, ended_s) for step, result in told]
    finally:
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        launcher.stop()
    return steps


async def one(
    calling: asyncio.subprocess.Process, pids: list[int], asked: dict[str, Any], transport: str
) -> tuple[Step, dict[str, Any]]:
    assert calling.stdin is not None
    calling.stdin.write(json.dumps(asked).encode() + b"\n")
    assert await line_of(calling) == "up"
    before, began_s = [cpu_s(pid) for pid in pids], time.monotonic()
    assert await line_of(calling) == "over"
    took_s = time.monotonic() - began_s
    used = [(cpu_s(pid) - old) / took_s * 100 for pid, old in zip(pids, before, strict=True)]
    result: dict[str, Any] = json.loads(await line_of(calling))
    if result["why"]:
        print("lost:", *result["why"], file=sys.stderr)
    lost = sum(told["lost"] for told in result["told"].values())
    way = transport if asked["listen"] else "–"
    return Step(
        way, asked["listen"] or "nobody", asked["legs"], result["failed"], lost, used[0], used[1], sum(used[2:])
    ), result


def with_delays(step: Step, result: dict[str, Any], ended_s: dict[str, float]) -> Step:
    told = result["told"]
    heard = [late / 1e6 for one in told.values() for late in one["late_us"]]
    ends = [(ended_s.get(result["name"] + leg_id.rpartition("x")[2]), one["said_s"]) for leg_id, one in told.items()]
    reactions = [end - said for end, said in ends if end is not None]
    return Step(
        **{
            **asdict(step),
            "heard_p50_s": percentile(heard, 50),
            "heard_p99_s": percentile(heard, 99),
            "heard_max_s": max(heard, default=0.0),
            "reaction_p50_s": percentile(reactions, 50),
            "reaction_p99_s": percentile(reactions, 99),
            "set_up_p50_s": percentile(result["set_up_s"], 50),
            "set_up_p99_s": percentile(result["set_up_s"], 99),
        }
    )


def show(steps: list[Step]) -> None:
    table = Table(title="Live audio: CPU in % of a core, delays p50 / p99 in ms")
    names = ("transport", "listener", "legs", "failed", "lost blocks", "Asterisk", "engine", "workers")
    for column in (*names, "a stream's Asterisk + Python", "heard", "worst", "verdict → BYE", "set-up"):
        table.add_column(column, justify="right")
    alone: dict[int, Step] = {}
    for step in steps:
        cost = heard = worst = reaction = ""
        if step.transport == "–":
            alone[step.legs] = step
        else:
            base = alone[step.legs]
            python = step.engine_cpu + step.workers_cpu - base.engine_cpu - base.workers_cpu
            cost = f"{(step.asterisk_cpu - base.asterisk_cpu) / step.legs:.2f} + {python / step.legs:.2f}"
            if step.heard_p50_s:
                heard = f"{step.heard_p50_s * 1e3:.1f} / {step.heard_p99_s * 1e3:.1f}"
                worst = f"{step.heard_max_s * 1e3:.0f}"
            reaction = f"{step.reaction_p50_s * 1e3:.1f} / {step.reaction_p99_s * 1e3:.1f}"
        table.add_row(
            *(step.transport, step.listener, str(step.legs), str(step.failed), str(step.lost_blocks)),
            *(f"{cpu:.1f}" for cpu in (step.asterisk_cpu, step.engine_cpu, step.workers_cpu)),
            *(cost, heard, worst, reaction),
            f"{step.set_up_p50_s * 1e3:.0f} / {step.set_up_p99_s * 1e3:.0f}",
        )
    Console(width=150).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--legs", default="1,20,60")
    parser.add_argument("--seconds", type=float, default=10.0, help="audio heard of each leg")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--transports", default="websocket,rtp")
    parser.add_argument("--precedence", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.engine:
        uvloop.run(engine(json.loads(given.engine)))
        return 0
    if given.worker:
        uvloop.run(run(Path(given.worker), KINDS))
        return 0
    counts = [int(count) for count in given.legs.split(",")]
    steps: list[Step] = []
    if given.precedence:
        precedences.take_ourselves()
    for transport in given.transports.split(","):
        with tempfile.TemporaryDirectory(prefix="live-audio-") as folder:
            steps += asyncio.run(
                measure(counts, given.seconds, given.workers, transport, Path(folder), given.precedence)
            )
    if given.json:
        print(json.dumps([asdict(step) for step in steps], indent=1))
    else:
        show(steps)
        heard = [step for step in steps if step.transport != "–"]
        good = all(s.heard_p99_s <= HEARD_WITHIN_S and s.reaction_p99_s <= REACTS_WITHIN_S for s in heard)
        print(f"heard within {HEARD_WITHIN_S * 1e3:.0f} ms and reacted within {REACTS_WITHIN_S * 1e3:.0f} ms:", good)
    return 0


if __name__ == "__main__":
    sys.exit(main())
