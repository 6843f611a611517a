"""What every rival has: it is asked for lines and told outcomes like a method of ours, but knows no cap of ours."""

from __future__ import annotations

from dialer.pacing import Due, Outcome, Pool


class Rival:
    def dials_due(self, pool: Pool, now_s: float) -> Due:
        return Due(max(0, self.lines(pool, now_s)) if pool.agents else 0, "")

    def lines(self, pool: Pool, now_s: float) -> int:
        """Lines to start now; less than none counts as none."""
        raise NotImplementedError

    def record(self, outcome: Outcome, now_s: float) -> None:
        """Nothing is learnt."""

    def save(self) -> bytes:
        return b""

    def restore(self, body: bytes) -> None:
        """Rivals live for a day."""
