"""One event being handled: what comes out of it, and how everything was before.

A handler asks the turn for every record it is about to change. The turn takes the record's picture the first time: for
what must be saved, and to put all of it back when the handler raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from core.commands import CancelTimer, StartTimer
from core.decisions import Decision
from core.dialing import AttemptCancelled, AttemptWanted
from core.lead_store import Save, Staging

Aggregate = tuple[str, str]
"""("campaign" | "lead" | "attempt" | "dnc" | "identity" | "pacer", row id)."""


@dataclass(slots=True)
class DialerOutcome:
    """What one event came to. `facts`: for interactions, through the inbox. `changed`: what must be saved now, or
    deleted when `Dialer.save` says so. `wanted`: what to ask the store of leads. `saves`: what it is to keep; asked
    again after a restart, so keeping it twice must do no harm. `refused`: why a request cannot be, in words for the
    person; nothing changed."""

    facts: list[AttemptWanted | AttemptCancelled] = field(default_factory=list)
    commands: list[StartTimer | CancelTimer] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    changed: set[Aggregate] = field(default_factory=set)
    wanted: list[Staging] = field(default_factory=list)
    saves: list[Save] = field(default_factory=list)
    refused: str = ""


class Refused(Exception):
    """A request that cannot be; the message is for the person who asked."""
