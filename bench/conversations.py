"""Who hears whom, whatever people do: random acts of agents, customers and supervisors in real calls.

    python -m bench.conversations [--minutes 3] [--agents 6] [--customers 3] [--kill-every 25] [--seed 1] [--json]

Everybody says a tone of her own. Agents hold, consult, swap, conference, transfer, key codes and hang up; supervisors
listen, whisper, barge in and take over; customers hang up; the engine is killed now and then. After each burst of acts,
when all has been quiet for some seconds, ears are compared with the board: no customer hears silence or two
conversations, who hears somebody is heard by her (unless she follows a conversation), nobody is in two calls, who talks
has a call. At the end nothing may be left. Exit code 1 on a fault.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import signal
import sys
from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
from rich.console import Console

from bench.leftovers import Leftovers
from bench.sip_people import Person, answering
from bench.talkers import AgentPhone, Customer, Ear, agent_phone, customer, listen
from bench.whole_system import ENGINE_SIDE, WholeSystem, whole_system

NUMBER, OUTSIDE_HZ, OUTSIDE_PORT = "77", 3000.0, 5788
_FLOWS = {
    "flows/bench.yaml": "flow: bench\nlanguages: [en]\nstart: wait\nnodes:\n"
    "  wait: {type: queue, queue: bench, next: bye}\n  bye: {type: hangup}\n",
    "flows/card.yaml": "flow: card\nlanguages: [en]\nstart: music\nnodes:\n"
    "  music: {type: wait, seconds: 3, music: default, next: back}\n  back: {type: return}\n",
}
_BESIDE = ("consult", "consult", "swap", "conference", "complete", "cancel_consult")
ACTS = ("hold", "resume", "transfer", "hang_up", *_BESIDE)
SUPERVISION = ("listen", "whisper", "barge", "take_over", "stop")
KEYS = ("*1", "*4", "*5", "*6", "*7", "*8", "5")
_REST_S, _AGAIN_S = 2.2, 2.5
_TALKING = ("active", "held", "consulting")
Faults = set[str]


@dataclass
class Report:
    acts: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    heard: int = 0
    """How often somebody heard somebody when ears were looked at: a run in which nobody talks finds no fault."""
    faults: list[str] = field(default_factory=list)


class Monkey:
    """`tones`: what each says, in Hz, by her name; agents are a1, a2…, customers c1, c2…, whoever is outside `out`."""

    def __init__(self, system: WholeSystem, agents: int, customers: int, seed: int) -> None:
        self.system, self.dice, self.report = system, random.Random(seed), Report()
        self.names = [f"a{n}" for n in range(1, agents + 1)]
        self.callers = [f"c{n}" for n in range(1, customers + 1)]
        self.tones = {name: 400.0 + 90.0 * n for n, name in enumerate([*self.names, *self.callers])}
        self.tones["out"] = OUTSIDE_HZ
        self.phones: dict[str, AgentPhone] = {}
        self.customers: dict[str, Customer] = {}
        self.following: set[str] = set()
        self.past: deque[str] = deque(maxlen=14)
        transport = httpx.AsyncHTTPTransport(uds=str(system.supervisor.plan.home.control_socket), verify=False)
        self.engine = httpx.AsyncClient(transport=transport, base_url="http://engine", timeout=10)
        host, _, port = system.sip.partition(":")
        self.server = (host, int(port))
        self.passwords = {each.name: each.secret for each in system.supervisor.plan.node.devices}

    # -- people ------------------------------------------------------------------------------------
    async def sit_down(self) -> None:
        for name in self.names:
            account = f"main-{name}"
            behave = self._behaviour(name)
            self.phones[name] = await agent_phone(account, self.passwords[account], self.server, behave)
            for action in ("log_in", "ready"):
                if not await self.do("AgentActed", tenant="main", agent_id=name, action=action):
                    raise RuntimeError(f"{name} cannot {action}")

    def _behaviour(self, name: str) -> Any:
        def behave(_: str) -> Person:
            if self.dice.random() < 0.05:
                return Person(ring_s=0.3, does="refuse", hz=self.tones[name])
            return Person(ring_s=self.dice.choice((0.0, 0.1, 0.5, 1.5, 1.5, 30.0)), hz=self.tones[name])

        return behave

    async def call_in(self) -> None:
        for name in self.callers:
            there = self.customers.get(name)
            if (there is None or there.is_over) and self.dice.random() < 0.6:
                account = f"main-{name}"
                self.customers[name] = await customer(
                    account, self.passwords[account], self.server, NUMBER, self.tones[name]
                )
                self._note(f"{name} calls")

    # -- acts --------------------------------------------------------------------------------------
    async def do(self, fact: str, **fields: Any) -> bool:
        try:
            return (await self.engine.post("/acd/do", json={"fact": fact, "fields": fields})).status_code == 200
        except httpx.HTTPError:
            return False

    async def board(self) -> dict[str, Any]:
        body: dict[str, Any] = (await self.engine.get("/acd/snapshot")).json()
        return body

    async def act(self) -> None:
        board, drawn = await self.board(), self.dice.random()
        for agent in board["agents"]:
            if agent["presence"] == "not_ready":
                await self.do("AgentActed", tenant="main", agent_id=agent["agent_id"], action="ready")
        work = [(a["agent_id"], w) for a in board["agents"] for w in a["assignments"] if w["state"] in _TALKING]
        if drawn < 0.08:
            name = self.dice.choice(self.callers)
            if name in self.customers and not self.customers[name].is_over:
                self.customers[name].hang_up()
                self._count(f"{name} hangs up", "customer hangs up")
        elif drawn < 0.16:
            phone = self.phones[self.dice.choice(self.names)]
            for call in phone.talking:
                phone.people.hang_up(call)
                self._count(f"{phone.user} hangs up", "phone hung up")
        elif work:
            agent_id, contact = self.dice.choice(work)
            free = [a["agent_id"] for a in board["agents"] if not a["assignments"]]
            if drawn < 0.32:
                self._press(agent_id)
            elif drawn < 0.5 and free:
                await self._supervise(self.dice.choice(free), contact["interaction_id"])
            else:
                await self._ask(agent_id, contact["interaction_id"])

    async def _ask(self, agent_id: str, interaction_id: str) -> None:
        action, target = self.dice.choice(ACTS), ""
        if action in ("consult", "transfer"):
            colleague = f"agent:{self.dice.choice(self.names)}"
            target = self.dice.choice((colleague, colleague, "queue:bench", "+34911000100", "flow:card"))
        fields = {"interaction_id": interaction_id, "agent_id": agent_id, "action": action, "target": target}
        done = await self.do("ConversationActed", **fields)
        self._count(f"{agent_id} {action} {target}: {done}", action if done else f"{action} refused")

    async def _supervise(self, boss: str, interaction_id: str) -> None:
        action = self.dice.choice(SUPERVISION)
        fields = {"interaction_id": interaction_id, "supervisor_id": boss, "action": action, "device": f"main-{boss}"}
        done = await self.do("SupervisionActed", **fields)
        if done and action in ("listen", "whisper", "barge"):
            self.following.add(boss)
        self._count(f"{boss} {action}: {done}", action if done else f"{action} refused")

    def _press(self, agent_id: str) -> None:
        phone, keys = self.phones[agent_id], self.dice.choice(KEYS)
        for call in phone.talking[:1]:
            for key in keys:
                phone.people.press(call, key)
            self._count(f"{agent_id} keys {keys}", f"keys {keys}")

    async def kill(self) -> None:
        os.kill(self.system.engine_pid, signal.SIGKILL)
        self._count("the engine is killed", "killed")
        for _ in range(200):
            await asyncio.sleep(0.1)
            with contextlib.suppress(httpx.HTTPError):
                if (await self.engine.get("/status")).json()["ready"]:
                    return

    def _count(self, what: str, kind: str) -> None:
        self.report.acts[kind] += 1
        self._note(what)

    def _note(self, what: str) -> None:
        self.past.append(f"{asyncio.get_running_loop().time():.1f} {what}")

    # -- ears --------------------------------------------------------------------------------------
    async def look(self) -> None:
        """What is wrong twice in a row is a fault; once, it was on its way."""
        await asyncio.sleep(_REST_S)
        first = await self.wrong()
        self.report.looks += 1
        if first:
            await asyncio.sleep(_AGAIN_S)
            if lasting := first & await self.wrong():
                self.report.faults.append("; ".join([*sorted(lasting), "after: " + " | ".join(self.past)]))

    async def wrong(self) -> Faults:
        board = {agent["agent_id"]: agent for agent in (await self.board())["agents"]}
        now_s = asyncio.get_running_loop().time()
        voices = {name: one.voice for name, one in self.customers.items() if not one.is_over}
        voices |= {name: phone.talking[0].voice for name, phone in self.phones.items() if phone.talking}
        ears = {name: listen(voice, self.tones) for name, voice in voices.items()}
        self.following = {name for name in self.following if name in voices}
        self.report.heard += sum(bool(ear.whom) for ear in ears.values())
        found = {f"{name} hears herself" for name, ear in ears.items() if name in ear.whom}
        for name, ear in ears.items():
            talkers = {each for each in ear.whom if each in self.callers}
            if len(talkers) > 1:
                found.add(f"{name} hears {' and '.join(sorted(talkers))}")
            if name not in self.following:
                # While a colleague is rung for her, Asterisk takes nothing from her phone: a whisperer hears nothing.
                unheard = self.following if _consults(board.get(name)) and ear.whom <= self.following else set()
                found |= {
                    f"{name} hears {each}, who does not hear her"
                    for each in (ear.whom - unheard) & ears.keys()
                    if name not in ears[each].whom
                }
            if name in self.callers and ear.is_silent and now_s - self.customers[name].since_s > 4.0:
                found.add(f"{name} hears nothing")
        for name, phone in self.phones.items():
            found |= self._wrong_at(name, phone, board[name]["assignments"], ears)
        return found

    def _wrong_at(self, name: str, phone: AgentPhone, work: list[dict[str, Any]], ears: dict[str, Ear]) -> Faults:
        states = {each["state"] for each in work}
        found: Faults = set()
        if states & set(_TALKING) and not phone.talking:
            found.add(f"{name} talks and has no call")
        if len(phone.talking) > 1:
            found.add(f"{name} is in {len(phone.talking)} calls")
        if "active" in states and name in ears and ears[name].is_silent:
            found.add(f"{name} talks and hears nothing")
        if "held" in states and name in ears and ears[name].whom & set(self.callers):
            found.add(f"{name} has her customer on hold and hears her")
        return found


def _consults(agent: dict[str, Any] | None) -> bool:
    return agent is not None and any(work["state"] == "consulting" for work in agent["assignments"])


async def run(minutes: float, agents: int, customers: int, kill_every_s: float, seed: int) -> Report:
    """Raises RuntimeError when the system does not come up."""
    names = [*(f"a{n}" for n in range(1, agents + 1)), *(f"c{n}" for n in range(1, customers + 1))]
    files = {f"config/devices/{name}.yaml": f"device: {name}\n" for name in names}
    files["config/queues/bench.yaml"] = "queue: bench\nwrap_up_s: 1\nring_s: 6\nrecord_percent: 30\n"
    files["config/agents.yaml"] = "agents:\n" + "".join(
        f"  {name}: {{name: {name}, device: {name}, queues: [bench]}}\n" for name in names if name.startswith("a")
    )
    files["config/trunks/carrier.yaml"] = f"trunk: carrier\nhost: {ENGINE_SIDE}\nport: {OUTSIDE_PORT}\n"
    files["config/outbound.yaml"] = "rules: [{name: spain, prefixes: ['+34'], trunk: carrier}]\n"
    loop = asyncio.get_running_loop()
    outside = await answering(ENGINE_SIDE, OUTSIDE_PORT, lambda _: Person(ring_s=0.5, hz=OUTSIDE_HZ, talk_s=20.0))
    async with whole_system(_FLOWS["flows/bench.yaml"], files | _FLOWS) as system:
        monkey = Monkey(system, agents, customers, seed)
        left = Leftovers(system, monkey.engine)
        await monkey.sit_down()
        await left.begin()
        until_s, kill_s = loop.time() + minutes * 60, loop.time() + (kill_every_s or 1e9)
        while loop.time() < until_s:
            await monkey.call_in()
            for _ in range(monkey.dice.choice((1, 1, 2, 3, 5))):
                with contextlib.suppress(httpx.HTTPError):
                    await monkey.act()
                await asyncio.sleep(monkey.dice.choice((0.0, 0.05, 0.3, 1.0)))
            if loop.time() > kill_s:
                await monkey.kill()
                kill_s = loop.time() + kill_every_s
            await monkey.look()
        for one in monkey.customers.values():
            one.hang_up()
        for what, more in (await left.left()).items():
            if what != "engine: open files" or not monkey.report.acts["killed"]:  # it is another process then
                monkey.report.faults.append(f"left behind: {more} {what}")
        if not monkey.report.heard:
            monkey.report.faults.append("nobody ever heard anybody: nothing was compared")
        await monkey.engine.aclose()
    outside.close()
    return monkey.report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--agents", type=int, default=6)
    parser.add_argument("--customers", type=int, default=3)
    parser.add_argument(
        "--kill-every", type=float, default=25.0, help="seconds between two kill -9 of the engine; 0: never"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    report = asyncio.run(run(given.minutes, given.agents, given.customers, given.kill_every, given.seed))
    if given.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        out = Console(soft_wrap=True)
        done = dict(report.acts.most_common())
        out.print(f"{sum(done.values())} acts, {report.looks} looks, {report.heard} ears that heard somebody: {done}")
        for fault in report.faults:
            out.print(f"[red]fault:[/red] {fault}")
        out.print("[green]everybody heard whom she should[/green]" if not report.faults else "")
    return bool(report.faults)


if __name__ == "__main__":
    sys.exit(main())
