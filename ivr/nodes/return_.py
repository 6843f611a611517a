"""`return`: end a subflow and say how it went.

    known: {type: return, branch: known, values: {document: "{{ document }}"}}

In a flow that nobody called as a subflow, the call ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from core.events import Event
from definitions.models import Name, Variable
from ivr.node import GiveBack, NodeModel, Turn, Visit
from ivr.values import Value

VERSION = 1


class Model(NodeModel):
    type: Literal["return"] = "return"
    branch: Name = "next"
    values: Mapping[Variable, Value] = {}


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    values = {name: value.evaluate(visit.variables, visit.language) for name, value in node.values.items()}
    secret = frozenset(name for name, value in node.values.items() if value.names & visit.secrets.keys())
    return Turn(leave=GiveBack(node.branch, values, secret))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
