"""Predictive: dial as long as the next line would still find an agent with the probability the budget asks for.

For five moments at which the next line's person would answer, as learnt, three numbers are compared:

    answers     of the lines ringing and being screened, each by its age      (lines.py)
    agents      ready, less the people who wait for one
    soon free   those writing up, by how long they have done so               (wrap_up.py)

The risk of the next line is the probability that answers >= agents + soon free, averaged over the five moments. Lines
are added until it passes what the budget allows (budget.py), which learns from what happened.

What was tried and left out, since the same abandonments bought less with it: dialing while no agent is ready, agents
in conversation, and counting those who write up in full. A line can still be dialed a second later, when more is known;
so a chance of an agent is worth less than an agent. The exact optimum of a small team (a Markov decision process) is
of this form: nothing without a ready agent, one line for one, about three more for each further one and about one for
each agent who writes up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dialer.pacing.budget import Budget
from dialer.pacing.chance import reaches
from dialer.pacing.common import Method, one_each, room
from dialer.pacing.lines import AGES, Lines
from dialer.pacing.method import Abandoned, Due, Ended, Outcome, PacingSettings, Served, WrapUpEnded
from dialer.pacing.pool import Pool
from dialer.pacing.wrap_up import SECONDS, WrapUps

_MOMENTS = 5
_BATCH = 12
_SOON_FREE_COUNTS = 0.3
_OVER_THE_CAP = 0.003


class Predictive(Method):
    name = "predictive"

    def __init__(self, settings: PacingSettings) -> None:
        super().__init__(settings)
        self.lines, self.wrap_ups, self.budget = Lines(), WrapUps(), Budget(settings)
        # Outcomes are learnt in batches: tables are made anew a few times a minute, not at every event.
        self._heard: list[Ended | WrapUpEnded] = []
        self._tabulate()

    def record(self, outcome: Outcome, now_s: float) -> None:
        if isinstance(outcome, Served):
            self.budget.answered(served=True)
        elif isinstance(outcome, Abandoned):
            self.budget.answered(served=False)
        elif isinstance(outcome, Ended | WrapUpEnded):
            self._heard.append(outcome)
            if len(self._heard) >= _BATCH:
                self._learn()

    def _learn(self) -> None:
        for outcome in self._heard:
            if isinstance(outcome, Ended):
                self.lines.learn(outcome)
            else:
                self.wrap_ups.learn(outcome.wrap_s)
        self._heard.clear()
        self._tabulate()

    def _tabulate(self) -> None:
        """One row for each age of a line, for a line being screened, and for each second of wrap-up: what it adds to
        mean, variance and third cumulant of (answers - soon free) at the five moments."""
        moments = self.lines.moments(_MOMENTS)
        answers = self.lines.table(moments)
        screened = np.full((1, _MOMENTS), self.lines.screened)
        free = _SOON_FREE_COUNTS * self.wrap_ups.table(moments + 0.5 * self.settings.agent_within_s)
        chance = np.concatenate((answers, screened, free))
        sign = np.ones((len(chance), 1))
        sign[AGES + 1 :] = -1.0
        spread = chance * (1.0 - chance)
        self._rows = np.concatenate((sign * chance, spread, sign * spread * (1.0 - 2.0 * chance)), axis=1)
        self._next = self._rows[0].tolist()

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        allowed = self.budget.risk(pool)
        agents = pool.ready - pool.waiting
        if agents < 1:
            return Due(0, "no agent is ready")
        rows = [min(AGES - 1, int(age_s)) for age_s in pool.ringing_s]
        rows += [AGES] * pool.screening
        first = AGES + 1
        rows += [first + min(SECONDS - 1, int(a.for_s)) for a in pool.busy if a.state == "wrap_up"]
        sums: list[float] = self._rows[rows].sum(axis=0).tolist() if rows else [0.0] * (3 * _MOMENTS)
        most = room(pool, self.settings)
        count, risk = 0, 0.0
        while count < most:
            risk = self._risk(agents, sums)
            if risk > allowed or self._breaks(agents + pool.spare, sums):
                break
            count += 1
            sums = [total + more for total, more in zip(sums, self._next, strict=True)]
        count = max(count, min(most, one_each(pool)))
        return Due(
            count,
            f"{agents} agents ready, {sums[_MOMENTS - 1]:.1f} answers expected at a rate of {self.lines.rate:.0%}; "
            f"a further line would find nobody in {risk:.1%}, allowed {allowed:.1%}",
        )

    def _risk(self, agents: int, sums: list[float]) -> float:
        means, spreads, thirds = sums[:_MOMENTS], sums[_MOMENTS : 2 * _MOMENTS], sums[2 * _MOMENTS :]
        return sum(reaches(agents, m, v, t) for m, v, t in zip(means, spreads, thirds, strict=True)) / _MOMENTS

    def _breaks(self, bearable: int, sums: list[float]) -> bool:
        """Whether one more line makes it likely at all that what is in flight breaks the cap."""
        last = _MOMENTS - 1
        mean, spread, third = (sums[last + k * _MOMENTS] + self._next[last + k * _MOMENTS] for k in range(3))
        return reaches(bearable + 1, mean, spread, third) > _OVER_THE_CAP

    def _keep(self) -> Any:
        heard = [[o.answered_by, o.ring_s] if isinstance(o, Ended) else ["wrap_up", o.wrap_s] for o in self._heard]
        return [self.lines.save(), self.wrap_ups.save(), self.budget.save(), heard]

    def _take(self, kept: Any) -> None:
        lines, wrap_ups, budget, heard = kept
        self.lines.restore(lines)
        self.wrap_ups.restore(wrap_ups)
        self.budget.restore(budget)
        self._heard = [WrapUpEnded(s) if what == "wrap_up" else Ended(what, s) for what, s in heard]
        self._tabulate()
