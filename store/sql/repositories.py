"""What is read from the projection, one small class per table. Rows are plain objects, usable after the call.

Every method may raise SQLAlchemy's `OperationalError` while the database is away.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import func, select, update

from store.sql.database import Database
from store.sql.models import InteractionRow, LegRow, NodeVisitRow, RecordingRow, SegmentRow

_FOR_EVER_US = 2**62


class Interactions:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str, interaction_id: str) -> InteractionRow | None:
        query = select(InteractionRow).where(
            InteractionRow.tenant == tenant, InteractionRow.interaction_id == interaction_id
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).one_or_none()

    async def between(
        self, tenant: str, from_us: int = 0, to_us: int = _FOR_EVER_US, limit: int = 100
    ) -> Sequence[InteractionRow]:
        """Opened in [from_us, to_us), the newest first."""
        query = (
            select(InteractionRow)
            .where(
                InteractionRow.tenant == tenant, InteractionRow.opened_us >= from_us, InteractionRow.opened_us < to_us
            )
            .order_by(InteractionRow.opened_us.desc(), InteractionRow.interaction_id)
            .limit(limit)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def erase(self, contact_key_id: str) -> Sequence[str]:
        """Blanks what identifies a contact; the numbers of reports stay. Returns the recordings to delete.

        The journal's part is `ContactCipher.erase`: do that first, or a rebuild brings the data back.
        """
        theirs = select(InteractionRow.interaction_id).where(InteractionRow.contact_key_id == contact_key_id)
        async with self._database.begin() as connection:
            await connection.execute(
                update(InteractionRow)
                .where(InteractionRow.contact_key_id == contact_key_id)
                .values(called="", caller="", erased_us=time.time_ns() // 1000)
            )
            mine = RecordingRow.interaction_id.in_(theirs)
            recordings = await connection.execute(select(RecordingRow.recording_id).where(mine))
            await connection.execute(update(RecordingRow).where(mine).values(labels="{}"))
            return list(recordings.scalars())


class Legs:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, interaction_id: str) -> Sequence[LegRow]:
        """In the order in which they joined."""
        query = (
            select(LegRow)
            .where(LegRow.tenant == tenant, LegRow.interaction_id == interaction_id)
            .order_by(LegRow.joined_us, LegRow.leg_id)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()


class Segments:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, interaction_id: str) -> Sequence[SegmentRow]:
        """In the order of time."""
        query = (
            select(SegmentRow)
            .where(SegmentRow.tenant == tenant, SegmentRow.interaction_id == interaction_id)
            .order_by(SegmentRow.started_us, SegmentRow.segment_id)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def totals(self, tenant: str, from_us: int = 0, to_us: int = _FOR_EVER_US) -> dict[str, tuple[int, int]]:
        """Kind -> (how many, microseconds altogether) of the finished segments that began in [from_us, to_us)."""
        query = (
            select(SegmentRow.kind, func.count(), func.sum(SegmentRow.ended_us - SegmentRow.started_us))
            .where(
                SegmentRow.tenant == tenant,
                SegmentRow.started_us >= from_us,
                SegmentRow.started_us < to_us,
                SegmentRow.ended_us.is_not(None),
            )
            .group_by(SegmentRow.kind)
        )
        async with self._database.session() as session:
            return {kind: (count, int(total or 0)) for kind, count, total in await session.execute(query)}


class NodeVisits:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, interaction_id: str) -> Sequence[NodeVisitRow]:
        """The path, in order."""
        query = (
            select(NodeVisitRow)
            .where(NodeVisitRow.tenant == tenant, NodeVisitRow.interaction_id == interaction_id)
            .order_by(NodeVisitRow.visit)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def branches(
        self, tenant: str, flow: str, from_us: int = 0, to_us: int = _FOR_EVER_US
    ) -> dict[tuple[str, str], int]:
        """(node, branch) -> visits entered in [from_us, to_us). An empty branch: the caller left there."""
        query = (
            select(NodeVisitRow.node, NodeVisitRow.branch, func.count())
            .where(
                NodeVisitRow.tenant == tenant,
                NodeVisitRow.flow == flow,
                NodeVisitRow.entered_us >= from_us,
                NodeVisitRow.entered_us < to_us,
            )
            .group_by(NodeVisitRow.node, NodeVisitRow.branch)
        )
        async with self._database.session() as session:
            return {(node, branch): count for node, branch, count in await session.execute(query)}


class Recordings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, tenant: str, interaction_id: str) -> Sequence[RecordingRow]:
        query = (
            select(RecordingRow)
            .where(RecordingRow.tenant == tenant, RecordingRow.interaction_id == interaction_id)
            .order_by(RecordingRow.started_us, RecordingRow.recording_id)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def in_mailbox(self, tenant: str, mailbox: str, limit: int = 100) -> Sequence[RecordingRow]:
        """The kept ones, the newest first."""
        query = (
            select(RecordingRow)
            .where(RecordingRow.tenant == tenant, RecordingRow.mailbox == mailbox, RecordingRow.state == "kept")
            .order_by(RecordingRow.started_us.desc(), RecordingRow.recording_id)
            .limit(limit)
        )
        async with self._database.session() as session:
            return (await session.scalars(query)).all()
