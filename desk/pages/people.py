"""The admin's page: who may log in, as what. A password that is made here is shown once and kept nowhere."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import Form, Request, Response

from desk.api.models_accounts import AccountAsked, AccountChanges
from desk.pages.common import checked, page_router, render, speaking, who_of
from desk.roles import ALLOWED, EVERY_TENANT, Permission, Role
from desk.web import address_of, services_of

router = page_router()

Field = Annotated[str, Form(max_length=300)]
_MOST = 500
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


@router.get("/people")
async def page(request: Request) -> Response:
    return render(request, "people.html", **await _shown(request))


@router.post("/people")
async def add(
    request: Request,
    login: Field = "",
    name: Field = "",
    role: Field = "",
    tenant: Field = "",
    agent_id: Field = "",
    password: Field = "",
) -> Response:
    who, services = who_of(request), services_of(request)
    made = password or _password()
    own = services.settings.tenants[0] if who.tenant == EVERY_TENANT else who.tenant
    asked = checked(
        AccountAsked, login=login, password=made, role=role, tenant=tenant or own, name=name, agent_id=agent_id
    )
    with speaking(request):
        row = await services.people.add(
            who,
            address_of(request),
            login=asked.login,
            password=asked.password,
            tenant=asked.tenant,
            role=asked.role,
            name=asked.name,
            agent_id=asked.agent_id,
        )
    return render(request, "people_panel.html", **await _shown(request, row.login, "" if password else made))


@router.post("/people/{account_id}")
async def change(
    account_id: str, request: Request, role: Field = "", agent_id: Field = "", disabled: Field = ""
) -> Response:
    given: dict[str, Any] = {"role": role or None, "disabled": disabled == "yes" if disabled else None}
    if role:
        given["agent_id"] = agent_id if Role(role) in ALLOWED[Permission.WORK] else ""
    asked = checked(AccountChanges, **given)
    changes = asked.model_dump(exclude_none=True)
    with speaking(request):
        await services_of(request).people.change(who_of(request), address_of(request), account_id, changes)
    return render(request, "people_panel.html", **await _shown(request))


@router.post("/people/{account_id}/password")
async def new_password(account_id: str, request: Request) -> Response:
    """Makes one and shows it; every login of that account ends."""
    who, people = who_of(request), services_of(request).people
    with speaking(request):
        account, made = await people.get(who, account_id), _password()
        await people.set_password(who, address_of(request), account_id, made)
    return render(request, "people_panel.html", **await _shown(request, account.login, made))


async def _shown(request: Request, login: str = "", made: str = "") -> dict[str, Any]:
    who, services = who_of(request), services_of(request)
    everywhere = who.tenant == EVERY_TENANT
    return {
        "accounts": await services.people.list(who, limit=_MOST),
        "roles": list(Role),
        "workers": [role.value for role in ALLOWED[Permission.WORK]],
        "tenants": [*services.tenants(), EVERY_TENANT] if everywhere else [who.tenant],
        "agents": services.hub.board.agents(None if everywhere else who.tenant),
        "made_login": login,
        "made_password": made,
    }


def _password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
