"""`ticket`: open a ticket for the back office.

    broken:
      type: ticket
      subject: "Machine {{ machine }} does not start"
      text: "Reported by {{ caller }}."
      category: repairs
      fields: {machine: "{{ machine }}"}
      into: ticket
      next: thanks

The caller goes on once it is open, and may be told its number. When it cannot be opened, or nobody knows whether it
was: the error exit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from core.commands import OpenTicket
from core.decisions import Noted
from core.events import Event, TicketOpened
from definitions.models import Name, Text, Variable
from ivr.errand import Errand, failure, idle, send, wait_on
from ivr.node import Exit, Leave, NodeModel, Turn, Visit, fail
from ivr.templates import Template
from ivr.wording import public

VERSION = 1


class Model(NodeModel):
    type: Literal["ticket"] = "ticket"
    subject: Template
    text: Template | None = None
    category: Text = ""
    fields_: Mapping[Text, Template] = Field(default_factory=dict, alias="fields")
    into: Variable | None = None
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())

    def sets(self) -> frozenset[str]:
        return frozenset({self.into}) if self.into else frozenset()


Memory = Errand


def enter(node: Model, visit: Visit) -> Turn:
    subject = public(node.subject, visit)
    text = public(node.text, visit) if node.text else ""
    fields = {name: public(value, visit) for name, value in node.fields_.items()}
    return send(visit, lambda id_: OpenTicket(visit.interaction_id, id_, subject, text, node.category, fields))


def resume(node: Model, memory: Errand, visit: Visit) -> Turn:
    return wait_on(memory, visit)


def on_event(node: Model, memory: Errand, event: Event, visit: Visit) -> Turn:
    if isinstance(event, TicketOpened) and event.ticket_id == memory.subject_id:
        variables = {node.into: event.number} if node.into else {}
        return Turn(leave=Leave("next", node.next, variables), decisions=(Noted("ticket", event.number),))
    why = failure(event, memory)
    return fail(node, why) if why else idle(memory, event)
