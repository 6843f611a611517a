"""Asking somebody else for something and waiting for the answer: what tickets, messages, callbacks and questions about
queues have in common.

An errand is one command with an id of its own. Nothing is said meanwhile: answers come within moments, or not at all.
So no time passes here that would make a loop harmless.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from core.commands import Command
from core.events import CommandOutcomeUnknown, CommandRejected, DigitPressed, Event, TimerFired
from ivr.node import Turn, Visit

PATIENCE_S = 15.0
"""So long is an answer waited for."""
_PATIENCE = "patience"


class Errand(msgspec.Struct, frozen=True):
    subject_id: str


def send(visit: Visit, command: Callable[[str], Command]) -> Turn:
    """`command` makes it from the id it is to have."""
    subject_id = visit.new_id()
    return Turn(Errand(subject_id), (command(subject_id), visit.timer(_PATIENCE, PATIENCE_S)))


def wait_on(memory: Errand, visit: Visit, *again: Command) -> Turn:
    """After a gap: the answer, or the word that nobody knows, still comes. `again`: what may be asked twice."""
    return Turn(memory, (*again, visit.timer(_PATIENCE, PATIENCE_S)))


def failure(event: Event, memory: Errand) -> str:
    """Why there will be no answer; empty while there still may be one."""
    match event:
        case TimerFired():
            return f"no answer within {PATIENCE_S:.0f} s"
        case CommandRejected() if event.subject_id == memory.subject_id:
            return event.why
        case CommandOutcomeUnknown() if event.subject_id == memory.subject_id:
            return "nobody knows whether it was carried out"
        case _:
            return ""


def idle(memory: Errand, event: Event) -> Turn:
    """Nothing has changed; a key is for the next node that asks."""
    return Turn(memory, untaken=event.digit) if isinstance(event, DigitPressed) else Turn(memory)
