"""Lists and their imports in memory: `core.list_store.ListStore` over the leads of `dialer.memory_store`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace

from core.dialing import NumberListed
from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadRecord
from core.list_store import ImportBatch, ImportJob, ImportState, ImportStopped, KnownLead, LeadList, ListBusy
from dialer.memory_store import KeptLead, Key, MemoryLeadStore, with_progress

_RESUMABLE = (ImportState.RUNNING, ImportState.CANCELLED, ImportState.FAILED)
_UNDOABLE = (*_RESUMABLE, ImportState.FINISHED, ImportState.UNDONE)
_UNTOUCHED = (LeadState.NEW, LeadState.WAITING, LeadState.BLOCKED)
_IN_HAND = (LeadState.STAGED, LeadState.DIALING)


class MemoryListStore(MemoryLeadStore):
    def __init__(self) -> None:
        super().__init__()
        self._lists: dict[Key, LeadList] = {}
        self._jobs: dict[Key, ImportJob] = {}
        self._before: dict[Key, dict[str, tuple[LeadRecord, str]]] = {}
        """Of each job: what it changed, as it was, and which import had written that."""

    async def open_job(self, job: ImportJob, campaign: str = "", alive_s: float = 30.0) -> ImportJob:
        self.answer()
        for other in self._jobs.values():
            alive = other.state is ImportState.RUNNING and other.touched_s >= job.started_s - alive_s
            if alive and (other.tenant, other.list_id) == (job.tenant, job.list_id):
                raise ListBusy(f"the import {other.job_id} into {job.list_id} is at work: wait for it, or cancel it")
        place = job.tenant, job.list_id
        made = self._lists.get(place) or LeadList(*place, created_s=job.started_s, changed_s=job.started_s)
        self._lists[place] = replace(made, campaign=campaign or made.campaign)
        opened = replace(job, touched_s=job.started_s)
        self._jobs[job.tenant, job.job_id] = opened
        return opened

    async def resume_job(self, tenant: str, job_id: str, worker: str, now_s: float) -> ImportJob:
        self.answer()
        job = self._jobs.get((tenant, job_id))
        if job is None or job.state not in _RESUMABLE:
            raise ImportStopped(f"the import {job_id} is {job.state.value if job else 'not known'}: it cannot go on")
        return self._set(
            replace(job, state=ImportState.RUNNING, worker=worker, touched_s=now_s, finished_s=None, why="")
        )

    async def known(
        self, tenant: str, numbers: Collection[str], external_ids: Collection[str], list_id: str = ""
    ) -> Sequence[KnownLead]:
        self.answer()
        found = []
        for (owner, _), kept in self.kept.leads.items():
            record = kept.record
            if owner != tenant or (list_id and record.list_id != list_id):
                continue
            if record.external_id and record.external_id in external_ids:
                found.append(KnownLead(record, "external_id"))
            elif any(each.number in numbers for each in record.numbers):
                found.append(KnownLead(record, "number"))
        return found

    async def take(self, batch: ImportBatch) -> ImportJob:
        self.answer()
        job = self._mine(batch.job_id, batch.worker)
        if job.rows != batch.rows_before:
            raise ImportStopped(f"the import {job.job_id} is at row {job.rows}, not {batch.rows_before}")
        for record in batch.added:
            new = record.state is LeadState.NEW
            held = replace(record, reason="importing") if new else record
            self.kept.leads[record.tenant, record.lead_id] = KeptLead(held, job_id=batch.job_id, released=not new)
        for before, after in batch.changed:
            kept = self.kept.leads.get((before.tenant, before.lead_id))
            if kept is not None:
                if kept.job_id != batch.job_id:
                    mine = self._before.setdefault((job.tenant, job.job_id), {})
                    mine.setdefault(before.lead_id, (before, kept.job_id))
                kept.record, kept.job_id = with_progress(after, kept.record), batch.job_id
        return self._set(
            replace(
                job,
                rows=batch.rows,
                position=batch.position,
                rejects_bytes=batch.rejects_bytes,
                tally=job.tally + batch.tally,
                touched_s=batch.now_s,
            )
        )

    async def release(self, tenant: str, job_id: str, worker: str, most: int, now_s: float) -> bool:
        self.answer()
        job = self._mine(job_id, worker)
        held = [
            kept
            for (owner, _), kept in sorted(self.kept.leads.items())
            if owner == tenant and kept.record.lead_id.startswith(job_id) and not kept.released
        ][:most]
        for kept in held:
            kept.released = True
            kept.record = replace(kept.record, reason="")
        self._set(replace(job, released=job.released + len(held), touched_s=now_s))
        return bool(held)

    async def end_job(self, tenant: str, job_id: str, state: ImportState, now_s: float, why: str = "") -> ImportJob:
        self.answer()
        job = self._jobs.get((tenant, job_id))
        if job is None or job.state not in (_UNDOABLE if state is ImportState.UNDONE else (ImportState.RUNNING,)):
            raise ImportStopped(
                f"the import {job_id} is {job.state.value if job else 'not known'}: it cannot be {state.value} now"
            )
        place = tenant, job.list_id
        self._lists[place] = replace(self._lists[place], changed_s=now_s)
        return self._set(replace(job, state=state, worker="", finished_s=now_s, why=why))

    async def undo(self, tenant: str, job_id: str, most: int) -> int:
        self.answer()
        job = self._jobs.get((tenant, job_id))
        if job is None or job.state is not ImportState.UNDONE:
            raise ImportStopped(f"the import {job_id} is not undone: say so first")
        gone = [
            place
            for place, kept in self.kept.leads.items()
            if place[0] == tenant
            and kept.job_id == job_id
            and kept.record.lead_id.startswith(job_id)
            and kept.record.attempts == 0
            and kept.record.state in _UNTOUCHED
        ][:most]
        for place in gone:
            del self.kept.leads[place]
        if gone:
            return len(gone)
        changed = self._before.get((tenant, job_id), {})
        back = list(changed.items())[:most]
        for lead_id, (before, wrote) in back:
            kept = self.kept.leads.get((tenant, lead_id))
            if kept is not None and kept.job_id == job_id:
                kept.record, kept.job_id = with_progress(before, kept.record), wrote
            del changed[lead_id]
        return len(back)

    async def job(self, tenant: str, job_id: str) -> ImportJob | None:
        self.answer()
        return self._jobs.get((tenant, job_id))

    async def jobs(self, tenant: str, list_id: str = "") -> Sequence[ImportJob]:
        self.answer()
        mine = [job for job in self._jobs.values() if job.tenant == tenant and list_id in ("", job.list_id)]
        return sorted(mine, key=lambda job: (job.started_s, job.job_id), reverse=True)

    async def lists(self, tenant: str) -> Sequence[LeadList]:
        self.answer()
        return sorted((each for each in self._lists.values() if each.tenant == tenant), key=lambda each: each.list_id)

    async def delete_leads(self, tenant: str, list_id: str, most: int) -> int:
        self.answer()
        gone = [
            (tenant, kept.record.lead_id) for kept in self._of(tenant, [list_id]) if kept.record.state not in _IN_HAND
        ][:most]
        for place in gone:
            del self.kept.leads[place]
        return len(gone)

    async def delete_list(self, tenant: str, list_id: str) -> bool:
        self.answer()
        if any(True for _ in self._of(tenant, [list_id])):
            return False
        self._lists.pop((tenant, list_id), None)
        self._jobs = {place: job for place, job in self._jobs.items() if (job.tenant, job.list_id) != (tenant, list_id)}
        return True

    async def leads(self, tenant: str, list_id: str) -> AsyncIterator[LeadRecord]:
        self.answer()
        for record in sorted((kept.record for kept in self._of(tenant, [list_id])), key=lambda each: each.lead_id):
            yield record

    async def attempts(
        self, tenant: str, campaign: str = "", list_id: str = "", since_s: float = 0.0
    ) -> AsyncIterator[AttemptRecord]:
        self.answer()
        mine = [
            kept.record
            for (owner, _), kept in self.kept.attempts.items()
            if owner == tenant
            and campaign in ("", kept.record.campaign)
            and list_id in ("", kept.record.list_id)
            and kept.record.dialed_s >= since_s
        ]
        for record in sorted(mine, key=lambda each: (each.campaign, each.dialed_s, each.attempt_id)):
            yield record

    async def put_listed(self, numbers: Sequence[NumberListed], now_s: float) -> int:
        self.answer()
        changed = 0
        for said in numbers:
            before = self.kept.listed.get((said.tenant, said.campaign, said.called))
            if said.listed is not (before is not None and before.said.listed):
                serial = max(int(now_s * 1000), before.serial + 1 if before else 0)
                changed += self.list_number(said, serial)
        return changed

    async def listed_among(self, tenant: str, numbers: Collection[str], campaign: str = "") -> Collection[str]:
        self.answer()
        return frozenset(
            number
            for number in numbers
            for level in {"", campaign}
            if (kept := self.kept.listed.get((tenant, level, number))) is not None and kept.said.listed
        )

    def _mine(self, job_id: str, worker: str) -> ImportJob:
        job = next((job for job in self._jobs.values() if job.job_id == job_id), None)
        if job is None or job.state is not ImportState.RUNNING or job.worker != worker:
            raise ImportStopped(f"the import {job_id} is {job.state.value if job else 'gone'}, or another's")
        return job

    def _set(self, job: ImportJob) -> ImportJob:
        self._jobs[job.tenant, job.job_id] = job
        return job
