"""The one place that decides who gets in: what each route needs, and who has it.

    route --NEEDS--> Need --permission table (`desk/roles.py`)--> yes
                          \\-- or: it is the asker's own -------> yes
    a route without an entry is closed to everybody

Tokens come as `Authorization: Bearer` (programs) or in a cookie (pages). With a cookie, whatever changes something
must also bring the login's CSRF token, and come from a page of ours.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from desk.problems import Forbidden, NotFound, Unauthenticated
from desk.roles import EVERY_TENANT, Permission, Principal
from desk.services import Services

_P = Permission
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "x-csrf-token"


class Own(Enum):
    """What can be one's own, by the parameter of the path that names it."""

    AGENT = "agent_id"
    CONVERSATION = "interaction_id"
    OFFER = "offer_id"
    ACCOUNT = "account_id"
    PREVIEW = "attempt_id"


@dataclass(frozen=True, slots=True)
class Need:
    """`permission` None: whoever asks. `own`: with `WORK` (for an account: `SELF`), what is one's own is enough."""

    permission: Permission | None
    own: Own | None = None


NEEDS: Mapping[tuple[str, str], Need] = {
    ("POST", "/v1/session/login"): Need(None),
    ("POST", "/v1/session/refresh"): Need(None),
    ("POST", "/v1/session/logout"): Need(_P.SELF),
    ("GET", "/v1/session/me"): Need(_P.SELF),
    ("GET", "/v1/health"): Need(_P.SELF),
    ("GET", "/v1/openapi.json"): Need(_P.SELF),
    ("GET", "/v1/setup"): Need(_P.SELF),
    ("WS", "/v1/live"): Need(_P.SELF),
    ("WS", "/ws"): Need(_P.PHONE),
    ("GET", "/v1/agents"): Need(_P.SEE_AGENTS),
    ("GET", "/v1/agents/{agent_id}"): Need(_P.SEE_AGENTS, Own.AGENT),
    ("POST", "/v1/agents"): Need(_P.MANAGE_AGENTS),
    ("PATCH", "/v1/agents/{agent_id}"): Need(_P.MANAGE_AGENTS),
    ("DELETE", "/v1/agents/{agent_id}"): Need(_P.MANAGE_AGENTS),
    ("POST", "/v1/agents/{agent_id}/phone"): Need(_P.MANAGE_AGENTS),
    ("GET", "/v1/agents/{agent_id}/definition"): Need(_P.MANAGE_AGENTS),
    ("GET", "/v1/agents/{agent_id}/dialing"): Need(_P.SEE_LEADS, Own.AGENT),
    ("POST", "/v1/agents/{agent_id}/presence"): Need(_P.FORCE_PRESENCE, Own.AGENT),
    ("GET", "/v1/queues"): Need(_P.SEE_QUEUES),
    ("GET", "/v1/queues/{queue}"): Need(_P.SEE_QUEUES),
    ("POST", "/v1/queues/{queue}/opening"): Need(_P.OPEN_QUEUES),
    ("GET", "/v1/stays"): Need(_P.SEE_STAYS),
    ("POST", "/v1/stays/{stay_id}/queue"): Need(_P.STEER_STAYS),
    ("POST", "/v1/stays/{stay_id}/priority"): Need(_P.STEER_STAYS),
    ("GET", "/v1/interactions/{interaction_id}"): Need(_P.READ_CONTACTS, Own.CONVERSATION),
    ("GET", "/v1/interactions/{interaction_id}/history"): Need(_P.READ_CONTACTS, Own.CONVERSATION),
    ("GET", "/v1/interactions/{interaction_id}/explain"): Need(_P.EXPLAIN),
    ("POST", "/v1/interactions/{interaction_id}/actions"): Need(_P.NOBODY, Own.CONVERSATION),
    ("POST", "/v1/interactions/{interaction_id}/supervision"): Need(_P.SUPERVISE),
    ("POST", "/v1/interactions/{interaction_id}/wrap-up"): Need(_P.NOBODY, Own.CONVERSATION),
    ("POST", "/v1/offers/{offer_id}/refuse"): Need(_P.NOBODY, Own.OFFER),
    ("GET", "/v1/campaigns"): Need(_P.SEE_CAMPAIGNS),
    ("POST", "/v1/campaigns"): Need(_P.WRITE_CAMPAIGNS),
    ("POST", "/v1/campaigns/validate"): Need(_P.RUN_CAMPAIGNS),
    ("GET", "/v1/campaigns/{campaign}"): Need(_P.SEE_CAMPAIGNS),
    ("POST", "/v1/campaigns/{campaign}/action"): Need(_P.RUN_CAMPAIGNS),
    ("POST", "/v1/campaigns/{campaign}/manual"): Need(_P.WORK),
    ("POST", "/v1/previews/{attempt_id}"): Need(_P.NOBODY, Own.PREVIEW),
    ("GET", "/v1/leads/{lead_id}/why"): Need(_P.SEE_LEADS),
    ("POST", "/v1/leads/{lead_id}/actions"): Need(_P.MANAGE_LISTS),
    ("POST", "/v1/interactions/{interaction_id}/do-not-call"): Need(_P.NOBODY, Own.CONVERSATION),
    ("POST", "/v1/uploads"): Need(_P.MANAGE_LISTS),
    ("POST", "/v1/uploads/{upload_id}/preview"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/lists"): Need(_P.SEE_CAMPAIGNS),
    ("GET", "/v1/lists/{list_id}"): Need(_P.SEE_CAMPAIGNS),
    ("DELETE", "/v1/lists/{list_id}"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/lists/{list_id}/export"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/campaigns/{campaign}/attempts"): Need(_P.MANAGE_LISTS),
    ("POST", "/v1/imports"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/imports"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/imports/{job_id}"): Need(_P.MANAGE_LISTS),
    ("POST", "/v1/imports/{job_id}/cancel"): Need(_P.MANAGE_LISTS),
    ("POST", "/v1/imports/{job_id}/resume"): Need(_P.MANAGE_LISTS),
    ("POST", "/v1/imports/{job_id}/undo"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/imports/{job_id}/rejected"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/do-not-call"): Need(_P.LIST_NUMBERS),
    ("POST", "/v1/do-not-call"): Need(_P.LIST_NUMBERS),
    ("POST", "/v1/do-not-call/remove"): Need(_P.MANAGE_LISTS),
    ("GET", "/v1/recordings"): Need(_P.HEAR_RECORDINGS),
    ("GET", "/v1/recordings/{mailbox}/{name}/sound"): Need(_P.HEAR_RECORDINGS),
    ("GET", "/v1/surveys"): Need(_P.SEE_SURVEYS),
    ("GET", "/v1/accounts"): Need(_P.MANAGE_ACCOUNTS),
    ("POST", "/v1/accounts"): Need(_P.MANAGE_ACCOUNTS),
    ("GET", "/v1/accounts/{account_id}"): Need(_P.MANAGE_ACCOUNTS, Own.ACCOUNT),
    ("PATCH", "/v1/accounts/{account_id}"): Need(_P.MANAGE_ACCOUNTS),
    ("POST", "/v1/accounts/{account_id}/password"): Need(_P.MANAGE_ACCOUNTS, Own.ACCOUNT),
    ("GET", "/v1/audit"): Need(_P.READ_AUDIT),
    ("GET", "/"): Need(_P.SELF),
    ("GET", "/login"): Need(None),
    ("POST", "/login"): Need(None),
    ("POST", "/logout"): Need(_P.SELF),
    ("POST", "/renew"): Need(None),
    ("POST", "/language"): Need(None),
    ("GET", "/first/{secret}"): Need(None),
    ("POST", "/first/{secret}"): Need(None),
    ("GET", "/agent"): Need(_P.WORK),
    ("GET", "/agent/panel"): Need(_P.WORK),
    ("POST", "/agent/presence"): Need(_P.WORK),
    ("POST", "/agent/offers/{offer_id}/refuse"): Need(_P.NOBODY, Own.OFFER),
    ("POST", "/agent/talks/{interaction_id}"): Need(_P.NOBODY, Own.CONVERSATION),
    ("POST", "/agent/talks/{interaction_id}/wrap-up"): Need(_P.NOBODY, Own.CONVERSATION),
    ("POST", "/agent/talks/{interaction_id}/do-not-call"): Need(_P.NOBODY, Own.CONVERSATION),
    ("POST", "/agent/previews/{attempt_id}"): Need(_P.NOBODY, Own.PREVIEW),
    ("POST", "/agent/manual"): Need(_P.WORK),
    ("GET", "/board"): Need(_P.SEE_AGENTS),
    ("GET", "/board/panel"): Need(_P.SEE_AGENTS),
    ("GET", "/board/why/{interaction_id}"): Need(_P.EXPLAIN),
    ("POST", "/board/agents/{agent_id}"): Need(_P.FORCE_PRESENCE),
    ("POST", "/board/talks/{interaction_id}/supervision"): Need(_P.SUPERVISE),
    ("POST", "/board/queues/{queue}"): Need(_P.OPEN_QUEUES),
    ("POST", "/board/stays/{stay_id}"): Need(_P.STEER_STAYS),
    ("GET", "/campaigns"): Need(_P.SEE_CAMPAIGNS),
    ("GET", "/campaigns/panel"): Need(_P.SEE_CAMPAIGNS),
    ("GET", "/campaign/{campaign}"): Need(_P.SEE_CAMPAIGNS),
    ("GET", "/campaign/{campaign}/panel"): Need(_P.SEE_CAMPAIGNS),
    ("POST", "/campaign/{campaign}/action"): Need(_P.RUN_CAMPAIGNS),
    ("GET", "/campaign/{campaign}/why"): Need(_P.SEE_LEADS),
    ("POST", "/campaign/{campaign}/promise"): Need(_P.MANAGE_LISTS),
    ("GET", "/campaign/{campaign}/lists"): Need(_P.MANAGE_LISTS),
    ("POST", "/campaigns/uploads"): Need(_P.MANAGE_LISTS),
    ("POST", "/campaign/{campaign}/preview/{upload_id}"): Need(_P.MANAGE_LISTS),
    ("POST", "/campaign/{campaign}/imports/{upload_id}"): Need(_P.MANAGE_LISTS),
    ("POST", "/campaign/{campaign}/jobs/{job_id}/{action}"): Need(_P.MANAGE_LISTS),
    ("POST", "/campaign/{campaign}/do-not-call"): Need(_P.LIST_NUMBERS),
    ("GET", "/recordings"): Need(_P.HEAR_RECORDINGS),
    ("GET", "/agents"): Need(_P.MANAGE_AGENTS),
    ("GET", "/agents/list"): Need(_P.MANAGE_AGENTS),
    ("GET", "/agents/{agent_id}/form"): Need(_P.MANAGE_AGENTS),
    ("POST", "/agents"): Need(_P.MANAGE_AGENTS),
    ("POST", "/agents/{agent_id}"): Need(_P.MANAGE_AGENTS),
    ("POST", "/agents/{agent_id}/phone"): Need(_P.MANAGE_AGENTS),
    ("POST", "/agents/{agent_id}/remove"): Need(_P.MANAGE_AGENTS),
    ("GET", "/people"): Need(_P.MANAGE_ACCOUNTS),
    ("POST", "/people"): Need(_P.MANAGE_ACCOUNTS),
    ("POST", "/people/{account_id}"): Need(_P.MANAGE_ACCOUNTS),
    ("POST", "/people/{account_id}/password"): Need(_P.MANAGE_ACCOUNTS),
    ("GET", "/static/{path}"): Need(None),
}
"""(method, path as the route declares it) -> what it needs."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """`principal` None: nobody in particular. `tenant`: the one that is asked about; None: all that she reaches."""

    principal: Principal | None
    tenant: str | None = None
    by_cookie: bool = False


def admit(connection: HTTPConnection, method: str, path: str, services: Services) -> Admitted:
    """Leaves `connection.state.admitted`.

    Raises:
        Unauthenticated, Forbidden, NotFound: and nothing else was looked at.
    """
    need = NEEDS.get((method, path))
    if need is None:
        raise Forbidden("this route has no entry in the table of what it needs: it is closed")
    if need.permission is None:
        if method not in _SAFE:
            _same_origin(connection)
        return _remember(connection, Admitted(None))
    token, by_cookie = _token(connection, services)
    principal = services.tokens.principal(token, services.clock.now_s())
    if by_cookie and (method not in _SAFE):
        _same_origin(connection)
        if method != "WS":
            _csrf(connection, principal, services)
    tenant = _tenant(connection, principal, services)
    if not principal.may(need.permission) and not _owns(connection, principal, need, services):
        raise Forbidden(_why(need, principal))
    return _remember(connection, Admitted(principal, tenant, by_cookie))


def _remember(connection: HTTPConnection, admitted: Admitted) -> Admitted:
    connection.state.admitted = admitted
    return admitted


def _token(connection: HTTPConnection, services: Services) -> tuple[str, bool]:
    header = connection.headers.get("authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("send `Authorization: Bearer` and the access token")
        return token.strip(), False
    if cookie := connection.cookies.get(services.cookies.access):
        return cookie, True
    raise Unauthenticated("log in first")


def _csrf(connection: HTTPConnection, principal: Principal, services: Services) -> None:
    given = connection.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), services.tokens.csrf(principal.login_id).encode()):
        raise Forbidden("the page is too old, or this is not our page: load it again", kind="csrf")


def _same_origin(connection: HTTPConnection) -> None:
    """Browsers say where a request comes from; programs say nothing and need not."""
    site = connection.headers.get("sec-fetch-site", "none")
    origin = connection.headers.get("origin")
    if site not in ("same-origin", "none"):
        raise Forbidden("this was sent by a page of another site", kind="csrf")
    if origin is not None and urlsplit(origin).netloc != connection.headers.get("host", ""):
        raise Forbidden("this was sent by a page of another site", kind="csrf")


def _tenant(connection: HTTPConnection, principal: Principal, services: Services) -> str | None:
    asked = connection.query_params.get("tenant")
    if asked is not None and not principal.reaches(asked):
        raise Forbidden("you do not work for this tenant")
    if principal.tenant != EVERY_TENANT:
        return principal.tenant
    if asked == EVERY_TENANT:
        return None
    if asked is None and connection.path_params:
        return services.settings.tenants[0]
    return asked


def _owns(connection: HTTPConnection, principal: Principal, need: Need, services: Services) -> bool:
    if need.own is None:
        return False
    named = str(connection.path_params.get(need.own.value, ""))
    if need.own is Own.ACCOUNT:
        return named == principal.account_id
    if not principal.may(Permission.WORK) or not principal.agent_id:
        return False
    board = services.hub.board
    match need.own:
        case Own.AGENT:
            return named == principal.agent_id
        case Own.CONVERSATION:
            return board.has(principal.tenant, principal.agent_id, named)
        case Own.OFFER:
            found = board.offer(named)
            if found is None:
                raise NotFound("this offer is over")
            return found[:2] == (principal.tenant, principal.agent_id)
        case Own.PREVIEW:
            shown = board.preview(named)
            if shown is None:
                raise NotFound("this lead is no longer shown to you")
            return shown[:2] == (principal.tenant, principal.agent_id)


def _why(need: Need, principal: Principal) -> str:
    if need.own is not None and principal.may(Permission.WORK):
        if not principal.agent_id:
            return "no agent belongs to this login: an admin sets which"
        return "this is not yours"
    role = principal.role.value.replace("_", " ")
    return f"{'an' if role[0] in 'aeiou' else 'a'} {role} may not do this"
