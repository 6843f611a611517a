"""`set`: give variables values.

    count:
      type: set
      values:
        attempts: "{{ attempts + 1 }}"        # a number
        greeting: "{{ title }} {{ name }}"    # text
      next: main

All values are taken from the variables as they were before. What is made from a secret is a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from pydantic import Field

from core.events import Event
from definitions.models import Name, Variable
from ivr.node import Exit, Leave, NodeModel, Turn, Visit
from ivr.values import Value

VERSION = 1


class Model(NodeModel):
    type: Literal["set"] = "set"
    values: Mapping[Variable, Value] = Field(min_length=1)
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())

    def sets(self) -> frozenset[str]:
        return frozenset(self.values)


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    values = {name: value.evaluate(visit.variables, visit.language) for name, value in node.values.items()}
    secret = frozenset(name for name, value in node.values.items() if value.names & visit.secrets.keys())
    return Turn(leave=Leave("next", node.next, values, sensitive=secret))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
