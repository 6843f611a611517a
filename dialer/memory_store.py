"""Lists and leads in memory: the ports `LeadStore` and `ListStore` without a database, for tests and simulations.

It holds to the same contract as SQL (tests/contract/test_lead_store.py); only nothing survives it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from core.dialing import LeadsSaved, LeadsStaged, NumberListed
from core.errors import StoreUnavailable
from core.lead import LeadState
from core.lead_record import BY_RULE, AttemptRecord, LeadNumber, LeadRecord, StagedLead
from core.lead_store import ASLEEP_S, FREED, Save, Staging
from core.list_mix import ListMix, Place, open_places
from core.listed_leads import after_word

_IN_HAND = (LeadState.STAGED, LeadState.DIALING)
_AWAKE = (LeadState.NEW, LeadState.WAITING)
Key = tuple[str, str]


@dataclass(slots=True)
class KeptLead:
    """`job_id`: the import that wrote it last; `released`: whether that import lets it be dialed."""

    record: LeadRecord
    serial: int = 0
    staged_from: LeadState = LeadState.NEW
    job_id: str = ""
    released: bool = True


@dataclass(slots=True)
class KeptAttempt:
    record: AttemptRecord
    serial: int = 0


@dataclass(slots=True)
class KeptNumber:
    said: NumberListed
    serial: int = 0


@dataclass(slots=True)
class Kept:
    """Everything there is, by tenant and id."""

    leads: dict[Key, KeptLead] = field(default_factory=dict)
    attempts: dict[Key, KeptAttempt] = field(default_factory=dict)
    listed: dict[tuple[str, str, str], KeptNumber] = field(default_factory=dict)


class MemoryLeadStore:
    """`away`: set it to a reason, and everything raises StoreUnavailable."""

    def __init__(self) -> None:
        self.kept = Kept()
        self.away = ""
        self._mix = ListMix()

    def answer(self) -> None:
        """Raises StoreUnavailable."""
        if self.away:
            raise StoreUnavailable(self.away)

    async def stage(self, wanted: Staging) -> LeadsStaged:
        self.answer()
        if wanted.count <= 0 or not wanted.lists:
            return self._answered(wanted, (), False)
        names = [share.list_id for share in wanted.lists]
        if wanted.law_id:
            self._free(wanted.tenant, names)
        opened: dict[str, dict[str, int]] = {
            name: open_places(self._zone_keys(wanted.tenant, [name]), wanted.zones_open) for name in names
        }
        callbacks: list[tuple[float, str]] = []
        places: dict[str, list[Place]] = {name: [] for name in names}
        for each in self._of(wanted.tenant, names):
            record = each.record
            zone = opened[record.list_id].get(record.zone)
            if zone is None or not each.released or record.not_before_s > wanted.now_s:
                continue
            if record.state is LeadState.CALLBACK:
                callbacks.append((record.not_before_s, record.lead_id))
            elif record.state in _AWAKE and not wanted.promised:
                places[record.list_id].append(Place(-record.priority, record.rank, zone, record.lead_id))
        chosen = [lead_id for _, lead_id in sorted(callbacks)]
        more = len(chosen) + sum(map(len, places.values())) > wanted.count
        chosen = chosen[: wanted.count]
        in_order = {name: sorted(of_list) for name, of_list in places.items()}
        campaign = (wanted.tenant, wanted.campaign)
        chosen += self._mix.choose(campaign, wanted.lists, in_order, wanted.count - len(chosen))
        for lead_id in chosen:
            kept = self.kept.leads[wanted.tenant, lead_id]
            kept.staged_from = kept.record.state
            kept.record = replace(kept.record, state=LeadState.STAGED)
        staged = tuple(self._staged(wanted.tenant, lead_id, wanted.now_s - wanted.history_s) for lead_id in chosen)
        return self._answered(wanted, staged, more)

    def _answered(self, wanted: Staging, staged: tuple[StagedLead, ...], more: bool) -> LeadsStaged:
        return LeadsStaged(
            wanted.tenant,
            wanted.campaign,
            staged,
            more,
            self._next_due_s(wanted, (*_AWAKE, LeadState.CALLBACK)),
            law_id=wanted.law_id,
            callback_s=self._callback_s(wanted),
            promised=wanted.promised,
            asked_s=wanted.now_s,
        )

    def _callback_s(self, wanted: Staging) -> float:
        next_s = self._next_due_s(wanted, (LeadState.CALLBACK,))
        waiting = (each for each in self._of(wanted.tenant, [share.list_id for share in wanted.lists]) if each.released)
        asleep = any(
            each.record.state is LeadState.CALLBACK and each.record.not_before_s <= wanted.now_s for each in waiting
        )
        return min(at_s for at_s in (next_s, wanted.now_s + ASLEEP_S) if at_s) if asleep else next_s

    def _free(self, tenant: str, names: Collection[str]) -> None:
        for each in self._of(tenant, names):
            state = FREED.get(each.record.state)
            if state is not None and each.record.reason.startswith(BY_RULE):
                each.record = replace(each.record, state=state, not_before_s=0.0)

    async def unstage(self, tenant: str, lead_ids: Collection[str]) -> None:
        self.answer()
        self._unstage((tenant, lead_id) for lead_id in lead_ids)

    async def unstage_unknown(self, known: Collection[Key]) -> int:
        self.answer()
        ours = set(known)
        lost = [key for key, kept in self.kept.leads.items() if kept.record.state in _IN_HAND and key not in ours]
        self._unstage(lost)
        return len(lost)

    async def save(self, saves: Sequence[Save]) -> LeadsSaved:
        self.answer()
        for each in saves:
            if each.lead is not None:
                self._save_lead(each.lead, each.serial)
            if each.attempt is not None:
                place = each.attempt.tenant, each.attempt.attempt_id
                before = self.kept.attempts.get(place)
                if before is None or each.serial > before.serial:
                    self.kept.attempts[place] = KeptAttempt(each.attempt, each.serial)
            if each.listed is not None:
                self.list_number(each.listed, each.serial)
        return LeadsSaved(tuple((each.id, each.serial) for each in saves))

    async def lead(self, tenant: str, lead_id: str, since_s: float) -> StagedLead | None:
        self.answer()
        return self._staged(tenant, lead_id, since_s) if (tenant, lead_id) in self.kept.leads else None

    async def by_number(self, tenant: str, number: str, since_s: float) -> Sequence[StagedLead]:
        self.answer()
        return tuple(
            self._staged(tenant, kept.record.lead_id, since_s)
            for (owner, _), kept in self.kept.leads.items()
            if owner == tenant and any(each.number == number for each in kept.record.numbers)
        )

    async def counts(self, tenant: str, list_ids: Collection[str]) -> Mapping[LeadState, int]:
        self.answer()
        return Counter(kept.record.state for kept in self._of(tenant, list_ids))

    async def zones(self, tenant: str, list_ids: Collection[str]) -> Sequence[str]:
        self.answer()
        return sorted({zone for key in self._zone_keys(tenant, list_ids) for zone in key.split("|") if zone})

    async def listed(self) -> AsyncIterator[NumberListed]:
        self.answer()
        for _, kept in sorted(self.kept.listed.items()):
            if kept.said.listed:
                yield kept.said

    def list_number(self, said: NumberListed, serial: int) -> bool:
        """False: something newer is known already."""
        place = said.tenant, said.campaign, said.called
        before = self.kept.listed.get(place)
        if before is not None and serial <= before.serial:
            return False
        self.kept.listed[place] = KeptNumber(replace(said, interaction_id="", lead_id=""), serial)
        for kept in self.kept.leads.values():
            record = kept.record
            if kept.released and (
                record.lead_id == said.lead_id or said.called in [one.number for one in record.numbers]
            ):
                becomes = after_word(record, said, self._listed_of(record))
                if becomes is not None:
                    kept.record = replace(record, state=becomes[0], reason=becomes[1])
        return True

    def _listed_of(self, record: LeadRecord) -> Collection[str]:
        """Which of her numbers are on her tenant's list."""
        words = {one.number: self.kept.listed.get((record.tenant, "", one.number)) for one in record.numbers}
        return [number for number, kept in words.items() if kept is not None and kept.said.listed]

    def _save_lead(self, record: LeadRecord, serial: int) -> None:
        """Of a lead that is there, only how far she is: what her list says of her is not the dialer's."""
        place = record.tenant, record.lead_id
        before = self.kept.leads.get(place)
        if before is None:
            self.kept.leads[place] = KeptLead(record, serial)
        elif serial > before.serial:
            before.record, before.serial = with_progress(before.record, record), serial

    def _unstage(self, places: Iterable[Key]) -> None:
        for place in places:
            kept = self.kept.leads.get(place)
            if kept is not None and kept.record.state in _IN_HAND:
                promised = kept.staged_from is LeadState.CALLBACK
                kept.record = replace(kept.record, state=LeadState.CALLBACK if promised else LeadState.WAITING)
                kept.staged_from = LeadState.NEW

    def _of(self, tenant: str, list_ids: Collection[str]) -> Iterable[KeptLead]:
        return (k for (owner, _), k in self.kept.leads.items() if owner == tenant and k.record.list_id in list_ids)

    def _zone_keys(self, tenant: str, list_ids: Collection[str]) -> list[str]:
        return sorted({kept.record.zone for kept in self._of(tenant, list_ids)})

    def _next_due_s(self, wanted: Staging, states: Collection[LeadState]) -> float:
        waiting = (
            kept.record.not_before_s
            for kept in self._of(wanted.tenant, [share.list_id for share in wanted.lists])
            if kept.released and kept.record.state in states
        )
        return min((at_s for at_s in waiting if at_s > wanted.now_s), default=0.0)

    def _staged(self, tenant: str, lead_id: str, since_s: float) -> StagedLead:
        record = self.kept.leads[tenant, lead_id].record
        numbers = {each.number for each in record.numbers}
        tried = (kept.record for (owner, _), kept in self.kept.attempts.items() if owner == tenant)
        known = (
            each for each in tried if each.lead_id == lead_id or (each.number in numbers and each.dialed_s >= since_s)
        )
        return StagedLead(record, tuple(sorted(known, key=lambda each: (each.dialed_s, each.attempt_id))))


def with_progress(said: LeadRecord, held: LeadRecord) -> LeadRecord:
    """What a list says of a lead, together with how far the dialer is with her."""
    tried = {each.number: each for each in held.numbers}
    numbers = tuple(
        replace(each, dead=tried[each.number].dead, attempts=tried[each.number].attempts)
        if each.number in tried
        else each
        for each in said.numbers
    )
    return replace(
        said,
        numbers=numbers,
        state=held.state,
        reason=held.reason,
        not_before_s=held.not_before_s,
        attempts=held.attempts,
        next_number=next_place(numbers, held),
        agent_id=held.agent_id,
        outcome=held.outcome,
        disposition=held.disposition,
        promise=held.promise,
    )


def next_place(numbers: Sequence[LeadNumber], held: LeadRecord) -> int:
    """Where the number that `held` would dial next stands among `numbers`; the first when it is gone, or none was
    dialed yet."""
    tried = held.next_number or held.attempts
    if not tried or not 0 <= held.next_number < len(held.numbers):
        return 0
    wanted = held.numbers[held.next_number].number
    return next((index for index, each in enumerate(numbers) if each.number == wanted), 0)
