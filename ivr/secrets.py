"""Which variables a node leans on: after a restart a lost secret is asked for again only where it is needed."""

from __future__ import annotations

from ivr.node import NodeModel


def names_needed(node: NodeModel, prompts_only: bool = False) -> frozenset[str]:
    """The variables in the node's prompts and, unless `prompts_only`, in its other templates and expressions."""
    placed = node.prompts() if prompts_only else (*node.prompts(), *node.templates())
    return frozenset().union(*(one.value.names for one in placed))
