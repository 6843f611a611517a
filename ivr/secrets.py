"""Which variables a node leans on: after a restart a lost secret is asked for again only where it is needed."""

from __future__ import annotations

from collections.abc import Iterable

from ivr.node import NodeModel, Placed


def names_needed(node: NodeModel) -> frozenset[str]:
    """The variables in anything the node says, sends or calculates."""
    return _names((*node.prompts(), *node.templates()))


def names_said(node: NodeModel) -> frozenset[str]:
    """The variables in what the node says: all that a node under way still needs."""
    return _names(node.prompts())


def _names(placed: Iterable[Placed]) -> frozenset[str]:
    return frozenset[str]().union(*(one.value.names for one in placed))
