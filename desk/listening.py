"""Kept recordings for people: found, heard, and who heard them noted in the audit log before a sound is given."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from core.clock import Clock
from desk.audit import Audit
from desk.problems import Away, NotFound
from desk.roles import Principal
from store.cipher import ContactCipher
from store.errors import Erased, KeysUnusable
from store.recordings import Recording, Recordings

HEARD = "recording.heard"
_SAME_LISTENING_S = 600.0
"""A player asks for the parts of a sound again and again."""
_MOST_NOTED = 10_000


class Listening:
    """`state`: the directory with the keys and the recordings."""

    def __init__(self, state: Path, audit: Audit, clock: Clock) -> None:
        self._state, self._audit, self._clock = state, audit, clock
        self._opened: Recordings | None = None
        self._noted: dict[tuple[str, str, str], float] = {}

    async def find(
        self, tenant: str, *, queue: str = "", agent_id: str = "", before: str = "", limit: int = 100
    ) -> list[Recording]:
        """The newest first. Raises Away: the keys cannot be used."""

        def look() -> list[Recording]:
            kept = self._recordings()
            return kept.find(tenant, queue=queue, agent_id=agent_id, before=before, limit=limit) if kept else []

        return await asyncio.to_thread(look)

    async def sound(
        self, who: Principal, address: str, tenant: str, mailbox: str, name: str, start: int, end: int | None
    ) -> tuple[int, AsyncIterator[bytes]]:
        """(bytes of the whole, those from `start` to before `end`).

        Raises:
            NotFound: there is none, its contact was forgotten, or it was damaged.
            Away: the keys, or the audit log's database.
        """

        def look() -> tuple[int, Iterator[bytes], bytes]:
            kept = self._recordings()
            recording = kept.get(tenant, mailbox, name) if kept else None
            if kept is None or recording is None or recording.sound is None:
                raise NotFound("there is no such recording")
            try:
                size, pieces = kept.part(recording, start, end)
                # The first piece shows whether it opens at all.
                return size, pieces, next(pieces, b"")
            except Erased:
                raise NotFound("this contact asked to be forgotten") from None
            except (KeysUnusable, OSError):
                raise NotFound("this recording is damaged") from None

        size, pieces, first = await asyncio.to_thread(look)
        await self._note(who, address, tenant, f"{mailbox}/{name}")
        return size, _sent(first, pieces)

    async def _note(self, who: Principal, address: str, tenant: str, subject: str) -> None:
        """Raises SQLAlchemyError, OSError: nobody listens unseen."""
        now_s, key = self._clock.now_s(), (who.account_id, tenant, subject)
        if now_s - self._noted.get(key, float("-inf")) < _SAME_LISTENING_S:
            return
        await self._audit.table.add([self._audit.entry(who, address, HEARD, subject, tenant=tenant)])
        if len(self._noted) >= _MOST_NOTED:
            self._noted.clear()
        self._noted[key] = now_s

    def _recordings(self) -> Recordings | None:
        """None while no engine has run here: then nothing was kept."""
        if self._opened is None and (self._state / "master.key").exists():
            try:
                cipher = ContactCipher.open(self._state, read_only=True)
            except KeysUnusable:
                raise Away("the keys of recordings cannot be used: see `centralita doctor`") from None
            self._opened = Recordings(self._state / "voicemail", cipher)
        return self._opened


async def _sent(first: bytes, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    piece: bytes | None = first
    while piece is not None:
        yield piece
        piece = await asyncio.to_thread(next, pieces, None)
