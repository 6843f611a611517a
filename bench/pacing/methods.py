"""Who takes part: our methods, the rivals, what is tuned in hindsight, and the bound."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from bench.pacing.rivals.clairvoyant import Clairvoyant, ForeseenDay
from bench.pacing.rivals.impact import Impact
from bench.pacing.rivals.issabel import Issabel
from bench.pacing.rivals.tuned import Factor, Poisson
from bench.pacing.rivals.vicidial import Vicidial
from bench.pacing.rivals.webitel import Webitel
from bench.pacing.worlds import WORLDS
from dialer.pacing import METHODS, Pacer, PacingSettings
from dialer.simulation.day import Day
from dialer.simulation.result import Result


@dataclass(frozen=True)
class Entrant:
    """`make`: a fresh pacer; for a tuned one, with its number. `low`, `high`: where that number is looked for."""

    name: str
    make: Callable[..., Pacer]
    low: float = 0.0
    high: float = 0.0

    @property
    def tuned(self) -> bool:
        return self.high > self.low


def _ours(method: str) -> Pacer:
    return METHODS[method](PacingSettings(method=method))


ENTRANTS: dict[str, Entrant] = {
    entrant.name: entrant
    for entrant in (
        Entrant("predictive", partial(_ours, "predictive")),
        Entrant("adaptive_ratio", partial(_ours, "adaptive_ratio")),
        Entrant("progressive", partial(_ours, "progressive")),
        Entrant("f_idle_tuned", Factor, 1.0, 20.0),
        Entrant("vici_hard", partial(Vicidial, "ADAPT_HARD_LIMIT")),
        Entrant("vici_average", partial(Vicidial, "ADAPT_AVERAGE")),
        Entrant("vici_tapered", partial(Vicidial, "ADAPT_TAPERED")),
        Entrant("vici_ratio_tuned", partial(Vicidial, "RATIO"), 1.0, 8.0),
        Entrant("issabel", Issabel),
        Entrant("issabel_overcommit", partial(Issabel, overcommit=True)),
        Entrant("webitel", Webitel),
        Entrant("impact", Impact),
        Entrant("poisson_tuned", Poisson, 5.0, 600.0),
        Entrant("clairvoyant", Clairvoyant),
    )
}


def day(entrant: str, world: str, agents: int, seed: int, hours: float, number: float | None = None) -> Result:
    """One day of one entrant. `number`: that of a tuned one."""
    who = ENTRANTS[entrant]
    pacer = who.make() if number is None else who.make(number)
    kind = ForeseenDay if entrant == "clairvoyant" else Day
    return kind(WORLDS[world], agents, seed, pacer, hours=hours).run()
