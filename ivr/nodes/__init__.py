"""Every node type, one file each.

    VERBS["menu"].enter(node, visit)

`VERBS` holds our own and, by the entry-point group `centralita.nodes`, those of installed plugins: an entry point's
name is the type, its value the module.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from types import ModuleType

from ivr.node import Verb
from ivr.nodes import (
    agent,
    branch,
    callback,
    collect,
    directory,
    disposition,
    do_not_call,
    hangup,
    hours,
    http,
    language,
    lookup,
    menu,
    message,
    note,
    play,
    queue,
    queue_status,
    record,
    return_,
    set,  # noqa: A004 - the verb's own name
    split,
    subflow,
    survey,
    tag,
    ticket,
    toggle,
    transfer,
    wait,
)

_OWN: tuple[ModuleType, ...] = (
    play,
    menu,
    collect,
    set,
    branch,
    hours,
    toggle,
    http,
    lookup,
    directory,
    language,
    record,
    queue,
    transfer,
    subflow,
    return_,
    wait,
    split,
    queue_status,
    agent,
    callback,
    do_not_call,
    survey,
    message,
    ticket,
    tag,
    disposition,
    note,
    hangup,
)
PLUGINS = "centralita.nodes"


def _verbs() -> Mapping[str, Verb]:
    verbs = {verb.name: verb for verb in map(Verb.of, _OWN)}
    for plugin in sorted(entry_points(group=PLUGINS), key=lambda found: found.name):
        if plugin.name in verbs:
            raise ValueError(f"plugin {plugin.value}: the node type '{plugin.name}' exists already: rename it")
        verbs[plugin.name] = Verb.of(plugin.load(), plugin.name)
    return verbs


VERBS: Mapping[str, Verb] = _verbs()
"""Node type -> verb."""
