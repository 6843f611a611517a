"""What a node is: the contract between the flow language, the interpreter and every verb.

A verb is one file, `ivr/nodes/<type>.py`. It exposes

    Model       the node as written in YAML (a `NodeModel`)
    Memory      what the node remembers while it runs: a frozen dataclass or msgspec Struct of plain values
    VERSION     of that memory; `UPCASTS[n]` turns the plain dict of version n into that of n + 1
    enter(node, visit) -> Turn
    on_event(node, memory, event, visit) -> Turn
    resume(node, memory, visit) -> Turn             optional: after a gap; without it the node is entered again
    on_hangup(node, memory, visit) -> commands      optional: what must still happen when the caller has gone

Verbs are pure: facts and time in, a `Turn` out. They never clean up after themselves: when a node is left, the
interpreter stops its playback and cancels its timers. What a verb raises sends the caller to the error exit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import BaseModel, model_validator

from core.commands import Command
from core.decisions import Noted
from definitions.models import Count, Definition, Name
from ivr.prompts import Prompt
from ivr.templates import Expression, Template
from ivr.turn import Call, End, GiveBack, Leave, Returned, Turn
from ivr.values import Value
from ivr.visit import Visit, World

__all__ = [
    "Call",
    "Defaults",
    "End",
    "ErrorHandler",
    "Exit",
    "GiveBack",
    "Leave",
    "NodeModel",
    "Path",
    "Placed",
    "Reference",
    "RetryHandler",
    "Returned",
    "Turn",
    "Verb",
    "Visit",
    "World",
    "fail",
    "inherit",
]

Path = tuple[str | int, ...]
"""Where in the node's YAML something stands: `("keys", "1")`, `("prompt", "es")`."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Exit:
    """`branch`: the name of the way out (`1`, `no_input`, `open`); `target`: the node that follows."""

    branch: str
    target: str
    path: Path


@dataclass(frozen=True, slots=True)
class Reference:
    """Something the node needs that is defined elsewhere. `language` must be one of the flow's."""

    kind: Literal["calendar", "table", "queue", "flow", "sound", "toggle", "host", "device", "language", "mailbox"]
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Placed:
    """A prompt, template or expression of a node, and where it stands."""

    value: Any
    path: Path


# -- what every node has -----------------------------------------------------------------------------
class _Handler(Definition):
    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        """`error: operator` is `error: {then: operator}`."""
        return {"then": value} if isinstance(value, str) else value


class RetryHandler(_Handler):
    """`no_input` and `no_match`. `prompt` is heard before each of the `retries`; then the caller goes to `then`,
    or, where none is given, to the error exit."""

    retries: Count | None = None
    prompt: Prompt | None = None
    then: Name | None = None

    @property
    def tries(self) -> int:
        """How many more times to ask; 2 unless told."""
        return 2 if self.retries is None else self.retries


class ErrorHandler(_Handler):
    """`prompt` is heard, then the caller goes to `then`; without it the call ends."""

    prompt: Prompt | None = None
    then: Name | None = None


class Defaults(Definition):
    """A flow's `defaults:`, inherited field by field by every node that has the same key."""

    no_input: RetryHandler | None = None
    no_match: RetryHandler | None = None
    error: ErrorHandler | None = None


