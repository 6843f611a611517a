"""Which nodes and branches of a flow its tests have walked, and which nobody has.

A way out that a node inherits from the flow's defaults counts once for the whole flow, as `defaults/no_input`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ivr.model import Flow, Release
from ivr.scenario.runner import FileResult


@dataclass(frozen=True, slots=True)
class FlowCoverage:
    """`branches` are written `node/branch`, in the order of the file."""

    tenant: str
    flow: str
    nodes: tuple[str, ...]
    tested_nodes: frozenset[str]
    branches: tuple[str, ...]
    tested_branches: frozenset[str]

    @property
    def untested_nodes(self) -> tuple[str, ...]:
        return tuple(node for node in self.nodes if node not in self.tested_nodes)

    @property
    def untested_branches(self) -> tuple[str, ...]:
        return tuple(branch for branch in self.branches if branch not in self.tested_branches)

    @property
    def node_share(self) -> float:
        """0 to 1."""
        return len(self.tested_nodes) / len(self.nodes) if self.nodes else 1.0

    @property
    def branch_share(self) -> float:
        """0 to 1."""
        return len(self.tested_branches) / len(self.branches) if self.branches else 1.0

    @property
    def is_full(self) -> bool:
        return not self.untested_nodes and not self.untested_branches

    def __str__(self) -> str:
        text = f"{self.flow}: {self.node_share:.0%} of nodes, {self.branch_share:.0%} of branches"
        if self.untested_nodes:
            text += f"\n  never reached: {', '.join(self.untested_nodes)}"
        if self.untested_branches:
            text += f"\n  never taken:   {', '.join(self.untested_branches)}"
        return text


def coverage(release: Release, results: Iterable[FileResult]) -> tuple[FlowCoverage, ...]:
    """One per flow of the release, sorted; a flow without tests is wholly untested."""
    nodes: set[tuple[str, str, str]] = set()
    branches: set[tuple[str, str, str, str]] = set()
    for file in results:
        for result in file.results:
            nodes.update((file.tenant, *node) for node in result.nodes)
            branches.update((file.tenant, *branch) for branch in result.branches)
    found = []
    for (tenant, flow_id), flow in sorted(release.flows.items()):
        names = dict.fromkeys(name for node in flow.nodes for name in _branches(flow, node).values())
        taken = {
            name
            for node in flow.nodes
            for branch, name in _branches(flow, node).items()
            if (tenant, flow_id, node, branch) in branches
        }
        reached = frozenset(node for node in flow.nodes if (tenant, flow_id, node) in nodes)
        found.append(FlowCoverage(tenant, flow_id, tuple(flow.nodes), reached, tuple(names), frozenset(taken)))
    return tuple(found)


def _branches(flow: Flow, node_id: str) -> dict[str, str]:
    """Branch -> what it is called in the report."""
    named: dict[str, str] = {}
    for exit_ in flow.nodes[node_id].exits():
        default = getattr(flow.defaults, exit_.branch, None)
        inherited = default is not None and default.then == exit_.target
        named[exit_.branch] = f"{'defaults' if inherited else node_id}/{exit_.branch}"
    return named
