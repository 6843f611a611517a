"""The flows a command works with: all of a project that is right, else those it names, while they and what they need
are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from definitions.layout import stem_of, tenant_of, within_tenant
from engine.cli.common import counted, err, fail, print_problems
from engine.config.configuration import Loaded
from engine.config.homes import SITE
from engine.config.loader import load
from engine.config.sources import read_sources
from engine.sounds import known_sounds
from ivr.model import Release

if TYPE_CHECKING:
    from engine.home import Home

_FILES = {"flow": "flows/{}.yaml", "calendar": "config/calendars/{}.yaml", "table": "config/tables/{}.csv"}
"""What a caller is led by while a flow is tried out. Whom she would reach then, and whom she would be asked about, is
said by the circumstances."""


@dataclass(frozen=True, slots=True)
class Flows:
    """`time_zone`: the site's."""

    release: Release
    time_zone: str


def flows_of(home: Home, names: Sequence[str], tenant: str = "") -> Flows:
    """`names`: none for all; `tenant`: of any unless told. Ends the command when something they need is wrong, and
    says what else is."""
    sources = read_sources(home.project)
    loaded = load(sources, known_sounds(home))
    if loaded.configuration is not None:
        return Flows(loaded.configuration.release, loaded.configuration.site.time_zone)
    wrong = {problem.file for problem in loaded.problems.errors}
    needed = {SITE}
    for file in sources:
        if within_tenant(file).startswith("flows/") and stem_of(file) in names and tenant in ("", tenant_of(file)):
            needed |= _needed(loaded, tenant_of(file), stem_of(file))
    if not names or needed == {SITE} or needed & wrong:
        print_problems(loaded.problems)
        fail(f"{counted(len(loaded.problems.errors), 'error')}: mend the lines above first")
    err.print(f"[yellow]not looked at, for something is wrong there: {', '.join(sorted(wrong))} (see centralita check)")
    return Flows(loaded.flows, loaded.time_zone)


def _needed(loaded: Loaded, tenant: str, name: str) -> set[str]:
    """The files a flow cannot do without, its own among them."""
    found: set[str] = set()
    waiting = [("flow", name)]
    while waiting:
        kind, name = waiting.pop()
        file = _FILES[kind].format(name)
        file = file if tenant == "main" else f"tenants/{tenant}/{file}"
        flow = loaded.flows.flow(tenant, name) if kind == "flow" and file not in found else None
        found.add(file)
        for node in flow.nodes.values() if flow is not None else ():
            waiting += [(each.kind, each.name) for each in node.references() if each.kind in _FILES]
    return found
