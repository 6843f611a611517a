"""Progressive: one line for each ready agent. Nobody is abandoned unless an agent leaves while a line rings."""

from __future__ import annotations

from dialer.pacing.common import Method, one_each
from dialer.pacing.method import Due
from dialer.pacing.pool import Pool


class Progressive(Method):
    name = "progressive"

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        return Due(one_each(pool), "one line for each ready agent")
