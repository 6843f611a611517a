"""What must be done now and then: old events leave the journal once SQL has them, old recordings leave the disk, lag
becomes a metric."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

from core.clock import Clock
from engine.config.models import Site
from engine.home import Home
from engine.metrics import Metrics
from engine.retention import delete_old_recordings
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


async def keep_house(
    home: Home,
    journal: Journal,
    metrics: Metrics,
    clock: Clock,
    site: Callable[[], Site],
    seal_rest: Callable[[], int],
    first_s: float = 60.0,
) -> None:
    """Until cancelled. `site`: the settings in force; `first_s`: when old things are first looked for, then hourly.
    `seal_rest`: seals recordings that lie open."""
    loop = asyncio.get_running_loop()
    prune_at_s = loop.time() + first_s
    while True:
        seq, lag = await asyncio.to_thread(projected, home)
        metrics.projection_lag.set(lag)
        if loop.time() >= prune_at_s:
            prune_at_s = loop.time() + _PRUNE_EVERY_S
            now_s, keep = clock.now_s(), site()
            await _prune_journal(journal, now_s, keep.keep_journal_days, seq)
            await _prune_recordings(home, now_s, keep.keep_recordings_days)
            if sealed := await asyncio.to_thread(seal_rest):
                log.info("recordings: %d that lay open are sealed", sealed)
        await asyncio.sleep(_LAG_EVERY_S)


async def _prune_journal(journal: Journal, now_s: float, keep_days: int, projected_seq: int) -> None:
    try:
        deleted = await journal.prune(now_s - keep_days * _DAY_S, projected_seq)
        if deleted:
            log.info("journal: %d events older than %d days deleted", deleted, keep_days)
    except StoreError as failure:
        log.error("journal: old events stay: %s", failure)


async def _prune_recordings(home: Home, now_s: float, keep_days: int) -> None:
    """0 days: they stay for ever."""
    if keep_days == 0:
        return
    try:
        deleted = await asyncio.to_thread(delete_old_recordings, home.voicemail, now_s - keep_days * _DAY_S)
    except OSError as failure:
        log.error("recordings: old ones stay: %s: %s", failure.filename, failure.strerror)
        return
    for mailbox, count in deleted.items():
        log.info("recordings: %d older than %d days deleted from mailbox %s", count, keep_days, mailbox)
