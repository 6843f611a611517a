"""What call control costs: CPU per call of Asterisk and of the adapter, and how fast requests are answered.

    python -m bench.ari [--rates 50,100,200] [--seconds 20]

sipp calls over loopback; a minimal engine in a process of its own answers, plays, stops at the digit, plays again
and hangs up. The adapter is the shipped one; nothing else runs in that process, so its CPU is the adapter's share.
Beside it a dialplan that does the same, in the same Asterisk: the ratio is what being commanded costs at the least.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from bench.needs import need_sipp
from core.errors import CommandFailed
from core.events import DigitPressed, LegArrived, LegEnded, LegFact, PlaybackFinished
from core.leg import EndReason
from telephony.ari.settings import AriSettings
from telephony.control.asterisk import AsteriskCallControl
from telephony.node.install import install
from telephony.node.launcher import Launcher
from telephony.node.ports import free_settings
from telephony.node.settings import Trunk

CALLER_IP, DIALPLAN_CALLER_IP = "127.0.0.2", "127.0.0.3"
DIGIT_AFTER_MS = 300
SCENARIO = f"""<?xml version="1.0"?>
<scenario name="answer, prompt, digit, prompt, hangup">
 <send retrans="500"><![CDATA[
INVITE sip:900100200@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:600@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:900100200@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:600@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=u 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
]]></send>
 <recv response="100" optional="true"/>
 <recv response="180" optional="true"/>
 <recv response="183" optional="true"/>
 <recv response="200" rrs="true"/>
 <send><![CDATA[
ACK sip:900100200@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:600@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:900100200@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0
]]></send>
 <pause milliseconds="{DIGIT_AFTER_MS}"/>
 <send retrans="500"><![CDATA[
INFO [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:600@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:900100200@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 2 INFO
Max-Forwards: 70
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal=1
Duration=100
]]></send>
 <recv response="200"/>
 <recv request="BYE"/>
 <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0
]]></send>
</scenario>
"""


# -- the engine's process ------------------------------------------------------------------------------
class Engine:
    """Answers, plays, stops at the digit, plays again, hangs up; one short task per fact it reacts to."""

    def __init__(self, settings: AriSettings, first: str, second: str) -> None:
        self.control = AsteriskCallControl([settings], self.take, lambda node, what: None)
        self.latencies: dict[str, list[float]] = {"answer": [], "play": [], "hang_up": []}
        self.ended = 0
        self.refused = 0
        self._first = first
        self._second = second
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, fact: LegFact) -> None:
        if isinstance(fact, LegArrived):
            self._react(self._greet(fact.leg_id))
        elif isinstance(fact, DigitPressed):
            self._react(self._second_prompt(fact.leg_id))
        elif isinstance(fact, PlaybackFinished):
            if fact.playback_id.endswith(".2"):
                self._react(self._part(fact.leg_id))
        elif isinstance(fact, LegEnded):
            self.ended += 1

    def _react(self, doing: Any) -> None:
        task = asyncio.create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _timed(self, what: str, doing: Any) -> None:
        began = time.perf_counter()
        try:
            await doing
        except CommandFailed:
            self.refused += 1
        self.latencies[what].append(time.perf_counter() - began)

    async def _greet(self, leg_id: str) -> None:
        await self._timed("answer", self.control.answer(leg_id))
        await self._timed("play", self.control.play(leg_id, f"{leg_id}.1", [self._first]))

    async def _second_prompt(self, leg_id: str) -> None:
        with contextlib.suppress(CommandFailed):
            await self.control.stop_playback(leg_id, f"{leg_id}.1")
        await self._timed("play", self.control.play(leg_id, f"{leg_id}.2", [self._second]))

    async def _part(self, leg_id: str) -> None:
        await self._timed("hang_up", self.control.hang_up(leg_id, EndReason.HUNG_UP_BY_US))


async def run_engine(told: dict[str, Any]) -> None:
    settings = AriSettings(
        node=told["node"],
        user="engine",
        password=told["password"],
        port=told["port"],
        recordings_dir=Path(told["scratch"]),
        scratch_dir=Path(told["scratch"]),
        inbound_limit_s=600,
    )
    engine = Engine(settings, told["first"], told["second"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await engine.control.start()
    print("ready", flush=True)
    await stop.wait()
    await engine.control.close()
    result = {"ended": engine.ended, "refused": engine.refused, "latencies": engine.latencies}
    print(json.dumps(result), flush=True)


# -- the bench's process -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Run:
    """Seconds of CPU per whole run; latencies in seconds."""

    rate: int
    calls: int
    failed: int
    asterisk_cpu_s: float
    python_cpu_s: float
    dialplan_cpu_s: float
    latencies: dict[str, list[float]]


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tone(path: Path, seconds: float) -> str:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\x00\x20\x00\xe0" * round(4000 * seconds))
    return str(path.with_suffix(""))


def prompts(folder: Path) -> tuple[str, str]:
    return tone(folder / "first.wav", 3.0), tone(folder / "second.wav", 0.3)


def call(launcher: Launcher, folder: Path, caller_ip: str, rate: int, seconds: float) -> None:
    """Returns when all have ended, or should have."""
    scenario = folder / "scenario.xml"
    scenario.write_text(SCENARIO)
    with contextlib.suppress(subprocess.TimeoutExpired):  # what did not end by then is counted as failed
        subprocess.run(
            [
                *("sipp", f"127.0.0.1:{launcher.settings.sip_port}", "-sf", str(scenario)),
                *("-i", caller_ip, "-mi", caller_ip),
                *("-r", str(rate), "-m", str(round(rate * seconds)), "-l", str(rate * 10), "-mp", "25000", "-nostdin"),
                *("-timeout", f"{round(seconds) + 5}s"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds + 10,
            check=False,
        )
    time.sleep(0.5)


def dialplan_cpu_s(launcher: Launcher, folder: Path, rate: int, seconds: float) -> float:
    """Of Asterisk, for the same calls without an engine."""
    assert launcher.pid is not None
    before = cpu_s(launcher.pid)
    call(launcher, folder, DIALPLAN_CALLER_IP, rate, seconds)
    return cpu_s(launcher.pid) - before


def measure(launcher: Launcher, folder: Path, rate: int, seconds: float) -> Run:
    settings = launcher.settings
    first, second = prompts(folder)
    told = {
        "node": settings.name,
        "password": settings.secrets.ari_engine,
        "port": settings.http_port,
        "scratch": str(folder),
        "first": first,
        "second": second,
    }
    dialplan_s = dialplan_cpu_s(launcher, folder, rate, seconds)
    engine = subprocess.Popen(
        [sys.executable, "-m", "bench.ari", "--engine", json.dumps(told)], stdout=subprocess.PIPE, text=True
    )
    assert engine.stdout is not None
    assert launcher.pid is not None
    try:
        assert engine.stdout.readline().strip() == "ready"
        before = cpu_s(launcher.pid), cpu_s(engine.pid)
        call(launcher, folder, CALLER_IP, rate, seconds)
        spent = cpu_s(launcher.pid) - before[0], cpu_s(engine.pid) - before[1]
        engine.send_signal(signal.SIGTERM)
        result = json.loads(engine.communicate(timeout=10)[0])
    finally:
        if engine.poll() is None:
            engine.kill()
    calls = round(rate * seconds)
    failed = calls - result["ended"] + result["refused"]
    return Run(rate, calls, failed, spent[0], spent[1], dialplan_s, result["latencies"])


def show(runs: list[Run]) -> None:
    table = Table(title="Call control: answer, prompt, digit, prompt, hangup")
    columns = ("dialplan's CPU", "Asterisk CPU", "Python CPU", "× dialplan", "answer p50/p99", "play p50/p99")
    for column in ("calls/s", "calls", "failed", *columns):
        table.add_column(column, justify="right")
    for run in runs:
        table.add_row(
            str(run.rate),
            str(run.calls),
            str(run.failed),
            *(
                f"{each / run.calls * 1000:.2f} ms"
                for each in (run.dialplan_cpu_s, run.asterisk_cpu_s, run.python_cpu_s)
            ),
            f"{(run.asterisk_cpu_s + run.python_cpu_s) / run.dialplan_cpu_s:.2f}",
            *(_percentiles(run.latencies[what]) for what in ("answer", "play")),
        )
    Console(width=120).print(table)


def _percentiles(seconds: list[float]) -> str:
    if len(seconds) < 2:
        return "-"
    cuts = statistics.quantiles(seconds, n=100)
    return f"{cuts[49] * 1000:.1f} / {cuts[98] * 1000:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", default="50,100,200")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    need_sipp()
    if arguments.engine:
        uvloop.run(run_engine(json.loads(arguments.engine)))
        return
    with tempfile.TemporaryDirectory(prefix="centralita-bench-") as made:
        folder = Path(made) / "sounds"
        folder.mkdir()
        settings = free_settings(
            Path(made) / "node",
            sounds_dirs=(folder,),
            trunks=(Trunk(name="main-carrier", host=CALLER_IP, qualify_s=0, dtmf="info"),),
            bench_trunk=Trunk(name="main-dialplan", host=DIALPLAN_CALLER_IP, qualify_s=0, dtmf="info", context="bench"),
            bench_prompts=prompts(folder),
            rtp_start=29_000,
            rtp_end=31_998,
        )
        launcher = Launcher(settings, install())
        launcher.start()
        try:
            show([measure(launcher, folder, int(rate), arguments.seconds) for rate in arguments.rates.split(",")])
        finally:
            launcher.stop()


if __name__ == "__main__":
    main()
