"""Which flow answers which dialled number. Pure.

The most exact entry wins: the number itself, then the smallest range that holds it, then the default of the
entry's tenant, then the site's. Nobody who reaches us hears silence. What is said counts first; where nothing holds
that, all forms of one public number are one, for one carrier writes `+34911234567` and the next `911234567`.

Public numbers are one tenant's, and anybody calls them. Others (`100`, `*45`) each tenant may have for itself: whoever
comes over its phones and trunks gets its own, and no other tenant's. Two things are shared: over a carrier of the main
tenant a short number reaches the one tenant that has it; and a feature code that a tenant lacks is the main tenant's
flow on that tenant's behalf, as long as that works agents' phones and nothing else: an agent of any tenant logs in with
`*45`, and none throws another tenant's switch. What one has, a range too, comes before what is shared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.config.public_number import e164

MAIN = "main"


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
    is_private: bool = False
    """Its flow does more than work an agent's phone: as a feature code it is its own tenant's alone."""

    @property
    def flows_of(self) -> str:
        return self.flow_tenant or self.tenant

    def on_behalf_of(self, tenant: str) -> Route:
        """The same flow for another tenant, which shows numbers of its own when it calls out."""
        if tenant == self.tenant:
            return self
        return replace(self, tenant=tenant, flow_tenant=self.flows_of, identity="")


@dataclass(frozen=True, slots=True)
class NumberRange:
    """From `first` to `last`, both included, of equal length; digits, with or without a leading `+`, or behind the
    same feature code (`*46`)."""

    first: str
    last: str
    route: Route
    is_own: bool = False
    """No public numbers: its tenant's."""

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
    route, of those numbers that are not public, for whoever comes over something of that tenant's; in `exact` are those
    of them that one tenant alone has, or the main one. `trunks`: those in `entry_tenants` that are no phones."""

    exact: Mapping[str, Route]
    ranges: Sequence[NumberRange]
    defaults: Mapping[str, Route]
    entry_tenants: Mapping[str, str] = field(default_factory=dict)
    country: str = ""
    own: Mapping[tuple[str, str], Route] = field(default_factory=dict)
    trunks: frozenset[str] = frozenset()
    _public: Mapping[str, str] = field(init=False, repr=False, compare=False)
    """E.164, without `+` -> what `exact` has in another form."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_public", {self._e164(digits): digits for digits in self.exact})

    def exactly(self, called: str, tenant: str) -> Route | None:
        """Whose number this is for who belongs to `tenant`, apart from ranges, defaults and what tenants share."""
        for digits in self._forms(called):
            if found := self.own.get((tenant, digits)):
                return found
            found = self.exact.get(digits)
            if found is not None and (found.tenant, digits) not in self.own:
                return found
        return None

    def tenant_of(self, entry: str) -> str:
        """Whose trunk or device it is; of one nobody knows, the main tenant's."""
        return self.entry_tenants.get(entry, MAIN)

    def route(self, called: str, entry: str) -> Route:
        tenant = self.tenant_of(entry)
        by_carrier = tenant == MAIN and (entry in self.trunks or entry not in self.entry_tenants)
        found = self.exactly(called, tenant) or self._in_range(called, tenant) or self._shared(called, by_carrier)
        if found is None:
            return self.defaults.get(tenant) or self.defaults[MAIN]
        if found.tenant != tenant and is_feature_code(called):
            return found.on_behalf_of(tenant)
        return found

    def _in_range(self, called: str, tenant: str) -> Route | None:
        for digits in (called.lstrip("+"), self._e164(called)):
            holding = [each for each in self._holding(digits) if not each.is_own or each.route.tenant == tenant]
            if holding:
                return _smallest(holding)
        return None

    def _shared(self, called: str, by_carrier: bool) -> Route | None:
        """What is another tenant's and no public number. `by_carrier`: over a carrier that tenants share."""
        for digits in self._forms(called):
            found = self.exact.get(digits)
            if found is not None and _is_shared(found, digits, by_carrier):
                return found
        for digits in (called.lstrip("+"), self._e164(called)):
            holding = [each for each in self._holding(digits) if _is_shared(each.route, digits, by_carrier)]
            if len({each.route.tenant for each in holding}) == 1:
                return _smallest(holding)
        return None

    def _forms(self, called: str) -> tuple[str, str, str]:
        """As the plan may have it: as it was said, as E.164, and whatever has that E.164. All without `+`."""
        public = self._e164(called)
        return called.lstrip("+"), public, self._public.get(public, public)

    def _holding(self, digits: str) -> list[NumberRange]:
        return [each for each in self.ranges if each.holds(digits)] if digits.lstrip("*#").isdigit() else []

    def _e164(self, called: str) -> str:
        """Without `+`, as the plan's own digits are. Feature codes stay what they are."""
        digits = called.lstrip("+")
        return e164(called, self.country).lstrip("+") if digits.isdigit() else digits


def _smallest(ranges: Sequence[NumberRange]) -> Route:
    return min(ranges, key=lambda each: (each.size, each.first)).route


def is_feature_code(called: str) -> bool:
    """What only phones dial."""
    return called.lstrip("+").startswith(("*", "#"))


def _is_shared(route: Route, called: str, by_carrier: bool) -> bool:
    """Whether other tenants reach a number that is not public."""
    if is_feature_code(called):
        return route.tenant == MAIN and not route.is_private
    return by_carrier
