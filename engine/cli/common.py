"""What every command does the same way."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from definitions.problems import Problem, Severity
from engine.home import Home

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

ProjectOption = Annotated[
    Path | None,
    typer.Option(
        "--project",
        "-p",
        help="The directory with config/ and flows/; else the nearest one upwards.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

WRONG, NOT_RUNNING, RUNS_ALREADY, CANNOT_START = 1, 3, 4, 5


def home_of(project: Path | None) -> Home:
    try:
        return Home.find(project)
    except FileNotFoundError as failure:
        fail(str(failure), 2)


def fail(message: str, code: int = WRONG) -> NoReturn:
    # Where nobody watches, whatever reads it wants whole lines.
    err.print(Text(message, style="bold red"), soft_wrap=not err.is_terminal)
    raise typer.Exit(code)


def day_of(text: str) -> date:
    """Ends the command when it is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        fail(f"'{text[:40]}' is not a day: write it like 2026-12-31", 2)


def counted(number: int, thing: str) -> str:
    """`1 flow`, `3 flows`."""
    return f"{number} {thing}" + ("" if number == 1 else "s")


def grid() -> Table:
    """Three columns without lines for any width: the last wraps within itself and nothing is cut off."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def print_json(body: Any) -> None:
    typer.echo(json.dumps(body, ensure_ascii=False, indent=1))


def print_problems(problems: Iterable[Problem]) -> None:
    """One line each: where, what, what to do."""
    for problem in problems:
        style = "yellow" if problem.severity is Severity.WARNING else "red"
        line = Text(problem.place, style="bold")
        line.append(": ")
        line.append(problem.what, style=style)
        if problem.hint:
            line.append(f": {problem.hint}", style="default")
        out.print(line, soft_wrap=True)


def problem_json(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "severity": problem.severity.value,
        "what": problem.what,
        "hint": problem.hint,
    }
