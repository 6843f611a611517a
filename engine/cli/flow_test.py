"""`centralita flow test`: which tests were run, what failed, what nobody tested."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table
from rich.text import Text

from definitions.faults import did_you_mean
from engine.cli.common import fail, out, print_problems, problem_json
from engine.cli.flow_whole import Flows
from engine.cli.transcript import coloured
from engine.config.sources import read_sources, tenant_of, within_tenant
from engine.home import Home
from ivr.scenario import runner
from ivr.scenario.coverage import FlowCoverage, coverage
from ivr.scenario.runner import FileResult, TestResult


@dataclass(frozen=True, slots=True)
class Report:
    """`coverage`: of the flows that were asked for. `took_s`: on the clock on the wall."""

    files: Sequence[FileResult]
    coverage: Sequence[FlowCoverage]
    took_s: float

    @property
    def passed(self) -> bool:
        return all(file.passed for file in self.files)

    def of(self, flow: FlowCoverage) -> list[FileResult]:
        return [file for file in self.files if (file.tenant, file.flow) == (flow.tenant, flow.flow)]


def run(home: Home, flows: Flows, names: Sequence[str], only: str) -> Report:
    """Runs what was asked for; ends the command when there is nothing to run."""
    began_s = time.perf_counter()
    known = sorted({name for _, name in flows.release.flows})
    if unknown := [name for name in names if name not in known]:
        fail(f"there is no flow '{unknown[0]}': {did_you_mean(unknown[0], known, what='flows')}", 2)
    sources = read_sources(home.project, with_tests=True)
    files = [
        runner.run(text, file, flows.release, tenant_of(file), flows.time_zone, only)
        for file, text in sources.items()
        if (within := within_tenant(file)).startswith("flows/")
        and within.endswith(".test.yaml")
        and (not names or _stem(file) in names)
    ]
    if not any(file.results or file.problems for file in files):
        fail("there is nothing to test: write flows/NAME.test.yaml" + (f" with a test called {only}" if only else ""))
    covered = [flow for flow in coverage(flows.release, files) if not names or flow.flow in names]
    return Report(files, covered, time.perf_counter() - began_s)


def _stem(file: str) -> str:
    return file.rpartition("/")[2].removesuffix(".test.yaml")


def show(report: Report, *, coverage: bool, verbose: bool) -> None:
    """Failures with the calls they happened in, then one line for each flow."""
    for file in report.files:
        print_problems(file.problems)
        for result in file.results:
            if verbose or not result.passed:
                _show_test(file, result)
    out.print(_table(report))
    if coverage:
        for flow in report.coverage:
            _show_untested(flow)
    failed = sum(not result.passed for file in report.files for result in file.results)
    broken = sum(bool(file.problems.errors) for file in report.files)
    total = sum(len(file.results) for file in report.files)
    if report.passed:
        out.print(f"[green]{total} tests passed[/] in {report.took_s:.1f} s")
    else:
        unread = f", {broken} files could not be read" if broken else ""
        out.print(f"[bold red]{failed} of {total} tests failed{unread}[/]")


def _show_test(file: FileResult, result: TestResult) -> None:
    mark = Text("ok      ", style="green") if result.passed else Text("FAILED  ", style="bold red")
    out.print(Text.assemble(mark, (f"{file.flow}: {result.name}", "bold")), soft_wrap=True)
    print_problems(result.failures)
    out.print(coloured(result.transcript))
    out.print()


def _table(report: Report) -> Table:
    table = Table(box=None, padding=(0, 3, 0, 0))
    table.add_column("flow")
    for column in ("tests", "failed", "nodes", "branches", "minutes of calls"):
        table.add_column(column, justify="right")
    for flow in report.coverage:
        results = [result for file in report.of(flow) for result in file.results]
        failed = sum(not result.passed for result in results)
        table.add_row(
            flow.flow if flow.tenant == "main" else f"{flow.tenant}/{flow.flow}",
            str(len(results)) if results else Text("none", style="yellow"),
            Text(str(failed), style="bold red" if failed else "green"),
            _share(flow.node_share),
            _share(flow.branch_share),
            f"{sum(result.took_s for result in results) / 60:.0f}",
        )
    return table


def _share(share: float) -> Text:
    shown = int(share * 100)  # 99.6% is not all of it
    return Text(f"{shown}%", style="green" if shown == 100 else "yellow")


def _show_untested(flow: FlowCoverage) -> None:
    if flow.is_full:
        return
    out.print(Text(flow.flow, style="bold"))
    for what, names in (("never reached", flow.untested_nodes), ("never taken", flow.untested_branches)):
        if names:
            out.print(f"  {what}: {', '.join(names)}", markup=False, soft_wrap=True)


def as_json(report: Report) -> dict[str, Any]:
    return {
        "ok": report.passed,
        "files": [
            {
                "file": file.file,
                "tenant": file.tenant,
                "flow": file.flow,
                "problems": [problem_json(problem) for problem in file.problems],
                "tests": [
                    {
                        "name": result.name,
                        "line": result.place.line,
                        "passed": result.passed,
                        "failures": [problem_json(failure) for failure in result.failures],
                        "transcript": result.transcript if not result.passed else "",
                    }
                    for result in file.results
                ],
            }
            for file in report.files
        ],
        "coverage": [
            {
                "tenant": flow.tenant,
                "flow": flow.flow,
                "nodes": round(flow.node_share, 4),
                "branches": round(flow.branch_share, 4),
                "never_reached": list(flow.untested_nodes),
                "never_taken": list(flow.untested_branches),
            }
            for flow in report.coverage
        ],
    }
