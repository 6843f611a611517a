"""What the journal keeps of one event, and the rim as the runtime sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from core.commands import Command, SendHttp
from core.decisions import Decision
from core.events import Event
from engine.interaction import Interaction
from engine.routing import Routed


@dataclass(frozen=True, slots=True)
class Written:
    """What the journal keeps of one event. `interaction` is the state after it."""

    event: Event
    at_s: float
    interaction: Interaction
    decisions: tuple[Decision, ...]
    commands: tuple[Command, ...]
    closed: bool
    states: Mapping[str, object] = field(default_factory=dict)
    """State of the whole engine that this event changed, by name."""


class Book(Protocol):
    """The journal as the runtime sees it."""

    @property
    def healthy(self) -> bool: ...

    @property
    def last_seq(self) -> int:
        """Of the last event that was written."""
        ...

    def write(self, written: Written, before: Interaction | None) -> int:
        """The event's seq, at once; durable a little later."""
        ...

    async def durable(self, seq: int) -> None: ...

    async def command_started(self, command_id: str, interaction_id: str, what: str, subject_id: str) -> None: ...

    def command_done(self, command_id: str, outcome: str) -> None: ...

    def write_state(self, name: str, event: Event, at_s: float, body: object) -> int: ...

    def write_routed(self, routed: Routed) -> int: ...

    def write_after(self, interaction_id: str, event: Event) -> int:
        """What became of something when its interaction is over."""
        ...


class HttpSender(Protocol):
    def send(self, command: SendHttp, report: Callable[[Event], None], done: Callable[[str], None]) -> None: ...
