"""Every interaction that is open, and whose leg is whose."""

from __future__ import annotations

import asyncio

from core.events import Event
from engine.interaction import Interaction


class OpenInteractions:
    """`by_id`: as they are now. `legs`: leg -> the interaction it belongs to."""

    def __init__(self) -> None:
        self.by_id: dict[str, Interaction] = {}
        self.legs: dict[str, str] = {}
        self._none = asyncio.Event()
        self._none.set()

    def named_in(self, fact: Event) -> Interaction | None:
        """A leg may be lent to another interaction: who is named in the fact goes before whose leg it is."""
        interaction_id = getattr(fact, "interaction_id", "") or self.legs.get(getattr(fact, "leg_id", ""), "")
        return self.by_id.get(interaction_id)

    def keep(self, interaction: Interaction) -> None:
        self.by_id[interaction.interaction_id] = interaction
        for leg in interaction.legs:
            self.legs[leg.leg_id] = interaction.interaction_id
        self._none.clear()

    def drop(self, interaction: Interaction) -> None:
        del self.by_id[interaction.interaction_id]
        for leg in interaction.legs:
            self.legs.pop(leg.leg_id, None)
        if not self.by_id:
            self._none.set()

    async def until_none(self) -> None:
        await self._none.wait()
