"""Predictive: dial as long as the next line would still find an agent with the probability the budget asks for.

For five moments at which the next line's person would answer, as learnt, three numbers are compared:

    answers     of the lines ringing and being screened, each by its age      (lines.py)
    agents      ready, less the people who wait for one
    soon free   those writing up, by how long they have done so               (wrap_up.py)

The risk of the next line is the probability that answers >= agents + soon free, averaged over the five moments. Lines
are added until it passes what the budget allows (budget.py), which learns from what happened; and no line is added with
which more answers than agents and remaining abandonments can bear become likely at all. What rings cannot be taken back
before the law's least ring. So no line is added either with which more answers than the rest of the window would mend
are not all but impossible (chance.py, `at_most`): at its end that leaves what would keep the cap if all were answered.

Outcomes are learnt in the order of dialing, which takes half a minute: a big team has dialed for everybody by then. So
until enough are learnt, no more lines are added than the cap bears by what is known at once (bearable.py).

What was tried and left out, since the same abandonments bought less with it: dialing while no agent is ready, agents
in conversation, and counting those who write up in full. A line can still be dialed a second later, when more is known,
so a chance of an agent is worth less than an agent, the less the smaller the team. The exact optimum of a small team (a
Markov decision process of five and of ten agents) is of this form: nothing without a ready agent, one line for one,
about three more for each further one and about one for each agent who writes up.
"""

from __future__ import annotations

from bisect import insort
from typing import Any

import numpy as np

from dialer.pacing.bearable import Bearable
from dialer.pacing.budget import Budget
from dialer.pacing.chance import at_most, reaches
from dialer.pacing.common import Method, one_each, room
from dialer.pacing.lines import AGES, Lines
from dialer.pacing.method import Abandoned, AnsweredBy, Due, Ended, Outcome, PacingSettings, Served, WrapUpEnded
from dialer.pacing.pool import Pool
from dialer.pacing.wrap_up import SECONDS, WrapUps

_MOMENTS = 5
_BATCH = 12
_GROWN_S = 32.0
_SOON_FREE_HALF = 15.0
"""In a team of so many a chance that an agent will be free counts half; less in smaller ones."""
_OVER_THE_CAP = 0.003
"""How likely the cap may be broken by a line, for a while."""
_ENOUGH = 100
_FOR_GOOD, _DOUBT = 1e-4, 1.3
"""How likely for good, were people to answer so many times more often than learnt."""


