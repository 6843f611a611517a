"""`menu`: choose by key.

    main:
      type: menu
      prompt: {es: "Para ventas marque 1, para facturación marque 2.", en: "…"}
      keys:
        "1": sales
        "12": warehouse                # overlaps with 1: waits `between_digits_s` for the second digit
        "9": {language: en}            # switch and ask again, or go on with `next`
        "*": {repeat: yes}
        "0": {next: operator, set: {reason: asked}}
      first_digit_s: 6
      into: choice

Silence and wrong keys have handlers of their own (`no_input`, `no_match`), inherited from the flow's defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Literal

from msgspec.structs import replace
from pydantic import Field, field_validator, model_validator

from core.events import DigitPressed, Event, PlaybackFinished, TimerFired
from definitions.faults import Faults, fault
from definitions.models import Definition, Flag, LanguageTag, Name, Seconds, Variable
from ivr.asking import Asking, heard, hush, is_deaf, say, try_again
from ivr.node import Exit, Leave, NodeModel, Reference, RetryHandler, Turn, Visit
from ivr.prompts import Prompt
from ivr.values import Value

VERSION = 1
_KEY = re.compile(r"[0-9*#A-D]{1,8}")


class Key(Definition):
    """What a key does. A plain name is `{next: name}`."""

    next: Name | None = None
    repeat: Flag = False
    language: LanguageTag | None = None
    set: Mapping[Variable, Value] = {}

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"next": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _does_something(self) -> Key:
        if self.next is None and not self.repeat and self.language is None:
            raise fault("this key does nothing", "give it a node, `{repeat: yes}` or `{language: en}`")
        if self.next is not None and self.repeat:
            raise fault("this key both repeats and goes on", "keep `repeat` or `next`")
        return self


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["menu"] = "menu"
    prompt: Prompt
    keys: Mapping[str, Key] = Field(min_length=1)
    first_digit_s: Seconds = 6.0
    between_digits_s: Seconds = 3.0
    into: Variable | None = None
    no_input: RetryHandler | None = None
    no_match: RetryHandler | None = None

    @field_validator("keys", mode="after")
    @classmethod
    def _dialable(cls, keys: Mapping[str, Key]) -> Mapping[str, Key]:
        faults = Faults()
        for key in keys:
            if not _KEY.fullmatch(key):
                faults.add((key,), f"'{key}' is no key of a phone", "use 0-9, * or #, at most eight of them")
        faults.raise_any("keys")
        return keys

    def exits(self) -> tuple[Exit, ...]:
        keys = (Exit(key, does.next, ("keys", key)) for key, does in self.keys.items() if does.next is not None)
        return (*keys, *super().exits())

    def references(self) -> tuple[Reference, ...]:
        languages = ((key, does.language) for key, does in self.keys.items())
        return tuple(Reference("language", tag, ("keys", key, "language")) for key, tag in languages if tag)

    def sets(self) -> frozenset[str]:
        return frozenset(({self.into} if self.into else set()).union(*(does.set for does in self.keys.values())))


class Memory(Asking, frozen=True, omit_defaults=True):
    pass


def enter(node: Model, visit: Visit) -> Turn:
    return _ask(node, visit, Memory())


def resume(node: Model, memory: Memory, visit: Visit) -> Turn:
    return _ask(node, visit, memory)


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case DigitPressed():
            return _pressed(node, memory, event.digit, visit)
        case PlaybackFinished():
            return heard(memory, visit, node.first_digit_s)
        case TimerFired() if memory.typed:
            return _decide(node, memory, memory.typed, visit)
        case TimerFired() if not memory.playback_id:
            return try_again(node, node.no_input, "no_input", memory, visit, partial(_ask, node, visit))
        case _:
            return Turn(memory)


def _ask(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    return say(visit, memory, (first, node.prompt), node.first_digit_s)


def _pressed(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if is_deaf(memory, node.prompt, visit):
        return Turn(memory)
    typed = memory.typed + digit
    if any(key != typed and key.startswith(typed) for key in node.keys):
        stop = hush(memory, visit)
        wait = visit.timer("input", node.between_digits_s)
        return Turn(replace(memory, typed=typed, playback_id=""), (*stop, wait))
    return _decide(node, memory, typed, visit)


def _decide(node: Model, memory: Memory, typed: str, visit: Visit) -> Turn:
    """The longest key that was typed; what follows it was meant for the next node."""
    key = next((typed[:length] for length in range(len(typed), 0, -1) if typed[:length] in node.keys), None)
    if key is None:
        ask = partial(_ask, node, visit)
        return try_again(node, node.no_match, "no_match", memory, visit, ask, f"no key {typed}")
    does = node.keys[key]
    if does.language is not None:
        visit.language = does.language
    if does.next is None:
        return _ask(node, visit, memory)
    variables = {name: value.evaluate(visit.variables, visit.language) for name, value in does.set.items()}
    if node.into is not None:
        variables[node.into] = key
    return Turn(leave=Leave(key, does.next, variables), untaken=typed[len(key) :])
