"""`split`: send callers different ways, by percentages.

    greeting:
      type: split
      ways:
        - {percent: 20, next: new_menu, name: new}
        - {percent: 80, next: old_menu}
      by: "{{ caller }}"

Chance is drawn once a call and node, and kept: the same call takes the same way, also when it is replayed. With `by`,
whoever has the same value always goes the same way.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import msgspec
from pydantic import Field, field_validator, model_validator

from core.decisions import Noted
from core.events import Event
from definitions.faults import fault
from definitions.models import Count, Definition, Name
from ivr.node import Exit, Leave, NodeModel, Turn, Visit
from ivr.templates import Template

VERSION = 1


class Way(Definition):
    percent: Count
    next: Name
    name: str = ""


class Model(NodeModel):
    type: Literal["split"] = "split"
    ways: Sequence[Way] = Field(min_length=2)
    by: Template | None = None

    @field_validator("ways", mode="after")
    @classmethod
    def _whole(cls, ways: Sequence[Way]) -> Sequence[Way]:
        total = sum(way.percent for way in ways)
        if total != 100:
            raise fault(f"these percentages make {total}", "they must make 100")
        return ways

    @model_validator(mode="after")
    def _told_apart(self) -> Model:
        names = [_name(way) for way in self.ways]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise fault(f"two ways are called '{twice}'", "give each a `name` of its own")
        return self

    def exits(self) -> tuple[Exit, ...]:
        ways = (Exit(_name(way), way.next, ("ways", index, "next")) for index, way in enumerate(self.ways))
        return (*ways, *super().exits())


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    by = f"seed {visit.seed}" if node.by is None else node.by.render(visit.variables, visit.language).strip()
    digest = blake2b(f"{visit.flow_id}/{visit.node_id}/{by}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") % 100
    upto = 0
    for way in node.ways:
        upto += way.percent
        if drawn < upto:
            noted = Noted("split", f"{_name(way)}: drew {drawn} of 100")
            return Turn(leave=Leave(_name(way), way.next), decisions=(noted,))
    raise AssertionError("the percentages make 100")


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)


def _name(way: Way) -> str:
    return way.name or way.next
