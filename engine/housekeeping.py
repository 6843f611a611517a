"""What must be done now and then: old events leave the journal once SQL has them, lag becomes a metric."""

from __future__ import annotations

import asyncio
import json
import logging

from core.clock import Clock
from engine.home import Home
from engine.metrics import Metrics
from store.errors import StoreError
from store.journal import Journal

log = logging.getLogger("centralita.engine")

_LAG_EVERY_S = 2.0
_PRUNE_EVERY_S = 3600.0
_DAY_S = 86_400.0


def projected(home: Home) -> tuple[int, int]:
    """(the last event SQL has, how many it lacks); (0, 0) when nobody projects."""
    try:
        body = json.loads((home.state / "projection.json").read_text(encoding="utf-8"))
        return int(body["seq"] or 0), int(body["lag_events"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0


async def keep_house(home: Home, journal: Journal, metrics: Metrics, clock: Clock, keep_days: int) -> None:
    """Until cancelled."""
    loop = asyncio.get_running_loop()
    prune_at_s = loop.time() + 60.0
    while True:
        seq, lag = await asyncio.to_thread(projected, home)
        metrics.projection_lag.set(lag)
        if loop.time() >= prune_at_s:
            prune_at_s = loop.time() + _PRUNE_EVERY_S
            try:
                deleted = await journal.prune(clock.now_s() - keep_days * _DAY_S, seq)
                if deleted:
                    log.info("journal: %d events older than %d days deleted", deleted, keep_days)
            except StoreError as failure:
                log.error("journal: old events stay: %s", failure)
        await asyncio.sleep(_LAG_EVERY_S)
