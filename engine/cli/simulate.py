"""`centralita simulate`: a day on the floor before it happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress
from rich.table import Table

from definitions.layout import file_of, place_of
from engine.cli.common import JsonOption, ProjectOption, counted, err, fail, home_of, out, print_json, print_problems
from engine.cli.simulate_fit import fit
from engine.cli.tenants import MAIN, check_tenant

if TYPE_CHECKING:
    from acd.setup import Setup
    from acd.simulation.definitions import ScenarioFile
    from acd.simulation.outcome import Outcome
    from engine.home import Home

app = typer.Typer(help="A day on the floor before it happens.", no_args_is_help=True)
app.command("fit")(fit)
_IN_TERMINAL = 5
"""Columns of the table that fit; the page and JSON have all of them."""
COLUMNS = (
    ("offered", "calls", ""),
    ("service_level", "service level", " %"),
    ("abandoned", "abandoned", " %"),
    ("wait_s", "mean wait", " s"),
    ("wait_p90_s", "90% answered in", " s"),
    ("waited", "had to wait", " %"),
    ("as_told", "EWT held", " %"),
)


@app.callback()
def simulate() -> None:
    """A day on the floor before it happens."""


@app.command("acd")
def acd(
    scenario: Annotated[Path, typer.Option(help="Who calls and who is there (docs/simulation.md).")],
    what_if: Annotated[
        list[Path] | None,
        typer.Option(
            help="Beside it, another floor: queue files that replace those of the same name, or a scenario that "
            "replaces the first one's agents or calls. Repeat it for several changes at once."
        ),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=1000, help="How many days: more make the intervals narrower.")] = 10,
    seed: Annotated[int, typer.Option(help="Other seed, other calls.")] = 1,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts.", show_default=False)] = None,
    tenant: Annotated[str, typer.Option(help="Whose floor.")] = MAIN,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Play days of calls through the router that serves the real ones: service level, waits, abandonment, occupancy.

    Both floors get the very same calls. Each figure comes with the interval its true mean lies in, 19 times of 20.
    """
    from acd.simulation.chart import page
    from acd.simulation.definitions import scenario_of
    from acd.simulation.play import play

    home = home_of(project)
    check_tenant(home, tenant)
    first = _scenario(scenario)
    if not first.queues:
        fail(f"{scenario}: nobody calls: say under `queues` how many, and how long they talk")
    floors: list[tuple[str, ScenarioFile, Setup]] = [(first.scenario, first, _setup(home, {}))]
    if what_if:
        changed, queues, names = first, {}, []
        for file in what_if:
            text = _read(file)
            if "scenario:" in text:
                overlay = _scenario(file)
                changed = changed.model_copy(
                    update={
                        "agents": overlay.agents or changed.agents,
                        "queues": {**changed.queues, **overlay.queues},
                        "answer_s": overlay.answer_s if "answer_s" in overlay.model_fields_set else changed.answer_s,
                    }
                )
                # A copy of the first that kept its name is told from it by its file's.
                names.append(overlay.scenario if overlay.scenario != first.scenario else file.stem)
            else:
                queues[file_of(tenant, "queues", file.stem)] = text
                names.append(file.stem)
        floors.append((" + ".join(names), changed, _setup(home, queues)))
    outcomes = []
    with Progress(console=err, transient=True, disable=not err.is_terminal) as progress:
        bar = progress.add_task("days", total=days * len(floors))
        for name, file_, setup in floors:
            played, floor = scenario_of(file_, setup, days, seed, tenant)
            if not floor.agents:
                where = place_of(tenant, "config/agents.yaml")
                fail(f"{scenario}: nobody works there: give `agents`, or declare some in {where}")
            outcomes.append(play(floor, played, name, lambda day: progress.advance(bar)))
    if html is not None:
        try:
            html.write_text(page(f"{first.scenario}: {counted(days, 'day')}", COLUMNS, outcomes), encoding="utf-8")
        except OSError as failure:
            fail(f"{html} cannot be written: {failure.strerror}")
    if json:
        print_json({"scenario": first.scenario, "days": days, "seed": seed, "floors": [_plain(o) for o in outcomes]})
        return
    _print(outcomes)
    if html is not None:
        out.print(f"charts: {html}", markup=False)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as failure:
        fail(f"{file} cannot be read: {getattr(failure, 'strerror', None) or 'it is not UTF-8 text'}", 2)


def _scenario(file: Path) -> ScenarioFile:
    from acd.simulation.definitions import ScenarioFile
    from definitions.models import load as load_definition
    from definitions.problems import Problems

    found = load_definition(ScenarioFile, _read(file), str(file))
    if isinstance(found, Problems):
        print_problems(found)
        fail(f"{file} is no scenario")
    return found


def _setup(home: Home, queues: dict[str, str]) -> Setup:
    """What is configured, with some queue files replaced."""
    from engine.config.loader import load
    from engine.config.sources import read_sources

    loaded = load({**read_sources(home.project), **queues})
    if loaded.configuration is None:
        print_problems(loaded.problems.errors)
        fail("the configuration has errors" + (f", with {', '.join(queues)} replaced" if queues else ""))
    return loaded.configuration.routing


def _print(outcomes: list[Outcome]) -> None:
    from acd.simulation.chart import shown

    table = Table(box=None, header_style="bold")
    table.add_column("queue")
    table.add_column("floor")
    for _, head, unit in COLUMNS[:_IN_TERMINAL]:
        table.add_column(head + unit.replace(" ", ", ", 1), justify="right")
    first = outcomes[0]
    for key in first.keys:
        for outcome in outcomes:
            cells = [shown(outcome.figure(measure, key)) for measure, _, _ in COLUMNS[:_IN_TERMINAL]]
            table.add_row(key[1] or "all", outcome.name, *cells)
        if len(outcomes) > 1:
            changes = [
                shown(outcomes[1].difference(first, measure, key)) + unit for measure, _, unit in COLUMNS[:_IN_TERMINAL]
            ]
            table.add_row("", "difference", *changes, style="dim")
    out.print(table)
    for outcome in outcomes:
        out.print(f"occupancy, {outcome.name}: {shown(outcome.occupancy)} %", markup=False)


def _plain(outcome: Outcome) -> dict[str, Any]:
    def figure(found: Any) -> dict[str, float | None]:
        return {
            name: None if value != value else round(value, 4)
            for name, value in (("mean", found.mean), ("half", found.half))
        }

    return {
        "name": outcome.name,
        "occupancy": figure(outcome.occupancy),
        "queues": {
            key[1] or "all": {measure: figure(outcome.figure(measure, key)) for measure, _, _ in COLUMNS}
            for key in outcome.keys
        },
    }
