"""`wait`: let time pass, with or without music.

    breathe: {type: wait, seconds: 2, next: again}
    hold_on: {type: wait, seconds: 20, music: default, next: again}

Digits pressed meanwhile are kept for the next node that listens.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from core.commands import Command
from core.events import DigitPressed, Event, TimerFired
from core.leg_commands import StartMusic
from definitions.models import Name, Seconds
from ivr.node import Exit, Leave, NodeModel, Turn, Visit

VERSION = 1


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["wait"] = "wait"
    seconds: Seconds
    music: Name | None = None
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    music: tuple[Command, ...] = (StartMusic(visit.leg_id, node.music),) if node.music else ()
    return Turn(Memory(), (*music, visit.timer("over", node.seconds)))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case TimerFired():
            return Turn(leave=Leave("next", node.next))
        case DigitPressed():
            return Turn(memory, untaken=event.digit)
        case _:
            return Turn(memory)
