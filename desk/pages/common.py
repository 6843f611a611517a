"""What every page needs: its route class, its words, its cookies, and how templates are rendered."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import jinja2
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import HTMLResponse, RedirectResponse

from desk import words
from desk.engine_client import EngineAway, EngineRefused
from desk.logins import LoggedIn
from desk.pages import looks
from desk.problems import NotFound, Problem, Unauthenticated, Unprocessable
from desk.roles import Permission, Principal
from desk.tokens import ACCESS_S, REFRESH_S
from desk.web import GuardedRoute, Handler, address_of, admitted_of, as_problem, services_of

STATIC = Path(__file__).parent.parent / "static"
_TEMPLATES = Path(__file__).parent.parent / "templates"
_YEAR_S = 365 * 86400
_NAMED = {name: f"{name}_" for name in ("lead", "outcome", "import", "basis", "duplicate", "listed", "column", "level")}
"""What the words for values begin with that mean something else elsewhere: a lead that waits is no caller who waits."""

_TITLES = {403: "Not for you", 404: "There is no page at this address", 503: "Not available right now"}

Asked = TypeVar("Asked", bound=BaseModel)


@functools.cache
def _environment() -> jinja2.Environment:
    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    found.filters.update(clock=looks.clock, percent=looks.percent, share=looks.share, initials=looks.initials)
    found.globals.update(static=static_url, languages=words.LANGUAGES, icon=looks.icon, named=_NAMED)
    return found


@functools.cache
def static_url(name: str) -> str:
    """Its address changes with its content, so that browsers may keep it for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]}"


class PageRoute(GuardedRoute):
    """A page that is asked for with an expired access token gets a fresh one if the login still holds, else the login
    page. What htmx asks for gets a problem, and the page's script sees to it."""

    def get_route_handler(self) -> Handler:
        guarded = super().get_route_handler()

        async def page(request: Request) -> Response:
            try:
                return await guarded(request)
            except Unauthenticated:
                if not _wants_page(request):
                    raise
            fresh = await renewed(request)
            if fresh is None:
                back = request.url.path
                return RedirectResponse("/login" + (f"?next={quote(back)}" if back != "/" else ""), 303)
            request.cookies[services_of(request).cookies.access] = fresh.access_token
            answer = await guarded(request)
            set_login(request, answer, fresh)
            return answer

        async def polite(request: Request) -> Response:
            try:
                return await page(request)
            except Problem as problem:
                if not _by_hand(request):
                    raise
                return problem_page(request, problem)
            except (EngineAway, EngineRefused, SQLAlchemyError, OSError, TimeoutError) as error:
                told = as_problem(error)
                if _by_hand(request):
                    return problem_page(request, told)
                told.detail = words.translated(told.detail, language_of(request))
                raise told from error

        return polite


def problem_page(request: Request, problem: Problem) -> Response:
    """What a person reads in the place of the page that was asked for."""
    language = language_of(request)
    title = words.speaker(language)(_TITLES.get(problem.status, "That did not work. Try again."))
    detail = words.translated(problem.detail, language)
    answer = render(request, "problem.html", status=problem.status, what=title, detail=detail)
    answer.headers.update({name: value for name, value in problem.response().headers.items() if name == "retry-after"})
    return answer


async def no_such_page(request: Request, error: Exception) -> Response:
    """An address that nothing answers to: a page for people, a problem for programs."""
    problem = NotFound(str(getattr(error, "detail", "")))
    if not _wants_page(request) or request.url.path.startswith("/v1/"):
        return problem.response()
    problem.detail = ""
    return problem_page(request, problem)


def page_router(**more: Any) -> APIRouter:
    return APIRouter(route_class=PageRoute, include_in_schema=False, **more)


def _wants_page(request: Request) -> bool:
    return request.method == "GET" and _by_hand(request)


def _by_hand(request: Request) -> bool:
    """The browser itself asks, neither a script nor a program."""
    return "hx-request" not in request.headers and "text/html" in request.headers.get("accept", "")


async def renewed(request: Request) -> LoggedIn | None:
    """The next pair of tokens for the refresh token in the cookie; None: log in again."""
    services = services_of(request)
    token = request.cookies.get(services.cookies.refresh)
    if not token:
        return None
    try:
        return await services.logins.refresh(token, address_of(request))
    except Unauthenticated:
        return None


def set_login(request: Request, answer: Response, logged_in: LoggedIn) -> None:
    cookies = services_of(request).cookies
    _set(request, answer, cookies.access, logged_in.access_token, ACCESS_S)
    _set(request, answer, cookies.refresh, logged_in.refresh_token, REFRESH_S)


def forget_login(request: Request, answer: Response) -> None:
    cookies = services_of(request).cookies
    for name in (cookies.access, cookies.refresh):
        answer.delete_cookie(name, path="/", secure=cookies.secure, httponly=True, samesite="strict")


def set_language(request: Request, answer: Response, language: str) -> None:
    if language in words.LANGUAGES:
        _set(request, answer, services_of(request).cookies.language, language, _YEAR_S)


def _set(request: Request, answer: Response, name: str, value: str, age_s: float) -> None:
    secure = services_of(request).cookies.secure
    answer.set_cookie(name, value, max_age=int(age_s), path="/", secure=secure, httponly=True, samesite="strict")


def language_of(request: Request) -> str:
    services = services_of(request)
    wanted = request.cookies.get(services.cookies.language, "")
    return words.chosen(wanted, request.headers.get("accept-language", ""), services.settings.languages[0])


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    services = services_of(request)
    language = language_of(request)
    admitted = getattr(request.state, "admitted", None)
    who: Principal | None = admitted.principal if admitted else None
    values |= {
        "_": words.speaker(language),
        "said": lambda text: words.translated(text, language),
        "language": language,
        "title": services.settings.title,
        "who": who,
        "csrf": services.tokens.csrf(who.login_id) if who else "",
        "engine_up": services.hub.engine_up,
        "now_s": services.hub.engine_now_s(),
        "epoch": services.hub.board.epoch,
        "seq": services.hub.board.seq,
        "may": {each.value for each in _permissions(who)},
        "path": request.url.path,
    }
    return HTMLResponse(_environment().get_template(template).render(values), status)


@contextlib.contextmanager
def speaking(request: Request) -> Iterator[None]:
    """What is refused within is said in the page's language, where its words are known."""
    try:
        yield
    except EngineRefused as refused:
        raise EngineRefused(words.translated(str(refused), language_of(request))) from None
    except Problem as problem:
        problem.detail = words.translated(problem.detail, language_of(request))
        raise


def checked(model: type[Asked], **values: Any) -> Asked:
    """The API's own model of a request, from a form. Raises Unprocessable."""
    try:
        return model(**values)
    except ValidationError as error:
        raise Unprocessable("; ".join(str(each["msg"]) for each in error.errors()[:3])) from None


def tenant_of(request: Request) -> str:
    """The tenant a page shows: one's own; for who has all of them the first, or the one asked for."""
    return admitted_of(request).tenant or services_of(request).settings.tenants[0]


def who_of(request: Request) -> Principal:
    principal = admitted_of(request).principal
    assert principal is not None, "the guard lets nobody in here without a name"
    return principal


def _permissions(who: Principal | None) -> list[Permission]:
    return [each for each in Permission if who is not None and who.may(each)]
