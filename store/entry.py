"""What goes into the journal, and what comes out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.commands import Command
from core.decisions import Decision
from core.events import Event


@dataclass(frozen=True, slots=True)
class StateRow:
    """State of the whole engine (toggles, counters), replaced by name together with the event that changed it.

    `body` None: there is no such state any more. What is loaded always has one."""

    name: str
    version: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One event and what came of it.

    Args:
        interaction_id: empty for what concerns no interaction.
        contact_key_id: whose key seals the bodies (`ContactCipher.contact_key_id`); empty for the house's.
        at_s: UTC seconds at which the event was handled.
        snapshot: the interaction after this event, or a function that gives it (called on the writer's thread,
            only when no later event of the same batch replaces it; so close over immutable values). None keeps
            the snapshot there is.
        closed: the interaction is over: its snapshot is deleted.
    """

    interaction_id: str
    contact_key_id: str
    at_s: float
    event: Event
    decisions: Sequence[Decision] = ()
    commands: Sequence[Command] = ()
    snapshot: bytes | Callable[[], bytes] | None = None
    snapshot_version: int = 1
    closed: bool = False
    states: Sequence[StateRow] = ()


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as the journal holds it. Command n of it has the id `{seq}.{n}`, counted from 0.

    `event` is None when the body cannot be read; `unreadable` then says why: `erased`, or what is wrong.
    """

    seq: int
    interaction_id: str
    contact_key_id: str
    at_s: float
    type: str
    event: Event | None
    decisions: Sequence[Decision] = ()
    commands: Sequence[Command] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class OpenSnapshot:
    """An interaction that was open when the journal was last written. `body` None: its contact was erased."""

    interaction_id: str
    contact_key_id: str
    seq: int
    version: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class StartedCommand:
    """An irreversible command. `done_s` and `outcome` are None until somebody knows how it ended."""

    command_id: str
    interaction_id: str
    what: str
    subject_id: str
    started_s: float
    done_s: float | None = None
    outcome: str | None = None
