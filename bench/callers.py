"""Callers for benchmarks: sipp makes the calls, an ear of ours (`bench/ear.py`) hears and speaks for all of them."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCENARIO = Path(__file__).parent / "sipp" / "caller.xml"
NUMBER = "900100200"
EAR_IP = "127.0.0.17"
PROMPT_S = 20.0
"""Longer than any call here lasts."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where callers are: the trunk's address tells Asterisk which side answers them."""

    sip: str
    caller_ip: str
    caller_port: int
    ear_port: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What one round of callers met. `calls`: one dictionary per answered call, as the ear tells them (seconds)."""

    placed: int
    ok: int
    failed: int
    retransmitted: int
    calls: list[dict[str, float]]
    ear_cpu_s: float
    sipp_cpu_s: float


async def call(where: Addresses, folder: Path, calls: int, rate: float, ear: Sequence[str]) -> Heard:
    """Places `calls` calls, `rate` a second, and returns when the last is over. `ear`: its further arguments.

    Raises:
        RuntimeError: sipp or the ear could not do it; with its last words.
    """
    news, statistics = folder / "news", folder / "statistics.csv"
    news.unlink(missing_ok=True)
    statistics.unlink(missing_ok=True)
    os.mkfifo(news)
    ear_command = (sys.executable, "-m", "bench.ear", EAR_IP, str(where.ear_port), str(news), *ear)
    async with _child(*ear_command, cwd=SCENARIO.parents[2]) as listener:
        assert listener.stdout is not None
        if await listener.stdout.readline() != b"ready\n":
            raise RuntimeError(f"the ear does not start: {await listener.stdout.read()!r}")
        duration_s = calls / rate + PROMPT_S
        before = os.times()
        async with _child(
            *("sipp", where.sip, "-sf", str(SCENARIO), "-s", NUMBER),
            *("-i", where.caller_ip, "-p", str(where.caller_port), "-mi", where.caller_ip, "-mp", "31000"),
            *("-key", "ear_ip", EAR_IP, "-key", "ear_port", str(where.ear_port)),
            *("-r", f"{rate:g}", "-m", str(calls), "-l", str(calls), "-nostdin", "-timeout", f"{duration_s:.0f}s"),
            *("-trace_logs", "-log_file", str(news), "-trace_stat", "-stf", str(statistics), "-fd", "1"),
            cwd=folder,
        ) as sipp:
            output, _ = await sipp.communicate()
        after = os.times()
        listener.send_signal(signal.SIGTERM)
        told: dict[str, Any] = json.loads(await listener.stdout.read())
        await listener.wait()
    if not statistics.exists():
        raise RuntimeError(f"sipp did not run: {output.decode(errors='replace')[-500:]}")
    rows = [line for line in csv.reader(statistics.read_text().splitlines(), delimiter=";") if line]
    last = dict(zip(rows[0], rows[-1], strict=False))
    return Heard(
        placed=calls,
        ok=int(last["SuccessfulCall(C)"]),
        failed=calls - int(last["SuccessfulCall(C)"]),
        retransmitted=int(last["Retransmissions(C)"]),
        calls=told["calls"],
        ear_cpu_s=told["cpu_s"],
        sipp_cpu_s=after.children_user + after.children_system - before.children_user - before.children_system,
    )


@contextlib.asynccontextmanager
async def _child(*command: str, cwd: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
