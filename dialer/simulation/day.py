"""One campaign's day in virtual time: lines ring, people answer, agents talk, write up and go to lunch.

    day = Day(world, agents=10, seed=3, pacer=pacer).run()

All methods meet the same leads and the same law. The fate of the n-th attempt, the length of the n-th conversation and
wrap-up come from the seed alone, whatever the method did. A person is abandoned when no agent is there 2 s after she
answered (with a detector: after its verdict, the end of her greeting), or when the detector takes her for a machine.
The legal window is the day, the cap 3% unless told otherwise; a method is asked after every event and every second of
virtual time, at most once in a fifth of a second.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from dialer.pacing import Abandoned, BusyAgent, Ended, Pacer, Pool, Served, TalkEnded, WrapUpEnded
from dialer.pacing.pool import BusyState
from dialer.simulation.result import Result
from dialer.simulation.world import World

TICK_S = 1.0
APART_S = 0.2
PATIENCE_S = 2.0
MACHINE_WRAP_S = 2.0
NO_LIMIT = 10**9


class Day:
    """`most`: the legal cap, as a share of the answers by persons."""

    def __init__(
        self,
        world: World,
        agents: int,
        seed: int,
        pacer: Pacer,
        *,
        hours: float = 8.0,
        most: float = 0.03,
    ) -> None:
        self.world, self.agents, self.pacer = world, agents, pacer
        self.end_s, self.most = hours * 3600.0, most
        self.fates = random.Random(f"fate {seed}")
        self.talks = random.Random(f"talk {seed}")
        self.wraps = random.Random(f"wrap {seed}")
        self.now_s = 0.0
        self.heap: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self.sequence = 0
        self.ready: deque[tuple[int, float]] = deque()
        self.busy: dict[int, tuple[BusyState, float]] = {}
        self.away: set[int] = set(range(agents))
        self.ringing: dict[int, float] = {}
        self.screening = 0
        self.waiting: deque[tuple[int, float]] = deque()
        self.leads = int(world.leads * agents) if math.isfinite(world.leads) else NO_LIMIT
        if world.recorded:
            self.leads = len(world.recorded)
        self.asked_s = -1.0
        self.result = Result(agents=agents, hours=hours)
        self.logged_since: dict[int, float] = {}
        self.free_s: dict[int, float] = {}

    # -- the clock ---------------------------------------------------------------------------------------------------
    def run(self) -> Result:
        self._at(0.0, self._tick, None)
        self._at(0.0, self._roster, None)
        heap, end_s = self.heap, self.end_s
        while heap:
            at_s, _, what, about = heapq.heappop(heap)
            if at_s >= end_s:
                break
            self.now_s = at_s
            what(about)
            if at_s - self.asked_s >= APART_S:
                self._ask()
        self.now_s = end_s
        self.result.close(self)
        return self.result

    def _at(self, at_s: float, what: Callable[[Any], None], about: Any) -> None:
        self.sequence += 1
        heapq.heappush(self.heap, (at_s, self.sequence, what, about))

    def _tick(self, _: None) -> None:
        self._at(self.now_s + TICK_S, self._tick, None)

    # -- dialing -----------------------------------------------------------------------------------------------------
    def pool(self) -> Pool:
        now_s, result = self.now_s, self.result
        live, abandoned = result.live, result.abandoned
        kept = 1.0 - self.most
        spare = max(0, int((self.most * live - abandoned) / kept + 1e-9)) if kept > 0.0 else NO_LIMIT
        return Pool(
            ready=len(self.ready),
            busy=tuple([BusyAgent(state, now_s - since_s) for state, since_s in self.busy.values()]),
            ringing_s=tuple([now_s - since_s for since_s in self.ringing.values()]),
            screening=self.screening,
            waiting=len(self.waiting),
            live=live,
            abandoned=abandoned,
            spare=spare,
            most=self.most,
            window_left_s=self.end_s - now_s,
        )

    def _ask(self) -> None:
        self.asked_s = self.now_s
        for _ in range(min(self.pacer.dials_due(self.pool(), self.now_s).count, self.leads)):
            self._dial()

    def _dial(self) -> None:
        self.leads -= 1
        if not self.leads:
            self.result.last_dial_s = self.now_s
        self.result.dials += 1
        line = self.result.dials
        self.ringing[line] = self.now_s
        after_s, what, kind = self._fate(line)
        self._at(self.now_s + after_s, self._answered if what else self._unanswered, (line, kind, after_s))

    def _fate(self, line: int) -> tuple[float, bool, str]:
        if self.world.recorded:
            after_s, kind = self.world.recorded[line - 1]
            return after_s, kind in ("person", "machine"), kind
        return fate(self.world, self.world.answer_rate(self.now_s), self.fates)

    def _unanswered(self, about: tuple[int, Any, float]) -> None:
        line, kind, ring_s = about
        del self.ringing[line]
        self.pacer.record(Ended(kind, ring_s), self.now_s)

    def _answered(self, about: tuple[int, Any, float]) -> None:
        line, kind, ring_s = about
        del self.ringing[line]
        world = self.world
        person = kind == "person"
        mistaken = self.fates.random() < (world.taken_for_machine if person else world.taken_for_person)
        delay_s = world.detector_s * (0.5 + self.fates.random()) if person else world.machine_known_s
        if delay_s <= 0.0:
            self._verdict((person, mistaken, ring_s))
            return
        self.screening += 1
        self._at(self.now_s + delay_s, self._screened, (person, mistaken, ring_s))

    def _screened(self, about: tuple[bool, bool, float]) -> None:
        self.screening -= 1
        self._verdict(about)

    def _verdict(self, about: tuple[bool, bool, float]) -> None:
        person, mistaken, ring_s = about
        self.pacer.record(Ended("person" if person != mistaken else "machine", ring_s), self.now_s)
        if person and mistaken:  # a person hung up on is abandoned before the law; only the count tells the pacer
            self.result.live += 1
            self.result.count_abandoned(self.now_s)
        elif person:
            self.result.live += 1
            self._wants_agent(1)
        elif mistaken:
            self._wants_agent(0)

    # -- people and agents -------------------------------------------------------------------------------------------
    def _wants_agent(self, person: int) -> None:
        if self.ready:
            self._serve(person, 0.0)
        elif person:
            self.waiting.append((self.sequence, self.now_s))
            self._at(self.now_s + PATIENCE_S, self._gives_up, self.sequence)

    def _gives_up(self, who: int) -> None:
        if self.waiting and self.waiting[0][0] == who:
            self.waiting.popleft()
            self.result.count_abandoned(self.now_s)
            self.pacer.record(Abandoned(), self.now_s)

    def _serve(self, person: int, wait_s: float) -> None:
        agent, since_s = self.ready.popleft()
        now_s, world = self.now_s, self.world
        self.busy[agent] = ("talk", now_s)
        if person:
            self.result.waits.append(now_s - since_s)
            self.pacer.record(Served(wait_s), now_s)
            talk_s = talk(world, now_s, self.talks)
            wrap_s = lognormal(self.wraps, world.wrap_s(now_s), world.wrap_cv)
            self.result.work(now_s, talk_s + wrap_s, self.end_s)
        else:
            talk_s, wrap_s = world.detected_late_s, MACHINE_WRAP_S
        self.free_s[agent] = now_s + talk_s + wrap_s
        self._at(now_s + talk_s, self._talk_ended, (agent, talk_s, wrap_s))

    def _talk_ended(self, about: tuple[int, float, float]) -> None:
        agent, talk_s, wrap_s = about
        self.pacer.record(TalkEnded(talk_s), self.now_s)
        self.busy[agent] = ("wrap_up", self.now_s)
        self._at(self.now_s + wrap_s, self._wrap_ended, (agent, wrap_s))

    def _wrap_ended(self, about: tuple[int, float]) -> None:
        agent, wrap_s = about
        self.pacer.record(WrapUpEnded(wrap_s), self.now_s)
        del self.busy[agent]
        self._free(agent)

    def _free(self, agent: int) -> None:
        if self.agents - len(self.away) > self._present():
            self._leave(agent)
            return
        self.ready.append((agent, self.now_s))
        self.free_s[agent] = self.now_s
        if self.waiting:
            _, since_s = self.waiting.popleft()
            self._serve(1, self.now_s - since_s)

    # -- shifts ------------------------------------------------------------------------------------------------------
    def _present(self) -> int:
        return max(1, round(self.agents * self.world.present(self.now_s)))

    def _roster(self, _: None) -> None:
        """Every minute: who is too many leaves if she is ready (the busy leave when done); who is missing comes."""
        self._at(self.now_s + 60.0, self._roster, None)
        while self.agents - len(self.away) < self._present():
            agent = min(self.away)
            self.away.discard(agent)
            self.logged_since[agent] = self.now_s
            self._free(agent)
        while self.ready and self.agents - len(self.away) > self._present():
            self._leave(self.ready.popleft()[0])

    def _leave(self, agent: int) -> None:
        self.away.add(agent)
        self.free_s.pop(agent, None)
        self.result.logged_s += self.now_s - self.logged_since.pop(agent)


def fate(world: World, answer_rate: float, dice: random.Random) -> tuple[float, bool, str]:
    """Seconds until the attempt stops ringing, whether something answers, and what: six throws, always."""
    throw = dice.random
    what, which, ring, product = throw(), throw(), throw(), throw() * throw() * throw()
    if what < answer_rate:
        if world.answer_s:
            return world.answer_s[int(ring * len(world.answer_s))], True, "person"
        return 3.0 - 2.25 * math.log(max(ring * product, 1e-300)), True, "person"
    other = (what - answer_rate) / (1.0 - answer_rate)
    if other < world.machine_share:
        return (
            (2.0 + ring if which < world.machine_at_once else world.machine_ring_s + 4.0 * (ring - 0.5)),
            True,
            "machine",
        )
    if other < world.machine_share + world.busy_share:
        return 1.5 + 2.0 * ring, False, "busy" if which < 0.7 else "failed"
    return world.ring_out_s, False, "none"


def talk(world: World, now_s: float, dice: random.Random) -> float:
    """Lognormal; or, for the tail's share, Pareto (shape 1.5, its mean three times its least) with the same mean."""
    mean_s, tail = world.talk_s(now_s), dice.random() < world.pareto_share
    ordinary, long = lognormal(dice, mean_s, world.talk_cv), dice.paretovariate(1.5)
    return min(7200.0, mean_s / 3 * long) if tail else ordinary


def lognormal(dice: random.Random, mean: float, cv: float) -> float:
    sigma = math.sqrt(math.log1p(cv * cv))
    return dice.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma)
