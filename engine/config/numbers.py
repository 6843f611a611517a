"""Which flow answers which dialled number. Pure.

The most exact entry wins: the number itself, then the smallest range that holds it, then the default of the
entry's tenant, then the site's. Nobody who reaches us hears silence. What is said counts first; where nothing holds
that, all forms of one public number are one, for one carrier writes `+34911234567` and the next `911234567`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from engine.config.public_number import e164


@dataclass(frozen=True, slots=True)
class Route:
    """`rule`: why this one, for the journal. `language` empty: the flow's own first."""

    tenant: str
    flow: str
    language: str
    rule: str
    calendar: str = ""
    closed_flow: str = ""
    """Answers instead of `flow` while `calendar` is closed."""
    identity: str = ""
    """The number shown when calls out are made on behalf of this one."""
    is_default: bool = False
    """Nobody listed this number."""


@dataclass(frozen=True, slots=True)
class NumberRange:
    """From `first` to `last`, both included, of equal length; digits, with or without a leading `+`, or behind the
    same feature code (`*46`)."""

    first: str
    last: str
    route: Route

    def holds(self, digits: str) -> bool:
        first = self.first.lstrip("+")
        return len(digits) == len(first) and first <= digits <= self.last.lstrip("+")

    @property
    def size(self) -> int:
        return int(self.last.lstrip("+*#")) - int(self.first.lstrip("+*#")) + 1


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """`exact`: digits without `+` -> route. `defaults`: tenant -> route; `main` must be there.
    `entry_tenants`: trunk or device -> tenant, for numbers nobody listed. `country`: how national numbers are read."""

    exact: Mapping[str, Route]
    ranges: Sequence[NumberRange]
    defaults: Mapping[str, Route]
    entry_tenants: Mapping[str, str] = field(default_factory=dict)
    country: str = ""
    _public: Mapping[str, Route] = field(init=False, repr=False, compare=False)
    """E.164, without `+` -> what `exact` has in another form."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_public", {self._e164(digits): route for digits, route in self.exact.items()})

    def exactly(self, called: str) -> Route | None:
        """Whose number this is, ranges and defaults apart."""
        public = self._e164(called)
        return self.exact.get(called.lstrip("+")) or self.exact.get(public) or self._public.get(public)

    def route(self, called: str, entry: str) -> Route:
        if found := self.exactly(called):
            return found
        for digits in (called.lstrip("+"), self._e164(called)):
            if digits.lstrip("*#").isdigit():
                holding = [candidate for candidate in self.ranges if candidate.holds(digits)]
                if holding:
                    return min(holding, key=lambda candidate: (candidate.size, candidate.first)).route
        tenant = self.entry_tenants.get(entry, "main")
        return self.defaults.get(tenant) or self.defaults["main"]

    def _e164(self, called: str) -> str:
        """Without `+`, as the plan's own digits are. Feature codes stay what they are."""
        return e164(called, self.country).lstrip("+") if called.lstrip("+").isdigit() else called
