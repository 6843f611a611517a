"""Outbound rules' hourly caps: what is dialed is counted before it is, and survives a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from engine.interaction import Turn
from engine.outbound_use import WINDOW_S, OutboundUse
from engine.toggles import Around


class HourlyCaps:
    """Belongs to the running event loop. `around`: who has the surroundings, where decisions read the counts."""

    def __init__(self, around: Around, use: OutboundUse) -> None:
        self._around = around
        self._use = use
        self._refresh()

    def count(self, turn: Turn, now_s: float) -> Mapping[str, object]:
        """What the journal keeps of it, by name; nothing when the turn dials nothing that is counted."""
        if not turn.dialed_by:
            return {}
        self._use.add(turn.dialed_by, now_s)
        self._refresh()
        asyncio.get_running_loop().call_later(WINDOW_S + 1.0, self._refresh)
        return {"outbound_use": self._use.kept()}

    def _refresh(self) -> None:
        around = self._around
        around.surroundings = replace(around.surroundings, dialed=self._use.counts(around.clock.now_s()))
