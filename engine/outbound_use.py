"""How often each outbound rule was used in the last hour: what hourly caps are counted against."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping

WINDOW_S = 3600.0


class OutboundUse:
    """`uses`: (UTC seconds, rule), the oldest first, as `kept` gave them before a restart."""

    def __init__(self, uses: Iterable[tuple[float, str]] = ()) -> None:
        self._uses = deque(uses)

    def add(self, rule: str, now_s: float) -> None:
        self._uses.append((now_s, rule))

    def counts(self, now_s: float) -> Mapping[str, int]:
        """Rule -> legs dialed within the hour before `now_s`. What is older is forgotten."""
        while self._uses and self._uses[0][0] <= now_s - WINDOW_S:
            self._uses.popleft()
        return Counter(rule for _, rule in self._uses)

    def kept(self) -> list[tuple[float, str]]:
        return list(self._uses)
