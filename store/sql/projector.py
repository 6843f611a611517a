"""Follows the journal into the SQL tables, and catches up whenever the database has been away.

Rows and the journal number they reach are committed together, and only if nobody else moved that number
meanwhile: each entry counts once, whatever dies when. A database that is locked, gone or starting up is
waited for; the journal keeps what happened, `lag_events` says how much of it is waiting.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import InterfaceError, OperationalError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from store.entry import Recorded
from store.errors import StoreError
from store.journal_reader import JournalReader
from store.sql.account_models import AuditRow
from store.sql.database import Database
from store.sql.models import Base, InteractionRow, LegRow, ProjectionStateRow, SegmentRow
from store.sql.projection import Changes, OpenSegment, Stories, Story, project
from store.sql.survey_recall import recall
from store.sql.survey_rows import Surveyed

log = logging.getLogger(__name__)

BATCH = 500
IDLE_S = 0.25
_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_REMEMBERED = 5_000
_KEYS_PER_QUERY = 500

_TABLES: dict[str, Table] = dict(Base.metadata.tables)
_WRITTEN = {**_TABLES, AuditRow.__tablename__: AuditRow.metadata.tables[AuditRow.__tablename__]}
"""The audit log is not the journal's alone: nobody empties it to build it again."""
_AWAY = (OperationalError, InterfaceError, ProgrammingError, OSError, TimeoutError)
"""The database is gone, locked, starting up, or has other tables. A missing table is a ProgrammingError."""

_STATE = _TABLES[ProjectionStateRow.__tablename__]


class _Overtaken(Exception):
    """Another projector is at work on the same tables, or they were rebuilt: read the number again."""


