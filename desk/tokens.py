"""Access tokens: short, signed, checked without a database. Refresh tokens: random, only their hash is kept."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import jwt

from desk.problems import Unauthenticated
from desk.roles import Principal, Role

ACCESS_S = 600.0
REFRESH_S = 12 * 3600.0
"""A login lasts this long without use; each use gives a new token."""
_ALGORITHM = "HS256"
_ISSUER = "centralita-desk"
_CLAIMS = ["exp", "iat", "sub", "sid", "ten", "rol"]


def signing_key(state: Path) -> bytes:
    """The key of this installation; made at the first start, readable by its owner alone."""
    path = state / "desk.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) >= 32:
            return key
        path.unlink()
        return signing_key(state)
    key = secrets.token_bytes(48)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


class Tokens:
    """What was revoked is remembered by this process: after the desk's restart such a token holds minutes at most."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._revoked: dict[str, float] = {}
        self._ended: dict[str, float] = {}

    def access(self, principal: Principal, now_s: float) -> str:
        claims = {
            "iss": _ISSUER,
            "sub": principal.account_id,
            "sid": principal.login_id,
            "ten": principal.tenant,
            "rol": principal.role.value,
            "agt": principal.agent_id,
            "lgn": principal.login,
            "nam": principal.name,
            "iat": now_s,
            "exp": now_s + ACCESS_S,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def principal(self, token: str, now_s: float) -> Principal:
        """Raises Unauthenticated: expired, revoked, not ours."""
        try:
            # The time is ours, not the library's.
            options = {"require": _CLAIMS, "verify_exp": False, "verify_iat": False}
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM], issuer=_ISSUER, options=options)  # type: ignore[arg-type]
            issued_s, expires_s = float(claims["iat"]), float(claims["exp"])
            principal = Principal(
                account_id=str(claims["sub"]),
                login=str(claims.get("lgn", "")),
                name=str(claims.get("nam", "")),
                tenant=str(claims["ten"]),
                role=Role(claims["rol"]),
                agent_id=str(claims.get("agt", "")),
                login_id=str(claims["sid"]),
                issued_s=issued_s,
                expires_s=expires_s,
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            raise Unauthenticated("this is no access token of ours: log in") from None
        if now_s >= expires_s:
            raise Unauthenticated("the access token has expired: refresh it", kind="expired")
        if not self.good(principal, now_s):
            raise Unauthenticated("this login has ended: log in again", kind="ended")
        return principal

    def revoke_account(self, account_id: str, now_s: float) -> None:
        """Every access token it has now is no longer good."""
        self._revoked[account_id] = now_s

    def end_login(self, login_id: str, now_s: float) -> None:
        self._ended = {key: until_s for key, until_s in self._ended.items() if until_s > now_s}
        self._ended[login_id] = now_s + ACCESS_S

    def good(self, principal: Principal, now_s: float) -> bool:
        """Whether it still holds, for whoever keeps a connection open."""
        return now_s < principal.expires_s and self.login_holds(principal)

    def login_holds(self, principal: Principal) -> bool:
        """The same, for what may outlive the access token that opened it: to be asked more often than tokens expire."""
        return (
            principal.issued_s >= self._revoked.get(principal.account_id, 0.0) and principal.login_id not in self._ended
        )

    def csrf(self, login_id: str) -> str:
        """What a page must send along with what it changes; tied to the login."""
        return hmac.new(self._key, b"csrf:" + login_id.encode(), hashlib.sha256).hexdigest()


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
