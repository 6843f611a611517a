"""A small contact center under an ordinary bad day: does it keep count of everybody, and leave nothing behind?

    python -m bench.soak [--minutes 20] [--agents 20] [--seed 1] [--json]        about `minutes`; exit code 1 on a fault

Poisson callers into one queue; some hang up while they wait, some while they talk. Phones answer, refuse, or ring out;
who rang out is made ready again after a while; some conversations are put on hold or sent to another agent. At the end:
every interaction closed, every queue stay ended in exactly one way, what the phones counted is what the journal says,
no channel, bridge, timer or task is left, and memory is flat after the first quarter.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.sip_phones import Behaviour, Callers, Phone, close, phones
from bench.whole_system import ENGINE_SIDE, WholeSystem, whole_system
from core.decisions import InteractionClosed, StayEnded
from core.routing import OfferFailed, OfferMade
from store.cipher import ContactCipher
from store.journal_reader import JournalReader

NUMBER = "77"
FLOW = """flow: bench
languages: [en]
start: wait
nodes:
  wait: {type: queue, queue: bench, music: default, next: bye}
  bye: {type: hangup}
"""
TALK_S = (2.0, 12.0)
LOAD = 0.85
"""Of what the agents could serve."""


@dataclass
class Report:
    placed: int = 0
    answered: int = 0
    faults: list[str] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    offers: int = 0
    rung: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    """Why offers failed."""
    actions: Counter[str] = field(default_factory=Counter)
    memory_mb: list[float] = field(default_factory=list)


class Soak:
    def __init__(self, system: WholeSystem, agents: list[str], seed: int) -> None:
        self.system = system
        self.agents = agents
        self.chance = random.Random(seed)
        self.report = Report()
        transport = httpx.AsyncHTTPTransport(uds=str(system.supervisor.plan.home.control_socket), verify=False)
        self.engine = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=15)

    def behaviour(self) -> Behaviour:
        chance = self.chance
        drawn = chance.random()
        if drawn < 0.04:
            return Behaviour(ring_s=0.3, what="refuse")
        if drawn < 0.07:
            return Behaviour(what="ring")
        return Behaviour(talk_s=chance.uniform(*TALK_S), ring_s=chance.uniform(0.1, 1.5))

    async def do(self, fact: str, **fields: Any) -> bool:
        answer = await self.engine.post("/acd/do", json={"fact": fact, "fields": fields})
        return answer.status_code == 200

    async def log_in(self) -> None:
        for name in self.agents:
            for action in ("log_in", "ready"):
                if not await self.do("AgentActed", tenant="main", agent_id=name, action=action):
                    raise RuntimeError(f"{name} cannot {action}")

    async def callers(self, callers: Callers, seconds: float) -> None:
        loop, chance = asyncio.get_running_loop(), self.chance
        rate = LOAD * len(self.agents) / (sum(TALK_S) / 2 + 1.5)
        until_s = loop.time() + seconds
        while loop.time() < until_s:
            await asyncio.sleep(chance.expovariate(rate))
            call_id = callers.call()
            self.report.placed += 1
            if chance.random() < 0.25:
                loop.call_later(chance.uniform(0.05, 8.0), callers.hang_up, call_id)

    async def supervise(self) -> None:
        """Whoever rang out is made ready again; conversations are held, resumed and handed on."""
        while True:
            await asyncio.sleep(1.0)
            with contextlib.suppress(httpx.HTTPError):
                snapshot = (await self.engine.get("/acd/snapshot")).json()
                for agent in snapshot["agents"]:
                    name = agent["agent_id"]
                    if agent["presence"] == "not_ready" and self.chance.random() < 0.5:
                        self._count("ready", await self.do("AgentActed", tenant="main", agent_id=name, action="ready"))
                    for work in agent["assignments"]:
                        await self._meddle(name, work)

    async def _meddle(self, name: str, work: dict[str, Any]) -> None:
        drawn, interaction_id = self.chance.random(), work["interaction_id"]

        async def ask(action: str, target: str = "") -> None:
            given = {"interaction_id": interaction_id, "agent_id": name, "action": action, "target": target}
            self._count(action, await self.do("ConversationActed", **given))

        if work["state"] == "held":
            await ask("resume")
        elif work["state"] == "active" and drawn < 0.08:
            await ask("hold")
        elif work["state"] == "active" and drawn < 0.12:
            await ask("transfer", f"agent:{self.chance.choice(self.agents)}")
        elif work["state"] == "active" and drawn < 0.14:
            await ask("transfer", "queue:bench")

    def _count(self, what: str, ok: bool) -> None:
        self.report.actions[what if ok else f"{what} refused"] += 1

    async def watch_memory(self) -> None:
        while True:
            self.report.memory_mb.append(sum(_rss_mb(pid) for pid in (self.system.engine_pid,)))
            await asyncio.sleep(5.0)

    async def settle(self, callers: Callers) -> None:
        """Everybody goes home."""
        for call_id in list(callers.open):
            callers.hang_up(call_id)
        for _ in range(200):
            status = (await self.engine.get("/status")).json()
            if not status["interactions"]:
                break
            await asyncio.sleep(0.2)
        else:
            self.report.faults.append(f"{len(status['interactions'])} interactions are still open")
        await asyncio.sleep(1.0)
        work = (await self.engine.get("/status")).json()["work"]
        for what in ("lanes", "waiting_for_disk", "http"):
            if work.get(what):
                self.report.faults.append(f"left behind in the engine: {work[what]} {what}")
        node = self.system.supervisor.plan.node
        async with httpx.AsyncClient(
            base_url=node.ari_url, auth=("supervisor", node.secrets.ari_supervisor), trust_env=False
        ) as ari:
            for what in ("channels", "bridges"):
                if left := (await ari.get(f"/{what}")).json():
                    self.report.faults.append(f"left behind in Asterisk: {len(left)} {what}")
        snapshot = (await self.engine.get("/acd/snapshot")).json()
        if snapshot["stays"]:
            self.report.faults.append(f"{len(snapshot['stays'])} stays still wait")
        for agent in snapshot["agents"]:
            if any(work["state"] != "wrap_up" for work in agent["assignments"]):
                self.report.faults.append(f"agent {agent['agent_id']} still has work: {agent['assignments']}")

    def audit(self, made: list[Phone]) -> None:
        """The journal against what phones and callers counted."""
        home, report = self.system.supervisor.plan.home, self.report
        stays: Counter[str] = Counter()
        joined: set[str] = set()
        offered: Counter[str] = Counter()
        with ContactCipher.open(home.state, read_only=True) as cipher:
            reader = JournalReader.open(home.journal, cipher)
            try:
                interactions = reader.newest(10_000_000)
                for interaction_id in interactions:
                    closed = 0
                    for record in reader.show(interaction_id):
                        if type(record.event).__name__ == "QueueJoined":
                            joined.add(record.event.stay_id)  # type: ignore[union-attr]
                        if isinstance(record.event, OfferMade):
                            offered[record.event.agent_id] += 1
                        if isinstance(record.event, OfferFailed):
                            report.unanswered[f"{record.event.how}: {record.event.why}"] += 1
                        for decision in record.decisions:
                            if isinstance(decision, StayEnded):
                                stays[decision.stay_id] += 1
                                report.ends[decision.how] += 1
                            closed += isinstance(decision, InteractionClosed)
                    if closed != 1:
                        report.faults.append(f"{interaction_id} was closed {closed} times")
            finally:
                reader.close()
        if len(interactions) != report.answered:
            report.faults.append(f"{report.answered} callers were answered, the journal has {len(interactions)}")
        for stay_id in joined - stays.keys():
            report.faults.append(f"stay {stay_id} never ended")
        report.faults += [f"stay {stay_id} ended {times} times" for stay_id, times in stays.items() if times > 1]
        report.offers, report.rung = sum(offered.values()), sum(phone.offered for phone in made)
        if report.rung > report.offers:
            report.faults.append(f"phones rang {report.rung} times, the journal knows of {report.offers} offers")
        if report.ends["lost"]:
            report.faults.append(f"{report.ends['lost']} stays were lost")
        quarter = len(report.memory_mb) // 4
        if quarter >= 3:
            early, late = max(report.memory_mb[quarter : 2 * quarter]), max(report.memory_mb[-quarter:])
            if late > early * 1.10 + 5:
                report.faults.append(f"memory grew from {early:.0f} to {late:.0f} MB")


def _rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _unheard(phone: Phone, now_s: float) -> None:
    """What a phone saw, told to nobody."""


async def soak(minutes: float, agents: int, seed: int, say: Callable[[str], None]) -> Report:
    """Raises RuntimeError when the system does not come up."""
    loop = asyncio.get_running_loop()
    names = [f"a{n:02}" for n in range(1, agents + 1)]
    files = {f"config/devices/{name}.yaml": f"device: {name}\n" for name in names}
    files["config/queues/bench.yaml"] = "queue: bench\nwrap_up_s: 1\nring_s: 5\n"
    files["config/agents.yaml"] = "agents:\n" + "".join(
        f"  {name}: {{name: {name}, device: {name}, queues: [bench]}}\n" for name in names
    )
    async with whole_system(FLOW, files) as system:
        run = Soak(system, names, seed)
        host, _, port = system.sip.partition(":")
        server = (host, int(port))
        accounts = {device.name: device.secret for device in system.supervisor.plan.node.devices}
        made = await phones(accounts, server, run.behaviour, _unheard, _unheard)
        _, callers = await loop.create_datagram_endpoint(lambda: Callers(server, NUMBER), local_addr=(ENGINE_SIDE, 0))
        tasks: list[asyncio.Task[None]] = []
        try:
            await run.log_in()
            tasks = [loop.create_task(run.supervise()), loop.create_task(run.watch_memory())]
            say(f"{agents} agents, {minutes:g} minutes of callers")
            await run.callers(callers, minutes * 60)
            tasks[0].cancel()
            say("everybody goes home")
            await run.settle(callers)
            run.report.answered = callers.answered
            run.audit(made)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            callers.close()
            close(made)
            await run.engine.aclose()
        return run.report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--agents", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    console = Console(stderr=True)
    report = asyncio.run(
        soak(given.minutes, given.agents, given.seed, lambda text: console.print(f"  {text}", style="dim"))
    )
    if given.json:
        print(
            json.dumps(
                {
                    **vars(report),
                    "ends": dict(report.ends),
                    "actions": dict(report.actions),
                    "unanswered": dict(report.unanswered),
                },
                indent=2,
            )
        )
        return bool(report.faults)
    table = Table(title=f"{report.placed} calls")
    table.add_column("queue stays ended as")
    table.add_column("", justify="right")
    for how, count in report.ends.most_common():
        table.add_row(how, str(count))
    Console().print(table)
    Console().print(f"offers {report.offers}, phones rung {report.rung}; asked: {dict(report.actions)}")
    Console().print(f"offers not taken: {dict(report.unanswered)}")
    Console().print(f"engine memory: {report.memory_mb[0]:.0f} MB at first, {report.memory_mb[-1]:.0f} MB at last")
    for fault in report.faults[:50]:
        Console().print(f"[red]fault:[/red] {fault}")
    Console().print("[green]nothing lost, nothing left behind[/green]" if not report.faults else "")
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
