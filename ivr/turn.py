"""What a verb answers to a fact: what it remembers, what is to be done, and where the caller goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

import msgspec

from core.commands import Command
from core.decisions import Decision
from core.frozen import dataclass
from core.leg import EndReason

if TYPE_CHECKING:
    from ivr.prompts import Prompt


class Leave(msgspec.Struct, frozen=True):
    """Go to `target` (None: the flow is at its end) by `branch`, after `prompt` has been heard to its end.

    `variables` are kept, those named in `sensitive` as secrets. `failed` marks the error exit: a second failure on
    the way ends the call.
    """

    branch: str
    target: str | None
    variables: Mapping[str, object] = {}
    sensitive: frozenset[str] = frozenset()
    prompt: Prompt | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """Run another flow of the same tenant, which sees only `variables` besides the call's own facts.
    The node hears `Returned` when it comes back."""

    flow_id: str
    variables: Mapping[str, object] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GiveBack:
    """Return to the calling flow by `branch` with `variables`; in the outermost flow the call ends."""

    branch: str
    variables: Mapping[str, object] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class End:
    """The flow is over: hang up, or turn the call away as `BUSY` or `CONGESTION`. Without `hang_up` the leg is somebody
    else's from now on."""

    reason: EndReason = EndReason.HUNG_UP_BY_US
    why: str = ""
    hang_up: bool = True


@dataclass(frozen=True, slots=True)
class Returned:
    """A subflow came back to the node that called it: known to the interpreter alone, never in the journal."""

    branch: str
    variables: Mapping[str, object] = field(default_factory=dict)
    sensitive: frozenset[str] = frozenset()


class Turn(msgspec.Struct, frozen=True):
    """The answer to one fact: what the node remembers from now on, and what is to be done.

    `untaken`: digits the node had no use for; the next node that listens gets them. `flush`: digits typed ahead are
    forgotten, since what is said now must be heard. `swallow`: this digit, pressed out of habit within the next
    seconds, means nothing.
    """

    memory: object | None = None
    commands: tuple[Command, ...] = ()
    leave: Leave | Call | GiveBack | End | None = None
    decisions: tuple[Decision, ...] = ()
    untaken: str = ""
    flush: bool = False
    swallow: str = ""
