"""Log in, stay in, log out."""

from __future__ import annotations

from fastapi import Request

from desk.api.common import Desk, Who, problems
from desk.api.models import Done
from desk.api.models_accounts import LogIn, Me, Refresh, Session
from desk.logins import LoggedIn
from desk.roles import Permission, Principal
from desk.tokens import ACCESS_S
from desk.web import address_of, guarded_router

router = guarded_router(prefix="/v1/session", tags=["session"])


@router.post("/login", responses=problems(429))
async def log_in(asked: LogIn, request: Request, desk: Desk) -> Session:
    """A pair of tokens for a login and its password. Wrong tries in a row make the next ones wait."""
    return _session(await desk.logins.log_in(asked.login, asked.password, address_of(request)))


@router.post("/refresh", responses=problems())
async def refresh(asked: Refresh, request: Request, desk: Desk) -> Session:
    """The next pair. The refresh token is used up; using it again later ends the login."""
    return _session(await desk.logins.refresh(asked.refresh_token, address_of(request)))


@router.post("/logout", responses=problems(409))
async def log_out(who: Who, request: Request, desk: Desk) -> Done:
    """Ends this login: its tokens are no longer good."""
    await desk.logins.log_out(who, address_of(request))
    return Done()


@router.get("/me", responses=problems())
async def me(who: Who) -> Me:
    """Who I am and what I may."""
    return _me(who)


def _session(logged_in: LoggedIn) -> Session:
    return Session(
        access_token=logged_in.access_token,
        expires_in_s=ACCESS_S,
        refresh_token=logged_in.refresh_token,
        me=_me(logged_in.principal),
    )


def _me(who: Principal) -> Me:
    return Me(
        account_id=who.account_id,
        login=who.login,
        name=who.name,
        tenant=who.tenant,
        role=who.role,
        agent_id=who.agent_id,
        permissions=[each.value for each in Permission if who.may(each)],
    )
