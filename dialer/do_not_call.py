"""Every do-not-call list at hand: the tenants', the campaigns', the registers'. A value; words of people lie over it.

book = DoNotCallBook(tenants={"main": DoNotCall("main", "tenant", now_s, NumberSet(…))}, national={…}, built_s=now_s)
book.of("main", "renewals")         what `may_dial` asks of one campaign
book.heard(NumberListed(…), now_s)  the book with one more word, at once
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from core.dialing import NumberListed
from dialer.dnc import DoNotCall
from dialer.setup import Key


@dataclass(frozen=True)
class DoNotCallBook:
    """`built_s`: when the reading of the lists began; what was heard later is to be said to the new book again."""

    tenants: Mapping[str, DoNotCall] = field(default_factory=dict)
    campaigns: Mapping[Key, DoNotCall] = field(default_factory=dict)
    national: Mapping[str, DoNotCall] = field(default_factory=dict)
    built_s: float = 0.0

    def of(self, tenant: str, campaign: str) -> tuple[DoNotCall, ...]:
        """Every list that matters to a campaign."""
        own = (self.tenants.get(tenant), self.campaigns.get((tenant, campaign)))
        return (*(one for one in own if one is not None), *self.national.values())

    def lists(self, tenant: str, campaign: str, number: str) -> str:
        """The list of ours that has this number; empty: none."""
        for one in (self.tenants.get(tenant), self.campaigns.get((tenant, campaign))):
            if one is not None and number in one:
                return one.name
        return ""

    def heard(self, fact: NumberListed, now_s: float) -> DoNotCallBook:
        """The book after somebody said so.

        Raises:
            ValueError: the number is not E.164.
        """
        if fact.campaign:
            key = (fact.tenant, fact.campaign)
            mine = self.campaigns.get(key) or DoNotCall(f"{fact.tenant}/{fact.campaign}", "campaign", now_s)
            return replace(self, campaigns={**self.campaigns, key: _said(mine, fact)})
        mine = self.tenants.get(fact.tenant) or DoNotCall(fact.tenant, "tenant", now_s)
        return replace(self, tenants={**self.tenants, fact.tenant: _said(mine, fact)})


def _said(mine: DoNotCall, fact: NumberListed) -> DoNotCall:
    return mine.with_number(fact.called) if fact.listed else mine.without(fact.called)
