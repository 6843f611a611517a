"""The router alone, in virtual time: how long one event takes, and how many it handles a second on one core.

    python -m bench.acd_core [--json] [--events 60000] [--agents 1000] [--queues 100] [--skills 200] [--waiting 5000]

A floor under full load: every agent has a dozen skills and serves a tenth of the queues; every queue asks for skills
with levels, relaxes them twice and ages its contacts; one caller in four brings a requirement of her own, one in ten a
priority. The contacts waiting are kept at their number: for each one served or gone another joins. Phones ring two
seconds; three offers in a hundred ring out, two are declined; callers lose patience, wrap-ups end by the clock, and
agents take breaks. `handled` is `Router.handle` alone; `saved` adds what the engine saves after each event.

Times are CPU of the one thread, so other programs count only by what they take from its caches. Below the table: the
rates of the median and of the best tenth of all stretches of a thousand events. Last, one event in which `best_match`
has 50 agents free for 500 contacts, each of ten requirements of the flow's.
"""

from __future__ import annotations

import argparse
import gc
import heapq
import json
import platform
import random
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from acd import matching
from acd.floor import Floor
from acd.router import Router
from acd.setup import AgentSetup, Key, QueueSetup, Relaxation, Setup
from acd.strategies import STRATEGIES
from acd.turn import Turn
from core.agent_facts import AgentActed
from core.commands import StartTimer
from core.events import QueueLeft, TimerFired
from core.offer_facts import (
    OfferAccepted,
    OfferFailed,
    OfferMade,
    OfferRinging,
)
from core.queue_facts import QueueJoined, StayGivenUp
from core.routing import RouterFact
from core.talk_facts import TalkEnded

Fact = RouterFact | TimerFired
WINDOW = 1000
"""Events whose rate is looked at together: in the best windows, other programs let the core alone."""
START_S = 1_767_225_600.0


