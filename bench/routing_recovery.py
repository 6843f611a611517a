"""kill -9 the engine of a busy floor: who is hung up on, who loses her place, and when everybody is commanded again.

    python -m bench.routing_recovery [--talking 30] [--queued 20] [--ringing 5] [--json]

Half of the phones that ring are picked up while the engine is dead; the others ring on until they are given up.
Peers: `app_queue` forgets who waits when its process dies, `mod_callcenter` marks them abandoned when it is loaded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.sip_phones import Behaviour, Callers, Phone, close, phones
from core.decisions import StayEnded
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.home import Home, SecretBox
from engine.node_settings import node_settings
from engine.supervisor import Plan, Supervisor
from telephony.node.install import install
from tests.system_fixture import CARRIER, System, write_project

FLOW = """flow: wait
languages: [es]
start: wait
nodes:
  wait: {type: queue, queue: floor, next: bye}
  bye: {type: hangup}
"""
RING_S = 12.0
ANSWERED_AFTER_S = 0.8
"""Ringing until the phones that are picked up are: the engine is dead by then."""


@dataclass
class Report:
    talking: int
    queued: int
    ringing: int
    back_s: float = 0.0
    looks_before: dict[str, int] = field(default_factory=dict)
    looks_after: dict[str, int] = field(default_factory=dict)
    looks_settled: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class Floor:
    def __init__(self, system: System, callers: Callers, report: Report) -> None:
        self.system, self.callers, self.report = system, callers, report
        transport = httpx.AsyncHTTPTransport(uds=str(system.home.control_socket), verify=False)
        self.engine = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=15)

    async def ready(self, agents: list[str]) -> None:
        for agent in agents:
            for action in ("log_in", "ready"):
                fields = {"tenant": "main", "agent_id": agent, "action": action}
                answer = await self.engine.post("/acd/do", json={"fact": "AgentActed", "fields": fields})
                answer.raise_for_status()

    async def board(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.engine.get("/acd/snapshot")).json()
        return body

    async def until(self, what: Callable[[dict[str, Any]], bool], within_s: float = 40.0) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            while True:
                try:
                    board = await self.board()
                    if what(board):
                        return board
                except (httpx.HTTPError, ValueError):
                    pass
                await asyncio.sleep(0.05)

    def fault(self, wrong: object, text: str) -> None:
        if wrong:
            self.report.faults.append(text)


def looks(board: Mapping[str, Any]) -> dict[str, int]:
    return dict(Counter(agent["looks"] for agent in board["agents"]))


def _places(board: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    waiting = sorted(board["stays"], key=lambda stay: stay["position"])
    return [(stay["interaction_id"], stay["joined_s"], stay["waited_before_s"]) for stay in waiting]


async def _kill(floor: Floor, behaviour: list[Behaviour], names: list[str]) -> None:
    """Fills the floor, kills the engine, looks at what is left."""
    report, system = floor.report, floor.system
    loop = asyncio.get_running_loop()
    behaviour[0] = Behaviour(talk_s=600.0)
    await floor.until(lambda board: all(agent["reachable"] for agent in board["agents"]))
    await floor.ready(names[: report.talking])
    for _ in range(report.talking):
        floor.callers.call()
        await asyncio.sleep(0.03)
    await floor.until(lambda board: looks(board).get("talking", 0) == report.talking)
    for _ in range(report.queued):
        floor.callers.call()
        await asyncio.sleep(0.03)
    await floor.until(lambda board: len(board["stays"]) == report.queued)
    queue_of_behaviours = [
        Behaviour(talk_s=600.0, ring_s=ANSWERED_AFTER_S) if n % 2 else Behaviour(what="ring")
        for n in range(report.ringing)
    ]
    behaviour[:] = [*queue_of_behaviours, Behaviour(talk_s=600.0)]
    for _ in range(report.ringing):
        floor.callers.call()
    await floor.until(lambda board: len(board["stays"]) == report.queued + report.ringing)
    await floor.ready(names[report.talking :])
    before = await floor.until(lambda board: looks(board).get("ringing", 0) == report.ringing)
    report.looks_before = looks(before)
    bridges = {bridge["id"]: sorted(bridge["channels"]) for bridge in await system.ari("bridges")}
    killed, killed_s = system.engine_pid, loop.time()
    system.kill_engine()
    await system.until(lambda body: body["ready"] and system.engine_pid != killed, 30)
    report.back_s = loop.time() - killed_s
    after = await floor.board()
    report.looks_after = looks(after)
    kept = {bridge["id"]: sorted(bridge["channels"]) for bridge in await system.ari("bridges")}
    broken = [id_ for id_, legs in bridges.items() if len(legs) == 2 and kept.get(id_) != legs]
    floor.fault(broken, f"{len(broken)} conversations did not go on")
    placed = report.talking + report.queued + report.ringing
    floor.fault(len(floor.callers.open) != placed, f"{placed - len(floor.callers.open)} callers were hung up on")
    waiting = _places(after)
    expected = [place for place in _places(before) if place in waiting or place[0] not in _served(after)]
    floor.fault(waiting != expected, "places or waited times differ")
    lost = [place for place in _places(before) if place not in waiting and place[0] not in _served(after)]
    floor.fault(lost, f"{len(lost)} callers lost their place")
    for agent, then in zip(after["agents"], before["agents"], strict=True):
        same = all(agent[name] == then[name] for name in ("agent_id", "device"))
        floor.fault(not same or agent["presence"] == "logged_out", f"{agent['agent_id']}: her presence is lost")
    settled = await floor.until(lambda board: not {"ringing", "reserved"} & looks(board).keys(), RING_S + 20)
    report.looks_settled = looks(settled)
    picked_up = report.ringing // 2
    talking = report.looks_settled.get("talking", 0)
    floor.fault(talking < report.talking + picked_up, f"only {talking} talk in the end")


def _served(board: Mapping[str, Any]) -> set[str]:
    return {work["interaction_id"] for agent in board["agents"] for work in agent["assignments"]}


async def measure(talking: int, queued: int, ringing: int) -> Report:
    """Raises TimeoutError when the floor does not fill, or does not settle."""
    report = Report(talking, queued, ringing)
    names = [f"a{n:02}" for n in range(1, talking + ringing + 1)]
    files = {f"config/devices/{name}.yaml": f"device: {name}\n" for name in names}
    files["config/queues/floor.yaml"] = f"queue: floor\nwrap_up_s: 1\nring_s: {RING_S:.0f}\n"
    files["config/agents.yaml"] = "agents:\n" + "".join(
        f"  {name}: {{name: {name}, device: {name}, queues: [floor]}}\n" for name in names
    )
    with tempfile.TemporaryDirectory(prefix="centralita-bench-", dir=Path.home()) as place:
        folder = Path(place)
        write_project(folder / "project", {"wait": FLOW}, files, "", folder / "ports")
        home = Home.find(folder / "project", folder / "var")
        home.prepare()
        configuration = load(read_sources(home.project)).configuration
        assert configuration is not None
        node = node_settings(home, configuration, SecretBox(home.state / "secrets.json"))
        supervisor = Supervisor(Plan(home, node, await asyncio.to_thread(install), 60.0, ()))
        await supervisor.start()
        system, behaviour = System(home, node, supervisor), [Behaviour()]
        made: list[Phone] = []
        server = ("127.0.0.1", node.sip_port)
        loop = asyncio.get_running_loop()
        _, callers = await loop.create_datagram_endpoint(lambda: Callers(server, "77"), local_addr=(CARRIER, 0))
        floor = Floor(system, callers, report)

        def behave() -> Behaviour:
            return behaviour.pop(0) if len(behaviour) > 1 else behaviour[0]

        try:
            accounts = {name: system.account(f"main-{name}") for name in names}
            accounts = {f"main-{name}": secret for name, secret in accounts.items()}
            made = await phones(accounts, server, behave, lambda phone, at_s: None, lambda phone, at_s: None)
            await asyncio.sleep(6)  # until the second engine has everything imported
            await _kill(floor, behaviour, names)
            for call_id in list(callers.open):
                callers.hang_up(call_id)
            await system.until_idle(30)
            ends = Counter(
                decision.how
                for interaction_id in system.interactions()
                for decision in system.decisions(interaction_id)
                if isinstance(decision, StayEnded)
            )
            floor.fault(sum(ends.values()) != talking + queued + ringing, f"stays ended as {dict(ends)}")
            floor.fault(ends["lost"], f"{ends['lost']} stays were lost")
        finally:
            close(made)
            callers.close()
            await floor.engine.aclose()
            await supervisor.stop()
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--talking", type=int, default=30)
    parser.add_argument("--queued", type=int, default=20)
    parser.add_argument("--ringing", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    report = asyncio.run(measure(given.talking, given.queued, given.ringing))
    if given.json:
        print(json.dumps(vars(report), indent=2))
        return bool(report.faults)
    table = Table(title=f"kill -9 with {given.talking} talking, {given.queued} queued, {given.ringing} ringing")
    for column in ("agents", "before", "back", "settled"):
        table.add_column(column, justify="left" if column == "agents" else "right")
    for look in sorted({*report.looks_before, *report.looks_after, *report.looks_settled}):
        counts = (report.looks_before, report.looks_after, report.looks_settled)
        table.add_row(look.replace("_", " "), *(str(count.get(look, 0)) for count in counts))
    Console().print(table)
    Console().print(f"commanded again after {report.back_s:.2f} s")
    for fault in report.faults:
        Console().print(f"[red]fault:[/red] {fault}")
    Console().print("[green]nobody lost a place or a conversation[/green]" if not report.faults else "")
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
