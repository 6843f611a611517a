"""Days by a time zone, for counters that start over at midnight."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class SiteDays:
    """`Days` of a time zone, by its IANA name."""

    time_zone: str

    def ends_at(self, now_s: float) -> float:
        """The next midnight there, UTC seconds."""
        here = datetime.fromtimestamp(now_s, UTC).astimezone(ZoneInfo(self.time_zone))
        midnight = (here + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        ends_s = midnight.timestamp()
        # Where clocks are put forward at midnight, the day begins an hour later; it is never over already.
        return ends_s if ends_s > now_s else ends_s + 3600.0
