"""The accounts of people: made, changed, disabled by an admin of their tenant. Every change leaves its audit entry in
the same transaction."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from core.clock import Clock
from desk import passwords as rules
from desk.audit import Audit
from desk.passwords import Passwords
from desk.problems import Forbidden, NotFound, Refused, Unprocessable
from desk.roles import ALLOWED, EVERY_TENANT, Permission, Principal, Role
from desk.tokens import Tokens
from store.sql.account_models import AccountRow
from store.sql.accounts import Accounts, LoginTaken, RefreshTokens
from store.sql.database import Database

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
_TENANT = re.compile(r"[a-z][a-z0-9_]{0,19}")


class People:
    def __init__(
        self,
        database: Database,
        tokens: Tokens,
        passwords: Passwords,
        audit: Audit,
        clock: Clock,
    ) -> None:
        self.accounts = Accounts(database)
        self.refresh_tokens = RefreshTokens(database)
        self._database = database
        self._tokens = tokens
        self._passwords = passwords
        self._audit = audit
        self._clock = clock

    async def list(self, who: Principal, after: str = "", limit: int = 100) -> Sequence[AccountRow]:
        return await self.accounts.of(None if who.tenant == EVERY_TENANT else who.tenant, after, limit)

    async def get(self, who: Principal, account_id: str) -> AccountRow:
        """Raises NotFound: also for an account of another tenant."""
        account = await self.accounts.get(account_id)
        if account is None or not who.reaches(account.tenant):
            raise NotFound("there is no such account")
        return account

    async def add(
        self,
        who: Principal | None,
        address: str,
        *,
        login: str,
        password: str,
        tenant: str,
        role: Role,
        name: str = "",
        agent_id: str = "",
        language: str = "",
    ) -> AccountRow:
        """`who` None: the first admin, by the one-time link.

        Raises:
            Unprocessable, Forbidden: of another tenant; Refused: the login is taken.
        """
        login = login.strip().lower()
        if not _LOGIN.fullmatch(login):
            raise Unprocessable("a login has 2 to 64 of a-z, 0-9 and . _ @ + -")
        if why := rules.fault(password, login):
            raise Unprocessable(why)
        self._check_place(who, tenant, role, agent_id)
        now_us = self._now_us()
        values: dict[str, Any] = {
            "account_id": f"p-{secrets.token_hex(8)}",
            "tenant": tenant,
            "login": login,
            "name": name.strip() or login,
            "role": role.value,
            "agent_id": agent_id,
            "language": language,
            "password_hash": await self._passwords.hash(password),
            "created_us": now_us,
            "password_us": now_us,
            "disabled_us": None,
        }
        told = {"login": login, "role": role.value, "agent_id": agent_id}
        entry = self._audit.entry(who, address, "account_added", values["account_id"], told, tenant=tenant)
        try:
            async with self._database.begin() as connection:
                await self.accounts.add(connection, values)
                await self._audit.table.add_within(connection, [entry])
        except LoginTaken:
            raise Refused(f"the login {login} is taken: choose another one", kind="login_taken") from None
        return AccountRow(**values)

    async def change(self, who: Principal, address: str, account_id: str, changes: Mapping[str, Any]) -> AccountRow:
        """`changes`: name, role (a `Role`), agent_id, language, disabled. Raises NotFound, Forbidden, Refused."""
        account = await self.get(who, account_id)
        role = changes.get("role", Role(account.role))
        agent_id = changes.get("agent_id", account.agent_id)
        self._check_place(who, account.tenant, role, agent_id)
        if account_id == who.account_id and (changes.get("disabled") or role is not who.role):
            raise Refused("you cannot disable yourself or change your own role: ask another admin")
        values: dict[str, Any] = {
            name: value for name, value in changes.items() if name in ("name", "agent_id", "language")
        }
        values["role"] = role.value
        if "disabled" in changes:
            values["disabled_us"] = (account.disabled_us or self._now_us()) if changes["disabled"] else None
        weighs = {"role": account.role, "agent_id": account.agent_id, "disabled_us": account.disabled_us}
        ends = any(values.get(key, now) != now for key, now in weighs.items())
        told = {
            key: value for key, value in values.items() if value != getattr(account, key) and key != "disabled_us"
        } | ({"disabled": bool(changes["disabled"])} if "disabled" in changes else {})
        await self._write(who, address, account, values, "account_changed", told, ends=ends)
        return await self.get(who, account_id)

    async def set_password(self, who: Principal, address: str, account_id: str, password: str) -> None:
        """Ends every login of that account. Raises NotFound, Unprocessable."""
        account = await self.get(who, account_id)
        if why := rules.fault(password, account.login):
            raise Unprocessable(why)
        values = {"password_hash": await self._passwords.hash(password), "password_us": self._now_us()}
        await self._write(who, address, account, values, "password_set", {}, ends=True)

    def _check_place(self, who: Principal | None, tenant: str, role: Role, agent_id: str) -> None:
        if who is not None and not (who.may(Permission.MANAGE_ACCOUNTS) and who.reaches(tenant)):
            raise Forbidden("an admin manages the accounts of their own tenant only")
        if tenant == EVERY_TENANT:
            if role is not Role.ADMIN:
                raise Unprocessable("only an admin can be of every tenant: name one")
        elif not _TENANT.fullmatch(tenant):
            raise Unprocessable("a tenant has a-z, 0-9 and _, a letter first, at most 20 characters")
        if agent_id and role not in ALLOWED[Permission.WORK]:
            raise Unprocessable(f"a {role.value} takes no calls: leave agent_id empty, or choose another role")

    async def _write(
        self,
        who: Principal,
        address: str,
        account: AccountRow,
        values: Mapping[str, Any],
        action: str,
        told: Mapping[str, Any],
        *,
        ends: bool,
    ) -> None:
        entry = self._audit.entry(who, address, action, account.account_id, told, tenant=account.tenant)
        async with self._database.begin() as connection:
            await self.accounts.change(connection, account.account_id, values)
            if ends:
                await self.refresh_tokens.revoke_account(connection, account.account_id, self._now_us())
            await self._audit.table.add_within(connection, [entry])
        if ends:
            self._tokens.revoke_account(account.account_id, self._clock.now_s())

    def _now_us(self) -> int:
        return round(self._clock.now_s() * 1e6)
