"""Reads and writes the tables of people who log in, one small class per table.

Every method may raise SQLAlchemy's errors while the database is away. Each writes in a transaction of its own, but
where it takes a `connection`: then it is a part of the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from store.sql.account_models import AccountRow, AuditRow, IdempotencyRow, RefreshTokenRow
from store.sql.database import Database


class LoginTaken(Exception):
    """Somebody has that login already: choose another one."""


class Accounts:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, account_id: str) -> AccountRow | None:
        async with self._database.session() as session:
            return await session.get(AccountRow, account_id)

    async def by_login(self, login: str) -> AccountRow | None:
        async with self._database.session() as session:
            return (await session.scalars(select(AccountRow).where(AccountRow.login == login))).one_or_none()

    async def of(self, tenant: str | None, after: str = "", limit: int = 100) -> Sequence[AccountRow]:
        """By login, those that follow `after`; of every tenant when None."""
        query = select(AccountRow).where(AccountRow.login > after).order_by(AccountRow.login).limit(limit)
        if tenant is not None:
            query = query.where(AccountRow.tenant == tenant)
        async with self._database.session() as session:
            return (await session.scalars(query)).all()

    async def any(self) -> bool:
        async with self._database.begin() as connection:
            return (await connection.execute(select(func.count()).select_from(AccountRow))).scalar_one() > 0

    async def add(self, connection: AsyncConnection, values: Mapping[str, Any]) -> None:
        """Raises LoginTaken."""
        try:
            await connection.execute(insert(AccountRow).values(dict(values)))
        except IntegrityError:
            raise LoginTaken(str(values.get("login", ""))) from None

    async def change(self, connection: AsyncConnection, account_id: str, values: Mapping[str, Any]) -> None:
        await connection.execute(update(AccountRow).where(AccountRow.account_id == account_id).values(dict(values)))


class RefreshTokens:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, token_hash: str) -> RefreshTokenRow | None:
        async with self._database.session() as session:
            return await session.get(RefreshTokenRow, token_hash)

    async def add(self, row: Mapping[str, Any]) -> None:
        async with self._database.begin() as connection:
            await connection.execute(insert(RefreshTokenRow).values(dict(row)))

    async def use(self, token_hash: str, now_us: int) -> bool:
        """False when it was used or revoked before: of two that ask at once, one gets True."""
        unused = (
            RefreshTokenRow.token_hash == token_hash,
            RefreshTokenRow.used_us.is_(None),
            RefreshTokenRow.revoked_us.is_(None),
        )
        async with self._database.begin() as connection:
            done = await connection.execute(update(RefreshTokenRow).where(*unused).values(used_us=now_us))
            return done.rowcount == 1

    async def revoke_family(self, family_id: str, now_us: int) -> None:
        async with self._database.begin() as connection:
            await connection.execute(
                update(RefreshTokenRow).where(RefreshTokenRow.family_id == family_id).values(revoked_us=now_us)
            )

    async def revoke_account(self, connection: AsyncConnection, account_id: str, now_us: int) -> None:
        await connection.execute(
            update(RefreshTokenRow).where(RefreshTokenRow.account_id == account_id).values(revoked_us=now_us)
        )

    async def forget_expired(self, now_us: int) -> None:
        async with self._database.begin() as connection:
            await connection.execute(delete(RefreshTokenRow).where(RefreshTokenRow.expires_us < now_us))


class AuditLog:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        async with self._database.begin() as connection:
            await self.add_within(connection, rows)

    async def add_within(self, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
        await connection.execute(insert(AuditRow), [dict(row) for row in rows])

    async def page(self, tenant: str | None, before: str = "", limit: int = 100) -> Sequence[AuditRow]:
        """The newest first, those older than the entry `before`; of every tenant when None."""
        query = select(AuditRow).order_by(AuditRow.audit_id.desc()).limit(limit)
        if before:
            query = query.where(AuditRow.audit_id < before)
        if tenant is not None:
            query = query.where(AuditRow.tenant == tenant)
        async with self._database.session() as session:
            return (await session.scalars(query)).all()


class IdempotencyKeys:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, row: Mapping[str, Any]) -> IdempotencyRow | None:
        """None: the key is new and now ours. Else the request that had it before."""
        try:
            async with self._database.begin() as connection:
                await connection.execute(insert(IdempotencyRow).values(dict(row)))
        except IntegrityError:
            async with self._database.session() as session:
                return await session.get(IdempotencyRow, (row["account_id"], row["key"]))
        return None

    async def answer(self, account_id: str, key: str, status: int, body: str) -> None:
        async with self._database.begin() as connection:
            await connection.execute(
                update(IdempotencyRow)
                .where(IdempotencyRow.account_id == account_id, IdempotencyRow.key == key)
                .values(status=status, body=body)
            )

    async def release(self, account_id: str, key: str) -> None:
        async with self._database.begin() as connection:
            await connection.execute(
                delete(IdempotencyRow).where(IdempotencyRow.account_id == account_id, IdempotencyRow.key == key)
            )

    async def forget_older(self, than_us: int) -> None:
        async with self._database.begin() as connection:
            await connection.execute(delete(IdempotencyRow).where(IdempotencyRow.created_us < than_us))
