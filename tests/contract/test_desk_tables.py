"""The tables of people who log in, in both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from store.sql.accounts import Accounts, AuditLog, IdempotencyKeys, LoginTaken, RefreshTokens
from store.sql.database import Database


def _account(login: str, tenant: str = "main") -> dict[str, Any]:
    return {
        "account_id": f"p-{login}",
        "tenant": tenant,
        "login": login,
        "name": "Ñandú 語",
        "role": "agent",
        "agent_id": "",
        "language": "es",
        "password_hash": "h",
        "created_us": 2**60,
        "password_us": 1,
        "disabled_us": None,
    }


def _token(name: str, family: str = "f1", expires_us: int = 100) -> dict[str, Any]:
    return {
        "token_hash": name,
        "family_id": family,
        "account_id": "p-ana",
        "issued_us": 1,
        "expires_us": expires_us,
        "used_us": None,
        "revoked_us": None,
    }


def _audit(audit_id: str, tenant: str = "main") -> dict[str, Any]:
    texts = dict.fromkeys(("account_id", "login", "address", "action", "subject", "result"), "x")
    return {"audit_id": audit_id, "at_us": 1, "tenant": tenant, "detail": "{}", **texts}


async def test_accounts_are_found_by_login_and_tenant_and_a_login_is_taken_once(database: Database) -> None:
    accounts = Accounts(database)
    assert not await accounts.any()
    async with database.begin() as connection:
        for login, tenant in (("zoe", "main"), ("ana", "main"), ("eve", "acme")):
            await accounts.add(connection, _account(login, tenant))
    with pytest.raises(LoginTaken):
        async with database.begin() as connection:
            await accounts.add(connection, {**_account("ana", "acme"), "account_id": "p-other"})
    assert await accounts.any()
    found = await accounts.by_login("ana")
    assert found is not None
    assert (found.name, found.created_us, found.disabled_us) == ("Ñandú 語", 2**60, None)
    assert [row.login for row in await accounts.of("main")] == ["ana", "zoe"]
    assert [row.login for row in await accounts.of(None, after="ana")] == ["eve", "zoe"]
    async with database.begin() as connection:
        await accounts.change(connection, "p-ana", {"disabled_us": 5})
    changed = await accounts.get("p-ana")
    assert changed is not None
    assert changed.disabled_us == 5


async def test_of_two_that_use_a_refresh_token_one_gets_it(database: Database) -> None:
    tokens = RefreshTokens(database)
    await tokens.add(_token("t1"))
    used = await asyncio.gather(*(tokens.use("t1", 7) for _ in range(4)))
    assert sorted(used) == [False, False, False, True]
    row = await tokens.get("t1")
    assert row is not None
    assert row.used_us == 7


async def test_a_family_or_an_account_is_revoked_and_what_expired_is_forgotten(database: Database) -> None:
    tokens = RefreshTokens(database)
    for name, family in (("t1", "f1"), ("t2", "f1"), ("t3", "f2")):
        await tokens.add(_token(name, family, expires_us=100 if name != "t2" else 10))
    await tokens.revoke_family("f1", 3)
    assert [await tokens.use(name, 4) for name in ("t1", "t2", "t3")] == [False, False, True]
    async with database.begin() as connection:
        await tokens.revoke_account(connection, "p-ana", 5)
    await tokens.forget_expired(50)
    assert [await tokens.get(name) is not None for name in ("t1", "t2", "t3")] == [True, False, True]


async def test_the_audit_log_is_read_backwards_page_by_page(database: Database) -> None:
    log = AuditLog(database)
    await log.add([_audit(f"{n:03d}", "main" if n % 2 else "acme") for n in range(6)])
    assert [row.audit_id for row in await log.page(None, limit=4)] == ["005", "004", "003", "002"]
    assert [row.audit_id for row in await log.page("main", before="005")] == ["003", "001"]


async def test_an_idempotency_key_is_claimed_once_and_answered(database: Database) -> None:
    keys = IdempotencyKeys(database)
    row = {"account_id": "p", "key": "k", "request_hash": "h", "status": 0, "body": "", "created_us": 9}
    claims = await asyncio.gather(*(keys.claim(row) for _ in range(3)))
    assert [claim is None for claim in claims].count(True) == 1
    await keys.answer("p", "k", 200, "{}")
    before = await keys.claim(row)
    assert before is not None
    assert (before.status, before.body) == (200, "{}")
    await keys.release("p", "k")
    assert await keys.claim(row) is None
    await keys.forget_older(10)
    assert await keys.claim(row) is None
