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
import re
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.sip_agents import Phone, close, phones
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


class Caller(asyncio.DatagramProtocol):
    """Callers of one side: a trunk known by its address. Digits and audio nobody needs."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None
        self.open: dict[str, float] = {}
        self.answered = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport

    def call(self) -> str:
        """Places one call; returns its Call-ID."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        call_id = secrets.token_hex(8)
        body = (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            "m=audio 39996 RTP/AVP 8 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        )
        self.open[call_id] = asyncio.get_running_loop().time()
        self._send(
            f"INVITE sip:{QUEUE_NUMBER}@{self._server[0]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
            f"From: <sip:600@{host}>;tag={call_id}\r\nTo: <sip:{QUEUE_NUMBER}@{self._server[0]}>\r\n"
            f"Call-ID: {call_id}\r\nCSeq: 1 INVITE\r\nContact: <sip:600@{host}:{port}>\r\nMax-Forwards: 70\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        return call_id

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode(errors="replace")
        first = text.partition("\r\n")[0]

        def header(name: str) -> str:
            match = re.search(rf"^{name}\s*:\s*(.*?)\s*$", text, re.IGNORECASE | re.MULTILINE)
            return match[1] if match else ""

        call_id = header("Call-ID")
        if first.startswith("SIP/2.0") and "INVITE" in header("CSeq") and int(first.split()[1]) >= 200:
            self.answered += first.split()[1] == "200"
            if first.split()[1] != "200":
                self.open.pop(call_id, None)
            contact = re.search(r"<([^>]+)>", header("Contact"))
            self._send(
                f"ACK {contact[1] if contact else f'sip:{QUEUE_NUMBER}@{self._server[0]}'} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {self._here};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
                f"From: {header('From')}\r\nTo: {header('To')}\r\nCall-ID: {call_id}\r\n"
                "CSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
            )
        elif first.startswith(("BYE", "OPTIONS")):
            vias = "".join(f"Via: {via}\r\n" for via in re.findall(r"^Via\s*:\s*(.*?)\s*$", text, re.I | re.M))
            self._send(
                f"SIP/2.0 200 OK\r\n{vias}From: {header('From')}\r\nTo: {header('To')}\r\n"
                f"Call-ID: {call_id}\r\nCSeq: {header('CSeq')}\r\nContent-Length: 0\r\n\r\n"
            )
            if first.startswith("BYE"):
                self.open.pop(call_id, None)

    @property
    def _here(self) -> str:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return f"{host}:{port}"

    def _send(self, text: str) -> None:
        assert self._transport is not None
        self._transport.sendto(text.encode(), self._server)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


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
    transport = httpx.AsyncHTTPTransport(uds=str(system.supervisor.plan.home.control_socket))
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
        made = await phones(accounts, server, lambda: chance.uniform(*TALK_S), floor.invited, floor.free)
        await _log_in(system, [name.removeprefix("main-") for name in accounts])
        try:
            for _round in range(2):
                for side, address in SIDES.items():
                    say(f"{side}: one caller at a time")
                    _, caller = await loop.create_datagram_endpoint(lambda: Caller(server), local_addr=(address, 0))
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


async def _until_over(caller: Caller) -> None:
    async with asyncio.timeout(120):
        while caller.open:
            await asyncio.sleep(0.1)


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
