"""What a call costs, and what the caller hears of it: the engine beside a native dialplan that does the same.

    python -m bench.ivr [--rates 50,100,150] [--seconds 8] [--quick] [--precedence] [--json]     3 minutes; --quick one

Each call: answer, prompt, one key that cuts the prompt short, second prompt, hang up. Both sides are reached over a
trunk by address, play the same recordings in the same codec, and run in turn (dialplan, engine, dialplan, engine) in
the same Asterisk, so what else the machine does meanwhile touches both. sipp places the calls; RTP of every call is
sent and heard by a process of ours (`bench/ear.py`). The system is the shipped one: journal, snapshots, log, metrics,
and beside the engine all that `centralita up` runs (projection into SQL, the node's watcher, desk, media workers, the
standby engine), for both sides alike.

CPU is that of all threads, user and system, from before the first call until the last is over, by calls; *total* is
Asterisk and engine. *Beside* is what the other processes used meanwhile: rows are written when there is time, and no
caller waits for it. `--precedence`: all processes of the benchmark, the system's included, come before whatever else
runs on the machine (needs root; autogroup -10). A goal that is not reached does not change the exit code: 1 only when
nothing could be measured.
*Answer → first word*: the 200 OK to the first audible packet (both sides: the recording itself begins with 20 to 40 ms
of quiet). *Key → silence*: the end of the key's press to the end of the last packet of the first prompt. *Key → next
word*: to the first audible packet of the second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import precedence as precedences
from bench.callers import Addresses, Heard, call, learn
from bench.needs import need_sipp
from bench.whole_system import (
    DIALPLAN_SIDE,
    ENGINE_SIDE,
    SHIPPED_MEDIA_WORKERS,
    SHIPPED_WORKERS,
    WholeSystem,
    free_port,
    whole_system,
)

SIDES = {"dialplan": DIALPLAN_SIDE, "engine": ENGINE_SIDE}
ROUNDS = 2
PACKET_S = 0.02
MOST_TIMES_DIALPLAN, FIRST_WORD_WITHIN_S, SILENCE_WITHIN_S = 1.20, 0.300, 0.100
JUDGED_RATE = 100


@dataclass
class Result:
    """One side at one rate, all rounds. CPU in seconds; delays in seconds, one per call."""

    rate: int
    side: str
    calls: int = 0
    failed: int = 0
    retransmitted: int = 0
    asterisk_cpu_s: list[float] = field(default_factory=list)
    engine_cpu_s: list[float] = field(default_factory=list)
    beside_cpu_s: list[float] = field(default_factory=list)
    calls_of_round: list[int] = field(default_factory=list)
    first_word_s: list[float] = field(default_factory=list)
    silence_s: list[float] = field(default_factory=list)
    next_word_s: list[float] = field(default_factory=list)

    def add(self, heard: Heard, asterisk_cpu_s: float, engine_cpu_s: float, beside_cpu_s: float) -> None:
        whole = [c for c in heard.calls if c["first_word_s"] and c["key_up_s"] and c["next_word_s"]]
        self.calls += heard.placed
        self.failed += max(heard.failed, heard.placed - len(whole))
        self.retransmitted += heard.retransmitted
        self.asterisk_cpu_s.append(asterisk_cpu_s)
        self.engine_cpu_s.append(engine_cpu_s)
        self.beside_cpu_s.append(beside_cpu_s)
        self.calls_of_round.append(heard.placed)
        self.first_word_s += [c["first_word_s"] - c["answered_s"] for c in whole]
        self.silence_s += [max(0.0, c["first_last_s"] + PACKET_S - c["key_up_s"]) for c in whole]
        self.next_word_s += [c["next_word_s"] - c["key_up_s"] for c in whole]

    @property
    def cpu_per_call_s(self) -> float:
        return (sum(self.asterisk_cpu_s) + sum(self.engine_cpu_s)) / self.calls

    def rounds(self) -> list[float]:
        """CPU per call of each round, in seconds."""
        return [
            (a + e) / n for a, e, n in zip(self.asterisk_cpu_s, self.engine_cpu_s, self.calls_of_round, strict=True)
        ]


async def measure(
    rates: Sequence[int], seconds: float, say: Callable[[str], None], precedence: bool = False
) -> list[Result]:
    """Raises RuntimeError, NotAllowed."""
    results: list[Result] = []
    async with whole_system(workers=SHIPPED_WORKERS, media_workers=SHIPPED_MEDIA_WORKERS) as system:
        if precedence:
            precedences.take_all(system.pids())
        say("waiting until all that runs beside the engine has started")
        await system.settled()
        addresses = {
            side: Addresses(system.sip, ip, free_port(range(15540, 15560)), free_port(range(15560, 15600)))
            for side, ip in SIDES.items()
        }
        say("learning the prompts, warming up")
        known = system.folder / "known.json"
        await learn(addresses["dialplan"], system.folder, known)
        for where in addresses.values():
            await call(where, system.folder, 50, 50, ["--known", str(known)])
        for rate in rates:
            of_rate = {side: Result(rate, side) for side in SIDES}
            for number in range(ROUNDS):
                for side, result in of_rate.items():
                    say(f"{rate} calls/s, round {number + 1}: {side}")
                    await one_round(system, addresses[side], known, result, seconds)
            results += of_rate.values()
    return results


async def one_round(system: WholeSystem, where: Addresses, known: Path, result: Result, seconds: float) -> None:
    before, beside_s = system.cpu_s(), system.workers_cpu_s()
    heard = await call(where, system.folder, round(result.rate * seconds), result.rate, ["--known", str(known)])
    after = system.cpu_s()
    result.add(heard, after[0] - before[0], after[1] - before[1], system.workers_cpu_s() - beside_s)


# -- telling ---------------------------------------------------------------------------------------------
def ratio(results: Sequence[Result], rate: int) -> tuple[float, list[float]]:
    """CPU of the engine's side to the dialplan's: over all rounds, and round by round."""
    by_side = {result.side: result for result in results if result.rate == rate}
    engine, dialplan = by_side["engine"], by_side["dialplan"]
    rounds = [ours / theirs for ours, theirs in zip(engine.rounds(), dialplan.rounds(), strict=True)]
    return engine.cpu_per_call_s / dialplan.cpu_per_call_s, rounds


def show(results: Sequence[Result]) -> None:
    console = Console(width=118)
    costs = Table(title="CPU per call and failures")
    for column in (
        "calls/s",
        "answered by",
        "calls",
        "failed",
        "Asterisk ms",
        "engine ms",
        "total ms",
        "× dialplan",
        "beside ms",
    ):
        costs.add_column(column, justify="left" if column == "answered by" else "right")
    delays = Table(title="At the caller's ear: p50 / p99 ms")
    for column in ("calls/s", "answered by", "answer → first word", "key → silence", "key → next word"):
        delays.add_column(column, justify="left" if column == "answered by" else "right")
    for result in results:
        times = ""
        if result.side == "engine":
            total, rounds = ratio(results, result.rate)
            times = f"{total:.2f} ({', '.join(f'{each:.2f}' for each in rounds)})"
        costs.add_row(
            *(str(result.rate), result.side, str(result.calls), str(result.failed)),
            f"{sum(result.asterisk_cpu_s) / result.calls * 1000:.2f}",
            f"{sum(result.engine_cpu_s) / result.calls * 1000:.2f}",
            f"{result.cpu_per_call_s * 1000:.2f}",
            times,
            f"{sum(result.beside_cpu_s) / result.calls * 1000:.2f}",
        )
        each = (result.first_word_s, result.silence_s, result.next_word_s)
        delays.add_row(str(result.rate), result.side, *map(p50_p99, each))
    console.print(costs)
    console.print(delays)


def percentile(values: Sequence[float], share: int) -> float:
    return statistics.quantiles(values, n=100)[share - 1] if len(values) > 1 else float("nan")


def p50_p99(values: Sequence[float]) -> str:
    return f"{percentile(values, 50) * 1000:.0f} / {percentile(values, 99) * 1000:.0f}"


def verdicts(results: Sequence[Result]) -> list[tuple[str, bool]]:
    """What was to be reached at 100 calls/s, and whether it was."""
    judged = [result for result in results if result.rate == JUDGED_RATE and result.side == "engine"]
    if not judged:
        return []
    engine = judged[0]
    times = ratio(results, JUDGED_RATE)[0]
    first_s, silence_s = percentile(engine.first_word_s, 99), percentile(engine.silence_s, 99)
    return [
        (f"CPU {times:.2f} × the dialplan's (at most {MOST_TIMES_DIALPLAN:.2f})", times <= MOST_TIMES_DIALPLAN),
        (f"answer → first word p99 {first_s * 1000:.0f} ms (at most 300)", first_s <= FIRST_WORD_WITHIN_S),
        (f"key → silence p99 {silence_s * 1000:.0f} ms (at most 100)", silence_s <= SILENCE_WITHIN_S),
        (f"{engine.failed} of {engine.calls} calls failed (none may)", engine.failed == 0),
    ]


def as_json(results: Sequence[Result]) -> str:
    rows = []
    for result in results:
        row = asdict(result)
        for name in ("first_word_s", "silence_s", "next_word_s"):
            row[name] = {f"p{share}": percentile(row[name], share) for share in (50, 99)}
        rows.append(row)
    reached = dict(verdicts(results))
    return json.dumps({"results": rows, "to_reach": reached}, indent=1)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", default="50,100,150", help="calls a second")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each round places calls")
    parser.add_argument("--quick", action="store_true", help="100 calls/s alone, within a minute")
    parser.add_argument("--precedence", action="store_true", help="before whatever else runs here; needs root")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    need_sipp()
    rates, seconds = ([100], 5.0) if given.quick else ([int(rate) for rate in given.rates.split(",")], given.seconds)
    began_s = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began_s:5.0f} s  {what}", file=sys.stderr, flush=True)

    try:
        if given.precedence:
            precedences.take_ourselves()
        results = asyncio.run(measure(rates, seconds, say, given.precedence))
    except (RuntimeError, precedences.NotAllowed) as failure:
        print(failure, file=sys.stderr)
        return 1
    if given.json:
        print(as_json(results))
    else:
        show(results)
        for what, met in verdicts(results):
            print(f"{'reached    ' if met else 'NOT REACHED'} {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
