"""`centralita flow try|test|draw|texts|schema`: flows without a phone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.common import JsonOption, ProjectOption, counted, fail, home_of, out, print_json, print_problems

if TYPE_CHECKING:
    from engine.config.loader import Configuration
    from engine.home import Home
    from ivr.model import Flow, Release

app = typer.Typer(help="Flows without a phone: try them, test them, draw them.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="The flow: reception")]
TenantOption = Annotated[str, typer.Option(help="Whose flow it is.")]


@app.command("try")
def try_(
    name: NameArgument,
    language: Annotated[
        str, typer.Option(help="The number's language; else the flow's first.", show_default=False)
    ] = "",
    caller: Annotated[str, typer.Option(help="The caller's number.", show_default=False)] = "",
    called: Annotated[str, typer.Option(help="The number dialled.", show_default=False)] = "",
    time: Annotated[
        str, typer.Option(help="When: `2026-03-10 22:30`, in the site's time zone; else now.", show_default=False)
    ] = "",
    queue: Annotated[
        list[str] | None, typer.Option(help="How a queue ends: sales=no_agents (answered unless told).")
    ] = None,
    transfer: Annotated[
        list[str] | None, typer.Option(help="How a transfer ends: device:1001=busy (answered unless told).")
    ] = None,
    toggle: Annotated[list[str] | None, typer.Option(help="A toggle's value: closure=on.")] = None,
    variable: Annotated[
        list[str] | None, typer.Option("--set", help="A variable the call brings: reason=holiday.")
    ] = None,
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Walk through a flow in the terminal: read what the caller hears, press keys, be silent, hang up.

    Time is virtual: nothing has to be waited for. Lines can be piped in.
    """
    from engine.cli.flow_try import circumstances, walk_through
    from engine.cli.flow_whole import flows_of
    from ivr.walk import Walk

    flows = flows_of(home_of(project), [name], tenant)
    flow = _flow(flows.release, tenant, name)
    if language and language not in flow.languages:
        fail(f"{name} does not speak '{language}': it speaks {', '.join(flow.languages)}", 2)
    said = {"language": language, "caller": caller, "called": called, "time": time}
    pairs = {"queue": queue, "transfer": transfer, "toggles": toggle, "variables": variable}
    given = circumstances(flows, tenant, said, {key: texts for key, texts in pairs.items() if texts})
    walk = Walk(flows.release, name, tenant, given)
    walk_through(walk, flows.release, tenant, flow.name(given.language or flow.languages[0]), given)


@app.command("test")
def run_tests(
    names: Annotated[
        list[str] | None, typer.Argument(help="Flows; all that have tests unless told.", show_default=False)
    ] = None,
    only: Annotated[str, typer.Option(help="Only tests whose name holds this.", show_default=False)] = "",
    junit: Annotated[
        Path | None, typer.Option(help="Also write JUnit XML, for CI.", dir_okay=False, show_default=False)
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Name the nodes and branches no test walks.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every call, not only those that fail.")
    ] = False,
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Run the tests beside the flows (flows/*.test.yaml) in virtual time. Exit code 1 when one fails."""
    from engine.cli import flow_test
    from engine.cli.flow_whole import flows_of

    home = home_of(project)
    report = flow_test.run(home, flows_of(home, names or []), names or [], only)
    if junit is not None:
        from ivr.scenario.report import as_junit

        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_text(as_junit(report.files), encoding="utf-8")
    if json:
        print_json(flow_test.as_json(report))
    else:
        flow_test.show(report, coverage=coverage, verbose=verbose)
    if not report.passed:
        raise typer.Exit(1)


@app.command("draw")
def draw_flow(
    name: Annotated[
        str, typer.Argument(help="The flow; the one that answered with --interaction.", show_default=False)
    ] = "",
    to: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            "--out",
            help="The file to write; NAME.svg unless told, `-` prints it.",
            show_default=False,
        ),
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Colour what tests reach, and what none does.")] = False,
    interaction: Annotated[
        str,
        typer.Option(help="Draw the way of this interaction: its id, or its beginning; `last`.", show_default=False),
    ] = "",
    language: Annotated[str, typer.Option(help="Whose texts are shown.", show_default=False)] = "",
    tenant: TenantOption = "main",
    project: ProjectOption = None,
) -> None:
    """Draw a flow as SVG: plain, with what its tests cover, or with the way of a call."""
    from engine.cli import flow_draw
    from ivr.draw import draw

    if not name and not interaction:
        fail("which flow? write centralita flow draw NAME", 2)
    home = home_of(project)
    configuration = _configuration(home)
    steps = None
    if interaction:
        flow, steps = flow_draw.walked(interaction, project, name, configuration)
    else:
        flow = _flow(configuration.release, tenant, name)
    visited = flow_draw.tested(home, configuration, flow) if coverage else None
    picture = draw(flow, visited=visited, path=steps, language=language)
    if to is not None and str(to) == "-":
        typer.echo(picture, nl=False)
        return
    file = to or Path(f"{flow.id}.svg")
    try:
        file.write_text(picture, encoding="utf-8")
    except OSError as failure:
        fail(f"{file} cannot be written: {failure.strerror}")
    out.print(f"{file}: {len(flow.nodes)} nodes")


@app.command("texts")
def texts(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Every text that is known before anybody calls: what a voice artist would record.

    `centralita flow texts --json | python -m speech ship` renders what the repository carries.
    """
    configuration = _configuration(home_of(project))
    spoken = configuration.static_speech()
    if json:
        print_json([{"text": part.text, "language": part.language} for part in spoken])
        return
    for part in spoken:
        out.print(f"{part.language}  {part.text}", markup=False, soft_wrap=True)


@app.command("schema")
def schema(
    to: Annotated[
        Path | None,
        typer.Option("--out", help="The directory to write to; docs/schema unless told.", show_default=False),
    ] = None,
    project: ProjectOption = None,
) -> None:
    """Write the JSON Schemas by which editors complete and check flows and configuration."""
    from engine.schemas import FOLDER, SCHEMAS, write

    folder = to or home_of(project).project / FOLDER
    try:
        write(folder)
    except OSError as failure:
        fail(f"{folder} cannot be written: {failure.strerror}")
    out.print(f"{len(SCHEMAS)} schemas in {folder}")


def _flow(release: Release, tenant: str, name: str) -> Flow:
    """Ends the command when there is no such flow."""
    from definitions.faults import did_you_mean

    flow = release.flow(tenant, name)
    if flow is None:
        known = sorted(flow_id for owner, flow_id in release.flows if owner == tenant)
        fail(f"there is no flow '{name}': {did_you_mean(name, known, what='flows')}", 2)
    return flow


def _configuration(home: Home) -> Configuration:
    """The project's configuration; ends the command when it has errors."""
    from engine.config.loader import load
    from engine.config.sources import read_sources
    from engine.sounds import known_sounds

    loaded = load(read_sources(home.project), known_sounds(home))
    if loaded.configuration is None:
        print_problems(loaded.problems)
        fail(f"{counted(len(loaded.problems.errors), 'error')}: mend the lines above first")
    return loaded.configuration