class NodeModel(Definition):
    """A node as written. Subclasses add their fields and say where they lead and what they need."""

    waits: ClassVar[bool] = False
    """Whether time passes or input is needed here: a loop through such a node is no endless loop."""

    type: str
    note: str = ""
    error: ErrorHandler | None = None

    def exits(self) -> tuple[Exit, ...]:
        """Every way out, inherited handlers included (whose path may stand in the flow's defaults)."""
        handlers = ((name, getattr(self, name, None)) for name in ("no_input", "no_match", "error"))
        return tuple(Exit(name, handler.then, (name, "then")) for name, handler in handlers if handler and handler.then)

    def references(self) -> tuple[Reference, ...]:
        """What must exist elsewhere; sounds are found through `prompts()`."""
        return ()

    def prompts(self) -> tuple[Placed, ...]:
        """Every prompt, inherited ones included."""
        return tuple(placed for placed in walk(self, Prompt))

    def templates(self) -> tuple[Placed, ...]:
        """Every template and expression outside prompts."""
        return tuple(placed for placed in walk(self, (Template, Expression, Value)))

    def sets(self) -> frozenset[str]:
        """The variables this node may give a value to."""
        return frozenset()

    def local(self, path: Path) -> frozenset[str]:
        """The variables that have a value only in the text at this path: `value` where something is read back."""
        return frozenset({"value"}) if path[:1] == ("confirm",) else frozenset()

    @property
    def is_sensitive(self) -> bool:
        """Digits pressed here are secret: the node's memory is never snapshotted, nothing of it is noted."""
        return False

    @property
    def is_early(self) -> bool:
        """`answer: no`: heard before the leg is answered."""
        return False


def walk(value: object, kinds: type | tuple[type, ...], path: Path = ()) -> Iterator[Placed]:
    """Every value of these kinds inside a model, depth first, with its path."""
    if isinstance(value, kinds):
        yield Placed(value, path)
    elif isinstance(value, BaseModel):
        written_as = _aliases(type(value))
        for name, inner in value.__dict__.items():
            if type(inner) not in _PLAIN:
                yield from walk(inner, kinds, (*path, written_as.get(name, name)))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from walk(inner, kinds, (*path, key))
    elif isinstance(value, (tuple, list)):
        for index, inner in enumerate(value):
            yield from walk(inner, kinds, (*path, index))


_PLAIN = frozenset({type(None), bool, int, float, str})
"""Most fields of most nodes: nothing is inside them."""


@cache
def _aliases(model: type[BaseModel]) -> Mapping[str, str]:
    return {name: field.alias for name, field in model.model_fields.items() if field.alias}


Node = TypeVar("Node", bound=NodeModel)


def inherit(node: Node, defaults: Defaults) -> Node:
    """The node with what its handlers leave unsaid filled in from the flow's defaults."""
    filled: dict[str, object] = {}
    for name in ("no_input", "no_match", "error"):
        given, default = getattr(node, name, None), getattr(defaults, name)
        if default is None or name not in type(node).model_fields:
            continue
        missing = {} if given is None else {k: v for k, v in given.__dict__.items() if v is not None}
        filled[name] = default.model_copy(update=missing)
    return node.model_copy(update=filled) if filled else node


def fail(node: NodeModel, why: str, *, branch: str = "error") -> Turn:
    """The node's error exit; `why` is for the log and must not hold what the caller keyed in in secret."""
    handler = node.error
    return Turn(
        decisions=(Noted(what=branch, why=why),),
        leave=Leave(
            branch,
            handler.then if handler else None,
            prompt=handler.prompt if handler else None,
            failed=True,
        ),
    )


# -- a verb as the interpreter sees it ------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Verb:
    """One node type, found by the name in `type:`. `resume` None: after a gap the node is entered again."""

    name: str
    model: type[NodeModel]
    memory: type
    version: int
    enter: Callable[[Any, Visit], Turn]
    on_event: Callable[[Any, Any, Any, Visit], Turn]
    resume: Callable[[Any, Any, Visit], Turn] | None = None
    on_hangup: Callable[[Any, Any, Visit], tuple[Command, ...]] | None = None
    upcasts: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)

    @classmethod
    def of(cls, module: Any, name: str = "") -> Verb:
        """The verb that a module exposes; its type is the module's own name unless `name` says otherwise.

        Raises:
            AttributeError: the module lacks a part of the contract.
        """
        return cls(
            name=name or module.__name__.rpartition(".")[2].rstrip("_"),
            model=module.Model,
            memory=module.Memory,
            version=module.VERSION,
            enter=module.enter,
            on_event=module.on_event,
            resume=getattr(module, "resume", None),
            on_hangup=getattr(module, "on_hangup", None),
            upcasts=getattr(module, "UPCASTS", {}),
        )
