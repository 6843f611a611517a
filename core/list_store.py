"""Where lists are kept, as those who import and export them see it. `store.sql` and the in-memory fake implement it.

An import is a job. Its leads come in batches, each with the job's progress in one transaction; none is dialed before
the job has finished (`release`). So a job that was killed goes on where it stopped, and one that was wrong is undone:

    RUNNING --every row taken, released--> FINISHED
       | cancel          | fail                | undo
       v                 v                     v
    CANCELLED --resume--> RUNNING          UNDONE   (CANCELLED and FAILED can be undone or resumed as well)
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import field
from enum import Enum
from typing import Protocol

from core.dialing import NumberListed
from core.errors import CentralitaError
from core.frozen import dataclass
from core.lead_record import AttemptRecord, LeadRecord


class ImportState(Enum):
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNDONE = "undone"


class ImportStopped(CentralitaError):
    """The job is not (or not any more) this worker's: it was cancelled, undone, or resumed by somebody else."""


class ListBusy(CentralitaError):
    """Another import into that list is at work: wait for it, cancel it, or resume it."""


def lead_id_of(job_id: str, row: int) -> str:
    """The lead that a job makes of a row of its file: the same each time the row is read. In the order of rows, in any
    collation, as long as job ids are of one length, in lower case letters and digits."""
    return f"{job_id}{row:08d}"


@dataclass(frozen=True, slots=True)
class ImportTally:
    """Rows by what became of them: each is one of the first five. `blocked`: leads on a do-not-call list; `national`:
    on a register; `left_out`: numbers that were refused in rows that were taken."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    duplicates: int = 0
    rejected: int = 0
    blocked: int = 0
    national: int = 0
    left_out: int = 0

    def __add__(self, other: ImportTally) -> ImportTally:
        return ImportTally(
            self.added + other.added,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
            self.duplicates + other.duplicates,
            self.rejected + other.rejected,
            self.blocked + other.blocked,
            self.national + other.national,
            self.left_out + other.left_out,
        )

    @property
    def rows(self) -> int:
        return self.added + self.updated + self.unchanged + self.duplicates + self.rejected


@dataclass(frozen=True, slots=True)
class ImportJob:
    """`worker`: who is at it; a batch of anybody else is refused. `source`: the file; `fingerprint`: of its content.
    `settings`: JSON, for a resume. `rows`: the last row of the file that is taken; `position`, `size`: bytes read, of
    how many. `rejects_bytes`: how much of the file of rejected rows is certain. `released`: leads free for dialing."""

    job_id: str
    tenant: str
    list_id: str
    source: str = ""
    fingerprint: str = ""
    settings: str = "{}"
    worker: str = ""
    state: ImportState = ImportState.RUNNING
    rows: int = 0
    position: int = 0
    size: int = 0
    rejects_bytes: int = 0
    released: int = 0
    tally: ImportTally = field(default_factory=ImportTally)
    started_s: float = 0.0
    touched_s: float = 0.0
    finished_s: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class LeadList:
    """`campaign`: whose it is, empty while nobody has said."""

    tenant: str
    list_id: str
    campaign: str = ""
    created_s: float = 0.0
    changed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class KnownLead:
    """A lead that stands in a list already, found by one of the numbers or the external id that were asked for."""

    record: LeadRecord
    found_by: str


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """Rows `rows_before` < row <= `rows`. `added`: their ids are `lead_id_of` the job and their row. `changed`: what is
    there already, before and after; of the record only what a list says is written, never its state, its attempts, or
    whose callback it is."""

    job_id: str
    worker: str
    rows_before: int
    rows: int
    position: int
    rejects_bytes: int
    tally: ImportTally
    now_s: float
    added: tuple[LeadRecord, ...] = ()
    changed: tuple[tuple[LeadRecord, LeadRecord], ...] = ()


class ListStore(Protocol):
    """Every method may raise `StoreUnavailable`; nothing has then changed."""

    async def open_job(self, job: ImportJob, campaign: str = "", alive_s: float = 30.0) -> ImportJob:
        """Makes the list, if it is new, and the job.

        Raises:
            ListBusy: another job of the list is running and was touched within `alive_s` before `job.started_s`.
        """
        ...

    async def resume_job(self, tenant: str, job_id: str, worker: str, now_s: float) -> ImportJob:
        """Takes the job over, whoever had it. Raises ImportStopped: there is none that could go on."""
        ...

    async def known(
        self, tenant: str, numbers: Collection[str], external_ids: Collection[str], list_id: str = ""
    ) -> Sequence[KnownLead]:
        """The leads with one of these numbers, or external ids; of one list, or of all of the tenant's."""
        ...

    async def take(self, batch: ImportBatch) -> ImportJob:
        """Keeps a batch and the job's progress in one transaction. Raises ImportStopped."""
        ...

    async def release(self, tenant: str, job_id: str, worker: str, most: int, now_s: float) -> bool:
        """Lets up to `most` more leads of the job be dialed; False when there are none left. Raises ImportStopped."""
        ...

    async def end_job(self, tenant: str, job_id: str, state: ImportState, now_s: float, why: str = "") -> ImportJob:
        """Raises ImportStopped: there is no such job, or it is in no state from which it can go there."""
        ...

    async def undo(self, tenant: str, job_id: str, most: int) -> int:
        """Takes back up to `most` leads of an UNDONE job: what it added and nobody has dialed goes, what it changed is
        as before, unless a later import changed it too. 0: all is done."""
        ...

    async def job(self, tenant: str, job_id: str) -> ImportJob | None: ...

    async def jobs(self, tenant: str, list_id: str = "") -> Sequence[ImportJob]:
        """The newest first; of one list, or of all."""
        ...

    async def lists(self, tenant: str) -> Sequence[LeadList]: ...

    async def delete_leads(self, tenant: str, list_id: str, most: int) -> int:
        """Up to `most` leads that nobody has in hand; attempts stay, they are evidence. 0: none are left to delete."""
        ...

    async def delete_list(self, tenant: str, list_id: str) -> bool:
        """Forgets a list without leads, and its jobs. False: it still has some."""
        ...

    def leads(self, tenant: str, list_id: str) -> AsyncIterator[LeadRecord]:
        """All leads of a list, in no order, in bounded memory."""
        ...

    def attempts(
        self, tenant: str, campaign: str = "", list_id: str = "", since_s: float = 0.0
    ) -> AsyncIterator[AttemptRecord]:
        """By the time they were dialed."""
        ...

    async def put_listed(self, numbers: Sequence[NumberListed], now_s: float) -> int:
        """Lists numbers, or unlists them, and settles whom that concerns. Returns how many changed."""
        ...

    async def listed_among(self, tenant: str, numbers: Collection[str], campaign: str = "") -> Collection[str]:
        """Which of them are on the tenant's list, or this campaign's."""
        ...
