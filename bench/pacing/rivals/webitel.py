"""Webitel, as `cc_wrap_over_dial` of `call_center-schema.sql` behaves (github.com/webitel/call_center).

Every 30 s the lines for each ready agent are set anew from the last hour: with over = 1 / hit rate, current = share
abandoned in percent, target = maximum = 3 and q = 10,

    current >= maximum        1
    current < target          over (1 + (target - current) q / 100)
    current = target          0.99 over
    in between                over (maximum - current) (100 + q) / (100 maximum)

Until there are `least` attempts it dials one line for each. How the number is used is not in that file: assumed here
is lines = factor x ready - in flight.
"""

from __future__ import annotations

from collections import deque

from bench.pacing.rivals.base import Rival
from dialer.pacing import Abandoned, Ended, Outcome, Pool, Served


class Webitel(Rival):
    def __init__(self, target: float = 3.0, most: float = 3.0, q: float = 10.0, least: int = 50) -> None:
        self.target, self.most, self.q, self.least = target, most, q, least
        self.told: deque[tuple[float, int, int, int, int]] = deque()
        self.sums = [0, 0, 0, 0]
        self.factor, self.next_s = 1.0, 30.0

    def record(self, outcome: Outcome, now_s: float) -> None:
        if isinstance(outcome, Ended):
            self._add(now_s, 1, outcome.answered_by == "person", 0, 0)
        elif isinstance(outcome, Served | Abandoned):
            self._add(now_s, 0, 0, 1, isinstance(outcome, Abandoned))

    def _add(self, now_s: float, *counts: int) -> None:
        attempts, hits, live, lost = counts
        self.told.append((now_s, attempts, hits, live, lost))
        self.sums = [total + more for total, more in zip(self.sums, counts, strict=True)]

    def lines(self, pool: Pool, now_s: float) -> int:
        if now_s >= self.next_s:
            self.next_s = now_s + 30.0
            while self.told and self.told[0][0] < now_s - 3600.0:
                self.sums = [total - less for total, less in zip(self.sums, self.told.popleft()[1:], strict=True)]
            self.factor = self._factor()
        return int(self.factor * pool.ready) - pool.in_flight

    def _factor(self) -> float:
        attempts, hits, live, lost = self.sums
        if attempts < self.least or not hits:
            return 1.0
        over, now = attempts / hits, 100.0 * lost / live if live else 0.0
        if now >= self.most:
            return 1.0
        ahead = self.target - now
        if ahead > 0:
            return over + over * ahead * self.q / 100.0
        return 0.99 * over if ahead == 0 else over * ((self.most - now) * (100.0 + self.q) / self.most) / 100.0
