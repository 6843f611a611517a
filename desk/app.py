"""The desk as one ASGI application, and what it does beside answering."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from sqlalchemy.exc import SQLAlchemyError

from desk.access import NEEDS
from desk.api import (
    accounts,
    agents,
    boards,
    campaigns,
    interactions,
    lists,
    live,
    phone,
    recordings,
    sessions,
    surveys,
    system,
)
from desk.pages import agent, agent_dialing, board, entry, people
from desk.pages import agents as agent_pages
from desk.pages import campaigns as campaign_pages
from desk.pages import lists as list_pages
from desk.pages import recordings as recording_pages
from desk.pages.common import no_such_page
from desk.pages.setup import SetupCache
from desk.services import Services
from desk.web import UPLOADS, Shell, add_problem_handlers

log = logging.getLogger("centralita.desk")

_ROOMS = (
    sessions,
    boards,
    agents,
    interactions,
    campaigns,
    lists,
    recordings,
    surveys,
    accounts,
    system,
    live,
    phone,
    entry,
    agent,
    agent_dialing,
    board,
    campaign_pages,
    list_pages,
    recording_pages,
    people,
    agent_pages,
)
ROUTERS = tuple(room.router for room in _ROOMS)
"""All there is; what each route needs stands in `desk/access.py`."""

_DATABASE_RETRY_S = 1.0
_TIDY_EVERY_S = 3600.0


def make_app(services: Services) -> FastAPI:
    """Its lifespan upgrades the tables, follows the engine, writes the audit log."""
    app = FastAPI(
        title="Centralita",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        # A trailing slash is another path, not a redirect that would be answered before the guard is asked.
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.setup_cache = SetupCache(services.engine, services.clock)
    for router in ROUTERS:
        app.include_router(router)
    add_problem_handlers(app)
    app.add_exception_handler(404, no_such_page)
    app.add_middleware(Shell, settings=services.settings)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        schema = get_openapi(
            title="Centralita", version=app.version, description="The desk's API.", routes=app.router.routes
        )
        schema["components"].setdefault("securitySchemes", {})["token"] = {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
        }
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                need = NEEDS[method.upper(), path]
                operation["security"] = [] if need.permission is None else [{"token": []}]
                if need.permission is not None:
                    operation["x-needs"] = need.permission.value
                    operation.setdefault("parameters", []).append(_TENANT_PARAMETER)
                if method == "post" and need.permission is not None and path not in UPLOADS:
                    operation.setdefault("parameters", []).append(_KEY_PARAMETER)
        app.openapi_schema = schema
    return app.openapi_schema


_TENANT_PARAMETER = {
    "name": "tenant",
    "in": "query",
    "required": False,
    "description": "which tenant, for who works for all of them",
    "schema": {"type": "string", "maxLength": 40},
}
_KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "with the same key and body the request is done once, and answered alike for a day",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    work = [
        asyncio.create_task(services.hub.run(), name="follow the engine"),
        asyncio.create_task(services.audit.run(), name="audit log"),
        asyncio.create_task(_prepare(services), name="prepare the database"),
        asyncio.create_task(services.imports.watch(services.tenants), name="watch imports"),
    ]
    try:
        yield
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
            async with asyncio.timeout(2.0):
                await services.audit.flush()
        await services.engine.__aexit__(None, None, None)
        await services.imports.close()
        await services.leads.close()
        await services.database.close()


async def _prepare(services: Services) -> None:
    """The tables, then the first admin's link, then tidying up now and then."""
    while True:
        try:
            await services.database.upgrade()
            await services.leads.upgrade()
            await _first_admin(services)
            break
        except (SQLAlchemyError, OSError, TimeoutError) as failure:
            log.error("the database does not answer (%s): trying again", type(failure).__name__)
            await asyncio.sleep(_DATABASE_RETRY_S)
    while True:
        with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
            await services.people.refresh_tokens.forget_expired(round(services.clock.now_s() * 1e6))
            await services.idempotency.forget_old()
        await asyncio.sleep(_TIDY_EVERY_S)


async def _first_admin(services: Services) -> None:
    now_s = services.clock.now_s()
    if await services.people.accounts.any():
        # A link that is still good was asked for by hand, and told then.
        services.first_admin.say("")
        return
    if not services.first_admin.link(now_s):
        services.first_admin.make(now_s)
        log.warning("nobody can log in yet: the first admin's link is in %s", services.settings.state / "admin_link")
    services.first_admin.say(services.first_admin.link(now_s))
