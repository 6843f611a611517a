"""Callers who wait to be called back, by the numbers they may ring from: who rings back has her place."""

from __future__ import annotations

from core.events import Event, LegArrived
from engine.arrivals import wanted_phone
from engine.interaction import Interaction, Surroundings

LEAST_DIGITS = 3
"""A caller who shows fewer is nobody in particular."""

_Key = tuple[str, str]
"""(tenant, number)."""


class AwayCallers:
    """`keep` is told of every interaction as it is now, open or closed."""

    def __init__(self) -> None:
        self._whose: dict[_Key, Interaction] = {}
        self._keys: dict[str, tuple[_Key, ...]] = {}

    def keep(self, interaction: Interaction, around: Surroundings) -> None:
        if interaction.callback is None:
            return
        for key in self._keys.pop(interaction.interaction_id, ()):
            if (known := self._whose.get(key)) and known.interaction_id == interaction.interaction_id:
                del self._whose[key]
        if interaction.is_closed or not interaction.is_away:
            return
        numbers = {interaction.callback.number, around.outbound.normalise(interaction.caller)}
        keys = tuple((interaction.tenant, number) for number in sorted(numbers) if _tells_who(number))
        self._whose.update(dict.fromkeys(keys, interaction))
        self._keys[interaction.interaction_id] = keys

    def whose(self, fact: Event, around: Surroundings) -> Interaction | None:
        """Who rings back with this leg, if it is anybody's; a phone of the house that calls another phone is not."""
        if not self._whose or not isinstance(fact, LegArrived):
            return None
        route = around.numbers.route(fact.called, fact.entry)
        if fact.entry in around.outbound.devices and wanted_phone(fact, route, around) is not None:
            return None
        return self._whose.get((route.tenant, around.outbound.normalise(fact.caller)))


def _tells_who(number: str) -> bool:
    return sum(sign.isdigit() for sign in number) >= LEAST_DIGITS
