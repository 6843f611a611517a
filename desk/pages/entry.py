"""The way in: log in, log out, the first admin, the language; and the files of all pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Request, Response
from starlette.responses import FileResponse, RedirectResponse

from desk.pages.common import (
    STATIC,
    forget_login,
    language_of,
    page_router,
    render,
    renewed,
    set_language,
    set_login,
    who_of,
)
from desk.problems import NotFound, Problem, TooMany, Unauthenticated
from desk.roles import EVERY_TENANT, Permission, Role
from desk.web import address_of, services_of
from desk.words import translated

router = page_router()

Field = Annotated[str, Form(max_length=300)]
_FILES = frozenset(
    {"desk.css", "desk.js", "vendor/htmx.min.js", "vendor/idiomorph-ext.min.js", "icon.svg", "theme.js", "campaigns.js"}
)


@router.get("/")
async def home(request: Request) -> Response:
    """Everybody's own page."""
    who = who_of(request)
    if who.may(Permission.WORK) and (who.agent_id or who.role is Role.AGENT):
        return RedirectResponse("/agent", 303)
    if who.role is Role.CAMPAIGN_MANAGER:
        return RedirectResponse("/campaigns", 303)
    if who.may(Permission.SEE_AGENTS):
        return RedirectResponse("/board", 303)
    if who.may(Permission.SEE_CAMPAIGNS):
        return RedirectResponse("/campaigns", 303)
    return render(request, "nothing.html")


@router.get("/login")
async def login_page(request: Request, next: Annotated[str, "where to"] = "/") -> Response:  # noqa: A002
    return render(request, "login.html", next=_local(next), login="", problem="")


@router.post("/login")
async def log_in(request: Request, login: Field = "", password: Field = "", next: Field = "/") -> Response:  # noqa: A002
    services = services_of(request)
    try:
        logged_in = await services.logins.log_in(login, password, address_of(request))
    except (Unauthenticated, TooMany) as problem:
        wait_s = max(1, round(problem.retry_after_s)) if isinstance(problem, TooMany) else 0
        return render(
            request,
            "login.html",
            status=problem.status,
            next=_local(next),
            login=login,
            problem="wait" if wait_s else "wrong",
            wait_s=wait_s,
        )
    answer = RedirectResponse(_local(next), 303)
    set_login(request, answer, logged_in)
    if not request.cookies.get(services.cookies.language):
        set_language(request, answer, logged_in.language)
    return answer


@router.post("/logout")
async def log_out(request: Request) -> Response:
    await services_of(request).logins.log_out(who_of(request), address_of(request))
    answer = Response(status_code=204, headers={"HX-Redirect": "/login"})
    forget_login(request, answer)
    return answer


@router.post("/renew")
async def renew(request: Request) -> Response:
    """The next tokens, for a page that has been open for long."""
    fresh = await renewed(request)
    if fresh is None:
        raise Unauthenticated("this login has ended: log in again", kind="ended")
    answer = Response(status_code=204)
    set_login(request, answer, fresh)
    return answer


@router.post("/language")
async def language(request: Request, language: Field = "", next: Field = "/") -> Response:  # noqa: A002
    answer = RedirectResponse(_local(next), 303)
    set_language(request, answer, language)
    return answer


@router.get("/first/{secret}")
async def first_page(secret: str, request: Request) -> Response:
    services = services_of(request)
    holds = services.first_admin.holds(secret, services.clock.now_s())
    return render(request, "first.html", status=200 if holds else 404, holds=holds, login="", problem="")


@router.post("/first/{secret}")
async def first_admin(secret: str, request: Request, login: Field = "", password: Field = "") -> Response:
    """Makes the first admin, of every tenant. The link is used up when that has worked."""
    services, address = services_of(request), address_of(request)
    now_s = services.clock.now_s()
    if not services.first_admin.take(secret, now_s):
        return render(request, "first.html", status=404, holds=False, login="", problem="")
    try:
        row = await services.people.add(
            None, address, login=login, password=password, tenant=EVERY_TENANT, role=Role.ADMIN
        )
    except Exception as failure:
        services.first_admin.restore(secret, now_s)
        if not isinstance(failure, Problem):
            raise
        said = translated(failure.detail, language_of(request))
        return render(request, "first.html", status=failure.status, holds=True, login=login, problem=said)
    answer = RedirectResponse("/people", 303)
    set_login(request, answer, await services.logins.issue(row, new_family=True))
    return answer


@router.get("/static/{path:path}")
async def static(path: str) -> Response:
    if path not in _FILES:
        raise NotFound("there is no such file")
    return FileResponse(STATIC / path, headers={"cache-control": "public, max-age=31536000, immutable"})


def _local(path: str) -> str:
    """Only ever a page of ours."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
