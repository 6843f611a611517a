"""Time is an interface: UTC seconds that never go back."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    def now_s(self) -> float: ...


class VirtualClock:
    """Time that moves only when told to: simulations, flow tests, replay."""

    def __init__(self, start_s: float = 1_767_225_600.0) -> None:
        self._now_s = start_s

    def now_s(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Raises ValueError when asked to go back."""
        if seconds < 0:
            raise ValueError(f"time cannot go back by {-seconds} s")
        self._now_s += seconds
