"""`do_not_call`: never call this number again.

    opt_out:
      type: do_not_call
      scope: tenant                    # or campaign: only the campaign that called her
      number: "{{ caller }}"           # who is on the line, unless another is named
      region: ES
      next: confirmed                  # "we will not call you again"
      error: sorry

She goes on once the number is on the list, durably, and no campaign dials it from then on: so what she is told is true.
Outside of a campaign's call `scope: campaign` means the whole tenant. A number that cannot be read (hidden, not
complete) takes the error exit.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from core.commands import ListNumber
from core.decisions import Noted
from core.events import Event, NumberKept
from definitions.fields import country
from definitions.models import Name
from ivr.errand import Errand, failure, idle, send
from ivr.node import Exit, Leave, NodeModel, Turn, Visit, fail
from ivr.templates import Template
from ivr.validators import PhoneValidator

VERSION = 1


class Model(NodeModel):
    type: Literal["do_not_call"] = "do_not_call"
    scope: Literal["tenant", "campaign"] = "tenant"
    number: Template = Field(default_factory=lambda: Template("{{ caller }}"))
    region: Annotated[str, BeforeValidator(country)] = "ES"
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())


Memory = Errand
"""After a gap the node is entered again: to be listed twice is to be listed."""


def enter(node: Model, visit: Visit) -> Turn:
    number = node.number.render(visit.variables, visit.language).strip()
    checked = PhoneValidator(kind="phone", region=node.region).check(number, visit.now_s)
    if checked.why:
        return fail(node, f"no number to be listed: {checked.why}")
    return send(visit, lambda id_: ListNumber(visit.interaction_id, id_, checked.value, node.scope))


def on_event(node: Model, memory: Errand, event: Event, visit: Visit) -> Turn:
    if isinstance(event, NumberKept) and event.request_id == memory.subject_id:
        return Turn(leave=Leave("next", node.next), decisions=(Noted("do_not_call", f"listed for the {node.scope}"),))
    why = failure(event, memory)
    return fail(node, why) if why else idle(memory, event)
