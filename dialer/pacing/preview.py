"""Preview: one lead shown to each ready agent; she starts the attempt herself. Counts leads to show, not lines."""

from __future__ import annotations

from dialer.pacing.common import Method, one_each
from dialer.pacing.method import Due
from dialer.pacing.pool import Pool


class Preview(Method):
    name = "preview"

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        return Due(one_each(pool), "one lead for each ready agent to look at")
