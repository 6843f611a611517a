"""`centralita check`: everything that is wrong with flows/ and config/, at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

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
    from collections.abc import Mapping

    from definitions.problems import Problems
    from engine.config.loader import Loaded
    from engine.home import Home


def register(app: typer.Typer) -> None:
    app.command("check")(check)


def check(
    project: ProjectOption = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings fail too: what must be so before a site takes real calls.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check all definitions without loading them. Exit code 1 when there is any error; warnings alone pass.

    That emergency numbers reach nobody is a warning, for a site may begin without a carrier: `--strict` fails then.
    """
    from engine.config.sources import read_sources

    home = home_of(project)
    everything = read_sources(home.project, with_tests=True)
    tests = {file: text for file, text in everything.items() if file.endswith(".test.yaml")}
    sources = {file: text for file, text in everything.items() if file not in tests}
    loaded = checked(home, sources)
    loaded.problems.extend(_test_problems(tests, loaded))
    errors, files = loaded.problems.errors, counted(len(sources), "file")
    warnings = counted(len(loaded.problems.warnings), "warning")
    failed = bool(errors or (strict and loaded.problems.warnings))
    if json:
        print_json({"ok": not failed, "problems": [problem_json(problem) for problem in loaded.problems]})
    else:
        print_problems(loaded.problems)
        if not failed and loaded.configuration is not None:
            flows = counted(len(loaded.configuration.release.flows), "flow")
            out.print(f"[green]all right[/]: {flows}, {files}, {warnings}")
    if failed:
        fail(f"{counted(len(errors), 'error')}, {warnings} in {files}")


def _test_problems(tests: Mapping[str, str], loaded: Loaded) -> Problems:
    """What is wrong with `*.test.yaml`: nothing that is loaded, but tests that cannot be run."""
    from definitions.problems import Problems
    from engine.config.sources import tenant_of
    from ivr.scenario import runner

    release = None if loaded.configuration is None else loaded.configuration.release
    problems = Problems()
    for file, text in tests.items():
        read = runner.read(text, file, release, tenant_of(file))
        problems.extend(read if isinstance(read, Problems) else read.marked.problems)
    return problems


def checked(home: Home, sources: Mapping[str, str]) -> Loaded:
    """The definitions with everything there is to say of them: what is wrong, what misses, what is out of date."""
    from definitions.problems import Problem, Severity
    from desk.lists.registers import registers_at_hand
    from dialer.compliance.loader import stale as stale_rules
    from engine.cli.belongings import whose
    from engine.config.absence import absence_warnings
    from engine.config.compliance import stale
    from engine.config.loader import load
    from engine.config.outbound_file import emergency_warnings
    from engine.config.registers import register_warnings
    from engine.config.sources import no_files
    from engine.music import known_music
    from engine.sounds import known_sounds

    loaded = load(sources, known_sounds(home), known_music(home))
    for file, kind in no_files(home.project):
        hint = "put a file in its place, or call it something else"
        loaded.problems.add(Problem(file, 0, 0, f"nothing reads this: it is {kind}", hint, Severity.WARNING))
    if loaded.configuration is not None:
        loaded.problems.extend(emergency_warnings(loaded.configuration))
        loaded.problems.extend(absence_warnings(loaded.configuration))
        today = datetime.now(UTC).date()
        loaded.problems.extend(stale(loaded.configuration.packs, today))
        loaded.problems.extend(stale_rules(loaded.configuration.dialing.values(), today))
        try:
            registers = registers_at_hand(home.state)
        except PermissionError as failure:  # who writes flows need not be who runs the system
            what = "nobody knows here which campaigns miss a do-not-call register"
            loaded.problems.add(Problem("config/campaigns", 0, 0, what, whose(failure), Severity.WARNING))
        else:
            loaded.problems.extend(register_warnings(loaded.configuration, registers, time.time()))
    return loaded
