"""The time of day."""

from __future__ import annotations

import time


class WallClock:
    """UTC seconds that do not jump when the machine's clock is set."""

    def __init__(self) -> None:
        self._offset_s = time.time() - time.monotonic()

    def now_s(self) -> float:
        return time.monotonic() + self._offset_s
