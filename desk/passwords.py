"""Passwords: argon2id, hashed beside the event loop, two at a time so that guesses cannot take the machine."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST, LONGEST = 10, 200
_AT_ONCE = 2


class Passwords:
    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe(16))

    async def hash(self, password: str) -> str:
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, _same(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Takes as long for an account that does not exist (`stored` None) as for a wrong password."""
        async with self._room:
            return await asyncio.to_thread(self._verify, stored or self._nobodys, password) and stored is not None

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, _same(password))
        except (VerificationError, InvalidHashError):
            return False


def _same(password: str) -> str:
    """However a keyboard composes an accent."""
    return unicodedata.normalize("NFKC", password)


def fault(password: str, login: str) -> str:
    """Why this cannot be a password, empty when it can."""
    if len(password) < SHORTEST:
        return f"a password has at least {SHORTEST} characters: a few words are easy to remember"
    if len(password) > LONGEST:
        return f"a password has at most {LONGEST} characters"
    if login and login.lower() in password.lower():
        return "the password contains the login: choose something that cannot be guessed from it"
    if len(set(password)) < 4:
        return "the password repeats itself: choose one with more different characters"
    return ""
