"""`message`: send somebody a text.

    confirmation:
      type: message
      channel: sms                       # email, whatsapp
      to: "{{ caller }}"
      text: {es: "Su cita: {{ slot }}.", en: "Your appointment: {{ slot }}."}
      failed: by_voice
      next: goodbye

`failed`: it could not be sent, or nobody knows whether it was; without a node for it, the error exit. A text that would
give a secret away is not sent.
"""

from __future__ import annotations

from typing import Literal

from core.commands import SendMessage
from core.decisions import Noted
from core.events import Event, MessageSent
from definitions.models import Name
from ivr.errand import Errand, failure, idle, send, wait_on
from ivr.node import Exit, Leave, NodeModel, Turn, Visit, fail
from ivr.templates import Template
from ivr.wording import Wording, is_secret, worded

VERSION = 1


class Model(NodeModel):
    type: Literal["message"] = "message"
    channel: Literal["sms", "email", "whatsapp"]
    to: Template
    text: Wording
    subject: Wording | None = None
    """Of an e-mail."""
    failed: Name | None = None
    next: Name

    def exits(self) -> tuple[Exit, ...]:
        failed = (Exit("failed", self.failed, ("failed",)),) if self.failed else ()
        return (Exit("next", self.next, ("next",)), *failed, *super().exits())


Memory = Errand


def enter(node: Model, visit: Visit) -> Turn:
    templates = [node.to, worded(node.text, visit), *([worded(node.subject, visit)] if node.subject else [])]
    if any(is_secret(template, visit) for template in templates):
        return _failed(node, "it would give a secret away")
    to, text, *subject = (template.render(visit.variables, visit.language).strip() for template in templates)
    if not to:
        return _failed(node, "there is nobody to send it to")
    return send(
        visit, lambda id_: SendMessage(visit.interaction_id, id_, node.channel, to, text, subject[0] if subject else "")
    )


def resume(node: Model, memory: Errand, visit: Visit) -> Turn:
    return wait_on(memory, visit)


def on_event(node: Model, memory: Errand, event: Event, visit: Visit) -> Turn:
    if isinstance(event, MessageSent) and event.message_id == memory.subject_id:
        return Turn(leave=Leave("next", node.next), decisions=(Noted("message", f"sent by {node.channel}"),))
    why = failure(event, memory)
    return _failed(node, why) if why else idle(memory, event)


def _failed(node: Model, why: str) -> Turn:
    if node.failed is None:
        return fail(node, why)
    return Turn(leave=Leave("failed", node.failed), decisions=(Noted("message", f"not sent: {why}"),))
