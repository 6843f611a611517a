"""`subflow`: run another flow here and come back.

    identify:
      type: subflow
      flow: identify
      with: {attempts: 3, hint: "{{ caller }}"}     # its variables
      into: {document: document}                    # ours: what it gave back
      on: {unknown: operator}                       # by the branch it returned
      next: balance

The other flow sees what `with` gives it and the call's own facts, nothing else. It comes back by a `return` node.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import msgspec
from pydantic import Field

from core.events import Event
from definitions.models import Name, Variable
from ivr.node import Call, Exit, Leave, NodeModel, Reference, Returned, Turn, Visit
from ivr.values import Value

VERSION = 1


class Model(NodeModel):
    waits: ClassVar[bool] = False

    type: Literal["subflow"] = "subflow"
    flow: Name
    given: Mapping[Variable, Value] = Field(default_factory=dict, alias="with")
    into: Mapping[Variable, Variable] = {}
    on: Mapping[Name, Name] = {}
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        branches = (Exit(branch, target, ("on", branch)) for branch, target in self.on.items())
        return (Exit("next", self.next, ("next",)), *branches, *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("flow", self.flow, ("flow",)),)

    def sets(self) -> frozenset[str]:
        return frozenset(self.into)


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    values = {name: value.evaluate(visit.variables, visit.language) for name, value in node.given.items()}
    secret = frozenset(name for name, value in node.given.items() if value.names & visit.secrets.keys())
    return Turn(leave=Call(node.flow, values, secret))


def on_event(node: Model, memory: Memory, event: Event | Returned, visit: Visit) -> Turn:
    if not isinstance(event, Returned):
        return Turn(memory)
    values = {ours: event.variables[theirs] for ours, theirs in node.into.items() if theirs in event.variables}
    secret = frozenset(ours for ours, theirs in node.into.items() if theirs in event.sensitive)
    branch = event.branch if event.branch in node.on else "next"
    return Turn(leave=Leave(branch, node.on.get(branch, node.next), values, sensitive=secret))
