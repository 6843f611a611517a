"""What pacing decided, as people read it: decisions for the same reason, one after the other, are one run.

Reasons that differ in their figures alone ("3 lines ...", "4 lines ...") are the same: the run tells the last one's.
Where something was dialed and where nothing was are runs apart. The journal has every decision.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any

from core.decisions import PacingDecided

RUNS = 100
"""So many are kept of each campaign."""
_FIGURES = re.compile(r"\d[\d.,:-]*")

Key = tuple[str, str]
"""(tenant, campaign)."""


class PacingRuns:
    """A run: `since_s`, `at_s`: when its first and last decision were made; `times`: how many they were; `count`: how
    many attempts they started together; what else is in it is the last one's."""

    def __init__(self) -> None:
        self._runs: dict[Key, deque[dict[str, Any]]] = {}

    def add(self, decision: PacingDecided, now_s: float) -> None:
        runs = self._runs.setdefault((decision.tenant, decision.campaign), deque(maxlen=RUNS))
        if not runs or not _goes_on(runs[-1], decision):
            runs.append({"at_s": now_s, "since_s": now_s, "times": 0, "count": 0})
        run = runs[-1]
        run["times"] += 1
        run["count"] += decision.count
        run |= {"at_s": now_s, "why": decision.why, "ready": decision.ready, "lines": decision.lines}
        run |= {"live": decision.live, "abandoned": decision.abandoned}

    def of(self, key: Key) -> list[dict[str, Any]]:
        """The newest first."""
        return [dict(run) for run in reversed(self._runs.get(key, ()))]


def _goes_on(run: dict[str, Any], decision: PacingDecided) -> bool:
    return bool(run["count"]) == bool(decision.count) and _FIGURES.sub("#", run["why"]) == _FIGURES.sub(
        "#", decision.why
    )
