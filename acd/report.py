"""How many of those who called were attended in time: counted from how their stays in queues ended. Pure.

A call is counted once, in the queue it came to first, by how its wait ended; a wait that overflows goes on in the next
queue, its time included. Who came while the queue was closed is not counted; who hung up at once is, and against us.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.decisions import StayEnded
from core.stay import StayEnd

Key = tuple[str, str]
"""(tenant, queue)."""


@dataclass(slots=True)
class Attended:
    """`ends`: `StayEnd` value -> calls. `in_time`: answered within the limit. `waited_s`: of those answered, in all.
    `virtual`: calls whose caller hung up and kept her place; `virtual_s`: how long they waited so, in all."""

    ends: Counter[str] = field(default_factory=Counter)
    in_time: int = 0
    waited_s: float = 0.0
    virtual: int = 0
    virtual_s: float = 0.0

    @property
    def received(self) -> int:
        return sum(self.ends.values()) - self.ends[StayEnd.CLOSED.value]

    @property
    def answered(self) -> int:
        return self.ends[StayEnd.ANSWERED.value]

    @property
    def percent(self) -> float | None:
        """Of those received, answered in time; None when nobody called."""
        return 100.0 * self.in_time / self.received if self.received else None

    @property
    def mean_wait_s(self) -> float | None:
        return self.waited_s / self.answered if self.answered else None

    @property
    def mean_virtual_s(self) -> float | None:
        return self.virtual_s / self.virtual if self.virtual else None

    def count(self, end: StayEnded, within_s: float) -> None:
        self.ends[end.how] += 1
        self.virtual += end.virtual
        self.virtual_s += end.virtual_s
        if end.how == StayEnd.ANSWERED.value:
            self.waited_s += end.waited_s
            self.in_time += end.waited_s <= within_s

    def add(self, other: Attended) -> None:
        self.ends.update(other.ends)
        self.in_time += other.in_time
        self.waited_s += other.waited_s
        self.virtual += other.virtual
        self.virtual_s += other.virtual_s


def attended(ends: Iterable[StayEnded], within_s: float) -> dict[Key, Attended]:
    """By first queue, sorted. `ends`: in the order they happened."""
    first: dict[str, Key] = {}
    last: dict[str, StayEnded] = {}
    for end in ends:
        first.setdefault(end.interaction_id, (end.tenant, end.queue))
        before = last.get(end.interaction_id)
        if before is None or before.how == StayEnd.OVERFLOWED.value:
            last[end.interaction_id] = end
    found: dict[Key, Attended] = {}
    for interaction_id, end in last.items():
        found.setdefault(first[interaction_id], Attended()).count(end, within_s)
    return dict(sorted(found.items()))


def total(rows: Iterable[Attended]) -> Attended:
    together = Attended()
    for row in rows:
        together.add(row)
    return together
