"""Which of the scripts that a campaign tests serves better, whenever one looks. Pure.

Leads are counted, not attempts: each once, under the script she was drawn for, from her first conversation on. Until
then nobody has heard a script, so who is reached does not depend on it, and lots were drawn: a difference has no other
reason than the script, and chance. Chance is told apart by an *asymptotic confidence sequence*: a range that holds at
all looks together, not at one chosen beforehand. It is the share's difference, plus and minus its standard error times

    sqrt(2 (1 + 1 / (n r)) log(sqrt(n r + 1) / alpha))          for n people; at one look alone it would be 1.96

(Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences", Annals of Statistics 52, 2024, Theorem 2.2 and, for `r`, Appendix B.2). It holds for large numbers, so
nothing is concluded before there are `LEAST` of each kind in both groups. With more than two scripts each is compared
with the first alone, and `alpha` is shared among them (Bonferroni).

Whether the leads were split as written is asked first, by Pearson's chi-square ("sample ratio mismatch": Fabijan et
al., KDD 2019): where they were not, something else than lots decided who got which script, and no range helps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log, sqrt

from scipy.stats import chisquare

from core.attempt import AttemptState
from core.lead_record import AttemptRecord
from dialer.compliance.rules import Mode
from dialer.records import tried_before
from dialer.script_test import name_of, test_of
from dialer.setup import CampaignSetup, ScriptTest

ALPHA = 0.05
NARROWEST_AT = 2_000
"""With so many people the ranges are narrowest for what they promise. A constant: chosen after a look, it would be one
more way to choose the result."""
LEAST = 10
"""Of people with the goal, and of people without it, in each group, before anything is concluded."""
MISMATCH = 0.001
"""A split that chance makes rarer than this is no chance. Small, because it is asked at every look, too."""
_HALF, _NINE_OF_TEN = -0.4, 1.0
"""Standard errors beyond the range's edge. At one look they would be 0 and 1.28; over many, luck comes earlier
(`bench.script_test`)."""
_EXPECTED = 5.0
"""Chi-square means nothing where fewer are expected."""


@dataclass(slots=True)
class _Seen:
    script: str
    met: bool = False
    goal: bool = False
    unfinished: bool = False
    other: bool = False


@dataclass(frozen=True, slots=True)
class Arm:
    """`dialed`: leads; `met`: those who heard it; `goal`: of them. `more`: the share of the goal less that of the first
    script, in `more_least` to `more_most` at all looks; None: of the first itself, and before there are enough."""

    script: str
    share: int
    dialed: int = 0
    met: int = 0
    goal: int = 0
    more: float | None = None
    more_least: float = -1.0
    more_most: float = 1.0

    @property
    def rate(self) -> float:
        return self.goal / self.met if self.met else 0.0

    @property
    def differs(self) -> bool:
        return self.more is not None and (self.more_least > 0 or self.more_most < 0)


@dataclass(frozen=True, slots=True)
class Compared:
    """`p_dialed`, `p_met`: how often chance splits those dialed, and those met, so unlike the shares; None: too few to
    say. `unfinished`: conversations that nobody has said the end of yet, left out. `crossed`: leads that were given
    another script later; `gone`: those drawn for scripts that are not written any more, left out."""

    test: str
    arms: tuple[Arm, ...]
    p_dialed: float | None
    p_met: float | None
    unfinished: int
    crossed: int
    gone: int

    @property
    def mismatch(self) -> bool:
        return any(p is not None and p < MISMATCH for p in (self.p_dialed, self.p_met))

    @property
    def sound(self) -> bool:
        """Whether lots alone decided who got which script, as far as the numbers tell."""
        return not self.mismatch and not self.gone


class Tally:
    """Takes a campaign's attempts one by one, in the order in which they were dialed. `setup` tests scripts."""

    def __init__(self, setup: CampaignSetup, test: ScriptTest) -> None:
        self._setup, self._test = setup, test
        self._names = {one.name for one in test.scripts}
        self._seen: dict[str, _Seen] = {}

    def add(self, attempt: AttemptRecord) -> None:
        name = name_of(attempt.script)
        if test_of(attempt.script) != self._test.name:
            return
        lead = self._seen.setdefault(attempt.lead_id, _Seen(name))
        lead.other |= lead.script != name
        talked_s = tried_before(attempt).conversation_s
        met_machine = self._setup.after(attempt.disposition).means == "machine" if attempt.disposition else False
        state = AttemptState(attempt.state)
        heard = not state.is_over or (state.is_live and state is not AttemptState.ABANDONED)
        if talked_s is None or met_machine or not heard:
            return
        lead.met = True
        # Who is still talked with, or was and nobody has said what came of it, would count as a failure. Where no agent
        # had her nobody will: she left before she chose.
        may_be_said = attempt.mode != Mode.AGENTLESS.value or bool(attempt.agent_id)
        lead.unfinished = not state.is_over or bool(self._test.goal and not attempt.disposition and may_be_said)
        lead.goal |= self._reached(attempt.disposition, (attempt.ended_s or talked_s) - talked_s)

    def compared(self) -> Compared:
        seen = list(self._seen.values())
        ours = [one for one in seen if one.script in self._names]
        counted = [one for one in ours if one.met and (one.goal or not one.unfinished)]
        arms = []
        for script in self._test.scripts:
            met = [one for one in counted if one.script == script.name]
            dialed = sum(one.script == script.name for one in ours)
            arms.append(Arm(script.name, script.share, dialed, len(met), sum(one.goal for one in met)))
        first, alpha = arms[0], ALPHA / max(1, len(arms) - 1)
        return Compared(
            test=self._test.name,
            arms=(first, *(_beside(first, arm, alpha) for arm in arms[1:])),
            p_dialed=split_by_chance([arm.dialed for arm in arms], [arm.share for arm in arms]),
            p_met=split_by_chance(
                [sum(one.met and one.script == arm.script for one in ours) for arm in arms],
                [arm.share for arm in arms],
            ),
            unfinished=sum(one.met and one.unfinished and not one.goal for one in ours),
            crossed=sum(one.other for one in ours),
            gone=len(seen) - len(ours),
        )

    def _reached(self, disposition: str, talk_s: float) -> bool:
        if not self._test.goal:
            return talk_s >= self._test.talk_s
        return any(disposition == goal or disposition.startswith(f"{goal}/") for goal in self._test.goal)


