"""`branch`: the first condition that holds decides.

    owes:
      type: branch
      branches:
        - {when: "balance > 0", next: debt}
        - {when: "vip == 'yes'", next: thanks, name: vip}
      else: clean

A branch is called by its `name`, or by its condition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from pydantic import Field

from core.decisions import Noted
from core.events import Event
from definitions.models import Definition, Name
from ivr.node import Exit, Leave, NodeModel, Turn, Visit
from ivr.templates import Expression

VERSION = 1


class Choice(Definition):
    when: Expression
    next: Name
    name: str = ""


class Model(NodeModel):
    type: Literal["branch"] = "branch"
    branches: Sequence[Choice] = Field(min_length=1)
    otherwise: Name = Field(alias="else")

    def exits(self) -> tuple[Exit, ...]:
        choices = (
            Exit(_name(choice), choice.next, ("branches", index, "next")) for index, choice in enumerate(self.branches)
        )
        return (*choices, Exit("else", self.otherwise, ("else",)), *super().exits())


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    for choice in node.branches:
        if choice.when.holds(visit.variables, visit.language):
            name = _name(choice)
            return Turn(leave=Leave(name, choice.next), decisions=(Noted("branch", name),))
    return Turn(leave=Leave("else", node.otherwise), decisions=(Noted("branch", "no condition holds"),))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)


def _name(choice: Choice) -> str:
    return choice.name or choice.when.source
