"""How many people a second the engine dials through a real Asterisk: an agentless campaign at a rate of its own, to
people who are all busy at once. Everything is real: journal, SQL, SIP. Loopback only.

    python -m bench.dial_rate [--rates 10 20 40] [--seconds 15]

Per rate: what reached the carrier, the engine's CPU per attempt, and how late its loop was.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from engine.demo.people import Person
from tests.recovery.campaign_stage import Stage, stages

AGENTLESS = """
campaign: {name}
mode: agentless
purpose: service
packs: [unlimited]
lists: [{name}]
flow: desk
ring_s: 6
retry: {{busy: never, failed: never}}
pacing: {{calls_per_second: {rate}, max_lines: 200}}
"""


def cpu_s(pid: int) -> float:
    """User and system time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


async def loop_delays(stage: Stage) -> dict[float, float]:
    """Upper bound of a bucket -> how many of the loop's delays were within it."""
    url = f"http://127.0.0.1:{_api_port(stage)}/metrics"
    async with httpx.AsyncClient(trust_env=False) as client:
        text = (await client.get(url)).text
    found = {}
    for line in text.splitlines():
        if line.startswith("centralita_loop_delay_seconds_bucket"):
            bound = line.partition('le="')[2].partition('"')[0]
            found[float(bound)] = float(line.rpartition(" ")[2])
    return found


def _api_port(stage: Stage) -> int:
    site = (stage.running.home.project / "config/site.yaml").read_text()
    return int(next(line.split(": ")[1] for line in site.splitlines() if line.startswith("api_port")))


async def measure(stage: Stage, name: str, seconds: float) -> str:
    before, cpu_before, began_s = len(stage.people.calls), cpu_s(stage.running.engine_pid), time.monotonic()
    late_before = await loop_delays(stage)
    assert await stage.act("start", name) == {"ok": True}
    await asyncio.sleep(seconds)
    await stage.act("pause", name)
    took_s = time.monotonic() - began_s
    calls = len(stage.people.calls) - before
    cpu = cpu_s(stage.running.engine_pid) - cpu_before
    late = await loop_delays(stage)
    await stage.until(lambda view: not any(view["lines"].values()), name)
    counts = {bound: late[bound] - late_before.get(bound, 0.0) for bound in late}
    total = max(counts.values(), default=0.0)
    p99 = next((bound for bound in sorted(counts) if counts[bound] >= 0.99 * total), float("inf"))
    each_ms = cpu / max(1, calls) * 1000
    return f"{calls / took_s:6.1f}/s on the wire   {each_ms:5.2f} ms of CPU each   loop p99 <= {p99:g} s"


async def main(rates: list[int], seconds: float) -> None:
    campaigns = {f"r{rate}": AGENTLESS.format(name=f"r{rate}", rate=rate) for rate in rates}
    persons = {f"r{rate}": [Person("busy", ring_s=0.2)] * int(rate * (seconds + 3)) for rate in rates}
    with tempfile.TemporaryDirectory(prefix="centralita-bench-") as place:
        async with stages(Path(place), campaigns, persons) as stage:
            for rate in rates:
                print(f"asked for {rate:3}/s: {await measure(stage, f'r{rate}', seconds)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[10, 20, 40])
    parser.add_argument("--seconds", type=float, default=15.0)
    given = parser.parse_args()
    asyncio.run(main(given.rates, given.seconds))
