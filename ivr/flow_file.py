"""A flow as it is written in its file, and how it becomes a `Flow`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import Field, field_validator

from definitions.faults import did_you_mean, fault
from definitions.models import Definition, Flag, LanguageTag, Name, Salvaged, Text, Variable, salvage
from definitions.problems import Problem, Problems
from definitions.yaml import Marked, Node, load_marked
from ivr.model import Flow
from ivr.node import Defaults, NodeModel, inherit
from ivr.nodes import VERBS
from ivr.prompts import Prompt

MOST_NODES = 500


class FlowFile(Definition):
    """A call flow: nodes that lead to one another. One flow a file, the file named after it."""

    flow: Name
    """Its name: the file's, without `.yaml`."""
    title: Mapping[LanguageTag, Text] | Text = ""
    """What people call it: a text, or one for each language."""
    note: Text = ""
    """For whoever reads the file."""
    languages: tuple[LanguageTag, ...] = ()
    """The languages it speaks, the default first; the site's, when left out."""
    start: Name
    """The node a call begins at."""
    variables: Mapping[Variable, Text] = Field(default_factory=dict)
    """Variables and what they begin with."""
    defaults: Defaults = Field(default_factory=Defaults)
    """What every node that has the same key inherits: no_input, no_match, error."""
    offered: Flag = True
    """Whether agents see it among the places a customer can be sent to."""
    recording_notice: Prompt | None = None
    """Said once before the first prompt that asks for it (`recording_notice: yes`)."""
    nodes: Mapping[Name, Any] = Field(min_length=1)
    """The steps: a name to a map with `type:`."""

    @field_validator("languages", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("languages", mode="after")
    @classmethod
    def _different(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise fault("a language is named twice", "name each once, the default first")
        return value

    @field_validator("title", mode="before")
    @classmethod
    def _nothing(cls, value: Any) -> Any:
        return "" if value is None else value


@dataclass(frozen=True, slots=True)
class ReadFlow:
    """A flow file after reading, without what is wrong in itself. `flow` is None when too little is right. `broken`:
    nodes that are there and wrong; `partial`: those of which a part is, and the rest can be checked.

    A flow with problems serves to check the rest of the configuration, never to run.
    """

    file: str
    tenant: str
    problems: Problems
    marked: Marked | None = None
    flow: Flow | None = None
    broken: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    """Every word in nodes that are wrong: variables they may set, as far as anybody knows."""

    def is_lost(self, *path: str | int) -> bool:
        """Whether what stands at `path` in the file, or a part of it, is wrong in itself."""
        return self.marked is not None and self.marked.is_lost(path)

    def at(self, node: str, path: tuple[str | int, ...] = (), *, key: bool = False) -> tuple[int, int]:
        """Line and column of a part of a node; inherited parts stand in the flow's defaults."""
        assert self.marked is not None
        inherited = path[:1] and self.marked.child("nodes", node, path[0]) is None
        if inherited and self.marked.child("defaults", *path) is not None:
            return self.marked.place(("defaults", *path), key=key)
        own = self.marked.child("nodes", node, *path)
        if own is None and len(path) > 1 and self.marked.child("defaults", *path) is not None:
            return self.marked.place(("defaults", *path), key=key)
        return self.marked.place(("nodes", node, *path), key=key)

    def say(
        self,
        node: str,
        path: tuple[str | int, ...],
        what: str,
        hint: str = "",
        *,
        key: bool = False,
        **more: Any,
    ) -> None:
        """A problem at a part of a node; nothing about a part that is wrong in itself."""
        if self.is_lost("nodes", node, *path):
            return
        line, column = self.at(node, path, key=key)
        self.problems.add(Problem(self.file, line, column, what, hint, **more))


def read_flow(file: str, tenant: str, text: str, site_languages: tuple[str, ...], time_zone: str) -> ReadFlow:
    """Reads one file: its head and every node, each on its own, so that every problem is found at once."""
    problems = Problems()
    marked = load_marked(text, file)
    if isinstance(marked, Problems):
        return ReadFlow(file, tenant, marked)
    stem = file.rpartition("/")[2].removesuffix(".yaml")
    read = salvage(FlowFile, marked, stand_ins={"flow": stem, "start": "-"})
    problems.extend(read.problems)
    nodes = _read_nodes(marked, problems, {"time_zone": time_zone})
    if read.value is None or nodes.written is None:
        return ReadFlow(file, tenant, problems, marked, broken=nodes.broken, mentioned=nodes.mentioned)
    head, marked = read.value, read.marked.put(("nodes",), nodes.written)
    if stem != head.flow:
        what = f"the file is called {stem} and its flow '{head.flow}'"
        problems.add(marked.problem(("flow",), what, f"write `flow: {stem}`, or rename the file to {head.flow}.yaml"))
    languages = head.languages or site_languages
    flow = Flow(
        id=head.flow,
        tenant=tenant,
        title={languages[0]: head.title} if isinstance(head.title, str) else dict(head.title),
        languages=languages,
        start=head.start,
        variables={**dict.fromkeys(marked.lost("variables"), ""), **head.variables},
        defaults=head.defaults,
        nodes={name: inherit(node, head.defaults) for name, node in nodes.right.items()},
        file=file,
        offered=head.offered,
        recording_notice=head.recording_notice,
        lines={name: marked.place(("nodes", name), key=True)[0] for name in nodes.right},
    )
    return ReadFlow(file, tenant, problems, marked, flow, nodes.broken, nodes.partial, nodes.mentioned)


@dataclass(slots=True)
class _Nodes:
    """The nodes of one file. `written`: as they stand there, without what is wrong in itself; None: no map of nodes."""

    written: Node | None = None
    right: dict[str, NodeModel] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()


def _read_nodes(marked: Marked, problems: Problems, context: Mapping[str, Any]) -> _Nodes:
    nodes, written = _Nodes(), marked.child("nodes")
    if written is None or not isinstance(written.node.value, dict):
        return nodes
    names = list(written.node.value)
    if len(names) > MOST_NODES:
        hint = f"the limit is {MOST_NODES}: move a part into a subflow"
        problems.add(marked.problem(("nodes",), f"this flow has {len(names)} nodes", hint))
        names = names[:MOST_NODES]
    broken, partial = set(written.node.value) - set(names), set[str]()
    kept = dict(written.node.value)
    for name in names:
        read = _read_node(marked, name, context)
        if isinstance(read, Problem):
            problems.add(read)
            broken.add(name)
            continue
        problems.extend(read.problems)
        kept[name] = read.marked.node
        if read.value is None:
            broken.add(name)
            continue
        nodes.right[name] = read.value
        if not read.marked.is_whole:
            partial.add(name)
    nodes.written = replace(written.node, value=kept)
    nodes.broken, nodes.partial = frozenset(broken), frozenset(partial)
    nodes.mentioned = frozenset(word for name in broken | partial for word in _words(written.node.value[name]))
    return nodes


def _words(node: Node) -> Iterator[str]:
    """Every key and every text in it."""
    if isinstance(node.value, dict):
        yield from node.value
    elif isinstance(node.value, str):
        yield node.value
    if isinstance(node.value, dict | list):
        for child in node.value.values() if isinstance(node.value, dict) else node.value:
            yield from _words(child)


def _read_node(marked: Marked, name: str, context: Mapping[str, Any]) -> Salvaged[NodeModel] | Problem:
    type_ = _type_of(marked, name)
    if isinstance(type_, Problem):
        return type_
    written = marked.child("nodes", name)
    assert written is not None
    return salvage(VERBS[type_].model, written, context)


def _type_of(marked: Marked, name: str) -> str | Problem:
    written = marked.child("nodes", name)
    assert written is not None
    path = ("nodes", name)
    if not isinstance(written.node.value, dict):
        what = f"the node '{name}' is not a map"
        return marked.problem(path, what, "write at least its type: {type: play, …}")
    type_ = written.node.value.get("type")
    if type_ is None:
        hint = f"add `type: …`; there are {', '.join(VERBS)}"
        return marked.problem(path, f"the node '{name}' has no type", hint, key=True)
    if not isinstance(type_.value, str) or type_.value not in VERBS:
        shown = type_.value if isinstance(type_.value, str) else "this"
        what = f"'{shown[:40]}' is no type of node"
        return marked.problem((*path, "type"), what, did_you_mean(shown, VERBS, what="types"))
    return type_.value
