"""Node types of installed plugins."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Literal

import msgspec
import pytest

from ivr import nodes
from ivr.node import Leave, NodeModel, Turn
from ivr.nodes import VERBS, branch


class Model(NodeModel):
    type: Literal["echo"] = "echo"
    next: str


class Memory(msgspec.Struct, frozen=True):
    pass


@pytest.fixture
def plugin(monkeypatch):
    """An installed package that offers the node type `echo`."""
    module = ModuleType("acme_nodes")
    module.Model, module.Memory, module.VERSION = Model, Memory, 1
    module.enter = lambda node, visit: Turn(leave=Leave("next", node.next, {"echo": visit.variables["caller"]}))
    module.on_event = lambda node, memory, event, visit: Turn(memory)
    monkeypatch.setitem(sys.modules, "acme_nodes", module)

    def install(name):
        point = EntryPoint(name, "acme_nodes", nodes.PLUGINS)
        monkeypatch.setattr(nodes, "entry_points", lambda group: [point] if group == nodes.PLUGINS else [])
        return nodes._verbs()

    return install


def test_a_plugin_adds_a_node_type_named_by_its_entry_point(plugin):
    verbs = plugin("echo")
    assert [*verbs] == [*VERBS, "echo"]
    assert verbs["echo"].model is Model
    assert verbs["echo"].resume is None


def test_a_plugin_cannot_replace_one_of_ours(plugin):
    with pytest.raises(ValueError, match="'menu' exists already: rename it"):
        plugin("menu")


def test_our_own_types_are_named_after_their_files():
    assert VERBS["branch"].enter is branch.enter
    assert {"return", "set", "hangup"} <= VERBS.keys()
    assert all(verb.model.model_fields["type"].default == name for name, verb in VERBS.items())
