"""What keeps a call from going round in circles, or from failing for ever."""

from __future__ import annotations

from ivr.run import FlowRun

QUICK_VISITS, QUICK_S = 200, 5.0
"""More node visits than this within that time are a loop, not a caller."""
VISITS, FAILURES = 10_000, 10
"""A call with more visits or more failures than this has no good end left."""


class Guard:
    """Counts over one run. `failing`: the caller is on the way out of a failure."""

    __slots__ = ("failing", "failures", "quick_since_s", "quick_visits", "visits")

    def __init__(self, run: FlowRun) -> None:
        self.visits, self.failing, self.failures = run.visit, run.failing, run.failures
        self.quick_visits, self.quick_since_s = run.quick_visits, run.quick_since_s

    def count_visit(self, now_s: float) -> str:
        """Why the flow cannot go on like this; empty when it may. A loop is let off once, to take its error exit."""
        self.visits += 1
        if now_s - self.quick_since_s > QUICK_S:
            self.quick_since_s, self.quick_visits = now_s, 0
        self.quick_visits += 1
        if self.quick_visits == QUICK_VISITS:
            return f"{QUICK_VISITS} node visits within {QUICK_S:g} s: the flow goes round in circles"
        return ""

    @property
    def is_worn_out(self) -> bool:
        """Whether only hanging up is left; a loop gets a few visits more, to reach the end of its error exit."""
        return self.visits > VISITS or self.failures > FAILURES or self.quick_visits > 1.5 * QUICK_VISITS

    def count_leave(self, failed: bool) -> bool:
        """Whether this is a failure on the way out of a failure, or one too many."""
        hopeless = failed and self.failing
        self.failing = failed
        self.failures += failed
        return hopeless or (failed and self.is_worn_out)
