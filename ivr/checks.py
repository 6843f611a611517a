"""What must hold between the nodes of a flow, and between flows: checked when everything has been read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from definitions import saying
from definitions.faults import did_you_mean
from definitions.layout import place_of
from definitions.problems import Severity
from ivr.braces import check_braces
from ivr.flow_file import ReadFlow
from ivr.graph import cycle_through, edges, loops, reached
from ivr.model import Flow
from ivr.node import NodeModel, Path, Placed, walk
from ivr.prompt_items import choose_language
from ivr.prompts import Prompt
from ivr.silent_callers import check_silence
from ivr.tables import Table
from ivr.templates import BUILT_IN_VARIABLES

Key = tuple[str, str]
"""(tenant, name)."""


@dataclass(frozen=True)
class Known:
    """What exists beside the flows. None: nobody knows, so it is not checked."""

    flows: Mapping[Key, Flow] = field(default_factory=dict)
    broken_flows: frozenset[Key] = frozenset()
    calendars: frozenset[Key] = frozenset()
    tables: Mapping[Key, Table | None] = field(default_factory=dict)
    queues: frozenset[Key] | None = None
    devices: frozenset[Key] | None = None
    mailboxes: frozenset[Key] | None = None
    toggles: frozenset[Key] | None = None
    hosts: frozenset[str] | None = None
    sounds: Mapping[str, frozenset[str]] | None = None
    variables: frozenset[str] = frozenset()
    mentioned: frozenset[str] = frozenset()
    """Every word in nodes that are wrong in themselves, of all flows: they may set variables of these names."""

    @cached_property
    def given(self) -> Mapping[Key, frozenset[str]]:
        """The variables that a flow gets from those that call it as a subflow."""
        found: dict[Key, frozenset[str]] = {}
        for flow in self.flows.values():
            for node in flow.nodes.values():
                if node.type == "subflow":
                    key = flow.tenant, str(getattr(node, "flow", ""))
                    found[key] = found.get(key, frozenset()) | frozenset(getattr(node, "given", ()))
        return found

    def names(self, kind: str, tenant: str) -> frozenset[str] | None:
        """The names of this kind that a tenant may use."""
        match kind:
            case "flow":
                keys: Iterable[Key] | None = {*self.flows, *self.broken_flows}
            case "calendar":
                keys = self.calendars
            case "table":
                keys = self.tables
            case "queue":
                keys = self.queues
            case "device":
                keys = self.devices
            case "mailbox":
                keys = self.mailboxes
            case "toggle":
                keys = self.toggles
            case _:
                return self.hosts if kind == "host" else None
        return None if keys is None else frozenset(name for owner, name in keys if owner == tenant)


_WHERE = {
    "flow": "write it under {place}flows/",
    "calendar": "write it under {place}config/calendars/",
    "table": "put the CSV under {place}config/tables/",
    "queue": "write it under {place}config/queues/",
    "device": "write it under {place}config/devices/",
    "mailbox": "define it in the configuration",
    "toggle": "define it in the configuration",
    "host": "allow it in config/http.yaml",
}


def check_flow(read: ReadFlow, known: Known) -> None:
    """Adds every problem of one flow to its own collection."""
    assert read.flow is not None
    assert read.marked is not None
    _check_languages(read, read.flow)
    _check_targets(read, read.flow)
    _check_loops(read, read.flow, known)
    check_silence(read, read.flow, _DEAF)
    variables = variables_of(read.flow, known)
    for name, node in read.flow.nodes.items():
        prompts = node.prompts()
        _check_references(read, name, node, known)
        _check_prompts(read, name, prompts, known)
        texts = (*node.templates(), *prompts)
        check_braces(read, name, texts, variables)
        if "variables" not in read.marked.lost():
            _check_variables(read, name, node, texts, variables, known)
    _check_flow_wide(read, read.flow)


def _check_languages(read: ReadFlow, flow: Flow) -> None:
    assert read.marked is not None
    for language in flow.languages:
        if not saying.speaks(language):
            spoken = ", ".join(saying.LANGUAGES)
            what = f"numbers, dates and money cannot be said in '{language}'"
            problem = read.marked.problem(("languages",), what, f"spoken: {spoken}", severity=Severity.WARNING)
            read.problems.add(problem)


def _check_targets(read: ReadFlow, flow: Flow) -> None:
    assert read.marked is not None
    names = {*flow.nodes, *read.broken}
    ways = edges(flow.nodes)
    for way in ways:
        if way.target not in names:
            what = f"there is no node '{way.target}'"
            read.say(way.source, way.path, what, did_you_mean(way.target, names, what="nodes"))
    if read.is_lost("start"):
        return
    if flow.start not in names:
        hint = did_you_mean(flow.start, names, what="nodes")
        read.problems.add(read.marked.problem(("start",), f"there is no node '{flow.start}' to start at", hint))
    elif not read.broken and not read.partial:
        for name in flow.nodes.keys() - reached(ways, [flow.start]):
            hint = "let a node lead to it, or remove it"
            read.say(name, (), f"nothing leads to the node '{name}'", hint, key=True, severity=Severity.WARNING)


def _check_loops(read: ReadFlow, flow: Flow, known: Known) -> None:
    """A caller must never be caught: neither without time passing, nor with nothing to press and no way out."""
    ways = [edge for edge in edges(flow.nodes) if not edge.is_error]
    whole = {name: node for name, node in flow.nodes.items() if name not in read.partial}
    still = [name for name, node in whole.items() if not _takes_time(flow, node, known)]
    quick = loops(still, ways)
    for group in quick:
        way = " → ".join(cycle_through(group[0], group, ways))
        hint = "put a node into it that waits for the caller, or that plays something"
        read.say(group[0], (), f"an endless loop in which no time passes: {way}", hint, key=True)
    for group in loops(whole, ways):
        leaves = any(edge.source in group and edge.target not in group for edge in ways)
        if not leaves and all(flow.nodes[name].type in _DEAF for name in group) and not _overlaps(group, quick):
            way = " → ".join(cycle_through(group[0], group, ways))
            hint = "lead out of it: to a menu, a queue or a hangup"
            read.say(group[0], (), f"a caller in this loop can do nothing and never leaves it: {way}", hint, key=True)


_DEAF = frozenset(
    {"play", "wait", "set", "language", "branch", "hours", "lookup", "toggle", "http", "split", "queue_status"}
    | {"tag", "note", "ticket", "message"}
)
"""Nodes in which a caller can do nothing."""


def _overlaps(group: Sequence[str], others: Iterable[Sequence[str]]) -> bool:
    return any(not set(group).isdisjoint(other) for other in others)


def _takes_time(flow: Flow, node: NodeModel, known: Known) -> bool:
    """Whether time surely passes in the node; in a subflow, when it cannot come back without."""
    if node.type != "subflow":
        return node.waits
    called = known.flows.get((flow.tenant, str(getattr(node, "flow", ""))))
    if called is None:
        return True
    quick = {name for name, inner in called.nodes.items() if not inner.waits}
    ways = [edge for edge in edges(called.nodes) if edge.source in quick]
    through = reached(ways, [called.start]) & quick
    return not any(called.nodes[name].type in ("return", "subflow") for name in through)


def _check_references(read: ReadFlow, name: str, node: NodeModel, known: Known) -> None:
    assert read.flow is not None
    for reference in node.references():
        path = tuple(reference.path)
        if reference.kind == "language":
            if reference.name not in read.flow.languages and not read.is_lost("languages"):
                what = f"the flow does not speak '{reference.name}'"
                read.say(name, path, what, did_you_mean(reference.name, read.flow.languages, what="languages"))
            continue
        if reference.kind == "sound":
            _check_sound(read, name, path, reference.name, read.flow.languages, known)
            continue
        names = known.names(reference.kind, read.tenant)
        if names is not None and reference.name not in names:
            close = did_you_mean(reference.name, names, what=f"{reference.kind}s")
            hint = close if close.startswith("did") else _WHERE[reference.kind].format(place=place_of(read.tenant, ""))
            read.say(name, path, f"there is no {reference.kind} '{reference.name}'", hint)
        if reference.kind == "table":
            _check_columns(read, name, node, known.tables.get((read.tenant, reference.name)))


def _check_columns(read: ReadFlow, name: str, node: NodeModel, table: Table | None) -> None:
    if table is None:
        return
    wanted: list[tuple[Path, object]] = [
        ((key,), getattr(node, key, None)) for key in ("column", "name", "extension") if hasattr(node, key)
    ]
    into = getattr(node, "into", None)
    wanted += [(("into", variable), column) for variable, column in into.items()] if isinstance(into, Mapping) else []
    for path, column in wanted:
        if isinstance(column, str) and column not in table.columns:
            what = f"the table '{table.name}' has no column '{column}'"
            read.say(name, path, what, did_you_mean(column, table.columns, what="columns"))
    column = getattr(node, "column", None)
    if isinstance(column, str) and column in table.columns and (repeated := table.repeated(column)):
        line, first = repeated[0]
        more = f", and {len(repeated) - 1} more" if len(repeated) > 1 else ""
        what = f"line {line} of the table '{table.name}' has the same '{column}' as line {first}{more}"
        read.say(name, ("column",), what, "only the first is ever found", severity=Severity.WARNING)


def _check_prompts(read: ReadFlow, name: str, prompts: Iterable[Placed], known: Known) -> None:
    assert read.flow is not None
    flow = read.flow
    for placed in prompts:
        prompt, path = placed.value, tuple(placed.path)
        assert isinstance(prompt, Prompt)
        missing = prompt.missing_languages(flow.languages)
        if missing and not read.is_lost("languages"):
            read.say(name, path, *_untranslated(missing, flow))
        for sound in sorted(prompt.sounds(flow.languages), key=lambda sound: (sound.name, sound.language)):
            _check_sound(read, name, path, sound.name, [sound.language], known)
        if prompt.recording_notice and flow.recording_notice is None and not read.is_lost("recording_notice"):
            hint = "write `recording_notice: {es: …}` at the top of the flow"
            read.say(name, path, "this prompt wants a recording notice and the flow has none", hint)


def _check_sound(read: ReadFlow, name: str, path: Path, sound: str, languages: Iterable[str], known: Known) -> None:
    if known.sounds is None:
        return
    for language in sorted(set(languages)):
        folder = choose_language(language, known.sounds, ())
        names = known.sounds[folder] if folder else frozenset[str]()
        if sound not in names:
            close = did_you_mean(sound, names)
            where = f"flows/sounds/{language}/{sound}.wav"
            hint = f"{close} (or record {where})" if close.startswith("did") else f"put it at {where}"
            read.say(name, path, f"there is no sound '{sound}' in '{language}'", hint)


def _check_variables(
    read: ReadFlow, name: str, node: NodeModel, texts: Iterable[Placed], there: frozenset[str], known: Known
) -> None:
    used: list[tuple[Path, frozenset[str], frozenset[str]]] = []
    for placed in texts:
        needed = getattr(placed.value, "needed", None)
        names = placed.value.names
        used.append((tuple(placed.path), names, names if needed is None else needed))
    for path, names, needed in used:
        for variable in sorted(names - there - node.local(path) - known.mentioned):
            hint = did_you_mean(variable, there, what="set")
            what = f"no node sets the variable '{variable}'"
            hint = hint if hint.startswith("did") else "give it an initial value under `variables`"
            severity = Severity.ERROR if variable in needed else Severity.WARNING
            read.say(name, path, what, hint, severity=severity)


def variables_of(flow: Flow, known: Known) -> frozenset[str]:
    """Every variable that may have a value in this flow: its own, the call's, those set, those given by callers."""
    given = known.given.get((flow.tenant, flow.id), frozenset())
    sets = (node.sets() for node in flow.nodes.values())
    return frozenset[str]().union(flow.variables, BUILT_IN_VARIABLES, known.variables, given, *sets)


def _check_flow_wide(read: ReadFlow, flow: Flow) -> None:
    """The notice and the defaults, whether or not a node uses them."""
    assert read.marked is not None
    names = {*flow.nodes, *read.broken}
    for handler in ("no_input", "no_match", "error"):
        target = getattr(getattr(flow.defaults, handler), "then", None)
        if target is not None and target not in names:
            hint = did_you_mean(target, names, what="nodes")
            read.problems.add(read.marked.problem(("defaults", handler, "then"), f"there is no node '{target}'", hint))
    wide = [(("defaults", *placed.path), placed.value) for placed in walk(flow.defaults, Prompt)]
    wide += [(("recording_notice",), flow.recording_notice)] if flow.recording_notice else []
    for path, prompt in wide:
        missing = prompt.missing_languages(flow.languages)
        if missing and not read.is_lost(*path) and not read.is_lost("languages"):
            read.problems.add(read.marked.problem(path, *_untranslated(missing, flow)))


def _untranslated(missing: Sequence[str], flow: Flow) -> tuple[str, str]:
    named = " and ".join(f"'{language}'" for language in missing)
    hint = f"the flow speaks {', '.join(flow.languages)}: add a text for {missing[0]}"
    return f"this prompt says nothing in {named}", hint
