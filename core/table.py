"""A state machine is a table.

Each thing that has a life (leg, interaction, assignment, attempt) declares one `StateTable` in its own
file, drawn in that file's docstring. Three answers exist for an event in a state: it moves, it is
declared late (it crossed something on the wire and means nothing any more), or it is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import field
from enum import Enum
from typing import Generic, TypeVar

from core.errors import EventRefused
from core.frozen import dataclass

S = TypeVar("S", bound=Enum)
E = TypeVar("E", bound=Enum)


@dataclass(frozen=True, slots=True)
class Transition:
    """`thing id old -> new (event)`: what every log line and board about states is made of."""

    thing: str
    id: str
    old: str
    new: str
    event: str

    def __str__(self) -> str:
        return f"{self.thing} {self.id} {self.old} -> {self.new} ({self.event})"


@dataclasses.dataclass(frozen=True)
class StateTable(Generic[S, E]):
    """`thing`: the word used in logs. `moves`: (state, event) -> state. `late`: ignorable pairs.

    Raises:
        ValueError: a pair stands in both.
    """

    thing: str
    moves: Mapping[tuple[S, E], S]
    late: frozenset[tuple[S, E]]
    _by_value: dict[tuple[str, str], tuple[S, str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if both := self.late & self.moves.keys():
            raise ValueError(f"{self.thing}: both moves and late: {sorted(map(str, both))}")
        # Strings are found sooner than members of an Enum, whose hash is computed in Python.
        by_value = {(state._value_, event._value_): (new, new._value_) for (state, event), new in self.moves.items()}
        object.__setattr__(self, "_by_value", by_value)

    def advance(self, id_: str, state: S, event: E) -> tuple[S, Transition | None]:
        """The state after `event`, and the transition to log; None when the event is late or changes nothing.

        Raises:
            EventRefused: the pair is neither in the table nor declared late.
        """
        old, what = state._value_, event._value_
        found = self._by_value.get((old, what))
        if found is None:
            if (state, event) in self.late:
                return state, None
            raise EventRefused(f"{self.thing} {id_}: {what} while {old}")
        new, name = found
        if new is state:
            return state, None
        return new, Transition(self.thing, id_, old, name, what)


def every(states: Iterable[S], event: E, to: S) -> dict[tuple[S, E], S]:
    """The same move from several states."""
    return {(state, event): to for state in states}
