"""What cannot be made again, from one database into another: accounts and audit log, lists, leads, attempts and
do-not-call. The projection is not moved: the journal makes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Table, func, insert, select

from store.errors import StoreError
from store.sql.account_models import AccountRow, AuditRow
from store.sql.database import LEADS, Database
from store.sql.lead_models import LeadBase

_ROWS_AT_ONCE = 1000


class NotEmpty(StoreError):
    """The database that was to be filled keeps something already, and nothing was moved: empty it, or name another."""


async def move(accounts_url: str, leads_url: str, to_url: str) -> dict[str, int]:
    """All or nothing; the rows by table. The sources stay as they are.

    Raises:
        NotEmpty: and of what.
        DatabaseUnusable: the URL names no database we know.
        SQLAlchemyError, OSError: a database does not answer.
    """
    accounts, leads = Database(accounts_url), Database(leads_url, LEADS)
    to = Database(to_url), Database(to_url, LEADS)
    sets: list[tuple[Database, Sequence[Table]]] = [
        (accounts, [_table(AccountRow), _table(AuditRow)]),
        (leads, list(LeadBase.metadata.sorted_tables)),
    ]
    try:
        for database in (accounts, leads, *to):
            await database.upgrade()
        moved: dict[str, int] = {}
        async with to[0].begin() as target:
            for _, tables in sets:
                for table in tables:
                    if await target.scalar(select(func.count()).select_from(table)):
                        raise NotEmpty(f"the other database has rows in {table.name} already: nothing was moved")
            for source, tables in sets:
                async with source.begin() as read:
                    for table in tables:
                        moved[table.name] = 0
                        async for rows in (await read.stream(select(table))).mappings().partitions(_ROWS_AT_ONCE):
                            await target.execute(insert(table), [dict(row) for row in rows])
                            moved[table.name] += len(rows)
        return moved
    finally:
        for database in (accounts, leads, *to):
            await database.close()


def _table(row: type) -> Table:
    table = row.__table__  # type: ignore[attr-defined]
    assert isinstance(table, Table)
    return table
