"""One call in one flow, as a value: what is snapshotted with every event and taken up again after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Literal

import msgspec

from core.commands import Command
from core.decisions import Decision


class Detour(msgspec.Struct, frozen=True):
    """A node that waits for another one to ask again for a secret that was lost with the engine's memory."""

    node_id: str
    verb: str
    version: int = 0
    memory: Any = None
    """What it remembered when it had already begun; None when it was about to be entered."""


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """A flow in progress, at the node it entered on that `visit`. `secrets`: sensitive variable -> the node that
    sets it (empty: the calling flow gave it); their values are never snapshotted, so after a restart they are missing
    from `variables`."""

    flow_id: str
    node_id: str = ""
    visit: int = 0
    variables: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    detours: tuple[Detour, ...] = ()

    def lost(self) -> frozenset[str]:
        """Secrets whose values did not survive."""
        return frozenset(name for name in self.secrets if name not in self.variables)


class Leaving(msgspec.Struct, frozen=True):
    """The node is done; its last words are being heard before `target` is entered. Empty: the flow is over."""

    target: str
    barge_in: bool = True
    failed: bool = False


class FlowRun(msgspec.Struct, frozen=True, omit_defaults=True):
    """`frames`: the flow and the subflows it is in, innermost last. `facts`: what every flow of this call sees. `verb`,
    `memory`: the present node's type and what it remembers. `serial`: the number in the last id made. `timers`: ids
    that may still fire. `typed`: digits nobody has taken yet (never snapshotted: they may be secret). `secret`: digits
    pressed now are sensitive. `notified`: the recording notice has been given. `quick_visits` since `quick_since_s`:
    the guard against loops. `music`: the caller hears some."""

    interaction_id: str
    leg_id: str
    tenant: str
    release_id: str
    language: str
    frames: tuple[Frame, ...]
    facts: dict[str, Any] = {}
    seed: int = 0
    visit: int = 0
    serial: int = 0
    verb: str = ""
    memory: Any = None
    secret: bool = False
    leaving: Leaving | None = None
    playing: str = ""
    timers: tuple[str, ...] = ()
    typed: str = ""
    swallow: str = ""
    swallow_until_s: float = 0.0
    leg_up: bool = False
    notified: bool = False
    failing: bool = False
    failures: int = 0
    quick_visits: int = 0
    quick_since_s: float = 0.0
    ended: bool = False
    music: bool = False

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    @property
    def variables(self) -> Mapping[str, Any]:
        """The innermost flow's variables, secrets included while they are in memory."""
        return self.frames[-1].variables

    @property
    def node_id(self) -> str:
        return self.frames[-1].node_id

    @property
    def flow_id(self) -> str:
        return self.frames[-1].flow_id

    @property
    def listens_in_secret(self) -> bool:
        """Whether a digit pressed now must not be written down anywhere."""
        return self.secret


@dataclass(frozen=True, slots=True)
class Start:
    """A call that enters a flow. `variables` beside the flow's own; `leg_up`: it was answered already."""

    interaction_id: str
    leg_id: str
    tenant: str
    flow_id: str
    language: str
    caller: str = ""
    called: str = ""
    variables: Mapping[str, Any] = field(default_factory=dict)
    leg_up: bool = False
    time_zone: str = "UTC"
    """Where the tenant is, for `today`, `time` and `weekday` (IANA name)."""
    seed: int = 0
    visit: int = 0
    serial: int = 0
    """Where the counting goes on when another flow of this call went before."""


Outcome = Literal["completed", "caller_hung_up", "refused", "error"]


@dataclass(frozen=True, slots=True)
class Ended:
    """How the run ended. `refused`: the flow hung up as busy or congested without serving the caller."""

    outcome: Outcome
    why: str = ""


class Step(msgspec.Struct, frozen=True):
    """The answer to one fact: the run from now on, what to do, why, and whether it is over."""

    run: FlowRun
    commands: tuple[Command, ...] = ()
    decisions: tuple[Decision, ...] = ()
    ended: Ended | None = None


def plain(value: object) -> Any:
    """The value as a snapshot can hold it: JSON's types; numbers exact as text, dates in ISO 8601."""
    if value is None or isinstance(value, (str, float, bool)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else str(value)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return str(value)
