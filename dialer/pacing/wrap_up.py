"""Learns when an agent who is writing up will be free, given for how long she has done it.

Durations are kept in a histogram of one second that forgets slowly, and read as the share that ends in each next second
among those that lasted so long. Where few have lasted so long the mean decides, as if the end had no memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SECONDS = 180
"""Seconds of wrap-up told apart; longer ones count as this long."""
_MEMORY = 300.0
_PRIOR = 4.0


class WrapUps:
    def __init__(self) -> None:
        self.mean_s, self._seen = 25.0, 3.0
        self._ended = np.zeros(SECONDS)

    def learn(self, wrap_s: float) -> None:
        wrap_s = min(max(wrap_s, 0.0), 3600.0)
        self._seen = min(_MEMORY, self._seen + 1.0)
        self.mean_s += (wrap_s - self.mean_s) / self._seen
        self._ended *= 1.0 - 1.0 / _MEMORY
        self._ended[min(SECONDS - 1, int(wrap_s))] += 1.0

    def table(self, within_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (SECONDS, len(within_s)): how probably she who has written up for so long is free within so long."""
        lasted = np.cumsum(self._ended[::-1])[::-1]
        alike = 1.0 - np.exp(-1.0 / max(self.mean_s, 0.5))
        ends = ((self._ended + _PRIOR * alike) / (lasted + _PRIOR)).clip(0.0, 0.999)
        reach = int(within_s.max()) + 2
        logs = np.log1p(-np.concatenate((ends, np.full(reach, ends[-1]))))
        # The logarithm of what still goes on, from the beginning to each second; in between it is straight.
        going = np.concatenate(([0.0], np.cumsum(logs)))
        now = np.arange(SECONDS) + 0.5
        at = np.arange(len(going))
        later = np.interp(now[:, None] + within_s[None, :], at, going)
        return np.asarray(1.0 - np.exp(later - np.interp(now, at, going)[:, None]))

    def save(self) -> Any:
        return [self.mean_s, self._seen, self._ended.tolist()]

    def restore(self, body: Any) -> None:
        self.mean_s, self._seen = body[:2]
        self._ended = np.array(body[2])
