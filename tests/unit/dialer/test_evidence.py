"""The report a regulator gets."""

from __future__ import annotations

import csv
import io

from core.attempt import AttemptState
from dialer.compliance.abandonment import Reviewed
from dialer.compliance.evidence import Attempted, attempts_csv, evidence, report_html, summary_csv
from dialer.compliance.rules import Duty, Mode, Purpose
from dialer.compliance.strictest import strictest
from tests.unit.dialer.law_case import DAY_S, SHIPPED, at

START_S = at("2026-11-02 09:00", "America/New_York")
LAW = strictest([SHIPPED.packs["us"]], Purpose.SALES, Mode.PREDICTIVE)
A = AttemptState
MEASURED = Reviewed(0, 10_000)


def attempted(n: int, state: AttemptState, **more: object) -> Attempted:
    dialed_s = START_S + n * 60
    answered = {} if state in (A.NO_ANSWER, A.BLOCKED) else {"answered_s": dialed_s + 8}
    facts = {"dialed_s": dialed_s, "ringing_s": dialed_s + 2, "ended_s": dialed_s + 30, **answered, **more}
    return Attempted(f"a{n}", f"l{n}", f"+1212555{n:04}", state, **facts)  # type: ignore[arg-type]


def lines(attempts: list[Attempted], reviewed: Reviewed = MEASURED) -> dict[str, list[tuple[str, bool | None]]]:
    found: dict[str, list[tuple[str, bool | None]]] = {}
    for row in evidence(LAW, attempts, START_S, reviewed):
        found.setdefault(row.rule, []).append((row.found, row.kept))
    return found


def test_the_ratio_of_each_thirty_days() -> None:
    served = [attempted(n, A.COMPLETED, connected_s=START_S + n * 60 + 9) for n in range(97)]
    found = lines([*served, *(attempted(n, A.ABANDONED) for n in range(97, 100))])
    assert found["us/abandonment"] == [("3 of 100 = 3.00%", True)]
    late = attempted(0, A.ABANDONED, answered_s=START_S + 31 * DAY_S)
    assert lines([*served, late])["us/abandonment"] == [("0 of 97 = 0.00%", True), ("1 of 1 = 100.00%", False)]


def test_errors_of_the_detector_are_shown_beside_what_was_counted() -> None:
    attempts = [attempted(n, A.COMPLETED, connected_s=START_S + n * 60 + 9) for n in range(98)]
    attempts += [attempted(n, A.MACHINE) for n in range(98, 100)]
    measured = lines(attempts, Reviewed(1, 1000))["us/abandonment"]
    assert measured == [("0 of 98 = 0.00%; 2 taken for machines, of them people: about 0.0, at most 1 (1.01%)", True)]
    unmeasured = lines(attempts, Reviewed())["us/abandonment"][0][0]
    assert unmeasured.endswith("none reviewed, so as many as 2 (2.00%)")


def test_whom_an_agent_called_a_machine_was_no_live_answer() -> None:
    attempts = [attempted(n, A.COMPLETED, connected_s=START_S + n * 60 + 9) for n in range(98)]
    met = [attempted(n, A.COMPLETED, connected_s=START_S + n * 60 + 9, met_machine=True) for n in range(98, 100)]
    assert lines([*attempts, *met])["us/abandonment"] == [("0 of 98 = 0.00%", True)]
    nobody_there = attempted(100, A.ABANDONED, met_machine=True)
    assert lines([*attempts, nobody_there])["us/abandonment"][0][0].startswith("1 of 99"), "in doubt it counts"


def test_a_machine_heard_before_the_answer_is_nobody() -> None:
    found = lines([attempted(0, A.COMPLETED, connected_s=START_S + 9), attempted(1, A.MACHINE, answered_s=None)])
    assert found["us/abandonment"] == [("0 of 1 = 0.00%", True)]


def test_rings_that_were_too_short_and_agents_that_came_late() -> None:
    attempts = [
        attempted(0, A.NO_ANSWER),
        attempted(1, A.NO_ANSWER, ended_s=START_S + 60 + 16),
        attempted(2, A.COMPLETED, greeted_s=START_S + 130, connected_s=START_S + 132.5),
        attempted(3, A.COMPLETED, connected_s=START_S + 189.5),
        Attempted("a4", "l4", "+12125550104", A.BLOCKED, rule="us/florida_hours"),
    ]
    found = lines(attempts)
    assert found["us/ring"] == [("1 were given up sooner; the shortest rang 14.0 s", False)]
    assert found["us/agent_in_time"] == [("1 connected later; the longest wait was 2.50 s", False)]
    assert found["us/florida_hours"] == [("1 attempts were blocked by it", None)]
    assert found["us/said_first"] == [("for people to show", None)]


def test_where_no_agent_talks_none_comes_late() -> None:
    law = strictest([SHIPPED.packs["us"]], Purpose.SALES, Mode.AGENTLESS)
    heard = attempted(0, A.COMPLETED, greeted_s=START_S + 10, connected_s=START_S + 16)
    (found,) = [row for row in evidence(law, [heard], START_S) if row.rule == "us/agent_in_time"]
    assert (found.found, found.counted, found.kept) == ("a flow talks, and no agent", 0, None)


def test_the_files() -> None:
    attempts = [attempted(0, A.COMPLETED, connected_s=START_S + 9, local="=HYPERLINK(1)")]
    rows = evidence(LAW, attempts, START_S)
    summary = list(csv.DictReader(io.StringIO(summary_csv(rows))))
    assert summary[0]["rule"] == "us/abandonment"
    assert summary[0]["period"] == "2026-11-02T14:00:00.000Z – 2026-12-02T14:00:00.000Z"
    assert summary[0]["kept"] == "yes"
    (detail,) = csv.DictReader(io.StringIO(attempts_csv(attempts)))
    assert detail["number"] == "+12125550000"
    assert detail["local"] == "'=HYPERLINK(1)", "a spreadsheet must not run it"
    assert detail["answered"] == "2026-11-02T14:00:08.000Z"
    page = report_html("<b>November</b>", rows, START_S)
    assert "<h1>&lt;b&gt;November&lt;/b&gt;</h1>" in page
    assert page.count("<tr") == len(rows) + 1


def test_what_no_machine_checks_is_said_in_the_reports_language() -> None:
    spain = strictest([SHIPPED.packs["es"]], Purpose.SALES, Mode.PREDICTIVE)
    asked = {row.rule: row.asked for row in evidence(spain, [], START_S)}
    assert asked["es/said_first"].startswith("At the beginning")
    assert asked["es/commercial_prefix"].startswith("Once the code")
    (duty,) = (one for one in spain.overall.duties if one.source.rule == "said_first")
    assert duty.said("es").startswith("Al empezar")


def test_a_duty_in_one_language_is_said_in_it() -> None:
    duty = Duty(LAW.overall.duties[0].source, LAW.overall.duties[0].scope, {"es": "Al empezar"})
    assert (duty.said("en"), duty.said("es")) == ("Al empezar", "Al empezar")
