"""How many callers with audio fit on this machine before the system reacts too late.

    python -m bench.capacity [--step 50] [--most 500] [--quick] [--json]         about 12 s a step

Callers stay on the line, step by step more: each hears music from Asterisk and sends as much audio back, both ways 50
packets a second, in a flow of the shipped engine. On top of them, callers of `bench.ivr` come at 5 a second, press a
key in the middle of a prompt, and measure at their ear how long it goes on: *key → silence*. The capacity is the last
step at which its 99th percentile was within 100 ms and nobody failed. The callers' side (sipp, the ear) runs on the
same cores and is counted apart, so a machine of its own would carry more.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.callers import Addresses, call, learn
from bench.ivr import PACKET_S, SILENCE_WITHIN_S, percentile
from bench.needs import need_sipp
from bench.whole_system import DIALPLAN_SIDE, ENGINE_SIDE, WholeSystem, free_port, whole_system

SCENARIO = Path(__file__).parent / "sipp" / "stayer.xml"
NUMBER = "900100300"
ARRIVALS_A_S, SETTLE_S = 25, 1.5
PROBES, PROBES_A_S = 50, 5
FILES = {
    "config/numbers/stay.yaml": f'number: "{NUMBER}"\nflow: stay\n',
    "flows/stay.yaml": "flow: stay\nlanguages: [en]\nstart: stay\nnodes:\n"
    "  stay: {type: wait, seconds: 3600, music: default, next: over}\n  over: {type: hangup}\n",
}


@dataclass(frozen=True, slots=True)
class Step:
    """CPU in cores, while probes came. Delays in seconds."""

    staying: int
    failed: int
    silence_p50_s: float
    silence_p99_s: float
    first_word_p99_s: float
    asterisk_cores: float
    engine_cores: float
    callers_cores: float

    @property
    def is_good(self) -> bool:
        return not self.failed and self.silence_p99_s <= SILENCE_WITHIN_S


async def measure(step: int, most: int, say: Callable[[str], None]) -> list[Step]:
    """Ends with the first step that is not good, or with `most` callers."""
    steps: list[Step] = []
    async with whole_system(files=FILES) as system, contextlib.AsyncExitStack() as staying:
        probes = Addresses(system.sip, ENGINE_SIDE, free_port(range(15540, 15560)), free_port(range(15560, 15600)))
        known = system.folder / "known.json"
        say("learning the prompts, warming up")
        await learn(Addresses(system.sip, DIALPLAN_SIDE, *_two_ports()), system.folder, known)
        await call(probes, system.folder, 20, 20, ["--known", str(known)])
        for count in range(0, most + 1, step):
            if count:
                say(f"{count} callers stay")
                await staying.enter_async_context(callers(system, step, count))
            steps.append(await probe(system, probes, known, count))
            say(f"  key -> silence p99 {steps[-1].silence_p99_s * 1000:.0f} ms, {steps[-1].failed} failed")
            if not steps[-1].is_good:
                break
    return steps


def _two_ports() -> tuple[int, int]:
    return free_port(range(15520, 15540)), free_port(range(15560, 15600))


@contextlib.asynccontextmanager
async def callers(system: WholeSystem, count: int, number: int) -> AsyncIterator[None]:
    """`count` more who stay until the block is left; entered when the last of them hears music."""
    sipp = await asyncio.create_subprocess_exec(
        *("sipp", system.sip, "-sf", str(SCENARIO), "-s", NUMBER, "-i", ENGINE_SIDE, "-mi", ENGINE_SIDE),
        *("-p", str(free_port(range(15600, 15700))), "-mp", str(32_000 + 4 * (number % 500)), "-rtp_echo"),
        *("-r", str(ARRIVALS_A_S), "-m", str(count), "-l", str(count), "-nostdin"),
        cwd=system.folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await asyncio.sleep(count / ARRIVALS_A_S + SETTLE_S)
        if sipp.returncode is not None:
            raise RuntimeError(f"sipp's callers left early (exit status {sipp.returncode})")
        yield
    finally:
        if sipp.returncode is None:
            sipp.kill()
            await sipp.wait()


async def probe(system: WholeSystem, where: Addresses, known: Path, staying: int) -> Step:
    before, began_s = system.cpu_s(), time.monotonic()
    heard = await call(where, system.folder, PROBES, PROBES_A_S, ["--known", str(known)])
    after, took_s = system.cpu_s(), time.monotonic() - began_s
    whole = [c for c in heard.calls if c["first_word_s"] and c["key_up_s"] and c["next_word_s"]]
    silence_s = [max(0.0, c["first_last_s"] + PACKET_S - c["key_up_s"]) for c in whole]
    return Step(
        staying,
        max(heard.failed, heard.placed - len(whole)),
        percentile(silence_s, 50),
        percentile(silence_s, 99),
        percentile([c["first_word_s"] - c["answered_s"] for c in whole], 99),
        (after[0] - before[0]) / took_s,
        (after[1] - before[1]) / took_s,
        (heard.ear_cpu_s + heard.sipp_cpu_s) / took_s,
    )


def capacity(steps: list[Step]) -> int:
    """Callers of the last good step; 0 when none was."""
    return max((step.staying for step in steps if step.is_good), default=0)


def show(steps: list[Step]) -> None:
    table = Table(title="Callers with audio, and how soon the system reacts")
    for column in (
        "callers",
        "failed",
        "key → silence p50 / p99 ms",
        "answer → first word p99 ms",
        "Asterisk",
        "engine",
    ):
        table.add_column(column, justify="right")
    for step in steps:
        table.add_row(
            *(str(step.staying), str(step.failed)),
            f"{step.silence_p50_s * 1000:.0f} / {step.silence_p99_s * 1000:.0f}",
            f"{step.first_word_p99_s * 1000:.0f}",
            *(f"{cores * 100:.0f} %" for cores in (step.asterisk_cores, step.engine_cores)),
        )
    Console(width=118).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", type=int, default=50, help="callers more at each step")
    parser.add_argument("--most", type=int, default=500, help="and how many at most")
    parser.add_argument("--quick", action="store_true", help="0 and 50 callers alone")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    need_sipp()
    began_s = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began_s:5.0f} s  {what}", file=sys.stderr, flush=True)

    try:
        steps = asyncio.run(measure(given.step, 50 if given.quick else given.most, say))
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps({"steps": [asdict(step) for step in steps], "capacity": capacity(steps)}, indent=1))
    else:
        show(steps)
        ended = "" if not steps[-1].is_good else ", and no limit was met: try --most"
        print(f"capacity: {capacity(steps)} callers with audio{ended}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
