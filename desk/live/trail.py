"""How campaigns went in the last minutes, for charts: one sample every few seconds, held in memory, lost with the desk.

events of a campaign --last value of each `STEP_S`--> deque, `KEPT_S` long
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]

STEP_S = 2.0
KEPT_S = 900.0


@dataclass(frozen=True, slots=True)
class Sample:
    """`calling`: lines that dial or ring; `met`: people who answered, with an agent or without; `ratio`: of the rule
    that is nearest to its cap, a share, as `most`."""

    at_s: float
    calling: int
    met: int
    ready: int
    ratio: float
    most: float


class Trails:
    def __init__(self) -> None:
        self._samples: dict[Key, deque[Sample]] = {}

    def add(self, key: Key, view: Json, at_s: float) -> None:
        trail = self._samples.setdefault(key, deque())
        sample = _sample(view, at_s)
        if trail and at_s - trail[-1].at_s < STEP_S and len(trail) > 1:
            sample = _sample(view, trail[-1].at_s)
            trail.pop()
        trail.append(sample)
        while trail and trail[0].at_s < at_s - KEPT_S:
            trail.popleft()

    def forget(self, key: Key) -> None:
        self._samples.pop(key, None)

    def of(self, key: Key, now_s: float) -> list[Sample]:
        """The oldest first; the last one holds until now."""
        return [each for each in self._samples.get(key, ()) if each.at_s >= now_s - KEPT_S]


def tightest(view: Json) -> Json:
    """The abandonment of the rule that is nearest to its cap; empty when no rule caps it."""
    return max(view.get("abandonment", ()), key=_use, default={})


def _use(rule: Json) -> float:
    most = float(rule.get("most") or 0.0)
    return float(rule.get("ratio") or 0.0) / most if most > 0 else float(rule.get("ratio") or 0.0) * 1e6


def _sample(view: Json, at_s: float) -> Sample:
    lines, rule = view.get("lines", {}), tightest(view)
    return Sample(
        at_s=at_s,
        calling=int(lines.get("dialing", 0)) + int(lines.get("ringing", 0)),
        met=sum(int(lines.get(name, 0)) for name in ("screening", "waiting", "connected")),
        ready=int(view.get("agents", {}).get("ready", 0)),
        ratio=float(rule.get("ratio") or 0.0),
        most=float(rule.get("most") or 0.0),
    )
