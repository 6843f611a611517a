"""The campaign's own ceiling on occupancy: agents are people, and a dialer that never lets them breathe loses them.

The share of agents at work is averaged with a memory of a quarter of an hour; above the ceiling no attempt is started
until it has come down. Without a ceiling nothing is kept.
"""

from __future__ import annotations

import math

from dialer.pacing.pool import Pool

_MEMORY_S = 900.0


class Rest:
    def __init__(self, ceiling: float | None) -> None:
        self.ceiling = ceiling
        self.occupancy = 0.0
        self._seen_s: float | None = None

    def owed(self, pool: Pool, now_s: float) -> bool:
        """Whether agents have worked more than the ceiling allows. Looks at every pool it is shown."""
        if self.ceiling is None or not pool.agents:
            return False
        share = len(pool.busy) / pool.agents
        if self._seen_s is not None and now_s > self._seen_s:
            self.occupancy += (share - self.occupancy) * (1.0 - math.exp((self._seen_s - now_s) / _MEMORY_S))
        self._seen_s = now_s if self._seen_s is None else max(now_s, self._seen_s)
        return self.occupancy > self.ceiling

    def say(self) -> str:
        return f"resting: agents were at work {self.occupancy:.0%} of the time, the ceiling is {self.ceiling or 1:.0%}"

    def save(self) -> list[float]:
        return [self.occupancy, -1.0 if self._seen_s is None else self._seen_s]

    def restore(self, body: list[float]) -> None:
        self.occupancy = body[0]
        self._seen_s = None if body[1] < 0 else body[1]
