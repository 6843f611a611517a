"""`collect`: ask for digits.

    document:
      type: collect
      prompt: {es: "Marque su documento y termine con almohadilla.", en: "…"}
      digits: 7-9
      terminator: "#"
      first_digit_s: 6
      between_digits_s: 3
      validate: [{kind: document, country: es}]
      confirm: {prompt: {es: "Ha marcado {{ value | digits }}. Si es correcto marque 1, si no marque 2."}}
      sensitive: no
      into: document
      next: balance

The longest number needs no terminator; one pressed out of habit is swallowed. `restart` (`"*"`) begins anew. What the
validators keep (a date as 2026-03-15, a DNI with its letter) is what is read back as `value` and set. `sensitive`
digits are never written down: not in the journal, not in snapshots; after a restart this node asks again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from msgspec.structs import replace
from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from core.events import DigitPressed, Event, PlaybackFinished, TimerFired
from definitions.faults import fault
from definitions.models import Definition, Digits, Flag, Name, Seconds, Variable
from ivr.asking import Asking, heard, hush, is_deaf, say, try_again
from ivr.node import Exit, Leave, NodeModel, RetryHandler, Turn, Visit
from ivr.prompts import Prompt
from ivr.validators import Validator

VERSION = 1
MOST_DIGITS = 40


def _lengths(value: Any) -> tuple[int, int]:
    if isinstance(value, tuple):
        return value
    found = re.fullmatch(r"(\d{1,3})\s*(?:-\s*(\d{1,3}))?", str(value).strip())
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (0, 0)
    if not 1 <= least <= most <= MOST_DIGITS:
        raise fault(
            f"'{value}' is no number of digits", f"write one like 4, or a range like 7-9, at most {MOST_DIGITS}"
        )
    return least, most


def _terminator(value: Any) -> str:
    text = str(value).strip()
    if text in ("none", "no", ""):
        return ""
    if not re.fullmatch(r"[*#]", text):
        raise fault(f"'{text}' cannot end a number", 'write "#", "*" or none')
    return text


Lengths = Annotated[
    tuple[int, int],
    BeforeValidator(_lengths),
    WithJsonSchema({"type": ["string", "integer"], "pattern": r"^\d+(-\d+)?$", "examples": ["4", "7-9"]}),
]
Terminator = Annotated[str, BeforeValidator(_terminator), WithJsonSchema({"enum": ["#", "*", "none"]})]


class Confirm(Definition):
    """Read back `value`; `yes` keeps it, `no` asks again."""

    prompt: Prompt
    yes: Digits = "1"
    no: Digits = "2"


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["collect"] = "collect"
    prompt: Prompt
    digits: Lengths
    terminator: Terminator = "#"
    restart: Digits | None = None
    """A key that forgets what was typed and asks again."""
    first_digit_s: Seconds = 6.0
    between_digits_s: Seconds = 3.0
    checks: Sequence[Validator] = Field(default=(), alias="validate")
    confirm: Confirm | None = None
    sensitive: Flag = False
    into: Variable
    next: Name
    no_input: RetryHandler | None = None
    no_match: RetryHandler | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_check(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("validate"), str | dict):
            return {**value, "validate": [value["validate"]]}
        return value

    @model_validator(mode="after")
    def _can_end(self) -> Model:
        if self.restart is not None and self.restart == self.terminator:
            raise fault(f"'{self.restart}' both ends and restarts the number", "choose another key for one of them")
        return self

    def exits(self) -> tuple[Exit, ...]:
        return (Exit("next", self.next, ("next",)), *super().exits())

    def sets(self) -> frozenset[str]:
        return frozenset({self.into})

    @property
    def is_sensitive(self) -> bool:
        return self.sensitive


class Memory(Asking, frozen=True, omit_defaults=True):
    """`value`: what is being read back for confirmation."""

    value: str = ""


def enter(node: Model, visit: Visit) -> Turn:
    return _ask(node, visit, Memory())


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    """What was given is kept: the caller goes on from the next digit once the prompt has been said again."""
    if memory.value:
        return _read_back(node, visit, memory)
    turn = _ask(node, visit, memory)
    assert isinstance(turn.memory, Memory)
    return replace(turn, memory=replace(turn.memory, typed=memory.typed))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case DigitPressed() if memory.value:
            return _confirming(node, memory, event.digit, visit)
        case DigitPressed():
            return _pressed(node, memory, event.digit, visit)
        case PlaybackFinished():
            return heard(memory, visit, node.first_digit_s)
        case TimerFired() if memory.value:
            again = partial(_read_back, node, visit)
            return try_again(node, node.no_input, "no_input", memory, visit, again)
        case TimerFired():
            return _finish(node, memory, memory.typed, visit)
        case _:
            return Turn(memory)


def _ask(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    return say(visit, replace(memory, value=""), (first, node.prompt), node.first_digit_s)


def _anew(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    """The caller knows what went wrong and may type at once."""
    return _ask(node, visit, replace(memory, deaf_until_s=0.0))


def _read_back(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    assert node.confirm is not None
    return say(visit, memory, (first, node.confirm.prompt), node.first_digit_s, {"value": memory.value})


def _pressed(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if is_deaf(memory, node.prompt, visit):
        return Turn(memory)
    if digit == node.restart:
        return _ask(node, visit, memory)
    if digit == node.terminator:
        return _finish(node, memory, memory.typed, visit)
    typed = memory.typed + digit
    if len(typed) < node.digits[1]:
        stop = hush(memory, visit)
        wait = visit.timer("input", node.between_digits_s)
        return Turn(replace(memory, typed=typed, playback_id=""), (*stop, wait))
    turn = _finish(node, memory, typed, visit)
    return Turn(turn.memory, turn.commands, turn.leave, turn.decisions, "", turn.flush, node.terminator)


def _finish(node: Model, memory: Memory, typed: str, visit: Visit) -> Turn:
    ask = partial(_ask, node, visit)
    if not typed:
        return try_again(node, node.no_input, "no_input", memory, visit, ask)
    if len(typed) < node.digits[0]:
        why = f"{len(typed)} digits, at least {node.digits[0]} are needed"
        return try_again(node, node.no_match, "no_match", memory, visit, ask, why)
    value = typed
    for check in node.checks:
        checked = check.check(value, visit.now_s)
        if checked.why:
            handler = _instead(node.no_match, check.prompt)
            why = f"{check.kind}: {checked.why}"
            return try_again(node, handler, "no_match", memory, visit, ask, why)
        value = checked.value
    if node.confirm is not None:
        return _read_back(node, visit, replace(memory, value=value))
    return _keep(node, value)


def _instead(handler: RetryHandler | None, prompt: Prompt | None) -> RetryHandler | None:
    if prompt is None:
        return handler
    return (handler or RetryHandler()).model_copy(update={"prompt": prompt})


def _confirming(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    assert node.confirm is not None
    if is_deaf(memory, node.confirm.prompt, visit):
        return Turn(memory)
    if digit == node.confirm.yes:
        return _keep(node, memory.value)
    if digit == node.confirm.no:
        handler = (node.no_match or RetryHandler()).model_copy(update={"prompt": None})
        return try_again(node, handler, "no_match", memory, visit, partial(_anew, node, visit), "the caller said no")
    again = partial(_read_back, node, visit)
    return try_again(
        node, node.no_match, "no_match", memory, visit, again, f"neither {node.confirm.yes} nor {node.confirm.no}"
    )


def _keep(node: Model, value: str) -> Turn:
    secret = frozenset({node.into}) if node.sensitive else frozenset()
    return Turn(leave=Leave("next", node.next, {node.into: value}, sensitive=secret))
