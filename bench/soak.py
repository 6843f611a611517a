"""A small contact center under an ordinary bad day: does it keep count of everybody, and leave nothing behind?

    python -m bench.soak [--minutes 20] [--agents 20] [--seed 1] [--json]        about `minutes`; exit code 1 on a fault

Poisson callers into one queue; some hang up while they wait, some while they talk. Phones answer, refuse, or ring out;
who rang out is made ready again after a while; some conversations are put on hold or sent to another agent; a quarter
is recorded. At the end what callers saw, what Asterisk did and what the journal says are compared call by call
(`bench/compared_books.py`); every timer, task, channel, bridge and open file beyond those before the first caller is a
fault (`bench/leftovers.py`), and so is memory that goes on growing.
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
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.call_books import MANY, AsterisksBook, Contact, heard, journals_book, opened
from bench.compared_books import Comparison, compare
from bench.leftovers import FLAT_MB_PER_HOUR, Leftovers, Memory, memory, rss_mb
from bench.sip_phones import Behaviour, Callers, Phone, close, phones
from bench.whole_system import ENGINE_SIDE, WholeSystem, whole_system
from store.recordings import Recordings

NUMBER = "77"
FIRST_CALLER, CALLERS = 600_000_000, 500
"""They call again, long after their last call is over: what is kept for each of them is not kept without end."""
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


TOLD_WITHIN_S = 30.0
JUDGED_MINUTES = 15.0
"""Shorter runs are all warm-up: their memory is told and not judged."""


@dataclass
class Report:
    """`unanswered`: why offers failed. `memory`: of the engine's and Asterisk's process."""

    placed: list[str] = field(default_factory=list)
    answered: int = 0
    faults: list[str] = field(default_factory=list)
    compared: Comparison = field(default_factory=Comparison)
    ends: Counter[str] = field(default_factory=Counter)
    offers: int = 0
    rung: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    recordings: int = 0
    actions: Counter[str] = field(default_factory=Counter)
    memory: dict[str, Memory] = field(default_factory=dict)


class Soak:
    def __init__(self, system: WholeSystem, agents: list[str], seed: int) -> None:
        self.system = system
        self.agents = agents
        self.chance = random.Random(seed)
        self.report = Report()
        transport = httpx.AsyncHTTPTransport(uds=str(system.supervisor.plan.home.control_socket), verify=False)
        self.engine = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=15)
        self.left = Leftovers(system, self.engine)
        self._sizes: dict[str, list[tuple[float, float]]] = {"engine": [], "asterisk": []}

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
            number = str(FIRST_CALLER + len(self.report.placed) % CALLERS)
            call_id = callers.call(number)
            self.report.placed.append(number)
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
        asterisk = self.system.supervisor.launcher.pid
        assert asterisk is not None
        while True:
            now_s = asyncio.get_running_loop().time()
            for name, pid in (("engine", self.system.engine_pid), ("asterisk", asterisk)):
                self._sizes[name].append((now_s, rss_mb(pid)))
            await asyncio.sleep(5.0)

    def judge_memory(self, minutes: float) -> None:
        report = self.report
        report.memory = {name: memory(sizes) for name, sizes in self._sizes.items() if len(sizes) > 10}
        for name, found in report.memory.items():
            if minutes >= JUDGED_MINUTES and found.slope - 2 * found.error > FLAT_MB_PER_HOUR:
                report.faults.append(f"{name}'s memory grows by {found.slope:.0f} MB an hour")

    async def settle(self, callers: Callers, asterisk: AsterisksBook) -> None:
        """Everybody goes home, and each of the three has heard of it."""
        for call_id in list(callers.open):
            callers.hang_up(call_id)
        for what, more in (await self.left.left()).items():
            self.report.faults.append(f"left behind: {more} {what}")
        await self._all_told(callers, asterisk)
        snapshot = (await self.engine.get("/acd/snapshot")).json()
        if snapshot["stays"]:
            self.report.faults.append(f"{len(snapshot['stays'])} stays still wait")
        self.report.faults += [
            f"agent {agent['agent_id']} still has work: {agent['assignments']}"
            for agent in snapshot["agents"]
            if agent["assignments"]
        ]

    async def _all_told(self, callers: Callers, asterisk: AsterisksBook) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + TOLD_WITHIN_S
        while loop.time() < until_s:
            journal = (await self.engine.get("/status")).json()["journal"]
            if journal["durable_seq"] >= journal["last_seq"] and not callers.open and asterisk.is_closed:
                return
            await asyncio.sleep(0.1)
        self.report.faults.append("callers, Asterisk or the journal had not told everything in time")

    def audit(self, made: list[Phone], callers: Callers, asterisk: AsterisksBook) -> None:
        """The journal against what phones, callers and Asterisk tell."""
        home, report = self.system.supervisor.plan.home, self.report
        device_of = {name: f"main-{name}" for name in self.agents}
        with opened(home.state, home.journal) as (reader, cipher):
            contacts = journals_book(reader)
            kept = Counter(each.interaction_id for each in Recordings(home.voicemail, cipher).find("main", limit=MANY))
        report.compared = compare(contacts, asterisk, callers, report.placed, device_of)
        report.faults += report.compared.faults
        for contact in contacts:
            self._add_up(contact)
        report.answered, report.rung = callers.answered, sum(phone.offered for phone in made)
        if report.rung > report.offers:
            report.faults.append(f"phones rang {report.rung} times, the journal knows of {report.offers} offers")
        for contact in contacts:
            report.faults += contact.misses(kept[contact.interaction_id])

    def _add_up(self, contact: Contact) -> None:
        report = self.report
        report.ends.update(how for ends in contact.stays.values() for how in ends)
        report.offers += contact.offers
        report.unanswered += contact.unanswered
        report.recordings += len(contact.recordings)


def _unheard(phone: Phone, now_s: float) -> None:
    """What a phone saw, told to nobody."""


async def soak(minutes: float, agents: int, seed: int, say: Callable[[str], None]) -> Report:
    """Raises RuntimeError when the system does not come up."""
    loop = asyncio.get_running_loop()
    names = [f"a{n:02}" for n in range(1, agents + 1)]
    files = {f"config/devices/{name}.yaml": f"device: {name}\n" for name in names}
    files["config/queues/bench.yaml"] = "queue: bench\nwrap_up_s: 1\nring_s: 5\nrecord_percent: 25\n"
    files["config/agents.yaml"] = "agents:\n" + "".join(
        f"  {name}: {{name: {name}, device: {name}, queues: [bench]}}\n" for name in names
    )
    async with whole_system(FLOW, files) as system, heard(system.supervisor.plan.node) as asterisk:
        run = Soak(system, names, seed)
        host, _, port = system.sip.partition(":")
        server = (host, int(port))
        accounts = {device.name: device.secret for device in system.supervisor.plan.node.devices}
        made = await phones(accounts, server, run.behaviour, _unheard, _unheard)
        _, callers = await loop.create_datagram_endpoint(lambda: Callers(server, NUMBER), local_addr=(ENGINE_SIDE, 0))
        tasks: list[asyncio.Task[None]] = []
        try:
            await run.log_in()
            await run.left.begin()
            tasks = [loop.create_task(run.supervise()), loop.create_task(run.watch_memory())]
            say(f"{agents} agents, {minutes:g} minutes of callers")
            await run.callers(callers, minutes * 60)
            tasks[0].cancel()
            say("everybody goes home")
            run.judge_memory(minutes)
            await run.settle(callers, asterisk)
            run.audit(made, callers, asterisk)
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
        print(json.dumps(asdict(report), indent=2))
    else:
        _show(report)
    return bool(report.faults)


def _show(report: Report) -> None:
    out, compared = Console(soft_wrap=True), report.compared
    table = Table(title=f"{len(report.placed)} calls, {compared.legs} legs: callers, Asterisk, journal")
    for name in ("ended as", "calls", "agree"):
        table.add_column(name, justify="left" if name == "ended as" else "right")
    for how, count in compared.outcomes.most_common():
        table.add_row(how, str(count), str(compared.agreed[how]))
    out.print(table)
    out.print(f"hung up while caller and agent were being connected: {compared.passed}")
    out.print(f"queue stays: {dict(report.ends)}; {report.recordings} recordings")
    out.print(f"offers {report.offers}, phones rung {report.rung}, not taken: {dict(report.unanswered)}")
    out.print(f"asked: {dict(report.actions)}")
    for name, found in report.memory.items():
        out.print(
            f"memory of {name}: {found.first_mb:.1f} MB at first, {found.warm_mb:.1f} warm, {found.last_mb:.1f} at"
            f" last; after the warm-up {found.slope:+.1f} ± {found.error:.1f} MB an hour"
        )
    for fault in report.faults[:50]:
        out.print(f"[red]fault:[/red] {fault}")
    out.print("[green]nothing lost, nothing left behind[/green]" if not report.faults else "")


if __name__ == "__main__":
    sys.exit(main())
