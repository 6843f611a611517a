"""People who log in, as the API shows them, and what they did."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from desk.api.models import Asked, Name, Password, Text, Told
from desk.roles import Role


class LogIn(Asked):
    login: Name
    password: Password


class Refresh(Asked):
    refresh_token: Annotated[str, Field(min_length=1, max_length=200)]


class Me(Told):
    account_id: str
    login: str
    name: str
    tenant: str
    role: Role
    agent_id: str
    permissions: list[str]


class Session(Told):
    """`access_token`: for `Authorization: Bearer`; `refresh_token`: good once, for the next pair."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105
    expires_in_s: float
    refresh_token: str
    me: Me


class AccountAsked(Asked):
    """`tenant` empty: yours."""

    login: Name
    password: Password
    role: Role
    tenant: Annotated[str, Field(max_length=40)] = ""
    name: Text = ""
    agent_id: Annotated[str, Field(max_length=80)] = ""
    language: Annotated[str, Field(max_length=10)] = ""


class AccountChanges(Asked):
    """What is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    role: Role | None = None
    agent_id: Annotated[str, Field(max_length=80)] | None = None
    language: Annotated[str, Field(max_length=10)] | None = None
    disabled: bool | None = None


class PasswordAsked(Asked):
    """`current`: needed for one's own."""

    password: Password
    current: Annotated[str, StringConstraints(strip_whitespace=False, max_length=200)] = ""


class Account(Told):
    account_id: str
    tenant: str
    login: str
    name: str
    role: Role
    agent_id: str
    language: str
    created_s: float
    disabled: bool


class Accounts(Told):
    """`next`: for `after`, empty at the end."""

    accounts: list[Account]
    next: str


class AuditEntry(Told):
    audit_id: str
    at_s: float
    tenant: str
    login: str
    address: str
    action: str
    subject: str
    detail: dict[str, Any]
    result: str


class AuditPage(Told):
    """The newest first. `next`: for `before`, empty at the end."""

    entries: list[AuditEntry]
    next: str
