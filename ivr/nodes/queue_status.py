"""`queue_status`: how is the queue right now? Asked before the caller joins it.

sales_now:
  type: queue_status
  queue: sales
  long_s: 300
  into: {waiting: callers, ewt_s: wait_s}        # what of it: variable; also status, longest_wait_s, agents_ready,
                                                 # agents_logged_in
  open: sales
  long_wait: offer_callback
  no_agents: voicemail
  closed: after_hours
  next: sales                                    # every way that has no node of its own
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from core.commands import AskQueueStatus
from core.decisions import Noted
from core.events import Event, QueueStatusGiven
from definitions.models import Name, Seconds, Variable
from ivr.errand import Errand, failure, idle, send, wait_on
from ivr.node import Exit, Leave, NodeModel, Reference, Turn, Visit, fail

VERSION = 1
WAYS = ("open", "long_wait", "no_agents", "closed")


class Model(NodeModel):
    type: Literal["queue_status"] = "queue_status"
    queue: Name
    long_s: Seconds = 300.0
    """An expected wait from which on it is `long_wait`."""
    into: Mapping[
        Literal["status", "waiting", "ewt_s", "longest_wait_s", "agents_ready", "agents_logged_in"], Variable
    ] = {}
    """What of the answer: variable."""
    open: Name | None = None
    long_wait: Name | None = None
    no_agents: Name | None = None
    closed: Name | None = None
    next: Name | None = None
    """For every way that has no node of its own; without it, the error exit."""

    def exits(self) -> tuple[Exit, ...]:
        ways = ((way, getattr(self, way)) for way in (*WAYS, "next"))
        return (*(Exit(way, target, (way,)) for way, target in ways if target), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("queue", self.queue, ("queue",)),)

    def sets(self) -> frozenset[str]:
        return frozenset(self.into.values())


Memory = Errand


def enter(node: Model, visit: Visit) -> Turn:
    return send(visit, lambda id_: AskQueueStatus(visit.interaction_id, id_, node.queue))


def resume(node: Model, memory: Errand, visit: Visit) -> Turn:
    return wait_on(memory, visit, AskQueueStatus(visit.interaction_id, memory.subject_id, node.queue))


def on_event(node: Model, memory: Errand, event: Event, visit: Visit) -> Turn:
    if isinstance(event, QueueStatusGiven) and event.request_id == memory.subject_id:
        return _given(node, event)
    why = failure(event, memory)
    return fail(node, why) if why else idle(memory, event)


def _given(node: Model, event: QueueStatusGiven) -> Turn:
    way = "long_wait" if event.status == "open" and event.ewt_s >= node.long_s else event.status
    noted = (Noted("queue_status", f"{way}: {event.waiting} waiting, {event.ewt_s:.0f} s expected"),)
    told = {
        "status": event.status,
        "waiting": str(event.waiting),
        "ewt_s": f"{event.ewt_s:.0f}",
        "longest_wait_s": f"{event.longest_wait_s:.0f}",
        "agents_ready": str(event.agents_ready),
        "agents_logged_in": str(event.agents_logged_in),
    }
    variables = {variable: told[what] for what, variable in node.into.items()}
    branch, target = (way, getattr(node, way)) if getattr(node, way, None) else ("next", node.next)
    if target is not None:
        return Turn(leave=Leave(branch, target, variables), decisions=noted)
    turn = fail(node, f"the queue is {way}, and no node is given for that")
    return Turn(leave=turn.leave, decisions=(*noted, *turn.decisions))
