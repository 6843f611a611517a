"""What Spain's law on customer service (Ley 10/2025) asks of flows and queues, as far as a machine can see it. Pure.

The *main menu* of a flow is the first menu a caller meets whose keys do more than choose a language, while the service
is open: what follows the closed exits of `hours`, or a `toggle` that is on, is another matter. A *person* is reached by
a `queue` or a `transfer`; what leads on to another menu, or asks for digits first, is not the main menu's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from definitions.problems import Problem, Problems
from ivr.model import Flow, Release
from ivr.node import NodeModel

_PEOPLE = frozenset({"queue", "transfer"})
_ASKS = frozenset({"menu", "collect", "survey", "directory"})
_INSTEAD = frozenset({*_PEOPLE, *_ASKS, "record", "callback", "subflow"})
"""What a caller whose wait has ended may still do."""
_HANDLERS = frozenset({"error", "no_input", "no_match"})
_SHUT = {"hours": frozenset({"closed", "holiday"}), "toggle": frozenset({"on"})}


@dataclass(frozen=True)
class Served:
    """The flows customers reach by a number, as (tenant, flow); `queues`: as written; `law`: what to call it."""

    flows: frozenset[tuple[str, str]]
    release: Release
    queues: Mapping[tuple[str, str], Any]
    law: str
    file: str

    def read(self) -> Iterable[Flow]:
        found = (self.release.flow(*key) for key in sorted(self.flows))
        return (flow for flow in found if flow is not None)

    def is_whole(self) -> bool:
        """Whether each of those flows, and all they call, could be read."""
        called = {
            (flow.tenant, str(getattr(node, "flow", "")))
            for flow in self.with_subflows()
            for node in flow.nodes.values()
            if node.type == "subflow"
        }
        return all(self.release.flow(*key) is not None for key in self.flows | called)

    def with_subflows(self) -> list[Flow]:
        """Those flows and all they call."""
        found: dict[tuple[str, str], Flow] = {}
        waiting = list(self.read())
        while waiting:
            flow = waiting.pop()
            if (flow.tenant, flow.id) in found:
                continue
            found[flow.tenant, flow.id] = flow
            for node in flow.nodes.values():
                called = (
                    self.release.flow(flow.tenant, str(getattr(node, "flow", ""))) if node.type == "subflow" else None
                )
                waiting += [called] if called is not None else []
        return [found[key] for key in sorted(found)]


Check = Callable[[Served, str, Problems], None]


def person_in_main_menu(served: Served, where: str, problems: Problems) -> None:
    """Every main menu offers a person at one of its keys; a flow without any menu leads to one."""
    for flow in served.read():
        menus = _main_menus(flow)
        for name in menus:
            keys = [exit_.target for exit_ in flow.nodes[name].exits() if exit_.branch not in _HANDLERS]
            if not any(_reaches_person(flow, target) for target in keys):
                hint = f'{served.law}, {where}: let a key lead to a queue or a transfer, as in `"0": operator`'
                problems.add(_at(flow, name, f"the main menu '{name}' offers no person", hint))
        if not menus and not any(node.type in _PEOPLE for node in flow.nodes.values()):
            hint = f"{served.law}, {where}: lead to a queue or a transfer; `compliance: []` if no customers call here"
            problems.add(_at(flow, flow.start, "this flow offers no person", hint))


def no_hangup_after_wait(served: Served, where: str, problems: Problems) -> None:
    """Who waited too long, or finds the queue full, is not hung up on: she gets something else to do."""
    for flow in served.with_subflows():
        for name, node in flow.nodes.items():
            if node.type != "queue":
                continue
            queue = served.queues.get((flow.tenant, str(getattr(node, "queue", ""))))
            for outcome in _limits(served, flow.tenant, queue):
                target = getattr(node, outcome) or getattr(node, "next", None)
                if target is None or not _offers_something(flow, target):
                    what = f"a caller of node '{name}' whose wait ends as '{outcome}' is hung up on"
                    hint = f"{served.law}, {where}: let `{outcome}` lead to a menu, a message, a callback or a person"
                    problems.add(_at(flow, name, what, hint))


def tracking_code(served: Served, where: str, problems: Problems) -> None:
    """Somewhere a caller gets a code for what she reported, and hears it."""
    flows = served.with_subflows()
    for flow in flows:
        tickets = (node for node in flow.nodes.values() if node.type == "ticket")
        codes = {str(into) for node in tickets if (into := getattr(node, "into", None))}
        if any(codes & prompt.names for prompt in flow.prompts()):
            return
    if flows and served.is_whole():
        hint = f'{served.law}, {where}: add a `ticket` node with `into: code`, and say {{digits: "{{{{ code }}}}"}}'
        problems.add(Problem(served.file, 1, 1, "no flow gives callers a code to follow up their complaint", hint))


CHECKS: Mapping[str, Check] = {
    "person_in_main_menu": person_in_main_menu,
    "no_hangup_after_wait": no_hangup_after_wait,
    "tracking_code": tracking_code,
}
"""The rules a machine can check, by the name packs give them."""


def _main_menus(flow: Flow) -> list[str]:
    """The first menus met from the start."""
    found: list[str] = []
    for name in _walk(flow, flow.start, lambda node: node.type in _PEOPLE | _ASKS and not _only_languages(node)):
        node = flow.nodes.get(name)
        if node is not None and node.type == "menu" and not _only_languages(node):
            found.append(name)
    return found


def _only_languages(node: NodeModel) -> bool:
    keys = getattr(node, "keys", {}) if node.type == "menu" else {}
    chosen = [getattr(key, "language", None) for key in keys.values()] if isinstance(keys, Mapping) else []
    return bool(chosen) and all(chosen)


def _reaches_person(flow: Flow, start: str) -> bool:
    found = _walk(flow, start, stop=lambda node: node.type in _ASKS)
    return any(flow.nodes[name].type in _PEOPLE for name in found if name in flow.nodes)


def _offers_something(flow: Flow, start: str) -> bool:
    found = _walk(flow, start, stop=lambda node: node.type in _INSTEAD)
    return any(flow.nodes[name].type in _INSTEAD for name in found if name in flow.nodes)


def _walk(flow: Flow, start: str, stop: Callable[[NodeModel], bool]) -> list[str]:
    """What is met from `start`, in order, not going on behind nodes that `stop` and not through failures."""
    found: list[str] = []
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        node = flow.nodes.get(name)
        if node is None or name in found:
            continue
        found.append(name)
        if not stop(node):
            shut = _SHUT.get(node.type, frozenset[str]())
            waiting += [exit_.target for exit_ in node.exits() if exit_.branch not in _HANDLERS | shut]
    return found


def _limits(served: Served, tenant: str, queue: Any) -> list[str]:
    """The ways a wait in this queue may end by a limit and come back to the flow."""
    found: list[str] = []
    seen: set[str] = set()
    if queue is not None and queue.max_waiting:
        found.append("full")
    while queue is not None and queue.max_wait_s and queue.queue not in seen:
        seen.add(queue.queue)
        queue = served.queues.get((tenant, queue.overflow_to or ""))
        if queue is None or _may_turn_away(queue):
            return [*found, "overflowed"]
    return found


def _may_turn_away(queue: Any) -> bool:
    """Whether she who waited too long elsewhere may not come to wait here, and goes back to the flow instead."""
    return bool(queue.max_waiting or queue.calendar or queue.no_agents == "leave")


def _at(flow: Flow, node: str, what: str, hint: str) -> Problem:
    return Problem(flow.file, flow.lines.get(node, 1), 1, what, hint)
