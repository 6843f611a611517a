"""What a day came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dialer.simulation.day import Day


@dataclass
class Result:
    """`peak`: the highest share of abandoned answers at any moment after the hundredth answer. `last_dial_s`: when the
    list ended; None: it did not."""

    agents: int
    hours: float
    dials: int = 0
    live: int = 0
    abandoned: int = 0
    work_s: float = 0.0
    logged_s: float = 0.0
    peak: float = 0.0
    last_dial_s: float | None = None
    waits: list[float] = field(default_factory=list)

    def count_abandoned(self, now_s: float) -> None:
        self.abandoned += 1
        if self.live >= 100:
            self.peak = max(self.peak, self.abandoned / self.live)

    def work(self, from_s: float, for_s: float, end_s: float) -> None:
        self.work_s += max(0.0, min(for_s, end_s - from_s))

    def close(self, day: Day) -> None:
        for since_s in day.logged_since.values():
            self.logged_s += day.end_s - since_s
        self.waits.sort()

    @property
    def share(self) -> float:
        return self.abandoned / self.live if self.live else 0.0

    @property
    def occupancy(self) -> float:
        return self.work_s / self.logged_s if self.logged_s else 0.0

    @property
    def connects_per_hour(self) -> float:
        return 3600.0 * len(self.waits) / self.logged_s if self.logged_s else 0.0

    @property
    def burned(self) -> float:
        return self.dials / len(self.waits) if self.waits else float(self.dials)

    def wait(self, quantile: float) -> float:
        return (
            self.waits[min(len(self.waits) - 1, int(quantile * len(self.waits)))] if self.waits else self.hours * 3600
        )
