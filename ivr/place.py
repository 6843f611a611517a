"""Where a run is: its stack of flows, the present node, and the variables with their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ivr.node import NodeModel
from ivr.run import Detour, FlowRun, Frame, plain
from ivr.visit import World

if TYPE_CHECKING:
    from ivr.model import Flow


class Place:
    """Mutable for one step. `flow` or `node` is None when the release does not have them."""

    __slots__ = (
        "_release",
        "_tenant",
        "detours",
        "flow",
        "flow_id",
        "node",
        "node_id",
        "outer",
        "secrets",
        "variables",
        "visit",
    )

    def __init__(self, world: World, run: FlowRun) -> None:
        self._release, self._tenant = world.release, run.tenant
        self.outer = run.frames[:-1]
        self._open(run.frames[-1])

    def _open(self, frame: Frame) -> None:
        self.flow_id, self.node_id, self.visit = frame.flow_id, frame.node_id, frame.visit
        self.variables, self.secrets, self.detours = frame.variables, frame.secrets, frame.detours
        flow: Flow | None = self._release.flow(self._tenant, frame.flow_id)
        self.flow = flow
        self.node: NodeModel | None = flow.nodes.get(frame.node_id) if flow is not None else None

    def frames(self) -> tuple[Frame, ...]:
        here = Frame(self.flow_id, self.node_id, self.visit, self.variables, self.secrets, self.detours)
        return (*self.outer, here) if self.outer else (here,)

    def find(self, node_id: str) -> NodeModel | None:
        """A node of the present flow."""
        return self.flow.nodes.get(node_id) if self.flow is not None else None

    # -- the stack -------------------------------------------------------------------------------------
    def begin(self, flow: Flow, given: Mapping[str, Any], sensitive: frozenset[str]) -> None:
        """A flow begins in place of the present one: its own variables, then what it is given."""
        values = {**flow.variables, **given}
        self._open(
            Frame(flow.id, "", 0, {n: plain(value) for n, value in values.items()}, dict.fromkeys(sensitive, ""))
        )

    def call(self, flow: Flow, given: Mapping[str, Any], sensitive: frozenset[str]) -> None:
        """A subflow begins; the present node waits for it."""
        self.outer = self.frames()
        self.begin(flow, given, sensitive)

    def close(self, language: str) -> None:
        """Back to the flow that called this one, in the language that is spoken now."""
        frame, self.outer = self.outer[-1], self.outer[:-1]
        self._open(frame)
        self.speak(language)

    def find_flow(self, flow_id: str) -> Flow | None:
        return self._release.flow(self._tenant, flow_id)

    # -- variables -------------------------------------------------------------------------------------
    def speak(self, language: str) -> None:
        if self.variables.get("language") != language:
            self.variables = {**self.variables, "language": language}

    def keep(self, variables: Mapping[str, object], sensitive: frozenset[str]) -> dict[str, str]:
        """Sets variables, and gives them as they may be noted: secrets as `***`."""
        values = {name: plain(value) for name, value in variables.items()}
        self.variables = {**self.variables, **values}
        if sensitive or self.secrets:
            kept = {name: setter for name, setter in self.secrets.items() if name not in values}
            self.secrets = {**kept, **{name: self.node_id for name in values if name in sensitive}}
        return {name: "***" if name in sensitive else str(value) for name, value in values.items()}

    @property
    def has_lost(self) -> bool:
        """Whether a secret's value did not survive a restart."""
        return bool(self.secrets) and any(name not in self.variables for name in self.secrets)

    def setter_of(self, needed: frozenset[str], waiting: Detour, language: str) -> str:
        """The node that must set a lost secret before `waiting` can go on; empty when nothing needed is missing.

        An argument is the calling flow's to give: this flow is closed, and its `subflow` node runs again.
        """
        for name in sorted(needed):
            if name not in self.secrets or name in self.variables:
                continue
            setter = self.secrets[name]
            if not setter and self.outer:
                self.close(language)
                return self.node_id
            if setter and setter not in {waiting.node_id, *(detour.node_id for detour in self.detours)}:
                self.detours = (*self.detours, waiting)
                return setter
        return ""
