"""What agents wrote down about a contact that came earlier, for who has the same person now.

Notes are in the journal and nowhere else, so the engine is asked: rarely, since a page that shows them is fetched anew
whenever something changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from core.clock import Clock
from desk.engine_client import EngineAway, EngineClient, NotKnown

MOST = 5
"""Contacts with an agent whose notes are shown: of older ones only what came of them."""
KEPT_S = 20.0
_MOST_KEPT = 2000

Notes = Sequence[Mapping[str, Any]]


class PastNotes:
    def __init__(self, engine: EngineClient, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._kept: dict[str, tuple[float, Notes]] = {}

    async def of(self, tenant: str, interaction_ids: Sequence[str]) -> dict[str, Notes]:
        """`{interaction_id: [{at_s, by, text}]}` of the first few; what the engine does not tell is left out."""
        asked = interaction_ids[:MOST]
        found = await asyncio.gather(*(self._of(tenant, each) for each in asked))
        return {each: notes for each, notes in zip(asked, found, strict=True) if notes}

    async def _of(self, tenant: str, interaction_id: str) -> Notes:
        now_s = self._clock.now_s()
        until_s, notes = self._kept.get(interaction_id, (0.0, ()))
        if now_s < until_s:
            return notes
        try:
            card = await self._engine.contact(interaction_id)
        except EngineAway:
            return notes
        except NotKnown:  # too old for the journal, or forgotten on request
            card = {}
        notes = tuple(card.get("notes", ())) if card.get("tenant") == tenant else ()
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[interaction_id] = (now_s + KEPT_S, notes)
        return notes
