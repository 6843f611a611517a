"""UTC anchored once at start and advanced by the monotonic clock: setting the machine's time never moves ours."""

from __future__ import annotations

import time


class AnchoredClock:
    def __init__(self) -> None:
        self._anchor_s = time.time() - time.monotonic()

    def now_s(self) -> float:
        """UTC seconds; never goes back."""
        return self._anchor_s + time.monotonic()

    def drift_s(self) -> float:
        """How far the machine's wall clock has moved from ours since the start."""
        return time.time() - self.now_s()
