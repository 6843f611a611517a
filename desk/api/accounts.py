"""Accounts, and what was done with all of this."""

from __future__ import annotations

import json
from typing import Annotated

from fastapi import Query, Request

from desk.api.common import Desk, Who, problems
from desk.api.models import Done
from desk.api.models_accounts import (
    Account,
    AccountAsked,
    AccountChanges,
    Accounts,
    AuditEntry,
    AuditPage,
    PasswordAsked,
)
from desk.problems import Forbidden
from desk.roles import EVERY_TENANT, Role
from desk.web import address_of, guarded_router
from store.sql.account_models import AccountRow

router = guarded_router(prefix="/v1", tags=["accounts"])

Limit = Annotated[int, Query(ge=1, le=500)]
Cursor = Annotated[str, Query(max_length=100)]


@router.get("/accounts", responses=problems())
async def accounts(who: Who, desk: Desk, after: Cursor = "", limit: Limit = 100) -> Accounts:
    """By login."""
    rows = await desk.people.list(who, after, limit)
    return Accounts(accounts=[_account(row) for row in rows], next=rows[-1].login if len(rows) == limit else "")


@router.post("/accounts", status_code=201, responses=problems(409))
async def add(asked: AccountAsked, who: Who, request: Request, desk: Desk) -> Account:
    """A new person. An admin of one tenant adds people of that tenant."""
    default = desk.settings.tenants[0] if who.tenant == EVERY_TENANT else who.tenant
    row = await desk.people.add(
        who,
        address_of(request),
        login=asked.login,
        password=asked.password,
        tenant=asked.tenant or default,
        role=asked.role,
        name=asked.name,
        agent_id=asked.agent_id,
        language=asked.language,
    )
    return _account(row)


@router.get("/accounts/{account_id}", responses=problems(404))
async def account(account_id: str, who: Who, desk: Desk) -> Account:
    return _account(await desk.people.get(who, account_id))


@router.patch("/accounts/{account_id}", responses=problems(404, 409))
async def change(account_id: str, asked: AccountChanges, who: Who, request: Request, desk: Desk) -> Account:
    """A change of role, agent or being disabled ends the person's logins."""
    changes = asked.model_dump(exclude_none=True)
    return _account(await desk.people.change(who, address_of(request), account_id, changes))


@router.post("/accounts/{account_id}/password", responses=problems(404, 409, 429))
async def set_password(account_id: str, asked: PasswordAsked, who: Who, request: Request, desk: Desk) -> Done:
    """Ends every login of that account, this one too if it is one's own."""
    address = address_of(request)
    if account_id == who.account_id and not await desk.logins.password_right(who, asked.current, address):
        raise Forbidden("`current` is not your password", kind="wrong_password")
    await desk.people.set_password(who, address, account_id, asked.password)
    return Done()


@router.get("/audit", responses=problems())
async def audit(who: Who, desk: Desk, before: Cursor = "", limit: Limit = 100) -> AuditPage:
    """Who changed what, the newest first."""
    tenant = None if who.tenant == EVERY_TENANT else who.tenant
    rows = await desk.audit.table.page(tenant, before, limit)
    entries = [
        AuditEntry(
            audit_id=row.audit_id,
            at_s=row.at_us / 1e6,
            tenant=row.tenant,
            login=row.login,
            address=row.address,
            action=row.action,
            subject=row.subject,
            detail=json.loads(row.detail),
            result=row.result,
        )
        for row in rows
    ]
    return AuditPage(entries=entries, next=entries[-1].audit_id if len(entries) == limit else "")


def _account(row: AccountRow) -> Account:
    return Account(
        account_id=row.account_id,
        tenant=row.tenant,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        agent_id=row.agent_id,
        language=row.language,
        created_s=row.created_us / 1e6,
        disabled=row.disabled_us is not None,
    )
