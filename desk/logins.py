"""Logging in and staying in: password -> access token + refresh token, and the next of each.

A refresh token is good once. One that comes a second time has been copied: its whole family ends. But two tabs, or
an answer that got lost, ask twice within moments: for `GRACE_S` the second gets a token of its own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from core.clock import Clock
from desk.audit import Audit
from desk.passwords import Passwords
from desk.problems import TooMany, Unauthenticated
from desk.roles import Principal, Role
from desk.throttle import Throttle
from desk.tokens import REFRESH_S, Tokens, hashed, new_secret
from store.sql.account_models import AccountRow
from store.sql.accounts import Accounts, RefreshTokens

GRACE_S = 20.0


@dataclass(frozen=True, slots=True)
class LoggedIn:
    principal: Principal
    access_token: str
    refresh_token: str
    language: str


class Logins:
    def __init__(
        self,
        accounts: Accounts,
        refresh_tokens: RefreshTokens,
        tokens: Tokens,
        passwords: Passwords,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._refresh_tokens = refresh_tokens
        self._tokens = tokens
        self._passwords = passwords
        self._audit = audit
        self._clock = clock
        self._throttle = Throttle()

    async def log_in(self, login: str, password: str, address: str) -> LoggedIn:
        """Raises TooMany, Unauthenticated; both are the same whether or not the login exists."""
        login, now_s = login.strip().lower(), self._clock.now_s()
        if wait_s := self._throttle.wait_s(login, address, now_s):
            raise TooMany(f"too many wrong tries: wait {round(wait_s) or 1} s", retry_after_s=wait_s)
        account = await self._accounts.by_login(login)
        known = account is not None and account.disabled_us is None
        right = await self._passwords.verify(account.password_hash if account is not None and known else None, password)
        if account is None or not right:
            self._throttle.failed(login, address, now_s)
            tenant = account.tenant if account is not None else ""
            self._audit.later(
                self._audit.entry(None, address, "log_in", "", result="refused", login=login[:80], tenant=tenant)
            )
            raise Unauthenticated("login or password is wrong", kind="wrong_password")
        self._throttle.succeeded(login)
        logged_in = await self.issue(account, new_family=True)
        self._audit.later(self._audit.entry(logged_in.principal, address, "log_in", account.account_id))
        return logged_in

    async def issue(self, account: AccountRow, *, new_family: bool = False, family_id: str = "") -> LoggedIn:
        """Tokens for this person, without asking for a password."""
        now_s = self._clock.now_s()
        principal = Principal(
            account_id=account.account_id,
            login=account.login,
            name=account.name,
            tenant=account.tenant,
            role=Role(account.role),
            agent_id=account.agent_id,
            login_id=secrets.token_hex(16) if new_family else family_id,
        )
        refresh_token = new_secret()
        await self._refresh_tokens.add(
            {
                "token_hash": hashed(refresh_token),
                "family_id": principal.login_id,
                "account_id": account.account_id,
                "issued_us": round(now_s * 1e6),
                "expires_us": round((now_s + REFRESH_S) * 1e6),
                "used_us": None,
                "revoked_us": None,
            }
        )
        return LoggedIn(principal, self._tokens.access(principal, now_s), refresh_token, account.language)

    async def refresh(self, refresh_token: str, address: str) -> LoggedIn:
        """Raises Unauthenticated."""
        now_s = self._clock.now_s()
        now_us = round(now_s * 1e6)
        row = await self._refresh_tokens.get(hashed(refresh_token))
        if row is None or row.revoked_us is not None or row.expires_us <= now_us:
            raise Unauthenticated("this login has ended: log in again", kind="ended")
        first = await self._refresh_tokens.use(row.token_hash, now_us)
        if not first and row.used_us is not None and now_us - row.used_us > GRACE_S * 1e6:
            await self._refresh_tokens.revoke_family(row.family_id, now_us)
            self._tokens.end_login(row.family_id, now_s)
            self._audit.later(self._audit.entry(None, address, "refresh_token_reused", row.account_id, result="ended"))
            raise Unauthenticated("this login has ended: its token was used twice", kind="ended")
        account = await self._accounts.get(row.account_id)
        if account is None or account.disabled_us is not None:
            raise Unauthenticated("this login has ended: log in again", kind="ended")
        return await self.issue(account, family_id=row.family_id)

    async def log_out(self, principal: Principal, address: str) -> None:
        now_s = self._clock.now_s()
        self._tokens.end_login(principal.login_id, now_s)
        await self._refresh_tokens.revoke_family(principal.login_id, round(now_s * 1e6))
        self._audit.later(self._audit.entry(principal, address, "log_out", principal.account_id))

    async def password_right(self, principal: Principal, password: str, address: str) -> bool:
        """Asked again before something grave. Wrong ones count as wrong logins. Raises TooMany."""
        now_s = self._clock.now_s()
        if wait_s := self._throttle.wait_s(principal.login, address, now_s):
            raise TooMany(f"too many wrong tries: wait {round(wait_s) or 1} s", retry_after_s=wait_s)
        account = await self._accounts.get(principal.account_id)
        right = await self._passwords.verify(account.password_hash if account else None, password)
        if not right:
            self._throttle.failed(principal.login, address, now_s)
        return right
