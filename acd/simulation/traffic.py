"""Who calls, how long it takes, who is there: one scenario as values. Seconds; moments from the day's midnight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log, sqrt

from numpy.random import Generator

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Spread:
    """Lengths with a mean. `deviation_s` None: exponential; 0: always the mean; else lognormal."""

    mean_s: float
    deviation_s: float | None = None

    def draw(self, dice: Generator) -> float:
        if self.deviation_s is None:
            return float(dice.exponential(self.mean_s))
        if not self.deviation_s or not self.mean_s:
            return self.mean_s
        variance = log(1.0 + (self.deviation_s / self.mean_s) ** 2)
        return float(dice.lognormal(log(self.mean_s) - variance / 2, sqrt(variance)))


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_hour` calls from `from_s` until `until_s`, as a Poisson process."""

    from_s: float
    until_s: float
    per_hour: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """The calls of one queue. `patience` None: nobody leaves. `wrap_up` None: what the queue grants, to its end.
    `skills`: asked for by a share of the calls, beside what the queue asks."""

    rates: tuple[Rate, ...]
    talk: Spread
    wrap_up: Spread | None = None
    patience: Spread | None = None
    skills: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shift:
    """An agent is ready from `from_s` until `until_s`; work she has then is finished."""

    agent_id: str
    from_s: float
    until_s: float


@dataclass(frozen=True, slots=True)
class Scenario:
    """`answer_s`: how long a phone rings before it is picked up. `warm_up_s`: left out of the counts at the start.
    `traffic`: by (tenant, queue)."""

    name: str
    from_s: float
    until_s: float
    traffic: Mapping[tuple[str, str], Traffic]
    shifts: tuple[Shift, ...]
    tenant: str = "main"
    answer_s: float = 2.0
    warm_up_s: float = 0.0
    replications: int = 10
    seed: int = 1
