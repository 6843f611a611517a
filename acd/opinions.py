"""What callers answered to surveys, in figures. Pure.

    csat     mean of 1 to 5, and the share satisfied: 4 and 5
    nps      promoters (9, 10) less detractors (0 to 6), in percent of the answers: -100 to 100
    yes_no   the share of yes

Shares come with Wilson's 95 % interval, the NPS with Rocks's adjusted Wald (The American Statistician 70, 2016): from
ten answers on both hold what they promise, with fewer nearly so. The response rate is of the questions that were put to
somebody; answers of which the journal does not say who else was asked are in every figure but that.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import sqrt

from core.share_bounds import Z95, wilson

Interval = tuple[float, float]

SATISFIED, PROMOTER, DETRACTOR = 4, 9, 6
"""From, from, up to."""


@dataclass(slots=True)
class Opinions:
    """Of one question, or of several of one `kind`. `asked`: questions put to somebody; `replied`: those of them that
    were answered; `unasked`: answers from journals that do not say who was asked; `scores`: score -> answers."""

    kind: str
    asked: int = 0
    replied: int = 0
    unasked: int = 0
    scores: Counter[int] = field(default_factory=Counter)

    def count(self, asked: bool, answered: bool, score: int | None, times: int = 1) -> None:
        self.asked += times * asked
        if not answered:
            return
        if asked:
            self.replied += times
        else:
            self.unasked += times
        if score is not None:
            self.scores[score] += times

    def add(self, other: Opinions) -> None:
        self.asked += other.asked
        self.replied += other.replied
        self.unasked += other.unasked
        self.scores.update(other.scores)

    @property
    def answers(self) -> int:
        return self.scores.total()

    @property
    def response_percent(self) -> float | None:
        return 100.0 * self.replied / self.asked if self.asked else None

    @property
    def mean(self) -> float | None:
        """Of csat; None also when nobody answered."""
        if self.kind != "csat" or not self.answers:
            return None
        return sum(score * times for score, times in self.scores.items()) / self.answers

    @property
    def promoters(self) -> int:
        return sum(times for score, times in self.scores.items() if score >= PROMOTER)

    @property
    def detractors(self) -> int:
        return sum(times for score, times in self.scores.items() if score <= DETRACTOR)

    @property
    def value(self) -> float | None:
        """The figure of its kind: percent satisfied, NPS, percent yes. None when nobody answered."""
        if not self.answers:
            return None
        if self.kind == "nps":
            return 100.0 * (self.promoters - self.detractors) / self.answers
        return 100.0 * self._good / self.answers

    @property
    def interval(self) -> Interval | None:
        """Where `value` may really be, 95 times in 100."""
        if not self.answers:
            return None
        if self.kind == "nps":
            return nps_interval(self.promoters, self.detractors, self.answers)
        least, most = wilson(self._good, self.answers)
        return 100.0 * least, 100.0 * most

    @property
    def _good(self) -> int:
        least = 1 if self.kind == "yes_no" else SATISFIED
        return sum(times for score, times in self.scores.items() if score >= least)


def nps_interval(promoters: int, detractors: int, of: int) -> Interval:
    """Rocks's adjusted Wald: three more answers, a quarter of them promoters, a quarter detractors. Where hardly
    anybody answered, and all alike, it is widened to have in it what they said. `of` is not 0."""
    more, said = of + 3, (promoters - detractors) / of
    up, down = (promoters + 0.75) / more, (detractors + 0.75) / more
    half = Z95 * sqrt((up + down - (up - down) ** 2) / more)
    return 100 * max(-1.0, min(up - down - half, said)), 100 * min(1.0, max(up - down + half, said))
