"""Where leads are kept between attempts. `store.sql` and the in-memory fake implement it.

A lead leaves the store by `stage`, which marks it: nobody else gets it until `save` or `unstage` says how it went on.
Saving is idempotent: what carries a serial that is not newer than the one kept changes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Protocol

from core.dialing import LeadsSaved, LeadsStaged, NumberListed
from core.frozen import dataclass
from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadRecord, StagedLead


@dataclass(frozen=True, slots=True)
class ListShare:
    """A list of a campaign; leads are taken from its lists in proportion to their `weight`."""

    list_id: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Staging:
    """`count` more leads for the hopper of a campaign. `zones_open`: the time zones in which it may call now; None: do
    not ask. `history_s`: how far back the law looks. `law_id`: of new rules, empty when they are as before: leads
    that a rule has put off, blocked or given up (`core.lead_record.BY_RULE`) may then be taken and asked again.
    `promised`: nobody but those whose promised call is due."""

    tenant: str
    campaign: str
    lists: tuple[ListShare, ...]
    count: int
    now_s: float
    zones_open: tuple[str, ...] | None = None
    history_s: float = 0.0
    law_id: str = ""
    promised: bool = False


ASLEEP_S = 60.0
"""Promised calls that are due where nobody may be called now are asked for again after this."""
FREED = {
    LeadState.WAITING: LeadState.WAITING,
    LeadState.BLOCKED: LeadState.WAITING,
    LeadState.EXHAUSTED: LeadState.NEW,
}
"""What becomes of leads whose rule is not there any more: `unblock` and `reopen` of `LEAD_TABLE`."""


@dataclass(frozen=True, slots=True)
class Save:
    """What has to be kept. `id`: the row of the journal that can go afterwards (`lead:…`, `attempt:…`, `dnc:…`);
    `serial` grows with each change of that row."""

    id: str
    serial: int
    lead: LeadRecord | None = None
    attempt: AttemptRecord | None = None
    listed: NumberListed | None = None


class LeadStore(Protocol):
    """Every method may raise `StoreUnavailable` (core/errors.py); nothing has then changed."""

    async def stage(self, wanted: Staging) -> LeadsStaged:
        """Callbacks that are due first, then by priority, list mix and rank. Only `state` changes: a callback is still
        known by its `reason` (`callback`), `not_before_s` and `agent_id`. Never at the same time as `save`: what is
        read here and what the dialer still holds have to fit each other."""
        ...

    async def unstage(self, tenant: str, lead_ids: Collection[str]) -> None: ...

    async def unstage_unknown(self, known: Collection[tuple[str, str]]) -> int:
        """At a start: every lead marked as staged or dialing that is not among (tenant, lead_id) `known` waits again.
        Returns how many there were."""
        ...

    async def save(self, saves: Sequence[Save]) -> LeadsSaved:
        """In one transaction. Whom a new word about a number concerns is settled with it (`core.listed_leads`)."""
        ...

    async def lead(self, tenant: str, lead_id: str, since_s: float) -> StagedLead | None:
        """With its history from `since_s` on."""
        ...

    async def by_number(self, tenant: str, number: str, since_s: float) -> Sequence[StagedLead]:
        """Every lead that has this number, in any list."""
        ...

    async def counts(self, tenant: str, list_ids: Collection[str]) -> Mapping[LeadState, int]: ...

    async def zones(self, tenant: str, list_ids: Collection[str]) -> Sequence[str]:
        """The time zones its leads are in; there may be some more than those of leads that can be dialed now."""
        ...

    def listed(self) -> AsyncIterator[NumberListed]:
        """Every number on a list of a tenant or a campaign."""
        ...
