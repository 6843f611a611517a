"""`centralita report survey`: the calls of the shipped survey's own tests, in a journal and in the tables."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from core.decisions import Decision, InteractionOpened, StayEnded
from core.events import DigitPressed
from core.survey import SurveyAnswered
from engine.cli.report import app
from engine.config.loader import load
from engine.config.sources import read_sources
from ivr.scenario.given import GivenModel
from ivr.scenario.runner import Scenarios, play, read
from ivr.scenario.transcript import Decided
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from store.sql.database import Database
from store.sql.projector import Projector

ROOT = Path(__file__).parents[3]
DAY = ("--from", "2026-03-10", "--to", "2026-03-10")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("config", "flows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("sounds"))
    (tmp_path / "var").mkdir()
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    return tmp_path


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Madrid")).timestamp()


def told() -> list[list[tuple[float, Decision]]]:
    """What the flow decided in each test of flows/survey.test.yaml, and how long after its beginning."""
    configuration = load(read_sources(ROOT)).configuration
    assert configuration is not None
    file = "flows/survey.test.yaml"
    tests = read((ROOT / file).read_text(), file, configuration.release)
    assert isinstance(tests, Scenarios)
    played = [
        play(test, tests.flow, configuration.release, test.given or GivenModel(), time_zone="Europe/Madrid")
        for test in tests.model.tests
    ]
    return [
        [(line.at_s - one.began_s, line.decision) for line in one.caller.transcript if isinstance(line, Decided)]
        for one in played
    ]


def called(number: int, when: str, agent: str, decisions: Sequence[tuple[float, Decision]]) -> list[Entry]:
    """A call to reception that `agent` of sales took, and the survey after it."""
    name = f"i-{number}"
    opened = InteractionOpened(
        *(name, "main", "voice", "inbound", "+34911", "+34600112233", "reception", "v1", "es", "number +34911")
    )
    served = StayEnded(name, f"{name}.s", "main", "sales", "answered", 3.0, agent, True)
    entries = [Entry(name, "k", at(when), DigitPressed("c", "1"), [opened, served])]
    return entries + [Entry(name, "k", at(when) + late, DigitPressed("c", "1"), [each]) for late, each in decisions]


async def keep(project: Path, entries: Sequence[Entry], projected: bool = True) -> None:
    state = project / "var"
    journal = Journal.open(state / "journal.db", ContactCipher.open(state), lambda _: None)
    database = Database(f"sqlite:///{state}/centralita.db")
    try:
        for entry in entries:
            seq = journal.append(entry)
        await journal.durable(seq)
        await database.upgrade()
        if projected:
            await Projector(journal.reader, database, pytest.fail).catch_up()
    finally:
        await database.close()
        await journal.close()


def report(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["survey", *arguments], env={"COLUMNS": "120"})


def found(*arguments: str) -> dict[str, dict[str, Any]]:
    """Question -> what is told of it."""
    result = report(*arguments, "--json")
    assert result.exit_code == 0, result.output
    body = json.loads(result.output)
    assert body["behind_events"] == 0
    return {each["question"]: each for each in body["questions"]}


@pytest.fixture
def surveyed(project: Path) -> Path:
    """Seven callers, by turns of ana and luis: the last after midnight."""
    entries: list[Entry] = []
    for number, decisions in enumerate(told()):
        when = "2026-03-10 11:00" if number < 6 else "2026-03-11 00:00:01"
        entries += called(number, when, ("ana", "luis")[number % 2], decisions)
    asyncio.run(keep(project, entries))
    return project


def test_the_calls_of_the_flows_own_tests_are_counted(surveyed: Path) -> None:
    questions = found("--from", "2026-03-10", "--to", "2026-03-11")
    assert list(questions) == ["csat", "nps", "solved"]
    csat, nps, solved = (each["total"] for each in questions.values())
    assert (csat["asked"], csat["replied"], csat["mean"], csat["satisfied_percent"]) == (6, 4, 3.5, 50.0)
    assert csat["distribution"] == {"2": 1, "3": 1, "4": 1, "5": 1}
    assert (nps["asked"], nps["replied"], nps["nps"], nps["promoters"], nps["detractors"]) == (3, 2, 0.0, 1, 1)
    assert (solved["asked"], solved["replied"], solved["yes_percent"]) == (4, 3, 33.3)
    assert solved["interval_95"] == [6.1, 79.2]
    assert questions["csat"]["survey"] == "satisfaction"


def test_by_agent_queue_flow_and_day(surveyed: Path) -> None:
    both = ("--from", "2026-03-10", "--to", "2026-03-11")

    def groups(*arguments: str) -> dict[str, tuple[int, int]]:
        return {each["name"]: (each["asked"], each["replied"]) for each in found(*arguments)["csat"]["groups"]}

    assert groups(*both) == {"sales": (6, 4)}
    assert groups(*both, "--by", "agent") == {"ana": (4, 3), "luis": (2, 1)}
    assert groups(*both, "--by", "flow") == {"reception": (6, 4)}
    assert groups(*both, "--by", "day") == {"2026-03-10": (5, 3), "2026-03-11": (1, 1)}
    assert groups("--to", "2026-03-11", "--days", "1") == {"sales": (1, 1)}
    assert groups(*both, "--agent", "luis") == {"sales": (2, 1)}
    assert groups(*DAY, "--queue", "sales", "--by", "agent") == {"ana": (3, 2), "luis": (2, 1)}


def test_the_tables_say_it_to_people(surveyed: Path) -> None:
    shown = report("--from", "2026-03-10", "--to", "2026-03-11")
    lines = {line.split()[0]: line.split() for line in shown.output.splitlines() if line.strip()}
    assert "satisfaction: csat (CSAT, 1 to 5)" in shown.output
    assert "satisfaction: solved (yes or no)" in shown.output
    assert "all 6 67% 4 3.50 50% 15 to 85% 0 1 1 1 1" in [" ".join(line.split()) for line in shown.output.splitlines()]
    assert lines["answers:"] == ["answers:", "0:", "1", "10:", "1"]


def test_answers_of_earlier_releases_are_told_apart(project: Path) -> None:
    older = [(1.0, SurveyAnswered("satisfaction", "csat", "csat", "5"))]
    asyncio.run(keep(project, called(1, "2026-03-10 11:00", "ana", older)))
    total = found(*DAY)["csat"]["total"]
    assert (total["asked"], total["response_percent"], total["answers"], total["of_unknown_asked"]) == (0, None, 1, 1)
    assert "1 answer from before the journal said who was asked" in report(*DAY).output


def test_tables_that_are_behind_are_told_of(project: Path) -> None:
    asyncio.run(keep(project, called(1, "2026-03-10 11:00", "ana", told()[0]), projected=False))
    result = report(*DAY)
    assert result.exit_code == 0
    assert "nobody was asked in this time" in result.output
    assert "behind the journal" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--from", "yesterday"), "'yesterday' is not a day"),
        (("--from", "2026-03-11", "--to", "2026-03-10"), "2026-03-11 is after 2026-03-10"),
        (("--from", "0001-01-01"), "days are from 1971-01-01"),
        (("--to", "9999-12-31"), "days are from"),
        (("--days", "7", "--from", "2026-03-11"), "give one of them"),
        (("--days", "99999999999"), "give --from"),
        (("--days", "0"), "'--days'"),
        (("--queue", "sails"), "no queue 'sails' is configured"),
        (("--agent", "nobody"), "there are: ana"),
        (("--by", "hour"), "'hour'"),
    ],
)
def test_what_cannot_be_asked_is_named(surveyed: Path, arguments: tuple[str, ...], said: str) -> None:
    result = report(*arguments)
    assert result.exit_code == 2, result.output
    assert said in " ".join(result.output.split())


def test_without_a_journal_it_says_so(project: Path) -> None:
    result = report()
    assert result.exit_code == 1
    assert "Traceback" not in result.output
