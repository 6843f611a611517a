"""Things that will happen at a time: the fake's only source of surprises."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from core.clock import Clock, VirtualClock


class Appointment:
    """Can be cancelled until it happens."""

    __slots__ = ("action", "cancelled", "due_s")

    def __init__(self, due_s: float, action: Callable[[], None]) -> None:
        self.due_s = due_s
        self.action = action
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Agenda:
    """Appointments in the order of their time; those of one time in the order they were made."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._heap: list[tuple[float, int, Appointment]] = []
        self._count = itertools.count()
        self._changed: asyncio.Event | None = None

    def after(self, seconds: float, action: Callable[[], None]) -> Appointment:
        return self.at(self.clock.now_s() + seconds, action)

    def at(self, due_s: float, action: Callable[[], None]) -> Appointment:
        appointment = Appointment(due_s, action)
        heapq.heappush(self._heap, (appointment.due_s, next(self._count), appointment))
        if self._changed is not None:
            self._changed.set()
        return appointment

    def next_due_s(self) -> float | None:
        """When something happens next (UTC seconds); None when nothing will."""
        while self._heap and self._heap[0][2].cancelled:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def run_due(self) -> int:
        """Lets happen what is due by now; how many things did."""
        happened = 0
        while (due_s := self.next_due_s()) is not None and due_s <= self.clock.now_s():
            heapq.heappop(self._heap)[2].action()
            happened += 1
        return happened

    def advance(self, seconds: float) -> None:
        """Moves a `VirtualClock` on, stopping at everything that happens on the way.

        Raises:
            TypeError: the clock is a real one; it cannot be moved.
        """
        clock = self.clock
        if not isinstance(clock, VirtualClock):
            raise TypeError("only a VirtualClock can be advanced; with a real clock run `run()` beside the test")
        end_s = clock.now_s() + seconds
        while (due_s := self.next_due_s()) is not None and due_s <= end_s:
            clock.advance(max(0.0, due_s - clock.now_s()))
            self.run_due()
        clock.advance(max(0.0, end_s - clock.now_s()))

    async def run(self) -> None:
        """With a real clock: lets things happen when their time comes, until cancelled."""
        self._changed = asyncio.Event()
        while True:
            self.run_due()
            self._changed.clear()
            due_s = self.next_due_s()
            wait_s = None if due_s is None else max(0.0, due_s - self.clock.now_s())
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue
