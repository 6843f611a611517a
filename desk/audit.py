"""The audit log: who changed what, when, from where, and how it went.

What changes accounts is written in the same transaction as the change. What goes to the engine is written after its
answer, and is kept in memory while the database is away: agents must be able to work without it. (The engine's own
journal has those requests in any case.)
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from collections import deque
from collections.abc import Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from core.clock import Clock
from desk.roles import Principal
from store.sql.accounts import AuditLog

log = logging.getLogger("centralita.desk")

_MOST_WAITING = 10_000
_RETRY_S = 2.0
_BATCH = 200


class Audit:
    def __init__(self, table: AuditLog, clock: Clock) -> None:
        self.table = table
        self._clock = clock
        self._waiting: deque[dict[str, Any]] = deque(maxlen=_MOST_WAITING)
        self._work = asyncio.Event()
        self._writing = asyncio.Lock()
        self._last_us = 0

    def entry(
        self,
        who: Principal | None,
        address: str,
        action: str,
        subject: str,
        detail: Mapping[str, Any] | None = None,
        result: str = "ok",
        *,
        login: str = "",
        tenant: str = "",
    ) -> dict[str, Any]:
        """A row. `detail` must hold no secret and nothing about callers."""
        at_us = self._last_us = max(round(self._clock.now_s() * 1e6), self._last_us + 1)
        return {
            "audit_id": f"{at_us:020d}-{secrets.token_hex(3)}",
            "at_us": at_us,
            "tenant": tenant or (who.tenant if who else ""),
            "account_id": who.account_id if who else "",
            "login": login or (who.login if who else ""),
            "address": address,
            "action": action,
            "subject": subject,
            "detail": json.dumps(dict(detail or {}), ensure_ascii=False, sort_keys=True),
            "result": result,
        }

    def later(self, row: dict[str, Any]) -> None:
        """Written as soon as the database takes it."""
        if len(self._waiting) == _MOST_WAITING:
            log.error("the database has been away for so long that the oldest entries of the audit log are dropped")
        self._waiting.append(row)
        self._work.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._waiting:
                try:
                    await self.flush()
                except (SQLAlchemyError, OSError, TimeoutError) as failure:
                    log.error("the audit log waits for the database: %s", type(failure).__name__)
                    await asyncio.sleep(_RETRY_S)

    async def flush(self) -> None:
        """Raises what the database raises; nothing is lost then."""
        async with self._writing:
            while self._waiting:
                batch = [self._waiting[i] for i in range(min(_BATCH, len(self._waiting)))]
                await self.table.add(batch)
                for _ in batch:
                    self._waiting.popleft()
