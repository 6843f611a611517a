"""`disposition`: say what came of the call, as an agent does in her wrap-up.

    confirmed: {type: disposition, value: confirmed, next: thanks}
    promised:  {type: disposition, value: promise, answers: {pay_on: "{{ day }}"}, next: thanks}

It holds from here on, also when she hangs up a moment later; a later one takes its place. In an agentless campaign it
drives what follows for the lead. `answers` fill in the campaign's form. An agent who talks with her has the last word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec
from pydantic import Field

from core.commands import GiveDisposition
from core.events import Event
from definitions.models import Name, Text
from ivr.node import Exit, Leave, NodeModel, Turn, Visit
from ivr.templates import Template
from ivr.wording import public

VERSION = 1


class Model(NodeModel):
    type: Literal["disposition"] = "disposition"
    value: Text = Field(min_length=1)
    """One of config/dispositions.yaml: `sold/new`."""
    answers: Mapping[Name, Template] = Field(default_factory=dict)
    """Into the campaign's form, by field."""
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    answers = {name: public(template, visit).strip() for name, template in node.answers.items()}
    command = GiveDisposition(visit.interaction_id, node.value, {name: one for name, one in answers.items() if one})
    return Turn(commands=(command,), leave=Leave("next", node.next))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
