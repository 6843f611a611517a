"""Things to do later, run by a loop that has its own reason to turn."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Timers:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def at(self, due_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._heap, (due_s, next(self._order), do))

    def run_due(self, now_s: float) -> None:
        """Runs what is due; what that arms for the past waits for the next turn, so no chain can hold the loop."""
        due = []
        while self._heap and self._heap[0][0] <= now_s:
            due.append(heapq.heappop(self._heap)[2])
        for do in due:
            do()

    def wait_s(self, now_s: float, at_most_s: float) -> float:
        """How long the loop may sleep."""
        return min(at_most_s, max(0.0, self._heap[0][0] - now_s)) if self._heap else at_most_s
