"""Ratio (power): a fixed number of lines for each ready agent, as long as the cap bears it (bearable.py)."""

from __future__ import annotations

from typing import Any

from dialer.pacing.bearable import Bearable
from dialer.pacing.common import Method
from dialer.pacing.method import Due, Outcome
from dialer.pacing.pool import Pool


class Ratio(Method):
    name = "ratio"
    version = 2

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.bearable = Bearable()

    def record(self, outcome: Outcome, now_s: float) -> None:
        self.bearable.record(outcome)

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        ratio = self.settings.ratio
        wanted = max(0, int(ratio * pool.ready + 0.5) - pool.in_flight)
        why = f"{ratio:g} lines for each of {pool.ready} ready agents, {pool.in_flight} in flight"
        return self.bearable.due(pool, wanted, why)

    def _keep(self) -> Any:
        return self.bearable.save()

    def _take(self, kept: Any) -> None:
        self.bearable.restore(kept)
