"""How many events the dialer handles: twenty campaigns over a hundred agents, some thousands of leads in their hoppers.

    python -m bench.dialer_core            --campaigns 20 --agents 100 --seconds 300

In virtual time, on one thread, nobody real: people answer by chance, agents talk and wrap up. An event is anything the
dialer handles; what it changed is made into rows each time, as the engine's journal has it. Every attempt is checked
against the law at the moment of dialing. A tick is the time it takes to pace everything.
"""

from __future__ import annotations

import argparse
import heapq
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

from core.commands import StartTimer
from core.dialing import AttemptDisposed, AttemptProgressed, AttemptWanted, CampaignActed, LeadsSaved, LeadsStaged
from core.events import TimerFired
from core.lead_record import LeadNumber, LeadRecord, StagedLead
from core.lead_store import ListShare, Save, Staging
from dialer.compliance import rules
from dialer.compliance.rules import Mode, Purpose, RulePack, Scope, Source
from dialer.dialer import Dialer
from dialer.do_not_call import DoNotCallBook
from dialer.floor import FloorAgent, FloorPool
from dialer.pacing import PacingSettings
from dialer.setup import CampaignSetup, DialerSetup
from dialer.turn import DialerOutcome

START_S = 1_795_500_000.0
ANSWER_RATE, TALK_S, WRAP_UP_S = 0.25, 60.0, 10.0


def law() -> RulePack:
    """Hours, a cap, a least ring, an agent in time, three percent."""

    def source(rule: str) -> Source:
        return Source("bench", rule, "none", None, date.max)

    return RulePack(
        "bench",
        "bench",
        frozenset(),
        (
            rules.Hours(source("hours"), Scope(), dict.fromkeys(range(7), ((0, 1440),))),
            rules.Cap(source("cap"), Scope(), 3, 86_400.0),
            rules.Ring(source("ring"), Scope(), 15.0),
            rules.AgentWithin(source("within"), Scope(), 2.0, "answer"),
            rules.Abandonment(
                source("abandonment"), Scope(), Fraction(3, 100), rules.Window("successive", 30 * 86_400.0)
            ),
        ),
    )


def setups(count: int, method: str) -> list[CampaignSetup]:
    pack = law()
    return [
        CampaignSetup(
            "main",
            f"c{index}",
            mode=Mode.PREDICTIVE,
            purpose=Purpose.SERVICE,
            packs=(pack,),
            lists=(ListShare(f"c{index}-list"),),
            queue=f"q{index % max(1, count // 2)}",
            weight=1 + index % 3,
            pacing=PacingSettings(method=method),
        )
        for index in range(count)
    ]


