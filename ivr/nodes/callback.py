"""`callback`: agree on a number and promise to call it.

    call_me:
      type: callback
      queue: sales
      prompt: {es: "Marque el número al que podemos llamarle.", en: "…"}
      confirm:
        prompt: {es: "Le llamaremos al {{ value | phone }}. Para aceptar, marque 1. Para otro número, 2.", en: "…"}
      region: ES
      into: callback_number
      next: promised
      refused: sorry

A queue whose file has `callback:` keeps her place: her stay goes on when she has hung up, also the one that a key of a
`queue` node led here from (`queue` may be left out then), and back to that node she waits on the line at the same
place. Any other request is written down, for somebody to see. `refused`: nobody may call this number: no outbound rule
allows it, or a do-not-call list names it; without it she takes the error exit.

The caller's own number is offered when she showed one that can be called; `prompt` asks for another. She goes on once
the request is safe, so what she is promised is kept.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, ClassVar, Literal

from msgspec.structs import replace
from pydantic import BeforeValidator, Field

from core.commands import RequestCallback
from core.decisions import Noted
from core.events import CallbackRequested, CommandRejected, DigitPressed, Event, PlaybackFinished, TimerFired
from definitions.fields import country
from definitions.models import Name, Seconds, Variable
from ivr.asking import INPUT, Asking, heard, hush, is_deaf, say, try_again
from ivr.errand import PATIENCE_S, Errand, failure
from ivr.node import Exit, Leave, NodeModel, Reference, RetryHandler, Turn, Visit, fail
from ivr.nodes.collect import Confirm
from ivr.prompts import Prompt
from ivr.run import plain
from ivr.templates import Template
from ivr.validators import PhoneValidator

VERSION = 1
MOST_DIGITS = 17


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["callback"] = "callback"
    queue: Name | None = None
    number: Template = Field(default_factory=lambda: Template("{{ caller }}"))
    """What is offered first."""
    prompt: Prompt
    confirm: Confirm
    region: Annotated[str, BeforeValidator(country)] = "ES"
    first_digit_s: Seconds = 6.0
    between_digits_s: Seconds = 3.0
    into: Variable | None = None
    next: Name
    refused: Name | None = None
    """When nobody may call the number."""
    no_input: RetryHandler | None = None
    no_match: RetryHandler | None = None

    def exits(self) -> tuple[Exit, ...]:
        refused = (Exit("refused", self.refused, ("refused",)),) if self.refused else ()
        return (Exit("next", self.next, ("next",)), *refused, *super().exits())

    def references(self) -> tuple[Reference, ...]:
        return (Reference("queue", self.queue, ("queue",)),) if self.queue else ()

    def sets(self) -> frozenset[str]:
        return frozenset({self.into}) if self.into else frozenset()


class Memory(Asking, frozen=True, omit_defaults=True):
    """`value`: the number offered, empty while she is asked for one. `subject_id`: the request under way."""

    value: str = ""
    subject_id: str = ""


def enter(node: Model, visit: Visit) -> Turn:
    value, _ = _checked(node, node.number.render(visit.variables, visit.language).strip(), visit)
    return _question(node, visit, Memory(value=value))


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    if memory.subject_id:
        return _request(node, memory, visit)
    return _question(node, visit, memory)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    if memory.subject_id:
        return _requesting(node, memory, event)
    match event:
        case DigitPressed() if is_deaf(memory, node.confirm.prompt if memory.value else node.prompt, visit):
            return Turn(memory)
        case DigitPressed() if memory.value:
            return _offered(node, memory, event.digit, visit)
        case DigitPressed():
            return _typed(node, memory, event.digit, visit)
        case PlaybackFinished():
            return heard(memory, visit, node.first_digit_s)
        case TimerFired() if memory.typed:
            return _entered(node, memory, visit)
        case TimerFired() if not memory.playback_id:
            return try_again(node, node.no_input, "no_input", memory, visit, partial(_question, node, visit))
        case _:
            return Turn(memory)


def _question(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    if memory.value:
        return say(visit, memory, (first, node.confirm.prompt), node.first_digit_s, {"value": memory.value})
    return say(visit, memory, (first, node.prompt), node.first_digit_s)


def _offered(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if digit == node.confirm.yes:
        return _request(node, replace(memory, subject_id=visit.new_id()), visit)
    if digit == node.confirm.no:
        return _question(node, visit, replace(memory, value=""))
    again = partial(_question, node, visit)
    why = f"neither {node.confirm.yes} nor {node.confirm.no}"
    return try_again(node, node.no_match, "no_match", memory, visit, again, why)


def _typed(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if digit == "#":
        return _entered(node, memory, visit)
    typed = memory.typed + digit
    if len(typed) >= MOST_DIGITS:
        return _entered(node, replace(memory, typed=typed), visit)
    wait = visit.timer(INPUT, node.between_digits_s)
    return Turn(replace(memory, typed=typed, playback_id=""), (*hush(memory, visit), wait))


def _entered(node: Model, memory: Memory, visit: Visit) -> Turn:
    value, why = _checked(node, memory.typed, visit)
    if why:
        ask = partial(_question, node, visit)
        return try_again(node, node.no_match, "no_match", memory, visit, ask, why)
    turn = _question(node, visit, replace(memory, value=value))
    return replace(turn, swallow="#")


def _checked(node: Model, number: str, visit: Visit) -> tuple[str, str]:
    """The number as it can be called, or why it cannot."""
    checked = PhoneValidator(kind="phone", region=node.region).check(number, visit.now_s)
    return ("", checked.why) if checked.why else (checked.value, "")


def _request(node: Model, memory: Memory, visit: Visit) -> Turn:
    request = RequestCallback(
        visit.interaction_id,
        memory.subject_id,
        memory.value,
        node.queue or "",
        {k: str(plain(v)) for k, v in visit.variables.items() if k not in visit.secrets and v is not None},
    )
    commands = (*hush(memory, visit), request, visit.timer(INPUT, PATIENCE_S))
    return Turn(replace(memory, playback_id=""), commands)


def _requesting(node: Model, memory: Memory, event: Event) -> Turn:
    variables = {node.into: memory.value} if node.into else {}
    if isinstance(event, CallbackRequested) and event.callback_id == memory.subject_id:
        return Turn(leave=Leave("next", node.next, variables), decisions=(Noted("callback", "requested"),))
    if isinstance(event, CommandRejected) and event.subject_id == memory.subject_id and node.refused is not None:
        return Turn(leave=Leave("refused", node.refused, variables), decisions=(Noted("callback", event.why),))
    if why := failure(event, Errand(memory.subject_id)):
        return fail(node, why)
    return Turn(memory, untaken=event.digit) if isinstance(event, DigitPressed) else Turn(memory)
