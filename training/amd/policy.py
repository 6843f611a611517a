"""Verdicts from a judge's chances and thresholds, as `dialer.amd.rhythm` tells them, and how often they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dialer.amd.features import NAMES
from dialer.amd.limits import LIMIT_S
from dialer.amd.model import MACHINE_SPOKEN_S, ONE_BREATH_S, RESTS_S, SPOKEN_S
from dialer.amd.screener import SPEAKS_ON_PAUSE_S
from training.amd.clips import PEOPLE
from training.amd.moments import Moments, Rows

REST_S = 1.6
"""Nobody is kept waiting longer after speaking: what the law leaves (docs/detection.md)."""


@dataclass(frozen=True)
class Thresholds:
    """As the model keeps them: `person_from` by RESTS_S and SPOKEN_S, `machine_until` by MACHINE_SPOKEN_S."""

    person_from: tuple[tuple[float, ...], ...]
    machine_until: tuple[float, ...]
    limit_until: float
    late_spoken_s: float


@dataclass(frozen=True)
class Figures:
    """Shares of the hearings of people and of machines; seconds from the answer, `waited`: from where the voice begins,
    which the corpus draws."""

    people_lost: float
    people_unsure: float
    machines_passed: float
    machines_unsure: float
    hello_p50_s: float
    hello_p95_s: float
    hello_waited_p50_s: float
    hello_waited_p95_s: float
    hello_mean_s: float
    """Waited, two seconds at most."""
    business_p50_s: float


_SPOKEN, _BREATH = NAMES.index("spoken_s"), NAMES.index("last_s")
_NEAR_S = 1e-4
HUMAN, MACHINE, UNSURE = 0, 1, 2


class Verdicts:
    """All calls judged by any thresholds: their moments in one list, as long as each is listened to."""

    def __init__(self, calls: Sequence[Moments], chances: Sequence[Rows]) -> None:
        self._over_s = np.array([_over_s(call) for call in calls])
        kept = [call.at_s <= over_s + _NEAR_S for call, over_s in zip(calls, self._over_s, strict=True)]
        ends = [max(0, int(one.sum()) - 1) for one in kept]
        self._last = np.array([chance[end] for chance, end in zip(chances, ends, strict=True)])
        self._spoken_s = np.array([call.rows[end, _SPOKEN] for call, end in zip(calls, ends, strict=True)])
        breaths = np.array([_first(call, call.rows[:, _BREATH] >= ONE_BREATH_S - _NEAR_S) for call in calls])
        self._machines_s = np.minimum(breaths, np.array([call.beep_s for call in calls]))
        self._people = np.array([call.clip.truth == PEOPLE for call in calls])
        self._onset_s = np.array([call.onset_s for call in calls])
        self._hello = np.array([call.clip.hello for call in calls])
        self._business = np.array([call.clip.kind == "business" for call in calls])
        self._call = np.concatenate([np.full(int(one.sum()), n) for n, one in enumerate(kept)])
        self._at_s = np.concatenate([call.at_s[one] for call, one in zip(calls, kept, strict=True)])
        self._chance = np.concatenate([chance[one] for chance, one in zip(chances, kept, strict=True)])
        rest_s = np.concatenate([call.rest_s[one] for call, one in zip(calls, kept, strict=True)])
        spoken_s = np.concatenate([call.rows[one, _SPOKEN] for call, one in zip(calls, kept, strict=True)])
        rests = np.searchsorted(RESTS_S, rest_s + _NEAR_S, "right") - 1
        self._rested = np.flatnonzero(rests >= 0)
        self._cell = (rests * len(SPOKEN_S) + np.searchsorted(SPOKEN_S, spoken_s + _NEAR_S, "right") - 1)[self._rested]
        said = np.searchsorted(MACHINE_SPOKEN_S, spoken_s + _NEAR_S, "right") - 1
        self._said = np.flatnonzero(said >= 0)
        self._long = said[self._said]

    def told(self, limits: Thresholds) -> tuple[NDArray[np.intp], Rows]:
        """HUMAN, MACHINE or UNSURE, and the seconds from the answer, of each call."""
        wanted, least = np.array(limits.person_from).ravel(), np.array(limits.machine_until)
        human = self._when(self._rested[self._chance[self._rested] >= wanted[self._cell]])
        machine = self._when(self._said[self._chance[self._said] <= least[self._long]])
        machine = np.minimum(machine, self._machines_s)
        late = (self._last <= limits.limit_until) & (self._spoken_s >= limits.late_spoken_s - _NEAR_S)
        first = np.minimum(human, machine)
        told = np.where(
            first > self._over_s + _NEAR_S, np.where(late, MACHINE, UNSURE), np.where(human <= machine, HUMAN, MACHINE)
        )
        return told, np.minimum(first, self._over_s)

    def figures(self, limits: Thresholds, of: NDArray[np.bool_] | None = None) -> Figures:
        """`of`: only those calls."""
        labels, at_s = self.told(limits)
        asked = np.ones(len(labels), bool) if of is None else of
        people, machines = labels[self._people & asked], labels[~self._people & asked]
        told = asked & (labels == HUMAN)
        hello, business = at_s[told & self._hello], at_s[told & self._business]
        waited = (at_s - self._onset_s)[told & self._hello]
        if not len(hello) or not len(business):
            hello = business = waited = np.array([9.0])
        return Figures(
            float(np.mean(people == MACHINE)),
            float(np.mean(people == UNSURE)),
            float(np.mean(machines == HUMAN)),
            float(np.mean(machines == UNSURE)),
            float(np.median(hello)),
            float(np.quantile(hello, 0.95)),
            float(np.median(waited)),
            float(np.quantile(waited, 0.95)),
            float(np.mean(np.minimum(waited, 2.0))),
            float(np.median(business)),
        )

    def _when(self, moments: NDArray[np.intp]) -> Rows:
        """The first of these moments of each call; infinity where it has none."""
        found = np.full(len(self._over_s), np.inf)
        calls = self._call[moments]
        first = np.append(True, calls[1:] != calls[:-1])[: len(calls)]
        found[calls[first]] = self._at_s[moments[first]]
        return found


def _first(call: Moments, hits: NDArray[np.bool_]) -> float:
    return float(call.at_s[np.argmax(hits)]) if hits.any() else np.inf


def _over_s(call: Moments) -> float:
    """When it is listened to no longer."""
    waits = (call.at_s >= LIMIT_S - _NEAR_S) & (call.rest_s >= SPEAKS_ON_PAUSE_S - _NEAR_S)
    waits |= call.rest_s >= REST_S - _NEAR_S
    return min(_first(call, waits), max(float(call.at_s[-1]), call.beep_s if np.isfinite(call.beep_s) else 0.0))
