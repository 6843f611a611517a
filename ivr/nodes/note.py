"""`note`: leave a sentence for whoever works on the interaction.

promised: {type: note, text: "Promised to pay on {{ promise }}.", next: goodbye}
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.commands import NoteInteraction
from core.events import Event
from definitions.models import Name
from ivr.node import Exit, Leave, NodeModel, Turn, Visit
from ivr.templates import Template
from ivr.wording import public

VERSION = 1


class Model(NodeModel):
    type: Literal["note"] = "note"
    text: Template
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    command = NoteInteraction(visit.interaction_id, public(node.text, visit))
    return Turn(commands=(command,), leave=Leave("next", node.next))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
