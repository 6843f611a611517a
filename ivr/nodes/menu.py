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

The choices may also come from a list variable, one key each:

      options:
        from: slots                    # values joined by `|`, as `http` takes them with `slots.*.start`
        prompt: {es: "Para el {{ option | date }}, marque {{ key }}.", en: "…"}
        most: 5
        into: slot
        next: confirm
        empty: no_slots

Silence and wrong keys have handlers of their own (`no_input`, `no_match`), inherited from the flow's defaults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Annotated, ClassVar, Literal

from msgspec.structs import replace
from pydantic import AfterValidator, Field, field_validator, model_validator

from core.decisions import Noted
from core.events import DigitPressed, Event, PlaybackFinished, TimerFired
from core.media import Part
from definitions.faults import Faults, fault
from definitions.models import Count, Definition, Flag, LanguageTag, Name, Seconds, Variable
from ivr.asking import Asking, heard, hush, is_deaf, say, try_again
from ivr.node import Exit, Leave, NodeModel, Path, Reference, RetryHandler, Turn, Visit, fail
from ivr.prompts import Prompt
from ivr.replies import SEPARATOR
from ivr.run import plain
from ivr.templates import Expression
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


def _few(most: int) -> int:
    if not 1 <= most <= 9:
        raise fault(f"{most} options cannot each have a key", "write 1 to 9; four are enough")
    return most


class Options(Definition):
    """One key for each value of a list, 1 first; keys of the menu's own are left out."""

    source: Expression = Field(alias="from")
    prompt: Prompt
    """Said for each: `option` is the value, `key` its key."""
    most: Annotated[Count, AfterValidator(_few)] = 5
    into: Variable
    next: Name
    empty: Name | None = None
    """When the list has nothing; without it, the error exit."""


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["menu"] = "menu"
    prompt: Prompt
    keys: Mapping[str, Key] = {}
    options: Options | None = None
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

    @model_validator(mode="after")
    def _has_choices(self) -> Model:
        if not self.keys and self.options is None:
            raise fault("this menu has nothing to choose", 'write `keys: {"1": sales}`')
        return self

    def exits(self) -> tuple[Exit, ...]:
        keys = (Exit(key, does.next, ("keys", key)) for key, does in self.keys.items() if does.next is not None)
        options = self.options
        ways = (("option", options.next, "next"), ("empty", options.empty, "empty")) if options else ()
        chosen = (Exit(branch, target, ("options", name)) for branch, target, name in ways if target)
        return (*keys, *chosen, *super().exits())

    def local(self, path: Path) -> frozenset[str]:
        return frozenset({"option", "key"}) if path[:2] == ("options", "prompt") else super().local(path)

    def references(self) -> tuple[Reference, ...]:
        languages = ((key, does.language) for key, does in self.keys.items())
        return tuple(Reference("language", tag, ("keys", key, "language")) for key, tag in languages if tag)

    def sets(self) -> frozenset[str]:
        own = {self.into, self.options.into if self.options else None} - {None}
        return frozenset(filter(None, own)).union(*(does.set for does in self.keys.values()))


class Memory(Asking, frozen=True, omit_defaults=True):
    """`options`: what the keys not in the node stand for, as they were when the menu was entered."""

    options: dict[str, str] = {}


def enter(node: Model, visit: Visit) -> Turn:
    if node.options is None:
        return _ask(node, visit, Memory())
    options = _options(node, node.options, visit)
    if options:
        return _ask(node, visit, Memory(options=options))
    if node.options.empty is not None:
        return Turn(leave=Leave("empty", node.options.empty), decisions=(Noted("options", "the list is empty"),))
    return fail(node, "the list of options is empty, and no node is given for that")


def _options(node: Model, options: Options, visit: Visit) -> dict[str, str]:
    value = options.source.evaluate(visit.variables, visit.language)
    values = [text.strip() for text in str(plain(value) or "").split(SEPARATOR)]
    free = [key for key in "123456789" if key not in node.keys]
    return dict(zip(free[: options.most], filter(None, values), strict=False))


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
    more: tuple[Part, ...] = ()
    if node.options is not None:
        prompt = node.options.prompt
        said = (visit.parts_with(prompt, {"option": option, "key": key}) for key, option in memory.options.items())
        more = tuple(part for parts in said for part in parts)
    return say(visit, memory, (first, node.prompt), node.first_digit_s, more=more)


def _pressed(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if is_deaf(memory, node.prompt, visit):
        return Turn(memory)
    typed = memory.typed + digit
    if any(key != typed and key.startswith(typed) for key in (*node.keys, *memory.options)):
        stop = hush(memory, visit)
        wait = visit.timer("input", node.between_digits_s)
        return Turn(replace(memory, typed=typed, playback_id=""), (*stop, wait))
    return _decide(node, memory, typed, visit)


def _decide(node: Model, memory: Memory, typed: str, visit: Visit) -> Turn:
    """The longest key that was typed; what follows it was meant for the next node."""
    keys = node.keys.keys() | memory.options.keys()
    key = next((typed[:length] for length in range(len(typed), 0, -1) if typed[:length] in keys), None)
    if key is None:
        ask = partial(_ask, node, visit)
        return try_again(node, node.no_match, "no_match", memory, visit, ask, f"no key {typed}")
    if key in memory.options and node.options is not None:
        return _chosen(node, node.options, key, memory.options[key], typed, visit)
    does = node.keys[key]
    if does.language is not None:
        visit.language = does.language
    if does.next is None:
        return _ask(node, visit, memory)
    variables = {name: value.evaluate(visit.variables, visit.language) for name, value in does.set.items()}
    if node.into is not None:
        variables[node.into] = key
    return Turn(leave=Leave(key, does.next, variables), untaken=typed[len(key) :])


def _chosen(node: Model, options: Options, key: str, option: str, typed: str, visit: Visit) -> Turn:
    variables: dict[str, object] = {options.into: option}
    if node.into is not None:
        variables[node.into] = key
    secret = frozenset({options.into}) if options.source.names & visit.secrets.keys() else frozenset[str]()
    return Turn(leave=Leave("option", options.next, variables, sensitive=secret), untaken=typed[len(key) :])