class Predictive(Method):
    name = "predictive"
    version = 2

    def __init__(self, settings: PacingSettings) -> None:
        super().__init__(settings)
        self.lines, self.wrap_ups, self.budget = Lines(), WrapUps(), Budget(settings)
        # Outcomes are learnt in batches: tables are made anew a few times a minute, not at every event.
        self._heard: list[Ended | WrapUpEnded] = []
        self._young: list[tuple[float, AnsweredBy, float]] = []
        self._team = self._team_now = 10
        self._tabulate()
        self.bearable, self._learnt = Bearable(), 0

    def record(self, outcome: Outcome, now_s: float) -> None:
        if self._learnt < _ENOUGH:
            self.bearable.record(outcome)
        if isinstance(outcome, Served):
            self.budget.answered(served=True)
        elif isinstance(outcome, Abandoned):
            self.budget.answered(served=False)
        elif isinstance(outcome, Ended):
            # In the order of dialing, when all dialed together have ended: people answer before lines ring out, and
            # a team that dials at once would take every wave for a change of the answer rate.
            insort(self._young, (now_s - outcome.ring_s, outcome.answered_by, outcome.ring_s))
            while self._young and self._young[0][0] <= now_s - _GROWN_S:
                _, answered_by, ring_s = self._young.pop(0)
                self._hear(Ended(answered_by, ring_s))
        elif isinstance(outcome, WrapUpEnded):
            self._hear(outcome)

    def _hear(self, outcome: Ended | WrapUpEnded) -> None:
        self._heard.append(outcome)
        if len(self._heard) >= _BATCH:
            self._learn()

    def _learn(self) -> None:
        for outcome in self._heard:
            if isinstance(outcome, Ended):
                self.lines.learn(outcome)
                self._learnt = min(_ENOUGH, self._learnt + 1)
            else:
                self.wrap_ups.learn(outcome.wrap_s)
        self._heard.clear()
        self._team = self._team_now
        self._tabulate()

    def _tabulate(self) -> None:
        """One row for each age of a line, for a line being screened, and for each second of wrap-up: what it adds to
        mean, variance and third cumulant of (answers - soon free) at the five moments."""
        moments = self.lines.moments(_MOMENTS)
        answers = self.lines.table(moments)
        screened = np.full((1, _MOMENTS), self.lines.screened)
        counts = self._team / (self._team + _SOON_FREE_HALF)
        free = counts * self.wrap_ups.table(moments + 0.5 * self.settings.agent_within_s)
        chance = np.concatenate((answers, screened, free))
        sign = np.ones((len(chance), 1))
        sign[AGES + 1 :] = -1.0
        spread = chance * (1.0 - chance)
        self._rows = np.concatenate((sign * chance, spread, sign * spread * (1.0 - 2.0 * chance)), axis=1)
        self._next = self._rows[0].tolist()
        self._answers: list[float] = self._rows[: AGES + 1, _MOMENTS - 1].tolist()

    def _wanted(self, pool: Pool, now_s: float) -> Due:
        agents = pool.ready - pool.waiting
        if agents < 1:
            return Due(0, "no agent is ready")
        self._team_now = pool.agents
        allowed = self.budget.risk(pool, now_s)
        rows = [int(age_s) if age_s < AGES else AGES - 1 for age_s in pool.ringing_s]
        rows += [AGES] * pool.screening
        first, last = AGES + 1, AGES + SECONDS
        rows += [min(last, first + int(agent.for_s)) for agent in pool.busy if agent.state == "wrap_up"]
        sums: list[float] = self._rows[rows].sum(axis=0).tolist() if rows else [0.0] * (3 * _MOMENTS)
        most = room(pool, self.settings)
        stopped = f"; at most {self.settings.most_lines_per_agent:g} lines for an agent"
        lines = len(pool.ringing_s) + pool.screening
        answers = sum(self._answers[row] for row in rows[:lines])
        bearable = agents + pool.spare + self.budget.mended
        count, risk = 0, 0.0
        while count < most:
            risk = self._risk(agents, sums)
            if risk > allowed:
                stopped = ""
                break
            more = [total + one for total, one in zip(sums, self._next, strict=True)]
            if self._breaks(agents + pool.spare, more):
                stopped = f"; one more could break the cap, {pool.spare} to spare"
                break
            lines, answers = lines + 1, answers + self._answers[0]
            if at_most(bearable + 1, lines, _DOUBT * answers) > _FOR_GOOD:
                stopped = f"; one more could break the cap for good, {pool.spare} to spare"
                break
            count, sums = count + 1, more
        count = max(count, min(most, one_each(pool)))
        why = (
            f"{agents} ready, {sums[_MOMENTS - 1]:.1f} answers expected at a rate of {self.lines.rate:.0%}; "
            f"one more line would find nobody in {risk:.1%}, allowed {allowed:.1%}{stopped}"
        )
        return self.bearable.due(pool, count, why) if self._learnt < _ENOUGH else Due(count, why)

    def _risk(self, agents: int, sums: list[float]) -> float:
        total = 0.0
        for k in range(_MOMENTS):
            total += reaches(agents, sums[k], sums[k + _MOMENTS], sums[k + 2 * _MOMENTS])
        return total / _MOMENTS

    def _breaks(self, bearable: int, sums: list[float]) -> bool:
        """Whether what is in flight is likely at all to break the cap: more answers than agents and budget bear."""
        return reaches(bearable + 1, *sums[_MOMENTS - 1 :: _MOMENTS]) > _OVER_THE_CAP

    def _keep(self) -> Any:
        heard = [[o.answered_by, o.ring_s] if isinstance(o, Ended) else ["wrap_up", o.wrap_s] for o in self._heard]
        return [
            self.lines.save(),
            self.wrap_ups.save(),
            self.budget.save(),
            heard,
            [self._team, self._team_now],
            self._young,
            [self.bearable.save(), self._learnt],
        ]

    def _take(self, kept: Any) -> None:
        lines, wrap_ups, budget, heard, team, young, (early, self._learnt) = kept
        self.bearable.restore(early)
        self.lines.restore(lines)
        self.wrap_ups.restore(wrap_ups)
        self.budget.restore(budget)
        self._team, self._team_now = team
        self._young = [(start_s, what, ring_s) for start_s, what, ring_s in young]
        self._heard = [WrapUpEnded(s) if what == "wrap_up" else Ended(what, s) for what, s in heard]
        self._tabulate()
