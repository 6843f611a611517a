"""The packs a campaign names, as one law: the strictest rule wins, and its name is kept.

law = strictest((us, strict_zero), Purpose.SALES, Mode.PREDICTIVE)
terms = law.at(Party("+13055550100", "US", "FL"))      what holds for this number
terms.ring                                             Won(15.0, source of the rule that asks for most)
law.overall.abandonment                                every limit of the campaign, the lowest first

Rules that cannot be compared (two calling windows, two caps over different stretches) all stay: each of them holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

from dialer.compliance.rules import (
    Abandonment,
    AgentWithin,
    BasisNeeded,
    Cap,
    Drop,
    DropAction,
    Duty,
    Hours,
    Identity,
    ListsNeeded,
    Mode,
    Party,
    Purpose,
    Rest,
    Ring,
    Rule,
    RulePack,
    Source,
)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Won(Generic[T]):
    """What holds of one field, and the rule that says so; None where no rule says anything."""

    value: T
    source: Source | None


@dataclass(frozen=True)
class Terms:
    """The rules that hold together for one number, or for a whole campaign."""

    rules: tuple[Rule, ...]

    @cached_property
    def hours(self) -> tuple[Hours, ...]:
        return self._all(Hours)

    @cached_property
    def caps(self) -> tuple[Cap, ...]:
        return self._all(Cap)

    @cached_property
    def rests(self) -> tuple[Rest, ...]:
        return self._all(Rest)

    @cached_property
    def bases(self) -> tuple[BasisNeeded, ...]:
        return self._all(BasisNeeded)

    @cached_property
    def lists(self) -> tuple[ListsNeeded, ...]:
        return self._all(ListsNeeded)

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        return self._all(Identity)

    @cached_property
    def duties(self) -> tuple[Duty, ...]:
        return self._all(Duty)

    @cached_property
    def abandonment(self) -> tuple[Abandonment, ...]:
        """Every limit, the lowest first: each holds over its own window."""
        return tuple(sorted(self._all(Abandonment), key=lambda rule: (rule.most, rule.source.name)))

    @cached_property
    def agent_within(self) -> tuple[AgentWithin, ...]:
        """Every limit, the shortest first; counted from the answer or from the end of the greeting."""
        return tuple(sorted(self._all(AgentWithin), key=lambda rule: (rule.within_s, rule.source.name)))

    @cached_property
    def ring(self) -> Won[float]:
        """How long a phone must ring at least."""
        longest = max(self._all(Ring), key=lambda rule: rule.least_s, default=None)
        return Won(longest.least_s, longest.source) if longest else Won(0.0, None)

    @cached_property
    def drop_actions(self) -> Won[frozenset[DropAction]]:
        """What every rule allows for who is abandoned; empty: the packs contradict each other. The winner is the
        narrowest."""
        drops = self._all(Drop)
        allowed = frozenset(DropAction).intersection(*(rule.allowed for rule in drops))
        narrowest = min(drops, key=lambda rule: len(rule.allowed), default=None)
        return Won(allowed, narrowest.source if narrowest else None)

    @cached_property
    def drop_opt_out(self) -> Won[bool]:
        """Whether the message has to offer a key not to be called again."""
        asking = next((rule for rule in self._all(Drop) if rule.opt_out), None)
        return Won(asking is not None, asking.source if asking else None)

    @cached_property
    def consent_age_s(self) -> Won[float]:
        """The age from which on a consent counts no more; inf: never."""
        ages = [(rule.consent_age_s, rule.source) for rule in self.bases if rule.consent_age_s is not None]
        shortest = min(ages, key=lambda pair: pair[0], default=None)
        return Won(*shortest) if shortest else Won(float("inf"), None)

    def _all(self, kind: type[R]) -> tuple[R, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule, kind))


@dataclass(frozen=True)
class Law:
    """What the packs of one campaign ask together."""

    packs: tuple[RulePack, ...]
    purpose: Purpose
    mode: Mode

    def covers(self, country: str) -> bool:
        """Whether any pack is for numbers of this country: without one, nobody there is dialed."""
        return any(not pack.countries or country in pack.countries for pack in self.packs)

    def at(self, party: Party) -> Terms:
        """What holds for one number."""
        return Terms(tuple(rule for countries, rule in self._rules if _reaches(countries, rule, party)))

    @cached_property
    def overall(self) -> Terms:
        """Every rule, wherever it holds: what is counted per campaign."""
        return Terms(tuple(rule for _, rule in self._rules))

    def contradictions(self) -> list[str]:
        """Why a campaign under this law could never work, in words."""
        found = []
        if self.overall.abandonment and not self.overall.drop_actions.value:
            narrowest = self.overall.drop_actions.source
            found.append(f"the packs agree on nothing that may be done with an abandoned call ({narrowest})")
        if not self.packs:
            found.append("no rule pack is named: a campaign dials under at least one")
        return found

    @cached_property
    def _rules(self) -> tuple[tuple[frozenset[str], Rule], ...]:
        return tuple(
            (pack.countries, rule)
            for pack in self.packs
            for rule in pack.rules
            if rule.scope.serves(self.purpose, self.mode)
        )


def strictest(packs: Iterable[RulePack], purpose: Purpose, mode: Mode) -> Law:
    """The law of a campaign. A pack named twice counts once."""
    return Law(tuple({pack.pack: pack for pack in packs}.values()), purpose, mode)


def _reaches(countries: frozenset[str], rule: Rule, party: Party) -> bool:
    return (not countries or party.country in countries) and rule.scope.reaches(party)
