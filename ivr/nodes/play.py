"""`play`: say something and go on.

    welcome:
      type: play
      prompt: {es: "Bienvenido a Acme.", en: "Welcome to Acme."}
      next: main

A digit cuts it short and counts for the next node that listens, so who knows the way dials through. With
`barge_in: false` in the prompt it is heard to its end and digits pressed meanwhile mean nothing. `answer: no` plays
before the call is answered (where the carrier lets it through).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import msgspec

from core.events import DigitPressed, Event, PlaybackFinished
from definitions.models import Flag, Name
from ivr.node import Exit, Leave, NodeModel, Turn, Visit
from ivr.prompts import Prompt

VERSION = 1


class Model(NodeModel):
    """`answer: no`: heard before the leg is answered."""

    waits: ClassVar[bool] = True

    type: Literal["play"] = "play"
    prompt: Prompt
    answer: Flag = True
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())

    @property
    def is_early(self) -> bool:
        return not self.answer


class Memory(msgspec.Struct, frozen=True):
    playback_id: str


def enter(node: Model, visit: Visit) -> Turn:
    parts = visit.parts(node.prompt)
    if not parts:
        return Turn(leave=Leave("next", node.next))
    play = visit.play(parts)
    return Turn(Memory(play.playback_id), (play,), flush=not node.prompt.barge_in)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case PlaybackFinished():
            return Turn(leave=Leave("next", node.next))
        case DigitPressed() if node.prompt.barge_in:
            return Turn(untaken=event.digit, leave=Leave("next", node.next))
        case _:
            return Turn(memory)
