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
    """What one round of callers met. `calls`: one dictionary per answered call, as the ear tells them (seconds).

    `why`: how sipp tells the first failure; empty when there was none, or none it could tell.
    """

    placed: int
    ok: int
    failed: int
    retransmitted: int
    calls: list[dict[str, float]]
    ear_cpu_s: float
    sipp_cpu_s: float
    why: str


async def learn(where: Addresses, folder: Path, known: Path) -> None:
    """Listens to one call and writes what its two prompts sound like to `known`.

    Raises:
        RuntimeError: the call was not answered, or nothing was heard; with SIP's word for it and where to look.
    """
    heard = await call(where, folder, 1, 1, ["--learn", str(known)])
    if heard.failed or not known.exists():
        what = f"failed: {heard.why or 'no answer'}" if heard.failed else "was answered and nothing was heard"
        asterisk = next(folder.rglob("asterisk.log"), folder)
        said = asterisk.read_text(errors="replace").splitlines()[-3:] if asterisk.is_file() else []
        raise RuntimeError("\n".join((f"the first call, from {where.caller_ip} to {where.sip}, {what}", *said)))


async def call(where: Addresses, folder: Path, calls: int, rate: float, ear: Sequence[str]) -> Heard:
    """Places `calls` calls, `rate` a second, and returns when the last is over. `ear`: its further arguments.

    Raises:
        RuntimeError: sipp or the ear could not do it; with its last words.
    """
    news, statistics, errors = folder / "news", folder / "statistics.csv", folder / "errors.log"
    for old in (news, statistics, errors):
        old.unlink(missing_ok=True)
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
            *("-trace_err", "-error_file", str(errors)),
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
        why=_first_failure(errors),
    )


def _first_failure(errors: Path) -> str:
    """sipp's error log begins with a time; after `received '` comes the message that it did not expect."""
    lines = errors.read_text(errors="replace").splitlines() if errors.exists() else []
    for line in lines:
        if "received '" in line:
            return line.split("received '", 1)[1].strip()
    return lines[0].split(": ", 1)[-1].strip() if lines else ""


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
