"""Callers who wait to be called back, by the numbers they may ring from: who rings back has her place."""

from __future__ import annotations

from acd.setup import Callbacks
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
        keys = tuple((interaction.tenant, number) for number in sorted(_numbers(interaction, around)))
        self._whose.update(dict.fromkeys(keys, interaction))
        self._keys[interaction.interaction_id] = keys

    def whose(self, fact: Event, around: Surroundings) -> Interaction | None:
        """Who rings back with this leg, if it is anybody's; a phone of the house that calls another phone is not."""
        if not self._whose or not isinstance(fact, LegArrived):
            return None
        route = around.numbers.route(fact.called, fact.entry)
        if fact.entry in around.outbound.devices and wanted_phone(fact, route, around) is not None:
            return None
        number = around.outbound.normalise(fact.caller)
        found = self._whose.get((route.tenant, number))
        return found if found is not None and number in _numbers(found, around) else None


def _numbers(interaction: Interaction, around: Surroundings) -> set[str]:
    """Those by which she is known, as her queue has it. Any number can be forged: who shows hers is taken for her."""
    callback, talk = interaction.callback, interaction.talk
    stay = interaction.waiting or (talk.served if talk is not None else None)
    queue = around.routing.queues.get((interaction.tenant, stay.joined.queue)) if stay is not None else None
    settings = (queue.callback if queue is not None else None) or Callbacks()
    if callback is None or settings.ring_back == "never":
        return set()
    numbers = {callback.number, interaction.caller} if settings.ring_back == "either" else {callback.number}
    return {number for number in map(around.outbound.normalise, numbers) if _tells_who(number)}


def _tells_who(number: str) -> bool:
    return sum(sign.isdigit() for sign in number) >= LEAST_DIGITS
