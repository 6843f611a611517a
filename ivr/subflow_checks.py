"""What must hold between flows that call one another as subflows: no circles, and names that both sides know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from definitions.faults import did_you_mean
from definitions.problems import Severity
from ivr.flow_file import ReadFlow
from ivr.graph import Edge, cycle_through, loops
from ivr.model import Flow
from ivr.node import Path
from ivr.nodes import return_, subflow


def check_subflows(reads: Sequence[ReadFlow]) -> None:
    """Flows that call one another in a circle would never end: every such call is a problem."""
    calls: list[tuple[ReadFlow, Edge]] = []
    for read in reads:
        for name, node in read.flow.nodes.items() if read.flow else ():
            for reference in node.references():
                if reference.kind == "flow" and read.flow:
                    source, target = f"{read.tenant}/{read.flow.id}", f"{read.tenant}/{reference.name}"
                    calls.append((read, Edge(source, target, name, tuple(reference.path))))
    ways = [edge for _, edge in calls]
    for group in loops({edge.source: None for edge in ways}, ways):
        for read, edge in calls:
            if edge.source in group and edge.target in group:
                way = cycle_through(edge.source, group, ways)
                shown = " → ".join(flow.partition("/")[2] for flow in way)
                read.say(edge.branch, edge.path, f"subflows in a circle: {shown}", "let one of them return instead")


def check_agreements(reads: Sequence[ReadFlow]) -> None:
    """Warns of what one side of a subflow says and the other never hears: such a way is never taken, such a variable
    stays empty. Flows with something wrong in them may have said it there."""
    whole = {(read.tenant, read.flow.id): read.flow for read in reads if read.flow and not read.broken | read.partial}
    for read in reads:
        for name, node in read.flow.nodes.items() if read.flow else ():
            called = whole.get((read.tenant, node.flow)) if isinstance(node, subflow.Model) else None
            if called is not None and isinstance(node, subflow.Model):
                _check_agreement(read, name, node, called)


def _check_agreement(read: ReadFlow, name: str, node: subflow.Model, called: Flow) -> None:
    def warn(path: Path, what: str, word: str, known: Iterable[str], kind: str) -> None:
        hint = did_you_mean(word, known, what=kind)
        read.say(name, tuple(path), what, hint, key=path[0] != "into", severity=Severity.WARNING)

    returns = [each for each in called.nodes.values() if isinstance(each, return_.Model)]
    branches = {each.branch for each in returns} | {"next"}
    values = {value for each in returns for value in each.values}
    reads = _variables_read(called)
    for branch in node.on.keys() - branches:
        warn(("on", branch), f"no `return` of '{called.id}' has the branch '{branch}'", branch, branches, "branches")
    for ours, theirs in node.into.items():
        if theirs not in values:
            warn(("into", ours), f"no `return` of '{called.id}' gives '{theirs}'", theirs, values, "values")
    for variable in node.given.keys() - reads:
        warn(("with", variable), f"the flow '{called.id}' never reads '{variable}'", variable, reads, "variables")


def _variables_read(flow: Flow) -> frozenset[str]:
    """Those it declares, and those in its texts and conditions."""
    texts = (placed.value for node in flow.nodes.values() for placed in (*node.templates(), *node.prompts()))
    return frozenset[str](flow.variables).union(*(text.names for text in texts))
