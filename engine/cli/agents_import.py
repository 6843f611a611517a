"""`centralita agents import FILE.csv`: what a list of agents changes, what is wrong with it, and taking it over."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.common import (
    JsonOption,
    ProjectOption,
    counted,
    fail,
    home_of,
    out,
    print_json,
    print_problems,
    problem_json,
)

if TYPE_CHECKING:
    from acd.setup import AgentSetup, Setup
    from definitions.problems import Problems

_SECRET = frozenset({"pin"})


def import_agents(
    file: Annotated[Path, typer.Argument(help="A table: agent,name,device,code,pin,queues,skills …")],
    tenant: Annotated[str, typer.Option(help="Whose agents.")] = "main",
    write: Annotated[bool, typer.Option("--write", help="Take it over; without it, only show.")] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Show what a list of agents changes and what is wrong with it; with --write, make it config/agents.csv.

    The list is whole: who stood in the last one and is not in this one is an agent no more. Agents of
    config/agents.yaml stay as they are. `centralita reload` puts it in force.
    """
    from engine.config.loader import load
    from engine.config.sources import read_sources
    from engine.music import known_music
    from engine.sounds import known_sounds

    home = home_of(project)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as failure:
        fail(f"{file} cannot be read: {failure.strerror}")
    except UnicodeDecodeError as failure:
        fail(f"{file} is not UTF-8 (byte {failure.start}): save it as CSV UTF-8")
    name = "config/agents.csv" if tenant == "main" else f"tenants/{tenant}/config/agents.csv"
    sources = read_sources(home.project)
    around = known_sounds(home), known_music(home)
    before = load(sources, *around).configuration
    loaded = load({**sources, name: text}, *around)
    problems = _named(loaded.problems, name, str(file))
    if loaded.configuration is None:
        if json:
            print_json({"problems": list(map(problem_json, problems)), "changes": [], "written": False})
            raise typer.Exit(1)
        print_problems(problems)
        fail(f"nothing was taken over: {counted(len(loaded.problems.errors), 'error')}")
    changes = compare(before.routing if before else None, loaded.configuration.routing, tenant)
    if json:
        if write:
            _put(home.project / name, text)
        print_json({"problems": list(map(problem_json, problems)), "changes": changes, "written": write})
        return
    print_problems(problems)
    for line in changes:
        out.print(line, markup=False, highlight=False)
    if not changes:
        out.print("nothing changes")
    if not write:
        out.print(f"nothing was written: `centralita agents import {file} --write` makes it {name}")
        return
    _put(home.project / name, text)
    out.print(f"written to {name}; `centralita reload` puts it in force")


def _put(place: Path, text: str) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_suffix(".csv.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(place)


def compare(before: Setup | None, after: Setup, tenant: str) -> list[str]:
    """A line for each agent who is new (+), gone (-) or another now (~), by id."""

    def of(setup: Setup | None) -> dict[str, AgentSetup]:
        return {name: agent for (owner, name), agent in setup.agents.items() if owner == tenant} if setup else {}

    old, new = of(before), of(after)
    lines: list[str] = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            queues = new[name].queues
            lines.append(f"+ {name}: {new[name].name}, {'all queues' if queues is None else shown(queues)}")
        elif name not in new:
            lines.append(f"- {name}: {old[name].name}")
        else:
            lines.extend(f"~ {name}: {change}" for change in _changes(old[name], new[name]))
    return lines


def _changes(old: AgentSetup, new: AgentSetup) -> list[str]:
    found = []
    for field in fields(new):
        was, now = getattr(old, field.name), getattr(new, field.name)
        if was != now and field.name in _SECRET:
            found.append(f"another {field.name}")
        elif was != now:
            found.append(f"{field.name} {shown(was)} → {shown(now)}")
    return found


def shown(value: Any) -> str:
    """A value in a table or a sentence."""
    if value is None:
        return "all"
    if isinstance(value, dict):
        return " ".join(f"{name}={level}" for name, level in sorted(value.items())) or "none"
    if isinstance(value, frozenset | tuple):
        return " ".join(sorted(map(str, value))) or "none"
    return str(value) or "none"


def _named(problems: Problems, name: str, shown: str) -> Problems:
    """The same problems, said of the file that was given."""
    from dataclasses import replace

    from definitions.problems import Problems

    return Problems(replace(problem, file=shown) if problem.file == name else problem for problem in problems)
