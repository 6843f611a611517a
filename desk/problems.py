"""What goes wrong, as RFC 9457 problem details: what is wrong, and what to do.

Problem
 +-- Unauthenticated 401     log in (again)
 +-- Forbidden 403           this role, or this tenant, may not
 +-- NotFound 404
 +-- Refused 409             the engine's own words: it cannot be, now
 +-- Unprocessable 422
 +-- TooMany 429             slower, `retry_after_s`
 +-- Away 503                the engine or the database does not answer
"""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
_TITLES = {
    400: "Bad request",
    401: "Log in first",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Refused",
    413: "Too large",
    422: "Not understood",
    429: "Too many tries",
    503: "Not available",
}


class Problem(Exception):
    """Answered as `application/problem+json`. `kind`: a stable word for programs."""

    status = 400
    kind = "bad_request"

    def __init__(self, detail: str, *, kind: str = "", retry_after_s: float = 0.0, **more: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.kind = kind or self.kind
        self.retry_after_s = retry_after_s
        self.more = more

    def response(self) -> JSONResponse:
        headers = {}
        if self.retry_after_s:
            headers["Retry-After"] = str(max(1, round(self.retry_after_s)))
        if self.status == Unauthenticated.status:
            headers["WWW-Authenticate"] = "Bearer"
        return problem_response(self.status, self.kind, self.detail, headers, **self.more)


class Unauthenticated(Problem):
    status, kind = 401, "unauthenticated"


class Forbidden(Problem):
    status, kind = 403, "forbidden"


class NotFound(Problem):
    status, kind = 404, "not_found"


class Refused(Problem):
    status, kind = 409, "refused"


class Unprocessable(Problem):
    status, kind = 422, "unprocessable"


class TooMany(Problem):
    status, kind = 429, "too_many"


class Away(Problem):
    status, kind = 503, "away"


def problem_response(
    status: int, kind: str, detail: str, headers: dict[str, str] | None = None, **more: Any
) -> JSONResponse:
    body = {"type": f"urn:centralita:{kind}", "title": _TITLES.get(status, "Error"), "status": status, "detail": detail}
    return JSONResponse(body | more, status_code=status, headers=headers, media_type=MEDIA_TYPE)