class Projector:
    """One per database and `name`.

    Attributes:
        seq: the last journal number in the tables; None until the database has told.
        lag_events: entries in the journal that are not in the tables yet.
        failing: why the database refuses, empty when it does not.
        skipped: entries that the tables could not take.
    """

    def __init__(
        self,
        reader: JournalReader,
        database: Database,
        on_error: Callable[[str], None] = log.error,
        name: str = "reports",
    ) -> None:
        self._reader = reader
        self._database = database
        self._on_error = on_error
        self._name = name
        self._stories: Stories = {}
        self.seq: int | None = None
        self.lag_events = 0
        self.failing = ""
        self.skipped = 0

    async def run(self) -> None:
        """Until cancelled. The tables must be upgraded before or meanwhile."""
        tries = 0
        while True:
            try:
                taken = await self.step()
            except (TimeoutError, SQLAlchemyError, OSError, StoreError) as error:
                self._refused(error)
                await self.measure()
                await asyncio.sleep(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
                tries += 1
                continue
            tries = 0
            if self.failing:
                self.failing = ""
                self._on_error(f"projection {self._name}: the database answers again; {self.lag_events} events behind")
            if taken < BATCH:
                await asyncio.sleep(IDLE_S)

    async def catch_up(self) -> int:
        """Takes in all there is; returns how many entries. Raises what `step` raises."""
        total = 0
        while taken := await self.step():
            total += taken
        return total

    async def step(self) -> int:
        """Takes in one batch; returns how many entries it had.

        Raises:
            SQLAlchemyError, OSError: the database is not there; nothing was changed.
            JournalDamaged: the journal cannot be read.
        """
        if self.seq is None:
            self.seq = await self._load_seq()
        entries = await asyncio.to_thread(self._reader.tail, self.seq, BATCH)
        if entries:
            await self._take(entries)
        await self.measure()
        return len(entries)

    async def rebuild(self) -> None:
        """Empties the tables and starts again from the oldest entry the journal still has."""
        async with self._database.begin() as connection:
            for name, table in _TABLES.items():
                if name != _STATE.name:
                    await connection.execute(delete(table))
            await connection.execute(delete(_STATE).where(_STATE.c.name == self._name))
        self._forget()

    async def _take(self, entries: Sequence[Recorded]) -> None:
        try:
            await self._commit(entries)
        except _Overtaken:
            self._forget()
        except _AWAY:
            self._stories.clear()
            raise
        except Exception as error:
            self._stories.clear()
            if len(entries) > 1:
                for entry in entries:
                    if self.seq is not None and entry.seq > self.seq:
                        await self._take([entry])
                return
            await self._take_or_skip(entries[0], error)

    async def _take_or_skip(self, entry: Recorded, error: Exception) -> None:
        """Only a database that answers may find fault with an entry: it is asked, and the entry tried once more."""
        async with self._database.begin() as connection:
            await connection.execute(select(_STATE.c.seq))
        try:
            await self._commit([entry])
        except _AWAY:
            self._stories.clear()
            raise
        except Exception:
            self._stories.clear()
            await self._commit([], reached=entry.seq)
            self.skipped += 1
            self._on_error(f"projection {self._name}: event {entry.seq} does not fit the tables, left out: {error}")

    async def _commit(self, entries: Sequence[Recorded], reached: int | None = None) -> None:
        last = entries[-1].seq if reached is None else reached
        async with self._database.begin() as connection:
            moved = await connection.execute(
                update(_STATE).where(_STATE.c.name == self._name, _STATE.c.seq == self.seq).values(seq=last)
            )
            if moved.rowcount != 1:
                raise _Overtaken
            await self._remember(connection, {entry.interaction_id for entry in entries})
            await _apply(connection, project(entries, self._stories))
        self.seq = last
        while len(self._stories) > _REMEMBERED:
            self._stories.pop(next(iter(self._stories)))

    async def _remember(self, connection: AsyncConnection, wanted: Iterable[str]) -> None:
        """Loads what the tables know of interactions that this process has not seen, or has forgotten."""
        unknown = [name for name in wanted if name and name not in self._stories]
        row = InteractionRow
        opened = select(row.interaction_id, row.tenant, row.flow, row.flow_version, row.language)
        joined = select(LegRow.interaction_id, LegRow.leg_id, LegRow.role)
        running = select(SegmentRow.interaction_id, SegmentRow.subject_id, SegmentRow.segment_id, SegmentRow.kind)
        running = running.where(SegmentRow.ended_us.is_(None))
        for start in range(0, len(unknown), _KEYS_PER_QUERY):
            chunk = unknown[start : start + _KEYS_PER_QUERY]
            found = await connection.execute(opened.where(InteractionRow.interaction_id.in_(chunk)))
            for name, tenant, flow, version, language in found:
                self._stories[name] = Story(tenant, flow, version, Surveyed(name, tenant, flow, language))
            for name, leg_id, role in await connection.execute(joined.where(LegRow.interaction_id.in_(chunk))):
                self._stories[name].roles[leg_id] = role
            stretches = await connection.execute(running.where(SegmentRow.interaction_id.in_(chunk)))
            for name, subject_id, segment_id, kind in stretches:
                self._stories[name].segments[subject_id] = OpenSegment(segment_id, kind)
            known = {name: self._stories[name].surveyed for name in chunk if name in self._stories}
            if known:
                await recall(connection, known)

    async def _load_seq(self) -> int:
        async with self._database.begin() as connection:
            query = select(_STATE.c.seq).where(_STATE.c.name == self._name)
            seq = (await connection.execute(query)).scalar_one_or_none()
            if seq is None:
                seq = 0
                await connection.execute(insert(_STATE).values(name=self._name, seq=seq))
        return seq

    async def measure(self) -> None:
        """How far behind the tables are, also while the database keeps a transaction waiting."""
        try:
            self.lag_events = await asyncio.to_thread(self._reader.last_seq) - (self.seq or 0)
        except StoreError as error:
            self._on_error(str(error))

    def _refused(self, error: Exception) -> None:
        if not self.failing:
            why = str(getattr(error, "orig", None) or error) or type(error).__name__
            self._on_error(
                f"projection {self._name}: the SQL database does not take events ({why}): is it running, and upgraded? "
                "Calls go on, nothing is lost: the journal keeps what happened and this is tried again by itself"
            )
        self.failing = str(error) or type(error).__name__

    def _forget(self) -> None:
        self.seq = None
        self._stories.clear()


async def _apply(connection: AsyncConnection, changes: Changes) -> None:
    for name, rows in changes.rows.items():
        await connection.execute(_upsert(connection.dialect.name, _WRITTEN[name]), list(rows.values()))
    for name, patches in changes.patches.items():
        table = _TABLES[name]
        keys = [column.name for column in table.primary_key]
        alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
        for key, columns in patches.items():
            where = {f"key_{column}": value for column, value in zip(keys, key, strict=True)}
            alike.setdefault(tuple(sorted(columns)), []).append(
                where | {f"new_{column}": value for column, value in columns.items()}
            )
        for columns_set, parameters in alike.items():
            which: ColumnElement[bool] = and_(*(table.c[column] == bindparam(f"key_{column}") for column in keys))
            change = update(table).where(which).values({column: bindparam(f"new_{column}") for column in columns_set})
            await connection.execute(change, parameters)


def _upsert(dialect: str, table: Table) -> Any:
    """A new row, or the whole of the one that is there: replaying entries changes nothing."""
    statement = sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
    keys = [column.name for column in table.primary_key]
    fresh = {column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=fresh)
