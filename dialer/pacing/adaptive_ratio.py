"""Adaptive ratio: as many lines for each ready agent as the answers so far have allowed.

    lines wanted = factor x (ready agents - people waiting) - attempts in flight

Each answer moves the factor: up a little when it was served, down when it was abandoned, by steps that balance when
the share abandoned is the one aimed at. It models nothing, so nothing in it can be wrong; it is the rule that a
cleverer one has to beat. But answers teach it after they happened, and a big team is dialed for at once: so no more
lines are added than the cap bears (bearable.py).
"""

from __future__ import annotations

import math
from typing import Any

from dialer.pacing.bearable import Bearable
from dialer.pacing.budget import aim
from dialer.pacing.common import Method
from dialer.pacing.method import Abandoned, Due, Outcome, PacingSettings, Served
from dialer.pacing.pool import Pool

_FIRST = 1.5
_STEP = 0.15
_MOST = 30.0


class AdaptiveRatio(Method):
    name = "adaptive_ratio"
    version = 2

    def __init__(self, settings: PacingSettings) -> None:
        super().__init__(settings)
        self.factor = _FIRST
        self._aim = 0.0
        self.bearable = Bearable()

    def record(self, outcome: Outcome, now_s: float) -> None:
        self.bearable.record(outcome)
        if isinstance(outcome, Served):
            self._move(_STEP * self._aim)
        elif isinstance(outcome, Abandoned):
            self._move(-_STEP * (1.0 - self._aim))

    def _move(self, by: float) -> None:
        self.factor = min(_MOST, max(1.0, self.factor * math.exp(by)))

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        self._aim = aim(self.settings, pool)
        wanted = max(0, int(self.factor * (pool.ready - pool.waiting)) - len(pool.ringing_s) - pool.screening)
        return self.bearable.due(
            pool, wanted, f"{self.factor:.1f} lines for each ready agent, {pool.in_flight} in flight"
        )

    def _keep(self) -> Any:
        return [self.factor, self._aim, self.bearable.save()]

    def _take(self, kept: Any) -> None:
        self.factor, self._aim, lines = kept
        self.bearable.restore(lines)
