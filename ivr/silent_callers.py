"""What becomes of a caller who never says or presses anything: a warning for loops that she never leaves.

She leaves `menu`, `collect` and `record` by `no_input`, once its retries are used up, and goes on from every prompt.
Everything else (a queue, an agent, a hang-up, the error exit) ends her way as far as this check goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from definitions.problems import Severity
from ivr.flow_file import ReadFlow
from ivr.graph import Edge, cycle_through, loops
from ivr.model import Flow
from ivr.node import NodeModel

ASKING = frozenset({"menu", "collect", "record"})


def check_silence(read: ReadFlow, flow: Flow, deaf: Collection[str]) -> None:
    """Warns of every such loop, at the `no_input` that closes it, or at its node where that is inherited. `deaf`: the
    types of nodes in which a caller can do nothing."""
    assert read.marked is not None
    whole = {name: node for name, node in flow.nodes.items() if name not in read.partial}
    ways = [way for name, node in whole.items() for way in _silently(name, node, deaf)]
    for group in loops(whole, ways):
        leaves = any(way.source in group and way.target not in group for way in ways)
        asks = next((name for name in group if whole[name].type in ASKING), None)
        if leaves or asks is None:
            continue
        shown = " → ".join(cycle_through(asks, group, ways))
        what = f"a caller who says nothing never leaves this loop: {shown}"
        own = read.marked.child("nodes", asks, "no_input", "then") is not None
        inherits = "its `no_input` comes from `defaults`: " if not own and _inherits(read) else ""
        hint = f"{inherits}let `no_input: {{then: …}}` of {asks} lead to a node that ends the call"
        read.say(asks, ("no_input", "then") if own else (), what, hint, key=not own, severity=Severity.WARNING)


def _inherits(read: ReadFlow) -> bool:
    return read.marked is not None and read.marked.child("defaults", "no_input") is not None


def _silently(name: str, node: NodeModel, deaf: Collection[str]) -> Iterator[Edge]:
    """The ways by which silence, or time alone, leads on."""
    if node.type in deaf:
        yield from (Edge(name, way.target, way.branch) for way in node.exits() if way.branch != "error")
    elif node.type in ASKING and not getattr(node, "labels_alone", False):
        yield from (Edge(name, way.target, way.branch) for way in node.exits() if way.branch == "no_input")
