"""The tables of lists and leads. Apart from the projection's: they cannot be rebuilt from the journal.

    lead_lists 1--* leads          what a list says of her, and how far she is
               1--* list_zones     every time zone (or several, joined by `|`) its leads were ever in
               1--* import_jobs    1--* import_changes    what an update replaced, to undo it
    leads      1--* lead_numbers   to find her by number
               1--* attempts       evidence: they outlive their lead
    listed_numbers                 do-not-call, of a tenant (campaign empty) or a campaign

Times are UTC microseconds; ids are text, numbers E.164; `lead_numbers` has them without the plus, as integers.

The hopper asks for the first few of a list in a time zone, so `leads_ready` holds, in just that order, those that may
be taken now (`ready` 1) and nobody else. Who waits for a moment (`ready` 0, `not_before_us`) is in `leads_by_state`.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Float, Index, Text, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NOT_RELEASED_US = 1 << 62
"""`not_before_us` of a lead whose import has not finished."""


class LeadBase(DeclarativeBase):
    type_annotation_map = {int: BigInteger, str: Text, float: Float(53)}


class LeadListRow(LeadBase):
    __tablename__ = "lead_lists"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    list_id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    created_us: Mapped[int]
    changed_us: Mapped[int]


class ListZoneRow(LeadBase):
    __tablename__ = "list_zones"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: Mapped[str] = mapped_column(primary_key=True)
    list_id: Mapped[str] = mapped_column(primary_key=True)
    zone: Mapped[str] = mapped_column(primary_key=True)


class LeadRow(LeadBase):
    """Up to `fields` what lists say; the rest is the dialer's. `turn`: the priority, negated. `numbers`: JSON
    [[number, label, time zone], …]; `number_state`: JSON {number: [dead, attempts]}. `next_number`: the one to dial
    next, empty for the first. `staged_from`: the state before it was staged. `job_id`: the import that wrote it last.
    `promise`: JSON, empty for none.
    """

    __tablename__ = "leads"
    __table_args__ = (
        Index(
            "leads_ready",
            *("tenant", "list_id", "zone", "turn", "rank", "lead_id"),
            sqlite_where=text("ready = 1"),
            postgresql_where=text("ready = 1"),
        ),
        Index("leads_by_state", "tenant", "list_id", "state", "ready", "not_before_us"),
        Index(
            "leads_by_external_id",
            *("tenant", "external_id", "list_id"),
            sqlite_where=text("external_id <> ''"),
            postgresql_where=text("external_id <> ''"),
        ),
        Index(
            "leads_in_hand",
            *("tenant", "lead_id"),
            sqlite_where=text("state IN ('staged', 'dialing')"),
            postgresql_where=text("state IN ('staged', 'dialing')"),
        ),
    )

    tenant: Mapped[str] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(primary_key=True)
    list_id: Mapped[str]
    external_id: Mapped[str]
    name: Mapped[str]
    language: Mapped[str]
    region: Mapped[str]
    zone: Mapped[str]
    numbers: Mapped[str]
    basis: Mapped[str]
    consent_us: Mapped[int | None]
    proof: Mapped[str]
    turn: Mapped[int]
    rank: Mapped[float]
    fields: Mapped[str]
    state: Mapped[str]
    reason: Mapped[str]
    not_before_us: Mapped[int]
    attempts: Mapped[int]
    next_number: Mapped[str]
    number_state: Mapped[str]
    agent_id: Mapped[str]
    outcome: Mapped[str]
    disposition: Mapped[str]
    serial: Mapped[int]
    ready: Mapped[int]
    staged_from: Mapped[str]
    job_id: Mapped[str]
    promise: Mapped[str] = mapped_column(server_default="")


class LeadNumberRow(LeadBase):
    __tablename__ = "lead_numbers"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    lead_id: Mapped[str] = mapped_column(primary_key=True)


class AttemptRow(LeadBase):
    """`answers`: JSON {field: answer}, empty for none. `script`: `test/script`, empty where none is tested."""

    __tablename__ = "attempts"
    __table_args__ = (
        Index("attempts_by_lead", "tenant", "lead_id", "dialed_us"),
        Index("attempts_by_number", "tenant", "number", "dialed_us"),
        Index("attempts_by_time", "tenant", "campaign", "dialed_us", "attempt_id"),
    )

    tenant: Mapped[str] = mapped_column(primary_key=True)
    attempt_id: Mapped[str] = mapped_column(primary_key=True)
    interaction_id: Mapped[str]
    campaign: Mapped[str]
    list_id: Mapped[str]
    lead_id: Mapped[str]
    number: Mapped[str]
    identity: Mapped[str]
    mode: Mapped[str]
    state: Mapped[str]
    dialed_us: Mapped[int]
    ringing_us: Mapped[int | None]
    answered_us: Mapped[int | None]
    connected_us: Mapped[int | None]
    ended_us: Mapped[int | None]
    cause: Mapped[int]
    why: Mapped[str]
    agent_id: Mapped[str]
    disposition: Mapped[str]
    serial: Mapped[int]
    verdict: Mapped[str] = mapped_column(server_default="")
    evidence: Mapped[str] = mapped_column(server_default="")
    greeted_us: Mapped[int | None]
    answers: Mapped[str] = mapped_column(server_default="")
    script: Mapped[str] = mapped_column(server_default="")


class ListedNumberRow(LeadBase):
    """`listed` 0: it was, and may be called again."""

    __tablename__ = "listed_numbers"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    listed: Mapped[int]
    by: Mapped[str]
    why: Mapped[str]
    changed_us: Mapped[int]
    serial: Mapped[int]


class ImportJobRow(LeadBase):
    """See `core.list_store.ImportJob`. `tally`: JSON. `released_to`: the last lead that was let go."""

    __tablename__ = "import_jobs"
    __table_args__ = (Index("import_jobs_by_list", "tenant", "list_id", "started_us"),)

    tenant: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(primary_key=True)
    list_id: Mapped[str]
    source: Mapped[str]
    fingerprint: Mapped[str]
    settings: Mapped[str]
    worker: Mapped[str]
    state: Mapped[str]
    row_count: Mapped[int]
    position: Mapped[int]
    size: Mapped[int]
    rejects_bytes: Mapped[int]
    released: Mapped[int]
    released_to: Mapped[str]
    tally: Mapped[str]
    started_us: Mapped[int]
    touched_us: Mapped[int]
    finished_us: Mapped[int | None]
    why: Mapped[str]


class ImportChangeRow(LeadBase):
    """`before`: JSON of what a list said of the lead before this job."""

    __tablename__ = "import_changes"
    __table_args__ = {"sqlite_with_rowid": False}

    tenant: Mapped[str] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(primary_key=True)
    lead_id: Mapped[str] = mapped_column(primary_key=True)
    before: Mapped[str]
