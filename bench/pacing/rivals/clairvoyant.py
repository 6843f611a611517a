"""The bound that nobody passes: it knows who would answer and when, and when each agent will be free.

It dials only people who will answer, one for each agent, so early that they answer just as she becomes free. What is
left to it of idleness are the first ring of the day and the half second between two decisions.
"""

from __future__ import annotations

from bench.pacing.rivals.base import Rival
from dialer.pacing import Pool
from dialer.simulation.day import Day


class Clairvoyant(Rival):
    def lines(self, pool: Pool, now_s: float) -> int:
        return 0


class ForeseenDay(Day):
    """A day in which the dialer knows the future."""

    _promised: set[int]
    _ring_s: float

    def _ask(self) -> None:
        self.asked_s = self.now_s
        if not hasattr(self, "_promised"):
            self._promised, self._ring_s = set(), self._next_ring()
        for agent in sorted(self.free_s):
            if agent not in self._promised and self.free_s[agent] - self.now_s <= self._ring_s and self.leads > 0:
                self._promised.add(agent)
                self.leads -= 1
                self.result.dials += 1
                self.ringing[self.result.dials] = self.now_s
                self._at(self.now_s + self._ring_s, self._answered_by, (self.result.dials, agent))
                self._ring_s = self._next_ring()

    def _answered_by(self, about: tuple[int, int]) -> None:
        line, agent = about
        del self.ringing[line]
        # Whoever has been idle longest serves her; if that one was promised another person, they change places.
        serving = self.ready[0][0] if self.ready else agent
        self._promised.discard(serving if serving in self._promised else agent)
        self.result.live += 1
        self._wants_agent(1)

    def _next_ring(self) -> float:
        return 3.0 + self.fates.gammavariate(4.0, 2.25)
