"""`tag`: label the interaction, for reports and for whoever works on it.

wants_sales: {type: tag, tags: [sales, "{{ topic }}"], next: sales}
no_longer: {type: tag, remove: [sales], next: main}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from pydantic import field_validator, model_validator

from core.commands import TagInteraction
from core.events import Event
from definitions.faults import fault
from definitions.models import Name
from ivr.node import Exit, Leave, NodeModel, Turn, Visit
from ivr.templates import Template
from ivr.wording import public

VERSION = 1


class Model(NodeModel):
    type: Literal["tag"] = "tag"
    tags: Sequence[Template] = ()
    remove: Sequence[Template] = ()
    next: Name

    @field_validator("tags", "remove", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _does_something(self) -> Model:
        if not self.tags and not self.remove:
            raise fault("this node neither sets nor removes a tag", "write `tags: [sales]`")
        return self

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    tags, removed = (
        tuple(filter(None, (public(tag, visit) for tag in templates))) for templates in (node.tags, node.remove)
    )
    command = TagInteraction(visit.interaction_id, tags, removed)
    return Turn(commands=(command,) if tags or removed else (), leave=Leave("next", node.next))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
