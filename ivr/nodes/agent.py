"""`agent`: an agent works with her phone alone.

    log_in:
      type: agent
      do: log_in                     # log_out, ready, not_ready, finish_wrap_up, disposition, hold_line, supervise,
                                     # open_queue, close_queue, queue_by_hours, force_ready, force_not_ready,
                                     # force_log_out, prioritise_longest, move_longest, status
      agent: "{{ code }}"            # who she is; without it, the agent whose phone this is
      pin: "{{ pin }}"               # from a `collect` with `sensitive: yes`
      value: "{{ reason }}"          # the not-ready reason or disposition, by name or by its digits; whom to supervise
                                     # or to force; the queue
      to: "{{ other }}"              # of `move_longest`: the queue she goes on to
      into: {name: agent_name, presence: presence}
      ok: choices
      refused: who_are_you           # wrong PIN, no such reason …; without it, the error exit

`into` takes what is known of her afterwards: agent_id, name, presence, reason, looks, pending, queue_count, language
(the first of hers); and `why`, in words, when it was refused. `hold_line` makes this very call her held line: it has
no `ok`, since the flow is over and calls reach her over it until she hangs up. Neither has `supervise`: she listens to
the agent's conversation until she hangs up or it is over, and `refusal` tells why not: not_supervisor, no_agent, nobody
(the agent talks with nobody), taken (somebody follows it already), yourself, rung (it is at another telephony node: her
phone rings as soon as she hangs up), elsewhere (so it is, and her phone is none of ours). Queues, the presence of
others and who has waited longest in a queue (to be served before others, or moved to another queue) are for supervisors
too: `refusal` is not_supervisor, no_queue, no_agent, nobody_waits or other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator, model_validator

from core.commands import AskAgent, PhoneAction
from core.decisions import Noted
from core.events import AgentAnswered, Event
from definitions.faults import Faults, fault
from definitions.models import Name, Variable
from ivr.errand import Errand, failure, idle, send
from ivr.node import End, Exit, Leave, NodeModel, Turn, Visit, fail
from ivr.templates import Template

VERSION = 1
_STEER = ("open_queue", "close_queue", "queue_by_hours", "force_ready", "force_not_ready", "force_log_out")
_LONGEST = ("prioritise_longest", "move_longest")
_NEED_VALUE = ("disposition", "supervise", *_STEER, *_LONGEST)
_TAKE_VALUE = ("not_ready", *_NEED_VALUE)
_LAST = {"hold_line": "the line is held", "supervise": "she follows a conversation"}
"""What the flow ends with, and her call does not."""


class Model(NodeModel):
    type: Literal["agent"] = "agent"
    do: PhoneAction
    agent: Template = Field(default_factory=lambda: Template(""))
    """Her code or name; empty: the agent whose phone this is."""
    pin: Template = Field(default_factory=lambda: Template(""))
    """Her PIN, when she says who she is."""
    value: Template | None = None
    """The not-ready reason or disposition, by name or by its digits; whom to supervise or to force, by name or by her
    code; the queue to open or close, or in which somebody has waited longest."""
    to: Template | None = None
    """With `move_longest`: the queue she goes on to."""
    into: Mapping[
        Literal[
            "agent_id", "name", "presence", "reason", "looks", "pending", "queue_count", "language", "refusal", "why"
        ],
        Variable,
    ] = {}
    """What of the answer: variable."""
    ok: Name | None = None
    refused: Name | None = None

    @field_validator("pin", mode="after")
    @classmethod
    def _no_pin_in_a_file(cls, pin: Template) -> Template:
        if pin.source and not pin.names:
            raise fault("a PIN in a flow is for everybody to read", "ask for it: a `collect` with `sensitive: yes`")
        return pin

    @model_validator(mode="after")
    def _makes_sense(self) -> Model:
        faults = Faults()
        if self.do in _LAST and self.ok is not None:
            faults.add(
                ("ok",), f"after {self.do} the flow is over", "say what is to be said before, and leave `ok` out"
            )
        if self.do not in _LAST and self.ok is None:
            faults.add((), "the key 'ok' is missing", "add `ok: …`: the node that follows")
        if self.do in _NEED_VALUE and self.value is None:
            faults.add((), f"{self.do} needs a value", "add `value: …`: a name, or digits")
        if self.do not in _TAKE_VALUE and self.value is not None:
            faults.add(("value",), f"`value` means nothing with `do: {self.do}`", "leave it out")
        if self.do == "move_longest" and self.to is None:
            faults.add((), "move_longest needs the queue she goes on to", "add `to: …`: a queue")
        if self.do != "move_longest" and self.to is not None:
            faults.add(("to",), f"`to` means nothing with `do: {self.do}`", "leave it out")
        faults.raise_any()
        return self

    def exits(self) -> tuple[Exit, ...]:
        ways = (("ok", self.ok), ("refused", self.refused))
        return (*(Exit(way, target, (way,)) for way, target in ways if target), *super().exits())

    def sets(self) -> frozenset[str]:
        return frozenset(self.into.values())


Memory = Errand
"""After a gap the node is entered again: every request may be made twice."""


def enter(node: Model, visit: Visit) -> Turn:
    def text(template: Template | None) -> str:
        return template.render(visit.variables, visit.language).strip() if template else ""

    asked = (node.do, text(node.agent), text(node.pin), text(node.value), text(node.to))
    return send(visit, lambda id_: AskAgent(visit.interaction_id, id_, visit.leg_id, *asked))


def on_event(node: Model, memory: Errand, event: Event, visit: Visit) -> Turn:
    if isinstance(event, AgentAnswered) and event.request_id == memory.subject_id:
        return _answered(node, event)
    why = failure(event, memory)
    return fail(node, why) if why else idle(memory, event)


def _answered(node: Model, event: AgentAnswered) -> Turn:
    told = {**event.values, "why": event.why}
    variables = {variable: told.get(what, "") for what, variable in node.into.items()}
    noted = (Noted("agent", f"{node.do}: {event.why or 'done'}"),)
    if event.ok and node.do in _LAST:
        return Turn(leave=End(why=_LAST[node.do], hang_up=False), decisions=noted)
    if event.ok:
        return Turn(leave=Leave("ok", node.ok, variables), decisions=noted)
    if node.refused is not None:
        return Turn(leave=Leave("refused", node.refused, variables), decisions=noted)
    turn = fail(node, f"{node.do} was refused, and no node is given for that")
    return Turn(leave=turn.leave, decisions=(*noted, *turn.decisions))
