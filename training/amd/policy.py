"""Verdicts from a judge's chances and thresholds, as `dialer.amd.rhythm` tells them, and how often they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialer.amd.features import NAMES
from dialer.amd.limits import LIMIT_S
from dialer.amd.model import LATE_SPOKEN_S, ONE_BREATH_S, RESTED_S
from dialer.amd.screener import SPEAKS_ON_PAUSE_S
from training.amd.clips import PEOPLE
from training.amd.moments import Moments, Rows


@dataclass(frozen=True)
class Thresholds:
    """As the model keeps them."""

    human_from: float
    hello_from: float
    hello_s: float
    rested_from: float
    machine_until: float
    limit_until: float
    rest_s: float
    spoken_s: float


@dataclass(frozen=True)
class Figures:
    """Shares of the hearings of people and of machines; seconds from the answer."""

    people_lost: float
    people_unsure: float
    machines_passed: float
    machines_unsure: float
    hello_p50_s: float
    hello_p95_s: float
    hello_waited_p50_s: float
    """After the voice began: without the time until then, which the corpus draws."""
    business_p50_s: float


_SPOKEN, _BREATH = NAMES.index("spoken_s"), NAMES.index("last_s")
HUMAN, MACHINE, UNSURE = 0, 1, 2


class Verdicts:
    """All calls judged by any thresholds; what two choices share is computed once."""

    def __init__(self, calls: Sequence[Moments], chances: Sequence[Rows]) -> None:
        self._calls, self._chances = calls, chances
        ends = [int(np.searchsorted(call.at_s, _over_s(call), "right")) - 1 for call in calls]
        self._over_s = np.array([_over_s(call) for call in calls])
        self._last = np.array([chance[end] for chance, end in zip(chances, ends, strict=True)])
        self._spoken = np.array([call.rows[end, _SPOKEN] for call, end in zip(calls, ends, strict=True)])
        breaths = np.array([_first(call, call.rows[:, _BREATH] >= ONE_BREATH_S) for call in calls])
        self._machines_s = np.minimum(breaths, np.array([call.beep_s for call in calls]))
        self._people = np.array([call.clip.truth == PEOPLE for call in calls])
        self._onset_s = np.array([call.onset_s for call in calls])
        self._hello = np.array([call.clip.hello for call in calls])
        self._business = np.array([call.clip.kind == "business" for call in calls])
        self._first: dict[tuple[int, float, float, float], Rows] = {}

    def told(self, limits: Thresholds) -> tuple[NDArray[np.intp], Rows]:
        """HUMAN, MACHINE or UNSURE, and the seconds from the answer, of each call."""
        human = self._when(HUMAN, limits.human_from, limits.rest_s)
        human = np.minimum(human, self._when(HUMAN, limits.hello_from, limits.rest_s, limits.hello_s))
        human = np.minimum(human, self._when(HUMAN, limits.rested_from, RESTED_S))
        machine = np.minimum(self._when(MACHINE, limits.machine_until, limits.spoken_s), self._machines_s)
        late = (self._last <= limits.limit_until) & (self._spoken >= LATE_SPOKEN_S)
        first = np.minimum(human, machine)
        told = np.where(
            first > self._over_s, np.where(late, MACHINE, UNSURE), np.where(human <= machine, HUMAN, MACHINE)
        )
        return told, np.minimum(first, self._over_s)

    def figures(self, limits: Thresholds) -> Figures:
        labels, at_s = self.told(limits)
        people, machines = labels[self._people], labels[~self._people]
        waited = (at_s - self._onset_s)[self._hello & (labels == HUMAN)]
        hello, business = (at_s[kind & (labels == HUMAN)] for kind in (self._hello, self._business))
        return Figures(
            float(np.mean(people == MACHINE)),
            float(np.mean(people == UNSURE)),
            float(np.mean(machines == HUMAN)),
            float(np.mean(machines == UNSURE)),
            float(np.median(hello)) if len(hello) else 9.0,
            float(np.quantile(hello, 0.95)) if len(hello) else 9.0,
            float(np.median(waited)) if len(waited) else 9.0,
            float(np.median(business)) if len(business) else 9.0,
        )

    def _when(self, label: int, threshold: float, least_s: float, spoken_s: float = np.inf) -> Rows:
        """When each call first passes the threshold, having spoken for less than that; infinity where it never does."""
        key = (label, threshold, least_s, spoken_s)
        if key not in self._first:
            found = []
            for call, chance in zip(self._calls, self._chances, strict=True):
                if label == HUMAN:
                    hits = (chance >= threshold) & (call.rest_s >= least_s - 1e-6) & (call.rows[:, _SPOKEN] < spoken_s)
                else:
                    hits = (chance <= threshold) & (call.rows[:, _SPOKEN] >= least_s)
                found.append(_first(call, hits))
            self._first[key] = np.array(found)
        return self._first[key]


def _first(call: Moments, hits: NDArray[np.bool_]) -> float:
    return float(call.at_s[np.argmax(hits)]) if hits.any() else np.inf


def _over_s(call: Moments) -> float:
    """When it is listened to no longer."""
    rests = (call.at_s >= LIMIT_S) & (call.rest_s >= SPEAKS_ON_PAUSE_S)
    return min(_first(call, rests), max(float(call.at_s[-1]), call.beep_s if np.isfinite(call.beep_s) else 0.0))
