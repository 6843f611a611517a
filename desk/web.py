"""What every request goes through: size, host, headers; then the guard; then its answer, problems included."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.errors import StoreUnavailable
from core.list_store import ImportStopped, ListBusy
from desk.access import Admitted, admit
from desk.engine_client import EngineAway, EngineRefused, NotKnown
from desk.idempotency import HEADER as IDEMPOTENCY_HEADER
from desk.lists.tables import FileUnusable
from desk.problems import Away, NotFound, Problem, Refused, Unprocessable, problem_response
from desk.services import Services
from desk.settings import Settings

log = logging.getLogger("centralita.desk")

MOST_BYTES = 64_000
_TOO_LARGE = f"a request has at most {MOST_BYTES} bytes"
UPLOADS = frozenset({"/v1/uploads", "/campaigns/uploads"})
"""Files come here, larger than any other request; they go to the disk as they come."""
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
}

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """Asks the guard before anything of the request is read; does a POST with an idempotency key once. Who tells a
    secret leaves in `request.state.kept_answer` what repeats are told."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            services: Services = request.app.state.services
            admitted = admit(request, request.method, self.path_format, services)
            key = request.headers.get(IDEMPOTENCY_HEADER)
            once = key is not None and request.method == "POST" and request.url.path not in UPLOADS
            if key is None or not once or admitted.principal is None:
                return await handler(request)
            return await _once(request, handler, services, admitted.principal.account_id, key)

        return guarded


def guarded_router(**more: Any) -> APIRouter:
    return APIRouter(route_class=GuardedRoute, **more)


async def _once(request: Request, handler: Handler, services: Services, account_id: str, key: str) -> Response:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + await request.body()
    before = await services.idempotency.claim(account_id, key, asked)
    if before is not None:
        headers = {"idempotency-replayed": "true"}
        return Response(before.body, before.status, headers, "application/json" if before.body else None)
    try:
        answer = await handler(request)
    except EngineAway as away:
        if away.maybe_done:
            await services.idempotency.unknown(account_id, key)
        else:
            await services.idempotency.release(account_id, key)
        raise
    except BaseException:
        await services.idempotency.release(account_id, key)
        raise
    if answer.status_code < 300:
        # Of a page only that it was done: it may show a password, which is shown once.
        kept = bytes(answer.body).decode() if "json" in answer.headers.get("content-type", "") else ""
        kept = getattr(request.state, "kept_answer", kept)
        await services.idempotency.answer(account_id, key, answer.status_code, kept)
    else:
        await services.idempotency.release(account_id, key)
    return answer


class Shell:
    """Outermost: hosts we do not answer for, bodies that are too large, and the headers of every answer."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._upload_bytes = settings.upload_mb * 1_000_000 + MOST_BYTES
        self._hosts = {"localhost", "127.0.0.1", "::1", settings.bind.strip("[]")}
        self._any_host = settings.bind in ("0.0.0.0", "::")  # noqa: S104
        if settings.url:
            self._hosts.add(urlsplit(settings.url).hostname or "")
        self._headers = dict(_HEADERS)
        if settings.url.startswith("https:"):
            self._headers["strict-transport-security"] = "max-age=31536000"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        # A name that somebody else's page resolves to our address must not reach us.
        if not self._any_host and urlsplit(f"//{headers.get('host', '')}").hostname not in self._hosts:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 4403})
            else:
                refused = problem_response(400, "bad_host", "this desk does not answer for that host name")
                await refused(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    answer.setdefault(name, value)
                answer.setdefault("cache-control", "no-store")
            await send(message)

        announced, upload = headers.get("content-length", "0"), scope["path"] in UPLOADS
        most = self._upload_bytes if upload else MOST_BYTES
        if not announced.isdecimal() or int(announced) > most:
            said = f"a file has at most {most // 1_000_000} MB: split it, or import it on the server"
            refused = problem_response(413, "too_large", said if upload else _TOO_LARGE)
            await refused(scope, receive, send_with_headers)
            return
        await self._app(scope, _limited(receive, most), send_with_headers)


def _limited(receive: Receive, most: int) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise HTTPException(413, _TOO_LARGE if most == MOST_BYTES else f"a file has at most {most} bytes")
        return message

    return limited


_KNOWN: tuple[type[Exception], ...] = (
    *(Problem, EngineAway, EngineRefused, NotKnown, SQLAlchemyError, OSError, TimeoutError),
    *(StoreUnavailable, ImportStopped, ListBusy, FileUnusable),
)
"""What a person is told in its own words, or in ours."""


def add_problem_handlers(app: FastAPI) -> None:
    """Every error becomes a problem+json answer; a page's own handler may make a page of it."""

    async def problem(request: Request, error: Exception) -> Response:
        return as_problem(error).response()

    for kind in _KNOWN:
        app.add_exception_handler(kind, problem)

    async def gone(request: Request, error: Exception) -> Response:
        return problem_response(400, "gone", "the connection ended before all of it had come")

    app.add_exception_handler(ClientDisconnect, gone)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [
            {"at": ".".join(str(part) for part in each["loc"]), "what": str(each["msg"])} for each in error.errors()
        ]
        detail = "; ".join(f"{fault['at']}: {fault['what']}" for fault in faults[:5])
        return problem_response(422, "unprocessable", detail, errors=faults)

    app.add_exception_handler(RequestValidationError, invalid)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        headers = dict(error.headers or {})
        kind = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}.get(error.status_code, "bad_request")
        return problem_response(error.status_code, kind, str(error.detail), headers)

    app.add_exception_handler(HTTPException, http)

    async def broken(request: Request, error: Exception) -> Response:
        # Where, not with what: a message may hold what somebody typed.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s %s failed: %s\n%s", request.method, request.scope.get("path"), type(error).__name__, where)
        return problem_response(500, "broken", "something of ours broke; it is in the desk's log")

    app.add_exception_handler(Exception, broken)


def as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, EngineRefused):
        return Refused(str(error))
    if isinstance(error, ImportStopped | ListBusy):
        return Refused(str(error))
    if isinstance(error, FileUnusable):
        return Unprocessable(str(error))
    if isinstance(error, NotKnown):
        return NotFound(str(error))
    if isinstance(error, EngineAway):
        more = "; whether it was done is not known: look before you repeat it" if error.maybe_done else ""
        return Away(f"{error}{more}", kind="engine_away", retry_after_s=2)
    log.error("the database does not answer: %s", type(error).__name__)
    return Away("the database does not answer: try again in a moment", kind="database_away", retry_after_s=2)


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def admitted_of(request: Request) -> Admitted:
    admitted: Admitted = request.state.admitted
    return admitted


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""
