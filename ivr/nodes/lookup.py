"""`lookup`: find a row in a table (config/tables/*.csv).

vip:
  type: lookup
  table: vips
  column: phone
  value: "{{ caller }}"
  into: {vip_name: name, vip_level: level}      # variable: column
  found: greet
  not_found: main
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from core.decisions import Noted
from core.events import Event
from definitions.models import Name, Text, Variable
from ivr.node import Exit, Leave, NodeModel, Reference, Turn, Visit, fail
from ivr.templates import Template

VERSION = 1


class Model(NodeModel):
    type: Literal["lookup"] = "lookup"
    table: Name
    column: Text
    value: Template
    into: Mapping[Variable, Text] = {}
    found: Name
    not_found: Name

    def exits(self) -> tuple[Exit, ...]:
        found = Exit("found", self.found, ("found",))
        return (found, Exit("not_found", self.not_found, ("not_found",)), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("table", self.table, ("table",)),)

    def sets(self) -> frozenset[str]:
        return frozenset(self.into)


class Memory(msgspec.Struct, frozen=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    table = visit.release.table(visit.tenant, node.table)
    if table is None:
        return fail(node, f"there is no table {node.table}")
    row = table.find(node.column, node.value.render(visit.variables, visit.language))
    if row is None:
        noted = Noted("lookup", f"no row of {node.table} has this {node.column}")
        return Turn(leave=Leave("not_found", node.not_found), decisions=(noted,))
    variables = {name: row.get(column, "") for name, column in node.into.items()}
    noted = Noted("lookup", f"a row of {node.table} has this {node.column}")
    return Turn(leave=Leave("found", node.found, variables), decisions=(noted,))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    return Turn(memory)
