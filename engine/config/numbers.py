"""Which flow answers which dialled number. Pure.

The most exact entry wins: the number itself, then the smallest range that holds it, then the default of the
entry's tenant, then the site's. Nobody who reaches us hears silence. What is said counts first; where nothing holds
that, all forms of one public number are one, for one carrier writes `+34911234567` and the next `911234567`.

Public numbers are one tenant's. Others (`100`, `*45`) each tenant may have for itself, and whoever comes over its
phones and trunks gets its own. A feature code that a tenant lacks is the main tenant's flow on that tenant's behalf:
an agent of any tenant logs in with `*45`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    flow_tenant: str = ""
    """Whose the flows and the calendar are; empty: `tenant`'s own."""

    @property
    def flows_of(self) -> str:
        return self.flow_tenant or self.tenant


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
    `entry_tenants`: trunk or device -> tenant. `country`: how national numbers are read. `own`: (tenant, digits) ->
    route, of those numbers in `exact` that are not public, for whoever comes over something of that tenant's."""

    exact: Mapping[str, Route]
    ranges: Sequence[NumberRange]
    defaults: Mapping[str, Route]
    entry_tenants: Mapping[str, str] = field(default_factory=dict)
    country: str = ""
    own: Mapping[tuple[str, str], Route] = field(default_factory=dict)
    _public: Mapping[str, Route] = field(init=False, repr=False, compare=False)
    """E.164, without `+` -> what `exact` has in another form."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_public", {self._e164(digits): route for digits, route in self.exact.items()})

    def exactly(self, called: str) -> Route | None:
        """Whose number this is, ranges and defaults apart."""
        public = self._e164(called)
        return self.exact.get(called.lstrip("+")) or self.exact.get(public) or self._public.get(public)

    def tenant_of(self, entry: str) -> str:
        """Whose trunk or device it is; of one nobody knows, the main tenant's."""
        return self.entry_tenants.get(entry, "main")

    def route(self, called: str, entry: str) -> Route:
        tenant = self.tenant_of(entry)
        found = self.own.get((tenant, called)) or self.exactly(called) or self._in_range(called, tenant)
        if found is None:
            return self.defaults.get(tenant) or self.defaults["main"]
        if found.tenant != tenant and is_feature_code(called):
            return replace(found, tenant=tenant, flow_tenant=found.tenant)
        return found

    def _in_range(self, called: str, tenant: str) -> Route | None:
        for digits in (called.lstrip("+"), self._e164(called)):
            if digits.lstrip("*#").isdigit():
                holding = [candidate for candidate in self.ranges if candidate.holds(digits)]
                if is_feature_code(called):
                    holding = [each for each in holding if each.route.tenant == tenant] or holding
                if holding:
                    return min(holding, key=lambda candidate: (candidate.size, candidate.first)).route
        return None

    def _e164(self, called: str) -> str:
        """Without `+`, as the plan's own digits are. Feature codes stay what they are."""
        return e164(called, self.country).lstrip("+") if called.lstrip("+").isdigit() else called


def is_feature_code(called: str) -> bool:
    """What only phones dial."""
    return called.startswith(("*", "#"))
