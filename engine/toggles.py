"""Toggles: switches that flows set and read. A new value is in force once it is durable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from core.clock import Clock
from core.commands import SetToggle
from core.events import Event, ToggleSet
from engine.durably import Durably
from engine.interaction import Surroundings
from engine.lanes import Ordered
from engine.written import Book


class Around(Protocol):
    """Who has the surroundings."""

    clock: Clock
    surroundings: Surroundings


class Toggles:
    def __init__(self, around: Around, book: Book, durably: Durably) -> None:
        self._around = around
        self._book = book
        self._durably = durably
        self._pending: dict[tuple[str, str], bool] = {}

    def set(self, ordered: Ordered, command: SetToggle) -> None:
        """Kept together with those that are on their way to the disk."""
        key, value, pending, around = (command.tenant, command.toggle), command.value, self._pending, self._around
        pending[key] = value
        fact = ToggleSet(command.interaction_id, command.tenant, command.toggle, value)
        body = toggles_body({**around.surroundings.toggles, **pending})

        def settled() -> None:
            if pending.get(key) is value:
                del pending[key]

        def then() -> Event:
            settled()
            around.surroundings = replace(around.surroundings, toggles={**around.surroundings.toggles, key: value})
            return fact

        seq = self._book.write_state("toggles", fact, around.clock.now_s(), body)
        self._durably.promise(ordered, seq, then, settled)


def toggles_body(toggles: Mapping[tuple[str, str], bool]) -> list[tuple[str, str, bool]]:
    """The toggles as they are kept: (tenant, name, value)."""
    return [(tenant, name, value) for (tenant, name), value in sorted(toggles.items())]
