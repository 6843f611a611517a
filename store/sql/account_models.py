"""The tables of people who log in, and of what they did. Apart from the projection's: they cannot be rebuilt.

    accounts 1--* refresh_tokens     one family a login; each token is good once
    audit_log                        who changed what
    idempotency_keys                 answers to requests that may come twice

Times are UTC microseconds; ids are text.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class AccountBase(DeclarativeBase):
    type_annotation_map = {int: BigInteger, str: Text}


class AccountRow(AccountBase):
    """`tenant` `*`: every tenant. `agent_id`: the agent this person is, empty for none. `login` is lower case."""

    __tablename__ = "accounts"
    __table_args__ = (Index("accounts_by_login", "login", unique=True), Index("accounts_by_tenant", "tenant", "login"))

    account_id: Mapped[str] = mapped_column(primary_key=True)
    tenant: Mapped[str]
    login: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    agent_id: Mapped[str]
    language: Mapped[str]
    password_hash: Mapped[str]
    created_us: Mapped[int]
    password_us: Mapped[int]
    disabled_us: Mapped[int | None]


class RefreshTokenRow(AccountBase):
    """`token_hash`: SHA-256 of the token, which is kept nowhere. `used_us`: when it was exchanged or revoked."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index("refresh_tokens_by_family", "family_id"),
        Index("refresh_tokens_by_account", "account_id"),
        Index("refresh_tokens_by_expiry", "expires_us"),
    )

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    family_id: Mapped[str]
    account_id: Mapped[str]
    issued_us: Mapped[int]
    expires_us: Mapped[int]
    used_us: Mapped[int | None]
    revoked_us: Mapped[int | None]


class AuditRow(AccountBase):
    """`detail`: a JSON object without secrets, numbers of callers or notes."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("audit_log_by_time", "tenant", "at_us"), Index("audit_log_by_account", "account_id"))

    audit_id: Mapped[str] = mapped_column(primary_key=True)
    at_us: Mapped[int]
    tenant: Mapped[str]
    account_id: Mapped[str]
    login: Mapped[str]
    address: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    detail: Mapped[str]
    result: Mapped[str]


class IdempotencyRow(AccountBase):
    """`status` 0: the first request is still at work. `body`: what it answered; logins are not kept here."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index("idempotency_keys_by_time", "created_us"),)

    account_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[str]
    status: Mapped[int]
    body: Mapped[str]
    created_us: Mapped[int]
