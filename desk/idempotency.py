"""A POST with an `Idempotency-Key` is done once, however often it arrives.

    new key --> at work --2xx--> answered: the same answer is given for a day
                   |---refused--> forgotten: nothing was done, it may be tried again
                   `---outcome unknown--> kept: who asks again is told to look first

Keys belong to the account that sent them. While the database is away they are kept in memory alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from core.clock import Clock
from desk.patience import within
from desk.problems import Refused, Unprocessable
from store.sql.accounts import IdempotencyKeys

HEADER = "idempotency-key"
LONGEST = 200
KEPT_S = 24 * 3600.0
_AT_WORK, _UNKNOWN = 0, 1
_REMEMBERED = 5_000
_PATIENCE_S = 0.5
_AWAY = (SQLAlchemyError, OSError, TimeoutError)

T = TypeVar("T")


@dataclass(slots=True)
class Answered:
    """`status` below 100: at work, or nobody knows how it went."""

    request_hash: str
    status: int
    body: str


class Idempotency:
    def __init__(self, table: IdempotencyKeys, clock: Clock) -> None:
        self._table = table
        self._clock = clock
        self._memory: OrderedDict[tuple[str, str], Answered] = OrderedDict()
        self._writes: dict[tuple[str, str], asyncio.Task[Any]] = {}

    async def claim(self, account_id: str, key: str, request: bytes) -> Answered | None:
        """None: it is new; do it, then `answer`, `release` or `unknown`. Else what was answered.

        Raises:
            Unprocessable: the key is too long, or was used for another request.
            Refused: the first one is still at work, or its outcome is not known.
        """
        if not key.isprintable() or not 1 <= len(key) <= LONGEST:
            raise Unprocessable(f"an Idempotency-Key has 1 to {LONGEST} printable characters")
        request_hash = hashlib.sha256(request).hexdigest()
        before = self._memory.get((account_id, key))
        if before is None:
            # Ours before anything is awaited: of two that come at once, the second finds the first at work.
            self._remember(account_id, key, Answered(request_hash, _AT_WORK, ""))
            before = await self._claim_stored(account_id, key, request_hash)
            if before is None:
                return None
            self._remember(account_id, key, before)
        if before.request_hash != request_hash:
            raise Unprocessable(
                "this Idempotency-Key was used for another request: take a new one for each", kind="key_reused"
            )
        if before.status == _AT_WORK:
            raise Refused("the first request with this Idempotency-Key is still at work: wait", kind="at_work")
        if before.status == _UNKNOWN:
            raise Refused(
                "nobody knows whether the first request was done: look at the state, then ask anew with another key",
                kind="outcome_unknown",
            )
        return before

    async def answer(self, account_id: str, key: str, status: int, body: str) -> None:
        held = self._memory.get((account_id, key))
        if held is not None:
            held.status, held.body = status, body
        await self._quietly(self._in_turn(account_id, key, self._table.answer(account_id, key, status, body)))

    async def unknown(self, account_id: str, key: str) -> None:
        await self.answer(account_id, key, _UNKNOWN, "")

    async def release(self, account_id: str, key: str) -> None:
        self._memory.pop((account_id, key), None)
        await self._quietly(self._in_turn(account_id, key, self._table.release(account_id, key)))

    async def forget_old(self) -> None:
        await self._quietly(self._table.forget_older(round((self._clock.now_s() - KEPT_S) * 1e6)))

    async def _claim_stored(self, account_id: str, key: str, request_hash: str) -> Answered | None:
        row = {
            "account_id": account_id,
            "key": key,
            "request_hash": request_hash,
            "status": _AT_WORK,
            "body": "",
            "created_us": round(self._clock.now_s() * 1e6),
        }
        try:
            stored = await within(_PATIENCE_S, self._in_turn(account_id, key, self._table.claim(row)))
        except _AWAY:
            return None
        if stored is None:
            return None
        # What was at work when a desk before us died has an outcome that nobody knows.
        status = _UNKNOWN if stored.status == _AT_WORK else stored.status
        return Answered(stored.request_hash, status, stored.body)

    def _remember(self, account_id: str, key: str, answered: Answered) -> None:
        self._memory[account_id, key] = answered
        while len(self._memory) > _REMEMBERED:
            self._memory.popitem(last=False)

    def _in_turn(self, account_id: str, key: str, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """What is written about one key is written in order, also when nobody waits for it any more."""
        before = self._writes.get((account_id, key))

        async def after() -> T:
            if before is not None:
                await asyncio.wait({before})
            return await work

        task = asyncio.ensure_future(after())
        self._writes[account_id, key] = task
        task.add_done_callback(lambda ended: self._written((account_id, key), ended))
        return task

    def _written(self, key: tuple[str, str], task: asyncio.Future[Any]) -> None:
        if self._writes.get(key) is task:
            del self._writes[key]

    async def _quietly(self, work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
        with contextlib.suppress(*_AWAY):
            await within(_PATIENCE_S, work)
