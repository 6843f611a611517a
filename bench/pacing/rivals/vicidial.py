"""VICIdial's RATIO and adaptive methods, as `bin/AST_VDadapt.pl` and `bin/AST_VDauto_dial.pl` behave
(github.com/inktel/Vicidial, github.com/ccabrerar/vicidial; PREDICTIVE.txt of the same).

Each second ready agents and waiting people are sampled; each 15 s the dial level moves by their averaged difference
over the agents logged in:

    level = clamp(level (1 + (ready - waiting + target) / agents), 1, maximum level)

and then by the dropped share of the day's answers, which is counted anew each minute: past the limit, once there were
50 calls, ADAPT_HARD_LIMIT sets the level to 1, ADAPT_AVERAGE halves it, ADAPT_TAPERED multiplies it by
min(1, (latest time - now) / 1000) of clock times written as HHMM. More than 20 answers with half of them dropped in the
last minute halve it too. About every 2.5 s lines are started up to round(level x (agents in call + ready + target)),
the lines of people in conversation included. Defaults: limit 3%, maximum level 3, target 0, latest time 21:00; the
bench's day begins at 13:00, so that it tapers to the end. Agents who write up are paused, and count as logged in.

Left out: several servers' shares of a campaign, trunk limits, thresholds of agents.
"""

from __future__ import annotations

from collections import deque

from bench.pacing.rivals.base import Rival
from dialer.pacing import Abandoned, Ended, Outcome, Pool, Served

LOOP_S = 2.5
BEGINS_H = 13
LATEST_HHMM = 2100


class Vicidial(Rival):
    """`method`: RATIO, ADAPT_HARD_LIMIT, ADAPT_AVERAGE or ADAPT_TAPERED; `level`: the level it starts at."""

    def __init__(self, method: str, level: float = 1.0, maximum: float = 3.0, limit: float = 0.03) -> None:
        self.method, self.level, self.maximum, self.limit = method, level, maximum, limit
        self.calls = self.answers = self.drops = 0
        self.over = self.flood = False
        self.minute: deque[tuple[float, bool]] = deque()
        self.ready = self.waiting = self.agents = 0.0
        self.samples = 0
        self.second_s = self.loop_s = 0.0
        self.quarter_s, self.minute_s = 15.0, 60.0

    def record(self, outcome: Outcome, now_s: float) -> None:
        if isinstance(outcome, Ended):
            self.calls += 1
        elif isinstance(outcome, Served | Abandoned):
            self.answers += 1
            dropped = isinstance(outcome, Abandoned)
            self.drops += dropped
            self.minute.append((now_s, dropped))

    def lines(self, pool: Pool, now_s: float) -> int:
        if self.method != "RATIO":
            self._adapt(pool, now_s)
        if now_s < self.loop_s:
            return 0
        self.loop_s = now_s + LOOP_S
        talking = sum(agent.state in ("talk", "hold", "reserved") for agent in pool.busy)
        return round(self.level * (talking + pool.ready)) - pool.in_flight - talking

    def _adapt(self, pool: Pool, now_s: float) -> None:
        if now_s >= self.second_s:
            self.second_s = now_s + 1.0
            self.samples += 1
            self.ready += pool.ready
            self.waiting += pool.waiting
            self.agents += pool.agents
        if now_s >= self.minute_s:
            self.minute_s = now_s + 60.0
            self._count(now_s)
        if now_s >= self.quarter_s and self.samples:
            self.quarter_s = now_s + 15.0
            change = (self.ready - self.waiting) / self.agents if self.agents else 0.0
            self.level = min(self.maximum, max(1.0, self.level * (1.0 + change)))
            self.ready = self.waiting = self.agents = 0.0
            self.samples = 0
            self._limit(now_s)

    def _count(self, now_s: float) -> None:
        while self.minute and self.minute[0][0] < now_s - 60.0:
            self.minute.popleft()
        self.flood = len(self.minute) > 20 and sum(drop for _, drop in self.minute) / len(self.minute) > 0.5
        self.over = self.calls > 50 and self.drops > self.limit * self.answers

    def _limit(self, now_s: float) -> None:
        if self.flood:
            self.level /= 2.0
        if self.over and self.method == "ADAPT_HARD_LIMIT":
            self.level = 1.0
        elif self.over and self.method == "ADAPT_AVERAGE":
            self.level /= 2.0
        elif self.over:
            minutes = int(now_s / 60.0)
            left = LATEST_HHMM - (BEGINS_H + minutes // 60) * 100 - minutes % 60
            self.level *= min(1.0, max(0.0, left / 1000.0))
        self.level = max(1.0, self.level)
