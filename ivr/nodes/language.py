"""`language`: everything from here on is said in this language.

    english: {type: language, language: en, next: main}

It may be a template (`"{{ preferred }}"`); a language the flow does not speak leaves things as they were.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from core.decisions import Noted
from core.events import Event
from definitions.models import Name
from ivr.node import Exit, Leave, NodeModel, Reference, Turn, Visit
from ivr.templates import Template

VERSION = 1


class Model(NodeModel):
    type: Literal["language"] = "language"
    language: Template
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        if not self.language.is_static:
            return ()
        return (Reference("language", self.language.render({}, ""), ("language",)),)


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    wanted = node.language.render(visit.variables, visit.language).strip()
    leave = Leave("next", node.next)
    if wanted not in visit.flow_languages:
        return Turn(leave=leave, decisions=(Noted("language kept", f"the flow does not speak '{wanted[:20]}'"),))
    visit.language = wanted
    return Turn(leave=leave)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