def floor(agents: int, queues: int, skills: int, dice: random.Random) -> Setup:
    names = [f"skill.{n}" for n in range(skills)]
    strategies = [name for name in STRATEGIES if name != "ring_several"]
    queue_names = [f"queue-{n}" for n in range(queues)]

    def queue(n: int) -> QueueSetup:
        first, second = dice.sample(names, 2)
        return QueueSetup(
            "main",
            queue_names[n],
            skills=f"{first} >= {dice.randint(1, 4)} or {second} >= 5",
            relaxations=(
                Relaxation(120.0, f"{first} or {second} >= 3"),
                Relaxation(600.0, f"{first} or {second}", priority=1),
            ),
            strategy=strategies[n % len(strategies)],
            ageing=1.0,
            wrap_up_s=float(dice.choice((0, 10, 30))),
        )

    def agent(n: int) -> AgentSetup:
        serves = dice.sample(range(queues), queues // 10)
        # She knows what her queues ask for, more or less, and some more.
        needed = [word for q in serves for word in made[q].skills.split() if word.startswith("skill.")]
        known = {name: dice.randint(1, 10) for name in dice.sample(needed, min(9, len(needed)))}
        known |= {name: dice.randint(1, 10) for name in dice.sample(names, 4)}
        mine = frozenset(queue_names[q] for q in serves)
        return AgentSetup("main", f"agent-{n:04}", skills=known, queues=mine, device=f"main-{n}")

    made = [queue(n) for n in range(queues)]
    people = [agent(n) for n in range(agents)]
    return Setup(
        agents={("main", who.agent_id): who for who in people},
        queues={("main", one.queue): one for one in made},
    )


class Load:
    """Callers, phones and agents around the router, in virtual time."""

    def __init__(self, router: Router, waiting: int, dice: random.Random, save: bool) -> None:
        self.router, self.dice, self.save = router, dice, save
        self.waiting = waiting
        self.now_s = START_S
        self.times: dict[str, list[float]] = defaultdict(list)
        self.in_order: list[float] = []
        self.offers = self.count = 0
        self._agenda: list[tuple[float, int, Fact]] = []
        self._timers: dict[str, float] = {}
        self._order = self._contact = 0
        self._queues: list[Key] = list(router.setup.queues)
        self._skills = sorted({name for who in router.setup.agents.values() for name in who.skills})

    def fill(self) -> None:
        for _, agent_id in self.router.setup.agents:
            self.do(AgentActed("main", agent_id, "log_in"))
            self.do(AgentActed("main", agent_id, "ready"))
        while len(self.router.stays()) < self.waiting or self.router.board(self.now_s).queues[0]["available"]:
            for _ in range(200):
                self.join()
            self.run(self.count + 200)
        self.times.clear()
        self.in_order.clear()
        self.offers = self.count = 0

    def join(self) -> None:
        self._contact += 1
        own = f"{self.dice.choice(self._skills)} >= 2" if self.dice.random() < 0.02 else ""
        if not own and self.dice.random() < 0.25:
            own = f"not {self.dice.choice(self._skills[:8])} >= 9"
        _, queue = self.dice.choice(self._queues)
        priority = 1 if self.dice.random() < 0.1 else 0
        name = f"{self._contact}"
        self.do(QueueJoined(f"i{name}", f"s{name}", "main", queue, skills=own, priority=priority))
        if self.dice.random() < 0.3:
            self.later(self.dice.expovariate(1 / 900), StayGivenUp(f"i{name}", f"s{name}"))

    def later(self, after_s: float, fact: Fact) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (self.now_s + after_s, self._order, fact))

    def run(self, until: int) -> None:
        """Until so many events were handled."""
        while self.count < until and self._agenda:
            self.now_s, _, fact = heapq.heappop(self._agenda)
            if isinstance(fact, TimerFired) and self._timers.get(fact.timer_id) != self.now_s:
                continue
            self.do(fact)

    def do(self, fact: Fact) -> None:
        started = time.thread_time()
        outcome = self.router.handle(fact, self.now_s)
        if self.save:
            for aggregate in outcome.changed:
                self.router.save(aggregate)
        spent_s = time.thread_time() - started
        self.times[type(fact).__name__].append(spent_s)
        self.in_order.append(spent_s)
        self.count += 1
        for command in outcome.commands:
            if isinstance(command, StartTimer):
                self._timers[command.timer_id] = max(command.due_s, self.now_s)
                self.later(max(command.due_s - self.now_s, 0.0), TimerFired("", command.timer_id))
                self._timers[command.timer_id] = self._agenda_time(command.due_s)
            else:
                self._timers.pop(command.timer_id, None)
        gone = isinstance(fact, StayGivenUp) and bool(outcome.changed)
        for told in outcome.facts:
            if isinstance(told, OfferMade):
                self._ring(told)
            gone = gone or isinstance(told, QueueLeft)
        answered = isinstance(fact, OfferAccepted) and bool(outcome.changed)
        if (gone or answered) and self.waiting:
            self.join()

    def _agenda_time(self, due_s: float) -> float:
        return self.now_s + max(due_s - self.now_s, 0.0)

    def _ring(self, offer: OfferMade) -> None:
        self.offers += 1
        self.later(0.1, OfferRinging(offer.interaction_id, offer.offer_id))
        fate = self.dice.random()
        if fate < 0.03:
            self.later(offer.ring_s, OfferFailed(offer.interaction_id, offer.offer_id, "rona"))
            self.later(offer.ring_s + 30.0, AgentActed("main", offer.agent_id, "ready"))
        elif fate < 0.05:
            self.later(1.0, OfferFailed(offer.interaction_id, offer.offer_id, "rejected"))
        else:
            self.later(2.0, OfferAccepted(offer.interaction_id, offer.offer_id))
            talk_s = 2.0 + self.dice.expovariate(1 / 180)
            self.later(talk_s, TalkEnded(offer.interaction_id, offer.agent_id))
            if self.dice.random() < 0.02:
                self.later(talk_s / 2, AgentActed("main", offer.agent_id, "not_ready", "lunch"))
                self.later(talk_s + 600.0, AgentActed("main", offer.agent_id, "ready"))


