"""A day on which callers are told how long it will take, and whether it was so.

Everybody hears the range in minutes as the queue's announcements say it. Beside it stands what each estimator would
have said at that moment, so that each can be judged over the same callers. Only waits that were answered are judged:
how long it would have been for who hung up, nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from acd.setup import Announcements, Setup
from acd.simulation.day import Day
from acd.simulation.traffic import Scenario
from acd.turn import RoutingOutcome
from core.decisions import StayEnded
from core.queue_facts import QueuePosition
from core.stay import StayEnd
from definitions.saying import wait_minutes

SAID = "said"
"""What callers hear: the estimator that has erred less."""
Minutes = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Announced:
    """One announcement to one caller who was answered `waited_s` after it. `first`: the first she heard. `by`: the
    range in minutes, under `SAID` as she heard it, and by each estimator that could say something."""

    waited_s: float
    first: bool
    by: Mapping[str, Minutes]

    def held(self, name: str) -> bool:
        """Whether she was answered within it, to the second."""
        low, high = self.by[name]
        return low * 60 <= self.waited_s <= high * 60


class AnnouncedDay(Day):
    """`run` plays it; `announced` then holds every announcement that was put to the proof."""

    def __init__(self, setup: Setup, scenario: Scenario, seed: int, told: Announcements) -> None:
        self.announced: list[Announced] = []
        self._heard: dict[str, list[tuple[float, Mapping[str, Minutes]]]] = {}
        super().__init__(setup, scenario, seed, told)

    def _follow(self, outcome: RoutingOutcome) -> None:
        for fact in outcome.facts:
            if isinstance(fact, QueuePosition) and fact.ewt_high_s >= 0:
                self._heard.setdefault(fact.stay_id, []).append((self._now_s, self._ranges(fact)))
        super()._follow(outcome)
        for decision in outcome.decisions:
            if isinstance(decision, StayEnded):
                heard = self._heard.pop(decision.interaction_id, [])
                if decision.how == StayEnd.ANSWERED.value:
                    self.announced += [Announced(self._now_s - at_s, n == 0, by) for n, (at_s, by) in enumerate(heard)]

    def _ranges(self, fact: QueuePosition) -> Mapping[str, Minutes]:
        stay, now = self.router.stay(fact.stay_id), self.router.position(fact.stay_id, self._now_s)
        assert stay is not None
        assert now is not None
        each = self.router.estimates(stay.tenant, stay.queue, now.position)
        found = {name: wait_minutes(one.low_s, one.high_s) for name, one in each.items() if one is not None}
        return {SAID: wait_minutes(fact.ewt_low_s, fact.ewt_high_s), **found}


def held_percent(announced: Iterable[Announced], name: str) -> float:
    """Of those to whom `name` had something to say; nan for nobody."""
    judged = [one.held(name) for one in announced if name in one.by]
    return 100.0 * sum(judged) / len(judged) if judged else float("nan")


def mean_width(announced: Sequence[Announced], name: str) -> float:
    """Minutes between the ends of what `name` says; nan for nobody."""
    widths = [high - low for low, high in (one.by[name] for one in announced if name in one.by)]
    return sum(widths) / len(widths) if widths else float("nan")