class Bench:
    """`agents` serve the queue of their number: two campaigns share each."""

    def __init__(self, campaigns: int, agents: int, method: str, seed: int) -> None:
        self.now_s, self.chance = START_S, random.Random(seed)
        self.queues = max(1, campaigns // 2)
        self.them = {
            f"a{index}": FloorAgent(f"a{index}", "ready", START_S + index / 1000, line=True) for index in range(agents)
        }
        self.serving = [
            [f"a{one}" for one in range(agents) if one % self.queues == index] for index in range(self.queues)
        ]
        found = setups(campaigns, method)
        self.dialer = Dialer(DialerSetup("bench", {one.key: one for one in found}), DoNotCallBook(), self)
        self.queue: list[tuple[float, int, Any]] = []
        self.number = self.leads = self.events = self.dialed = 0
        self.tick_s: list[float] = []
        self.spent_s = 0.0
        for one in found:
            self.handle(CampaignActed("main", one.campaign, "start"))

    def pool(self, tenant: str, queue: str, skills: str, now_s: float) -> FloorPool:
        return FloorPool(tuple(self.them[name] for name in self.serving[int(queue[1:])]))

    def handle(self, fact: Any) -> None:
        began_s = time.thread_time()
        outcome = self.dialer.handle(fact, self.now_s)
        for aggregate in outcome.changed:
            self.dialer.save(aggregate)
        took_s = time.thread_time() - began_s
        self.spent_s += took_s
        self.events += 1
        if isinstance(fact, TimerFired):
            self.tick_s.append(took_s)
        self.follow(outcome)

    def follow(self, outcome: DialerOutcome) -> None:
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                self.later(command.due_s - self.now_s, TimerFired("dialer", command.timer_id))
        for fact in outcome.facts:
            if isinstance(fact, AttemptWanted):
                self.dialed += 1
                self.call(fact)
        for wanted in outcome.wanted:
            self.later(0.05, self.stage(wanted))
        if outcome.saves:
            self.later(0.05, LeadsSaved(tuple((one.id, one.serial) for one in outcome.saves if isinstance(one, Save))))

    def call(self, wanted: AttemptWanted) -> None:
        self.later(2.0, self.progress(wanted, "ringing"))
        if self.chance.random() < ANSWER_RATE:
            after_s = 4.0 + self.chance.random() * 10.0
            self.later(after_s, self.progress(wanted, "answered"))
            self.later(after_s + 0.3, lambda: self.meet(wanted))
        else:
            self.later(25.0, self.progress(wanted, "no_answer"))

    def meet(self, wanted: AttemptWanted) -> None:
        free = [name for name in self.serving[int(wanted.queue[1:])] if self.them[name].state == "ready"]
        if not free:
            self.progress(wanted, "no_agent")()
            return
        name = min(free, key=lambda one: self.them[one].since_s)
        self.them[name] = FloorAgent(name, "talk", self.now_s, wanted.interaction_id, True)
        self.handle(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, "connect", agent_id=name))
        self.later(self.chance.expovariate(1 / TALK_S), lambda: self.part(wanted, name))

    def part(self, wanted: AttemptWanted, name: str) -> None:
        self.them[name] = replace(self.them[name], state="wrap_up", since_s=self.now_s)
        self.progress(wanted, "hung_up")()
        self.later(WRAP_UP_S, lambda: self.done(wanted, name))

    def done(self, wanted: AttemptWanted, name: str) -> None:
        self.them[name] = FloorAgent(name, "ready", self.now_s, line=True)
        self.handle(AttemptDisposed(wanted.interaction_id, wanted.attempt_id, name, "done"))

    def progress(self, wanted: AttemptWanted, event: str) -> Callable[[], None]:
        return lambda: self.handle(AttemptProgressed(wanted.interaction_id, wanted.attempt_id, event))

    def stage(self, wanted: Staging) -> LeadsStaged:
        made = []
        for _ in range(wanted.count):
            self.leads += 1
            numbers = (LeadNumber(f"+3491{self.leads:07d}"), LeadNumber(f"+3493{self.leads:07d}"))
            record = LeadRecord(
                f"l{self.leads}", "main", wanted.lists[0].list_id, numbers, fields={"city": "Soria", "plan": "basic"}
            )
            made.append(StagedLead(record))
        return LeadsStaged("main", wanted.campaign, tuple(made))

    def later(self, after_s: float, what: Any) -> None:
        self.number += 1
        heapq.heappush(self.queue, (self.now_s + after_s, self.number, what))

    def run(self, seconds: float) -> None:
        end_s = self.now_s + seconds
        while self.queue and self.queue[0][0] <= end_s:
            at_s, _, what = heapq.heappop(self.queue)
            self.now_s = max(self.now_s, at_s)
            if callable(what):
                what()
            else:
                self.handle(what)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--campaigns", type=int, default=20)
    options.add_argument("--agents", type=int, default=100)
    options.add_argument("--seconds", type=float, default=300.0, help="of virtual time")
    options.add_argument("--method", default="adaptive_ratio")
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    bench = Bench(given.campaigns, given.agents, given.method, given.seed)
    bench.run(given.seconds)
    board = bench.dialer.board(bench.now_s)
    hopper = sum(view["hopper"] for view in board)
    ticks = sorted(bench.tick_s)
    live = sum(view["today"]["live"] for view in board)
    abandoned = sum(view["today"]["abandoned"] for view in board)
    print(f"{given.campaigns} campaigns, {given.agents} agents, {hopper} leads in hoppers at the end")
    print(f"{bench.events} events in {bench.spent_s:.2f} s: {bench.events / bench.spent_s:,.0f} events/s")
    print(f"{bench.dialed} dialed in {given.seconds:g} s of virtual time: {bench.dialed / given.seconds:.1f} a second")
    print(f"dials a second of its own time: {bench.dialed / bench.spent_s:,.0f}")
    half, most = ticks[len(ticks) // 2] * 1e3, ticks[int(len(ticks) * 0.99)] * 1e3
    print(f"a tick that paces all of them: {half:.2f} ms (p50), {most:.2f} ms (p99)")
    print(f"{live} live answers, {abandoned} abandoned")


if __name__ == "__main__":
    main()
