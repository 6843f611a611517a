"""Timers are commands that come back as events.

A timer is armed under (interaction, timer id); arming it again replaces it. What fires goes through the
inbox like any other fact, and is dropped there when it was cancelled or re-armed meanwhile (`take`).
One loop callback serves all timers, so thousands of armed timers cost a heap and nothing else.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable

from core.clock import Clock

Key = tuple[str, str]


class Timers:
    """`fire(interaction_id, timer_id, token)` is called when a timer is due; the receiver asks `take` whether
    that arming is still the current one."""

    def __init__(self, clock: Clock, fire: Callable[[str, str, int], None]) -> None:
        self._clock = clock
        self._fire = fire
        self._tokens: dict[Key, int] = {}
        self._by_interaction: dict[str, set[str]] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._next_token = 0
        self._handle: asyncio.TimerHandle | None = None
        self._handle_due_s = float("inf")

    def __len__(self) -> int:
        return len(self._tokens)

    def start(self, interaction_id: str, timer_id: str, due_s: float) -> None:
        """Arms or re-arms. `due_s`: UTC seconds; the past fires at once."""
        self._next_token += 1
        key = (interaction_id, timer_id)
        self._tokens[key] = self._next_token
        self._by_interaction.setdefault(interaction_id, set()).add(timer_id)
        heapq.heappush(self._heap, (due_s, self._next_token, key))
        if due_s < self._handle_due_s:
            self._schedule()

    def cancel(self, interaction_id: str, timer_id: str) -> None:
        if self._tokens.pop((interaction_id, timer_id), None) is not None:
            self._forget(interaction_id, timer_id)

    def cancel_all(self, interaction_id: str) -> None:
        for timer_id in self._by_interaction.pop(interaction_id, ()):
            self._tokens.pop((interaction_id, timer_id), None)

    def take(self, interaction_id: str, timer_id: str, token: int) -> bool:
        """True when this arming is still current; it is then spent."""
        key = (interaction_id, timer_id)
        if self._tokens.get(key) != token:
            return False
        del self._tokens[key]
        self._forget(interaction_id, timer_id)
        return True

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._heap.clear()
        self._tokens.clear()
        self._by_interaction.clear()

    def _forget(self, interaction_id: str, timer_id: str) -> None:
        ids = self._by_interaction.get(interaction_id)
        if ids is not None:
            ids.discard(timer_id)
            if not ids:
                del self._by_interaction[interaction_id]

    def _schedule(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._handle_due_s = float("inf")
        while self._heap and self._tokens.get(self._heap[0][2]) != self._heap[0][1]:
            heapq.heappop(self._heap)
        if not self._heap:
            return
        self._handle_due_s = self._heap[0][0]
        delay_s = max(0.0, self._handle_due_s - self._clock.now_s())
        self._handle = asyncio.get_running_loop().call_later(delay_s, self._due)

    def _due(self) -> None:
        self._handle = None
        now_s = self._clock.now_s()
        while self._heap and self._heap[0][0] <= now_s + 0.0005:
            _, token, (interaction_id, timer_id) = heapq.heappop(self._heap)
            if self._tokens.get((interaction_id, timer_id)) == token:
                self._fire(interaction_id, timer_id, token)
        self._schedule()