def measured(arguments: argparse.Namespace, save: bool) -> dict[str, object]:
    dice = random.Random(arguments.seed)
    router = Router(floor(arguments.agents, arguments.queues, arguments.skills, dice), seed=arguments.seed)
    load = Load(router, arguments.waiting, dice, save)
    load.fill()
    gc.collect()
    gc.freeze()
    waiting = len(router.stays())
    load.run(arguments.events)
    times = {name: sorted(spent) for name, spent in load.times.items()}
    every = sorted(load.in_order)
    windows = [load.in_order[at : at + WINDOW] for at in range(0, len(every) - WINDOW + 1, WINDOW)]
    rates = sorted(WINDOW / sum(window) for window in windows) or [len(every) / sum(every)]
    return {
        "how": "saved" if save else "handled",
        "waiting": waiting,
        "waiting_after": len(router.stays()),
        "events": len(every),
        "offers": load.offers,
        "events_per_s": round(len(every) / sum(every)),
        "windows_per_s": {"median": round(statistics.median(rates)), "best_tenth": round(rates[len(rates) * 9 // 10])},
        **_percentiles(every),
        "by_event": {name: {"n": len(spent), **_percentiles(spent)} for name, spent in sorted(times.items())},
    }


def best_match(agents: int = 50, contacts: int = 500, rounds: int = 20) -> dict[str, float]:
    """All agents become free for all contacts in one event: what the event took, without what a new setup takes."""
    dice = random.Random(7)
    names = [f"skill.{n}" for n in range(10)]
    people = {
        ("main", f"a{n:03}"): AgentSetup(
            "main", f"a{n:03}", skills={name: dice.randint(1, 10) for name in names}, device=f"main-{n}"
        )
        for n in range(agents)
    }
    line = QueueSetup("main", "q", strategy="best_match", no_agents="wait")
    setup = Setup(agents=people, queues={("main", "q"): line})
    asleep = replace(setup, agents={key: replace(who, queues=frozenset()) for key, who in people.items()})
    spent, matching_s = [], 0.0
    settle = matching.settle

    def timed(floor: Floor, turn: Turn) -> None:
        nonlocal matching_s
        started = time.thread_time()
        settle(floor, turn)
        matching_s = time.thread_time() - started

    matching.settle = timed
    for _ in range(rounds):
        router, now_s = Router(asleep), START_S
        for _, agent_id in people:
            router.handle(AgentActed("main", agent_id, "log_in"), now_s)
            router.handle(AgentActed("main", agent_id, "ready"), now_s)
        for n in range(contacts):
            now_s += dice.random()
            router.handle(QueueJoined(f"i{n}", f"s{n}", "main", "q", skills=names[n % 10]), now_s)
        offers = router.change_setup(setup, now_s).facts
        assert sum(isinstance(fact, OfferMade) for fact in offers) == agents
        spent.append(matching_s)
    matching.settle = settle
    return _percentiles(sorted(spent))


def _percentiles(spent: list[float]) -> dict[str, float]:
    def at(share: float) -> float:
        return round(spent[min(int(len(spent) * share), len(spent) - 1)] * 1e3, 4)

    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "p999_ms": at(0.999), "max_ms": at(1.0)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--json", action="store_true")
    for name, default in (("events", 60_000), ("agents", 1000), ("queues", 100), ("skills", 200), ("waiting", 5000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    results = [measured(arguments, save) for save in (False, True)]
    together = best_match()
    if arguments.json:
        told = {"python": platform.python_version(), "parameters": vars(arguments), "best_match": together}
        print(json.dumps({**told, "results": results}))
        return
    title = f"{arguments.agents} agents × {arguments.skills} skills × {arguments.waiting} waiting in {arguments.queues}"
    table = Table(
        "",
        "event",
        "events",
        "events/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        title=f"{title} queues",
    )
    notes: list[str] = []
    for result in results:
        rate: dict[str, int] = result["windows_per_s"]  # type: ignore[assignment]
        notes.append(f"{result['how']}: {rate['median']:,}/s (median), {rate['best_tenth']:,}/s (best tenth)")
        rows = [("all", result, f"{result['events']:,}", f"{result['events_per_s']:,}")]
        by_event: dict[str, dict[str, float]] = result["by_event"]  # type: ignore[assignment]
        rows += [(name, spent, f"{spent['n']:,}", "") for name, spent in by_event.items()]
        for name, spent, count, told in rows:
            figures = [f"{spent[key]:.3f}" for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms")]
            table.add_row(str(result["how"]) if name == "all" else "", name, count, told, *figures)
        table.add_section()
    figures = [f"{together[key]:.3f}" for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms")]
    table.add_row("best_match", "50 agents × 500 contacts", "20", "", *figures)
    table.caption = "\n".join(notes)
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
