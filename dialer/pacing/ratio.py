"""Ratio (power): a fixed number of lines for each ready agent. Only the cap stops it, once it is used up."""

from __future__ import annotations

from dialer.pacing.common import Method
from dialer.pacing.method import Due
from dialer.pacing.pool import Pool


class Ratio(Method):
    name = "ratio"

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        ratio = self.settings.ratio
        count = max(0, int(ratio * pool.ready + 0.5) - pool.in_flight)
        return Due(count, f"{ratio:g} lines for each of {pool.ready} ready agents, {pool.in_flight} in flight")