def multiple(people: int, alpha: float = ALPHA) -> float:
    """Of the standard error, to either side, so that the range holds at all looks. `people`: in both groups, 1 or
    more."""
    once = -2 * log(alpha)
    r = (once + log(once + 1)) / NARROWEST_AT
    return sqrt(2 * (1 + 1 / (people * r)) * log(sqrt(people * r + 1) / alpha))


def people_needed(rate: float, more: float, shares: tuple[int, int] = (1, 1), alpha: float = ALPHA) -> tuple[int, int]:
    """After about how many people, both scripts together, a difference is said: in half of the tests, in nine of ten.
    `rate`: of the goal with the first script; `more`: so much more with the other; both 0 < share < 1. `shares`: of the
    leads, the first script's and the other's."""
    first, other = (share / sum(shares) for share in shares)
    spread = rate * (1 - rate) / first + (rate + more) * (1 - rate - more) / other
    rarest = min(first * min(rate, 1 - rate), other * min(rate + more, 1 - rate - more))

    def is_said(people: int, lucky: float) -> bool:
        told = abs(more) >= (multiple(people, alpha) + lucky) * sqrt(spread / people)
        return told and people * rarest >= LEAST

    return _first(lambda people: is_said(people, _HALF)), _first(lambda people: is_said(people, _NINE_OF_TEN))


def _first(holds: Callable[[int], bool]) -> int:
    """The least number, in steps of ten, from which on it holds."""
    low, high = 0, 1
    while not holds(high * 10):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle * 10) else (middle, high)
    return high * 10


def split_by_chance(counts: Sequence[int], shares: Sequence[int]) -> float | None:
    """How often chance splits so unlike the shares, or worse; None: too few to say."""
    expected = [sum(counts) * share / sum(shares) for share in shares]
    if len(counts) < 2 or min(expected) < _EXPECTED:
        return None
    return float(chisquare(counts, expected).pvalue)


def _beside(first: Arm, arm: Arm, alpha: float) -> Arm:
    if any(min(one.goal, one.met - one.goal) < LEAST for one in (first, arm)):
        return arm
    error = sqrt(sum(one.rate * (1 - one.rate) / one.met for one in (first, arm)))
    half, more = multiple(first.met + arm.met, alpha) * error, arm.rate - first.rate
    least, most = max(-1.0, more - half), min(1.0, more + half)
    return Arm(arm.script, arm.share, arm.dialed, arm.met, arm.goal, more, least, most)
