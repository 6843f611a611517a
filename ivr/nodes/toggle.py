"""`toggle`: a switch that outlives calls, such as an emergency closure.

    closed_today: {type: toggle, toggle: emergency, mode: check, on: closure, off: main}

    switch:
      type: toggle
      toggle: emergency
      mode: flip                       # or set, with `value: yes`
      pin: secret:closure              # generated, shown by `centralita up`; or sha256:SALT:HEX, or digits
      prompt: {es: "Marque la clave y almohadilla.", en: "…"}
      on_prompt: {es: "El cierre de emergencia está activado."}
      off_prompt: {es: "El cierre de emergencia está desactivado."}
      next: goodbye

The confirmation is said once the new value is safe on disk. Wrong PINs are `no_match`. The PIN is never written down.
A `sha256:` PIN is the hash of salt and PIN together; digits in the file are for everybody to read.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import partial
from typing import Annotated, ClassVar, Literal

from msgspec.structs import replace
from pydantic import AfterValidator, model_validator

from core.commands import SetToggle
from core.decisions import Noted
from core.events import (
    CommandOutcomeUnknown,
    CommandRejected,
    DigitPressed,
    Event,
    PlaybackFinished,
    TimerFired,
    ToggleSet,
)
from definitions.faults import fault
from definitions.models import Flag, Name, Seconds, Text
from ivr.asking import Asking, heard, hush, is_deaf, say, try_again
from ivr.node import Exit, Leave, NodeModel, Reference, RetryHandler, Turn, Visit, fail
from ivr.prompts import Prompt

VERSION = 1
MOST_DIGITS = 16
SAVING_S = 10.0


_KEYS = {
    "check": (["on", "off"], ["value", "pin", "prompt", "next"]),
    "set": (["value", "pin", "prompt", "next"], ["on", "off"]),
    "flip": (["pin", "prompt", "next"], ["on", "off", "value"]),
}
"""What each mode needs, and what means nothing in it."""


def _pin(pin: str) -> str:
    if not re.fullmatch(r"[0-9]{4,16}|secret:[a-z0-9][a-z0-9_-]{0,39}|sha256:[0-9a-f]{8,64}:[0-9a-f]{64}", pin):
        raise fault("this is no PIN", "write secret:NAME for a generated one, 4 to 16 digits, or sha256:SALT:HASH")
    return pin


class Model(NodeModel):
    waits: ClassVar[bool] = True

    type: Literal["toggle"] = "toggle"
    toggle: Name
    mode: Literal["check", "set", "flip"] = "check"
    on: Name | None = None
    off: Name | None = None
    value: Flag | None = None
    pin: Annotated[Text, AfterValidator(_pin)] | None = None
    prompt: Prompt | None = None
    """Asks for the PIN."""
    on_prompt: Prompt | None = None
    off_prompt: Prompt | None = None
    first_digit_s: Seconds = 6.0
    between_digits_s: Seconds = 3.0
    next: Name | None = None
    no_input: RetryHandler | None = None
    no_match: RetryHandler | None = None

    @model_validator(mode="after")
    def _complete(self) -> Model:
        needed, useless = _KEYS[self.mode]
        if missing := [name for name in needed if getattr(self, name) is None]:
            raise fault(f"a toggle with `mode: {self.mode}` needs {' and '.join(missing)}", f"add `{missing[0]}: …`")
        if there := [name for name in useless if getattr(self, name) is not None]:
            raise fault(f"`{there[0]}` means nothing with `mode: {self.mode}`", "leave it out, or change the mode")
        return self

    def exits(self) -> tuple[Exit, ...]:
        ways = (("on", self.on), ("off", self.off), ("next", self.next))
        mine = tuple(Exit(way, target, (way,)) for way, target in ways if target is not None)
        inherited = tuple(way for way in super().exits() if self.mode != "check" or way.branch == "error")
        return (*mine, *inherited)

    def references(self) -> tuple[Reference, ...]:
        return (Reference("toggle", self.toggle, ("toggle",)),)

    @property
    def is_sensitive(self) -> bool:
        return self.mode != "check"

    @property
    def secret_pin(self) -> str:
        """The name of the generated PIN it asks for; empty when the file holds the PIN."""
        return self.pin.removeprefix("secret:") if self.pin and self.pin.startswith("secret:") else ""


class Memory(Asking, frozen=True, omit_defaults=True):
    """`saving`: the new value is on its way to the disk."""

    saving: bool = False
    value: bool = False


def enter(node: Model, visit: Visit) -> Turn:
    if node.mode != "check":
        return _ask(node, visit, Memory())
    on = visit.world.toggles.get((visit.tenant, node.toggle), False)
    branch, target = ("on", node.on) if on else ("off", node.off)
    return Turn(leave=Leave(branch, target), decisions=(Noted("toggle", f"{node.toggle} is {branch}"),))


def on_event(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    if memory.saving:
        return _saving(node, memory, event, visit)
    match event:
        case DigitPressed():
            return _pressed(node, memory, event.digit, visit)
        case PlaybackFinished():
            return heard(memory, visit, node.first_digit_s)
        case TimerFired():
            return _judge(node, memory, memory.typed, visit)
        case _:
            return Turn(memory)


def _ask(node: Model, visit: Visit, memory: Memory, first: Prompt | None = None) -> Turn:
    return say(visit, memory, (first, node.prompt), node.first_digit_s)


def _pressed(node: Model, memory: Memory, digit: str, visit: Visit) -> Turn:
    if is_deaf(memory, node.prompt, visit):
        return Turn(memory)
    if digit == "#":
        return _judge(node, memory, memory.typed, visit)
    typed = memory.typed + digit
    if len(typed) > MOST_DIGITS:
        return _judge(node, memory, typed, visit)
    stop = hush(memory, visit)
    wait = visit.timer("input", node.between_digits_s)
    return Turn(replace(memory, typed=typed, playback_id=""), (*stop, wait))


def _judge(node: Model, memory: Memory, typed: str, visit: Visit) -> Turn:
    ask = partial(_ask, node, visit)
    if not typed:
        return try_again(node, node.no_input, "no_input", memory, visit, ask)
    pin = visit.world.pins.get((visit.tenant, node.secret_pin)) if node.secret_pin else node.pin
    if pin is None:
        return fail(node, f"nobody knows the PIN secret:{node.secret_pin}")
    if not _is_pin(typed, pin):
        return try_again(node, node.no_match, "no_match", memory, visit, ask, "wrong PIN")
    value = not visit.world.toggles.get((visit.tenant, node.toggle), False) if node.value is None else node.value
    memory = Memory(saving=True, value=value)
    command = SetToggle(visit.interaction_id, visit.tenant, node.toggle, value)
    return Turn(memory, (*hush(memory, visit), command, visit.timer("saving", SAVING_S)))


def _is_pin(typed: str, pin: str) -> bool:
    """Takes as long for a nearly right PIN as for a wrong one."""
    if not pin.startswith("sha256:"):
        return hmac.compare_digest(typed.encode(), pin.encode())
    _, salt, wanted = pin.split(":")
    return hmac.compare_digest(hashlib.sha256((salt + typed).encode()).hexdigest(), wanted)


def _saving(node: Model, memory: Memory, event: Event, visit: Visit) -> Turn:
    match event:
        case ToggleSet() if (event.tenant, event.toggle) == (visit.tenant, node.toggle):
            prompt = node.on_prompt if event.value else node.off_prompt
            noted = Noted("toggle", f"{node.toggle} is {'on' if event.value else 'off'}")
            return Turn(leave=Leave("next", node.next, prompt=prompt), decisions=(noted,))
        case CommandRejected() | CommandOutcomeUnknown() if event.what == "SetToggle":
            return fail(node, f"{node.toggle} could not be set")
        case TimerFired():
            return fail(node, f"nobody confirmed that {node.toggle} is saved")
        case _:
            return Turn(memory)
