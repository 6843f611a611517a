"""Spends what the law leaves evenly over the window, and stops short of it.

Two things set the risk that a further line may run of finding nobody:

- *what such risks have come to*: every answer moves the level, up a little when it was served and down when it was
  abandoned, by steps that balance at the share aimed at;
- *what is in the bank*: the abandonments that share allows so far, less those that happened. The risk is the level in
  the proportion of the bank to a reserve, so the share realised is steered and not only the share expected, and the
  last of the budget is spent most carefully: without any, a small team would fall back to one line for each agent
  until dozens of answers have earned a new one. The reserve is small while little could be earned yet, then a few
  abandonments, and runs down when the window is about to end.
"""

from __future__ import annotations

import math
from typing import Any

from dialer.pacing.method import PacingSettings
from dialer.pacing.pool import Pool

_FIRST = 0.05
_STEP = 0.12
_RESERVE = 6.0
"""Abandonments; at first `_EARLY` and one more with each `_GROW` answers, at the end of the window `_LAST`. It starts
to run down when fewer than `_PACE` times as many are still to come."""
_EARLY, _GROW, _LAST, _PACE = 0.5, 100.0, 0.5, 2.0
_LEANT_ON, _MANY = 0.8, 1000.0
"""Of what is still to be earned: one line for each agent, which is what a used-up budget leaves, earns less."""
_KEPT = 0.5
"""Of the bank, never touched."""
_TIMID, _BOLD = 0.03, 2.0
_LEAST, _MOST = 1e-4, 0.6
_RATE_OVER_S = 900.0
_UNASKED = 0.03


class Budget:
    def __init__(self, settings: PacingSettings) -> None:
        self.settings = settings
        self._level = math.log(_FIRST)
        self._aim = 0.0
        self._per_s = 1.0  # many are still to come, until it is known
        self._mark = (0.0, -1)
        self.mended = 0
        """So many abandonments too many what is left of the window would still mend."""

    def answered(self, served: bool) -> None:
        by = _STEP * self._aim if served else -_STEP * (1.0 - self._aim)
        self._level = min(math.log(_MOST), max(math.log(_LEAST), self._level + by))

    def risk(self, pool: Pool, now_s: float) -> float:
        """The probability of finding nobody that a further line may have now."""
        self._aim = aim(self.settings, pool)
        to_come = self._aim * self._answers_per_s(pool, now_s) * pool.window_left_s
        self.mended = int(_LEANT_ON * min(_MANY, to_come))
        reserve = min(_LAST + (_RESERVE - _LAST) * min(1.0, to_come / (_PACE * _RESERVE)), _EARLY + pool.live / _GROW)
        # At the end of the window the last one stays: nothing could be earned back.
        sure = pool.spare + 0.5 - max(0.0, 1.0 - to_come / 3.0)
        bank = min(self._aim * pool.live - pool.abandoned, sure) - _KEPT
        return min(_MOST, math.exp(self._level) * min(_BOLD, max(_TIMID, bank / reserve)))

    def _answers_per_s(self, pool: Pool, now_s: float) -> float:
        """As lately; measured over stretches of a quarter of an hour."""
        since_s, live = self._mark
        passed_s = now_s - since_s
        if passed_s >= _RATE_OVER_S or live < 0:
            # Not across a night or a new window.
            if live >= 0 and pool.live >= live and passed_s < 2.0 * _RATE_OVER_S:
                self._per_s = (pool.live - live) / passed_s
            self._mark = (now_s, pool.live)
        return self._per_s

    def save(self) -> Any:
        return [self._level, self._aim, self._per_s, *self._mark]

    def restore(self, body: Any) -> None:
        self._level, self._aim, self._per_s = body[:3]
        self._mark = (body[3], body[4])


def aim(settings: PacingSettings, pool: Pool) -> float:
    """The share of abandoned answers to steer for: the campaign's own, but always a little under the cap; 3% at most
    where nobody says anything."""
    most = 0.97 * min(pool.most, 1.0)
    return min(most, _UNASKED if settings.target_share is None else settings.target_share)
