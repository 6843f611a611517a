"""Spends what the law leaves evenly over the window, and stops short of it.

Two things set the risk a further line may run of finding nobody:

- *what such risks have come to*: every answer moves the level, up a little when it was served and down when it was
  abandoned, by steps that balance at the share aimed at;
- *what is in the bank*: the abandonments the cap allows so far, less those that happened. Below the reserve the level
  is cut, above it raised, so the share realised is steered and not only the share expected. The reserve is a few
  abandonments, and less when the window is about to end.
"""

from __future__ import annotations

import math
from typing import Any

from dialer.pacing.method import PacingSettings
from dialer.pacing.pool import Pool

_FIRST = 0.05
_STEP = 0.12
_BANK_GAIN = 0.35
_RESERVE = 1.5
_LEAST, _MOST = 1e-4, 0.6


class Budget:
    def __init__(self, settings: PacingSettings) -> None:
        self.settings = settings
        self._level = math.log(_FIRST)
        self._aim = 0.0

    def answered(self, served: bool) -> None:
        by = _STEP * self._aim if served else -_STEP * (1.0 - self._aim)
        self._level = min(math.log(_MOST), max(math.log(_LEAST), self._level + by))

    def risk(self, pool: Pool) -> float:
        """The probability of finding nobody that a further line may have now."""
        self._aim = aim(self.settings, pool)
        left = self._aim * pool.live * pool.window_left_s / 28_800.0
        reserve = 1.0 + _RESERVE * min(1.0, 0.3 + left / 8.0)
        bank = self._aim * pool.live - pool.abandoned
        return min(_MOST, math.exp(self._level + min(1.0, max(-3.0, _BANK_GAIN * (bank - reserve)))))

    def save(self) -> Any:
        return [self._level, self._aim]

    def restore(self, body: Any) -> None:
        self._level, self._aim = body


def aim(settings: PacingSettings, pool: Pool) -> float:
    """The share of abandoned answers to steer for: the campaign's own, but always a little under the cap."""
    most = 0.97 * min(pool.most, 1.0)
    return most if settings.target_share is None else min(settings.target_share, most)
