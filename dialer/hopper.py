"""The leads of one campaign that may be dialed next, in their order. Derived from the records: it is never saved.

Callbacks that are due come first, the oldest promise before the others; then who has the highest priority; among those
the list that is most behind its share; in a list the lowest rank. Ties are settled by the lead's id.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping

from core.lead_record import LeadRecord
from core.lead_store import ListShare
from dialer.records import Lead

CALLBACK = "callback"
"""The `reason` of a lead that was promised a call."""

Place = tuple[float, float, str]
"""A sort key that ends with the lead's row."""


class Hopper:
    """`size`: how many leads are in it."""

    __slots__ = ("_lists", "_personal", "_places", "_promised", "size")

    def __init__(self) -> None:
        self._lists: dict[str, list[Place]] = {}
        self._promised: list[Place] = []
        self._personal: dict[str, list[Place]] = {}
        self._places: dict[str, tuple[list[Place], Place]] = {}
        self.size = 0

    def add(self, lead: Lead) -> None:
        """Does nothing when it is in it."""
        row = lead.row_id
        if row in self._places:
            return
        bucket, place = self._bucket(lead.record), place_of(lead)
        insort(bucket, place)
        self._places[row] = (bucket, place)
        self.size += 1

    def remove(self, row: str) -> None:
        """Does nothing when it is not in it."""
        found = self._places.pop(row, None)
        if found is None:
            return
        bucket, place = found
        del bucket[bisect_left(bucket, place)]
        self.size -= 1

    def next(self, shares: tuple[ListShare, ...], taken: Mapping[str, float], now_s: float) -> str | None:
        """The row of the lead whose turn it is; personal callbacks have turns of their own."""
        if self._promised and self._promised[0][0] <= now_s:
            return self._promised[0][-1]
        best: tuple[float, float, str] | None = None
        row = None
        for share in shares:
            bucket = self._lists.get(share.list_id)
            if not bucket:
                continue
            priority, _, first = bucket[0]
            turn = (priority, taken.get(share.list_id, 0.0), share.list_id)
            if best is None or turn < best:
                best, row = turn, first
        if row is None:  # leads of a list the campaign has no longer: dialed under it all the same, last of all
            row = next((bucket[0][-1] for _, bucket in sorted(self._lists.items()) if bucket), None)
        return row

    def personal(self, now_s: float) -> list[tuple[str, str]]:
        """(agent, row) of every personal callback that is due, the oldest promise first."""
        due = [(place, agent) for agent, bucket in self._personal.items() for place in bucket if place[0] <= now_s]
        return [(agent, place[-1]) for place, agent in sorted(due)]

    @property
    def for_one(self) -> int:
        """How many wait for the agent who promised to call them, however many others are free."""
        return sum(map(len, self._personal.values()))

    def rows(self) -> list[str]:
        return sorted(self._places)

    def _bucket(self, record: LeadRecord) -> list[Place]:
        if record.reason == CALLBACK:
            return self._personal.setdefault(record.agent_id, []) if record.agent_id else self._promised
        return self._lists.setdefault(record.list_id, [])


def place_of(lead: Lead) -> Place:
    """Where a lead stands among those of its kind."""
    record = lead.record
    if record.reason == CALLBACK:
        return (record.not_before_s, 0.0, lead.row_id)
    return (-float(record.priority), record.rank, lead.row_id)
