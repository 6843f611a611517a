"""How many lines a rule without a forecast may add: no more than the cap bears.

What rings cannot be taken back before the law's least ring, so the cap has to bear what is dialed, not what was
abandoned: no line is added with which more people than agents and remaining abandonments can bear are likely at all to
answer. How many answer is learnt (lines.py), and held for more, since it may rise while lines ring.
"""

from __future__ import annotations

from typing import Any

from dialer.pacing.chance import at_most
from dialer.pacing.common import one_each
from dialer.pacing.lines import Lines
from dialer.pacing.method import Due, Ended, Outcome
from dialer.pacing.pool import Pool

_OVER_THE_CAP, _DOUBT = 0.003, 1.3
"""How likely the cap may be broken by a line, were people to answer so many times more often than learnt."""


class Bearable:
    def __init__(self) -> None:
        self.lines = Lines()

    def record(self, outcome: Outcome) -> None:
        if isinstance(outcome, Ended):
            self.lines.learn(outcome)

    def due(self, pool: Pool, wanted: int, why: str) -> Due:
        """As many of the wanted lines as are borne."""
        count = min(wanted, one_each(pool))
        while count < wanted and not self._breaks(pool, count + 1):
            count += 1
        if count < wanted:
            why += f"; one more could break the cap, {pool.spare} to spare"
        return Due(count, why)

    def _breaks(self, pool: Pool, more: int) -> bool:
        ringing = len(pool.ringing_s) + more
        answers = self.lines.rate * ringing + self.lines.screened * pool.screening
        bearable = pool.ready - pool.waiting + pool.spare
        return at_most(bearable + 1, ringing + pool.screening, _DOUBT * answers) > _OVER_THE_CAP

    def save(self) -> Any:
        return self.lines.save()

    def restore(self, body: Any) -> None:
        self.lines.restore(body)
