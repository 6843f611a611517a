"""`queue`: wait for an agent.

    sales:
      type: queue
      queue: sales
      priority: 5
      skills: "language.{{ language }} >= 3"
      value: "{{ customer_value }}"  # 0 to 100: what the queue makes of it stands in its file
      prefer: "{{ advisor }}"        # the agent to wait for, as long as the queue has patience
      music: default
      keys: {"1": leave_a_message}
      no_agents: voicemail
      full: voicemail
      closed: after_hours
      overflowed: voicemail
      next: goodbye                 # every other way a stay may end

A key's stay ends as `callback` or `voicemail` when it leads to such a node (`callback`, `record`), else as left_by_key.

`answered`: an agent had the caller. Without a node for it the flow is over and the call is no longer its own: who
connected them also ends them. With one (a survey), the flow goes on when the conversation has ended and the caller
is still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import msgspec
from pydantic import Field

from core.commands import Command, JoinQueue, LeaveQueue
from core.decisions import Noted
from core.events import CommandOutcomeUnknown, CommandRejected, DigitPressed, Event, QueueLeft
from core.leg_commands import StartMusic, StopMusic
from core.queue_facts import MOST_PRIORITY
from definitions.models import Count, Digits, Name
from ivr.filters import number_of
from ivr.node import End, Exit, Leave, NodeModel, Reference, Turn, Visit, fail
from ivr.run import plain
from ivr.templates import Template

VERSION = 1
OUTCOMES = ("answered", "no_agents", "full", "closed", "overflowed", "left_by_key", "callback", "voicemail")


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["queue"] = "queue"
    queue: Name
    priority: Annotated[Count, Field(le=MOST_PRIORITY)] = 0
    """0 to 1000: higher is sooner."""
    skills: Template = Field(default_factory=lambda: Template(""))
    """Asked for beside what the queue asks."""
    value: Template | None = None
    """What this customer is worth, 0 to 100; what is no number counts as 0."""
    prefer: Template | None = None
    """The agent to wait for, by name; empty for none."""
    music: Name = "default"
    keys: Mapping[Digits, Name] = {}
    """A key takes the caller out of the queue."""
    answered: Name | None = None
    no_agents: Name | None = None
    full: Name | None = None
    closed: Name | None = None
    overflowed: Name | None = None
    left_by_key: Name | None = None
    callback: Name | None = None
    voicemail: Name | None = None
    next: Name | None = None
    """For every way that has no node of its own; without it, the error exit."""

    def exits(self) -> tuple[Exit, ...]:
        keys = (Exit(key, target, ("keys", key)) for key, target in self.keys.items())
        ways = ((way, getattr(self, way)) for way in (*OUTCOMES, "next"))
        return (*keys, *(Exit(way, target, (way,)) for way, target in ways if target), *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("queue", self.queue, ("queue",)),)


class Memory(msgspec.Struct, frozen=True):
    stay_id: str


def enter(node: Model, visit: Visit) -> Turn:
    stay_id = visit.new_id()

    def text(template: Template | None) -> str:
        return template.render(visit.variables, visit.language).strip() if template else ""

    join = JoinQueue(
        interaction_id=visit.interaction_id,
        leg_id=visit.leg_id,
        stay_id=stay_id,
        queue=node.queue,
        priority=node.priority,
        skills=text(node.skills),
        variables={k: str(plain(v)) for k, v in visit.variables.items() if k not in visit.secrets and v is not None},
        value=_value(text(node.value)),
        preferred_agent=text(node.prefer),
    )
    return Turn(Memory(stay_id), (StartMusic(visit.leg_id, node.music), join), flush=True)


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    """The caller never lost her place; only the music may have stopped."""
    return Turn(memory, (StartMusic(visit.leg_id, node.music),))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case QueueLeft() if event.stay_id == memory.stay_id:
            return _left(node, event.outcome, visit)
        case DigitPressed() if event.digit in node.keys:
            leave = LeaveQueue(visit.interaction_id, memory.stay_id, _by_key(node.keys[event.digit], visit))
            return Turn(commands=(leave,), leave=Leave(event.digit, node.keys[event.digit]))
        case CommandRejected() | CommandOutcomeUnknown() if event.subject_id == memory.stay_id:
            return fail(node, getattr(event, "why", "nobody knows whether the caller is in the queue"))
        case _:
            return Turn(memory)


def on_hangup(node: Model, memory: Memory, visit: Visit) -> tuple[Command, ...]:
    return (LeaveQueue(visit.interaction_id, memory.stay_id),)


def _value(text: str) -> float:
    try:
        return float(min(max(number_of(text), 0), 100)) if text else 0.0
    except ValueError:
        return 0.0


def _by_key(target: str, visit: Visit) -> str:
    """How the stay of who pressed a key ends: by what she gets instead."""
    flow = visit.release.flow(visit.tenant, visit.flow_id)
    node = flow.nodes.get(target) if flow else None
    return {"callback": "callback", "record": "voicemail"}.get(node.type if node else "", "left_by_key")


def _left(node: Model, outcome: str, visit: Visit) -> Turn:
    noted = (Noted("queue", outcome),)
    target = getattr(node, outcome) if outcome in OUTCOMES else None
    if target is not None:
        return Turn(leave=Leave(outcome, target), decisions=noted)
    if outcome == "answered":
        stop = StopMusic(visit.leg_id)
        return Turn(commands=(stop,), leave=End(why="an agent has the caller", hang_up=False), decisions=noted)
    if node.next is not None:
        return Turn(leave=Leave("next", node.next), decisions=noted)
    turn = fail(node, f"the stay ended as {outcome}, and no node is given for that")
    return Turn(leave=turn.leave, decisions=(*noted, *turn.decisions))
