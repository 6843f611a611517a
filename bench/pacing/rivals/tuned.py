"""Rules with one number, which is chosen in hindsight for each world and team, on the very seeds it is judged by.

- `Factor`: lines = f x (idle - waiting) - in flight, the rule behind many products' ratio (IBM/Unicom Predict2, Sinch,
  Genesys progressive), with part of a line thrown for. No dialer could have it; it is what is to be reached.
- `Poisson`: lines start at a fixed rate for each agent, whatever happens (open loop).
- Our own ratio method has neither budget nor brake here: `Factor` with a whole number.
"""

from __future__ import annotations

import random

from bench.pacing.rivals.base import Rival
from dialer.pacing import Pool


class Factor(Rival):
    def __init__(self, factor: float) -> None:
        self.factor = factor
        self.dice, self.part, self.idle = random.Random(5), 0.5, -1

    def lines(self, pool: Pool, now_s: float) -> int:
        idle = pool.ready - pool.waiting
        if idle != self.idle:  # a new throw whenever the team changes: between whole lines in the right proportion
            self.idle, self.part = idle, self.dice.random()
        return int(self.factor * idle + self.part) - len(pool.ringing_s) - pool.screening


class Poisson(Rival):
    """`per_hour`: lines each agent's presence starts in an hour."""

    def __init__(self, per_hour: float) -> None:
        self.per_s = per_hour / 3600.0
        self.dice, self.next_s = random.Random(5), 0.0

    def lines(self, pool: Pool, now_s: float) -> int:
        count = 0
        while self.next_s <= now_s:
            self.next_s += self.dice.expovariate(self.per_s * pool.agents)
            count += 1
        return count
