"""Who is rung, and how soon: the router beside Asterisk's own `app_queue`, in the same Asterisk.

    python -m bench.acd_vs_app_queue [--agents 20] [--calls 240] [--json]        about two minutes

Twenty phones answer at once and talk for two to four seconds; callers come a little faster than they can be served, so
that both moments occur: *caller arrives -> INVITE* with a phone free (the caller's INVITE leaves sipp's socket to the
INVITE at the phone), and *agent frees up -> INVITE* with somebody waiting (the phone's BYE leaves to the next INVITE at
that phone). Both sides run in turn. `app_queue` has what makes it fastest: `autofill`, `retry=1`, no wrap-up.

The first is measured while nobody waits (calls one by one), the second while the queue is never empty.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.sip_phones import Behaviour, Callers, Phone, close, phones
from bench.whole_system import DIALPLAN_SIDE, ENGINE_SIDE, WholeSystem, whole_system

TALK_S = (2.0, 4.0)
QUEUE_NUMBER = "77"
SIDES = {"app_queue": DIALPLAN_SIDE, "centralita": ENGINE_SIDE}

FLOW = """flow: bench
languages: [en]
start: wait
nodes:
  wait: {type: queue, queue: bench, next: bye}
  bye: {type: hangup}
"""


@dataclass
class Result:
    side: str
    arrives_s: list[float] = field(default_factory=list)
    frees_s: list[float] = field(default_factory=list)
    calls: int = 0
    asterisk_cpu_s: float = 0.0
    engine_cpu_s: float = 0.0


@dataclass
class _Floor:
    """What the phones saw. `freed`: phone -> when it hung up, while somebody waits for it."""

    last_call_s: float = 0.0
    measuring: str = ""
    result: Result | None = None
    freed: dict[str, float] = field(default_factory=dict)
    waiting: Callable[[], bool] = lambda: False

    def invited(self, phone: Phone, now_s: float) -> None:
        freed_s = self.freed.pop(phone.user, None)
        if self.result is None:
            return
        self.result.calls += 1
        if self.measuring == "arrives":
            self.result.arrives_s.append(now_s - self.last_call_s)
        elif self.measuring == "frees" and freed_s is not None:
            self.result.frees_s.append(now_s - freed_s)

    def free(self, phone: Phone, now_s: float) -> None:
        if self.waiting():
            self.freed[phone.user] = now_s


@contextlib.asynccontextmanager
async def system_with_agents(count: int) -> AsyncIterator[WholeSystem]:
    names = [f"a{n:02}" for n in range(1, count + 1)]
    files = {f"config/devices/{name}.yaml": f"device: {name}\n" for name in names}
    files["config/queues/bench.yaml"] = "queue: bench\nwrap_up_s: 0\nring_s: 15\n"
    files["config/agents.yaml"] = "agents:\n" + "".join(
        f"  {name}: {{name: {name}, device: {name}, queues: [bench]}}\n" for name in names
    )
    async with whole_system(FLOW, files, tuple(f"main-{name}" for name in names)) as system:
        yield system


async def _log_in(system: WholeSystem, names: list[str]) -> None:
    transport = httpx.AsyncHTTPTransport(uds=str(system.supervisor.plan.home.control_socket), verify=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=10) as engine:
        for name in names:
            for action in ("log_in", "ready"):
                fields = {"tenant": "main", "agent_id": name, "action": action}
                answer = await engine.post("/acd/do", json={"fact": "AgentActed", "fields": fields})
                if answer.status_code != 200:
                    raise RuntimeError(f"{name} cannot {action}: {answer.text}")


async def measure(agents: int, calls: int, say: Callable[[str], None]) -> list[Result]:
    loop, chance, floor = asyncio.get_running_loop(), random.Random(1), _Floor()
    results = {side: Result(side) for side in SIDES}
    async with system_with_agents(agents) as system:
        host, _, port = system.sip.partition(":")
        server = (host, int(port))
        accounts = {d.name: d.secret for d in system.supervisor.plan.node.devices}
        made = await phones(
            accounts, server, lambda: Behaviour(talk_s=chance.uniform(*TALK_S)), floor.invited, floor.free
        )
        await _log_in(system, [name.removeprefix("main-") for name in accounts])
        try:
            for _round in range(2):
                for side, address in SIDES.items():
                    say(f"{side}: one caller at a time")
                    _, caller = await loop.create_datagram_endpoint(
                        lambda: Callers(server, QUEUE_NUMBER), local_addr=(address, 0)
                    )
                    before = system.cpu_s()
                    floor.result, floor.measuring = results[side], "arrives"
                    for _ in range(calls // 6):
                        floor.last_call_s = loop.time()
                        caller.call()
                        await asyncio.sleep(0.25)
                    await _until_over(caller)
                    say(f"{side}: always somebody waiting")
                    floor.measuring, floor.waiting = "frees", lambda caller=caller: len(caller.open) > agents  # type: ignore[misc]
                    left = calls // 3
                    while left:
                        while left and len(caller.open) < 2 * agents:
                            caller.call()
                            left -= 1
                        await asyncio.sleep(0.05)
                    await _until_over(caller)
                    floor.result, floor.measuring = None, ""
                    floor.freed.clear()
                    after = system.cpu_s()
                    results[side].asterisk_cpu_s += after[0] - before[0]
                    results[side].engine_cpu_s += after[1] - before[1]
                    caller.close()
        finally:
            close(made)
    return list(results.values())


async def _until_over(caller: Callers) -> None:
    try:
        async with asyncio.timeout(90):
            while caller.open:
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise RuntimeError(f"{len(caller.open)} callers were never served") from None


# -- telling ---------------------------------------------------------------------------------------------
def _ms(values: list[float], q: float) -> float:
    return float(np.percentile(values, q)) * 1000 if values else float("nan")


def rows(results: list[Result]) -> list[dict[str, float | str | int]]:
    return [
        {
            "side": r.side,
            "calls": r.calls,
            "arrives_p50_ms": _ms(r.arrives_s, 50),
            "arrives_p99_ms": _ms(r.arrives_s, 99),
            "frees_p50_ms": _ms(r.frees_s, 50),
            "frees_p99_ms": _ms(r.frees_s, 99),
            "frees_seen": len(r.frees_s),
            "asterisk_cpu_ms_per_call": 1000 * r.asterisk_cpu_s / max(1, r.calls),
            "engine_cpu_ms_per_call": 1000 * r.engine_cpu_s / max(1, r.calls),
        }
        for r in results
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--calls", type=int, default=240, help="by round and side, about half of it")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    console = Console(stderr=True)
    told = rows(asyncio.run(measure(given.agents, given.calls, lambda text: console.print(f"  {text}", style="dim"))))
    if given.json:
        print(json.dumps(told, indent=2))
        return 0
    table = Table(title=f"{given.agents} agents; the peer is app_queue in the same Asterisk")
    for column in ("", "calls", "caller arrives → INVITE p50", "p99", "agent frees → INVITE p50", "p99", "CPU ms/call"):
        table.add_column(column, justify="left" if not column else "right")
    for row in told:
        cpu = f"{row['asterisk_cpu_ms_per_call']:.1f} + {row['engine_cpu_ms_per_call']:.1f}"
        figures = (row["arrives_p50_ms"], row["arrives_p99_ms"], row["frees_p50_ms"], row["frees_p99_ms"])
        table.add_row(str(row["side"]), str(row["calls"]), *(f"{figure:.0f} ms" for figure in figures), cpu)
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
