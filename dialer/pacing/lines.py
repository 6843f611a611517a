"""Learns what becomes of an attempt: will a person answer it, and when, given how long it has rung already.

Two things are learnt apart, because they change at different speeds: how often a person answers (recent attempts, and
fewer of them when the rate has clearly changed), and how long attempts ring that a person answers or nobody does
(histograms of one second, with a long memory). Of a line that has rung `a` seconds a person answers within `t` more
with probability

    p (P(a) - P(a + t)) / (p P(a) + (1 - p) O(a))        P, O: the share of answered, of other attempts that ring longer
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dialer.pacing.method import Ended

AGES = 64
"""Seconds of ringing told apart; older lines count as this old."""
_SHAPE_MEMORY = 600.0
_RATE_MEMORY = 250.0
_FAST_MEMORY = 40.0
_SURPRISE = 3.0


class Lines:
    """`rate`: share of attempts that a person answers; `screened`: share of persons among answers."""

    def __init__(self) -> None:
        self.rate, self._seen = 0.25, 12.0
        self._fast = 0.25
        self.screened = 0.6
        age = np.arange(AGES) + 0.5
        # Before anything is known: people answer within a quarter of a minute, the rest ring out in half a minute.
        self._answered = 20.0 * _normal(np.exp(-0.5 * ((age - 12.0) / 5.0) ** 2))
        self._other = 20.0 * _normal(np.exp(-0.5 * ((age - 24.0) / 4.0) ** 2) + 0.01)

    def learn(self, ended: Ended) -> None:
        person = 1.0 if ended.answered_by == "person" else 0.0
        self._seen = min(_RATE_MEMORY, self._seen + 1.0)
        self.rate += (person - self.rate) / self._seen
        self._fast += (person - self._fast) / _FAST_MEMORY
        sigma = math.sqrt(max(0.005, self.rate * (1.0 - self.rate)) / (2.0 * _FAST_MEMORY))
        if self._seen >= 2 * _FAST_MEMORY and abs(self._fast - self.rate) > _SURPRISE * sigma:
            self.rate, self._seen = self._fast, _FAST_MEMORY
        if ended.answered_by in ("person", "machine"):
            self.screened += (person - self.screened) / 100.0
        shape = self._answered if person else self._other
        shape *= 1.0 - 1.0 / _SHAPE_MEMORY
        shape[min(AGES - 1, max(0, int(ended.ring_s)))] += 1.0

    def table(self, within_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shape (AGES, len(within_s)): the probability that a person answers a line of that age within so long."""
        longer_p, longer_o = _longer(self._answered), _longer(self._other)
        age = np.arange(AGES) + 0.5
        still = np.interp(age, np.arange(AGES + 1), longer_p)
        then = np.interp(age[:, None] + within_s[None, :], np.arange(AGES + 1), longer_p)
        ringing = self.rate * still + (1.0 - self.rate) * np.interp(age, np.arange(AGES + 1), longer_o)
        return np.asarray(self.rate * (still[:, None] - then) / np.maximum(ringing, 1e-6)[:, None])

    def moments(self, parts: int) -> NDArray[np.float64]:
        """When, seconds after dialing, people answer: the middles of so many equal parts of them."""
        longer = _longer(self._answered)
        middles = (np.arange(parts) + 0.5) / parts
        return np.asarray(np.interp(middles, 1.0 - longer, np.arange(AGES + 1)))

    def save(self) -> Any:
        return [self.rate, self._seen, self._fast, self.screened, self._answered.tolist(), self._other.tolist()]

    def restore(self, body: Any) -> None:
        self.rate, self._seen, self._fast, self.screened = body[:4]
        self._answered, self._other = np.array(body[4]), np.array(body[5])


def _normal(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(shape / shape.sum())


def _longer(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share that rings longer than 0, 1, 2 … AGES seconds."""
    share = np.concatenate(([0.0], np.cumsum(shape))) / shape.sum()
    return np.asarray(np.clip(1.0 - share, 0.0, 1.0))
