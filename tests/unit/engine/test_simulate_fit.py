"""`centralita simulate fit`, from a real journal of days of the shipped site, and back into `simulate acd`."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engine.cli.simulate import app
from engine.config.loader import load
from engine.config.sources import read_sources
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from tests.played_days import joined, played

ROOT = Path(__file__).parents[3]
DAYS = [date(2026, 1, 5), date(2026, 1, 12), date(2026, 1, 13)]
"""Two Mondays and a Tuesday."""
MADRID_S = -3600.0
"""Its midnight in January, after UTC's."""
WORLD = """
scenario: known
from: "9:00"
until: "12:00"
answer_s: 3
queues:
  sales:
    per_hour: 60
    talk_s: {mean: 100, deviation: 50}
    wrap_up_s: {mean: 10, deviation: 0}
    patience_s: {mean: 60}
    asks: {language.es: 0.7}
  support: {per_hour: 4, talk_s: {mean: 60}, wrap_up_s: {mean: 5}, patience_s: {mean: 200}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("config", "flows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("sounds"))
    (tmp_path / "var").mkdir()
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    return tmp_path


def keep(project: Path, days: list[date]) -> tuple[int, int]:
    """Writes the journal of such days; returns how many callers waited, and how many agents there are."""
    configuration = load(read_sources(project)).configuration
    assert configuration is not None
    happened = list(played(WORLD, configuration.routing, days, from_utc_s=MADRID_S))

    async def write() -> None:
        state = project / "var"
        journal = Journal.open(state / "journal.db", ContactCipher.open(state), lambda _: None)
        try:
            seq = 0
            for each in happened:
                seq = journal.append(Entry(each.interaction_id, "", each.at_s, each.event, each.decisions))
            await journal.durable(seq)
        finally:
            await journal.close()

    asyncio.run(write())
    return joined(happened), len(configuration.routing.agents)


def run(*words: str) -> Result:
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, words)


def test_days_of_a_journal_become_a_scenario_that_plays(project: Path, tmp_path: Path) -> None:
    callers, agents = keep(project, DAYS)
    found = run("fit", "--since", "2026-01-01", "--until", "2026-01-31", "--name", "january")
    assert found.exit_code == 0, found.output
    assert "# support is left out" in found.stdout
    assert "3 days from 2026-01-05 to 2026-01-13" in found.stdout
    assert "3 days say little about others" in found.stderr
    assert "ana" not in found.stdout.lower().split()
    scenario = tmp_path / "january.yaml"
    scenario.write_text(found.stdout)
    simulated = run("acd", "--scenario", str(scenario), "--days", "3", "--json")
    assert simulated.exit_code == 0, simulated.output
    (floor,) = json.loads(simulated.stdout)["floors"]
    told = json.loads(run("fit", "--since", "2026-01-01", "--until", "2026-01-31", "--json").stdout)
    seen = told["queues"]["sales"]
    assert told["left_out"].keys() == {"support"}
    assert 0 < callers - seen["calls"] < 60  # the others called support
    assert floor["queues"]["sales"]["offered"]["mean"] == pytest.approx(seen["calls"] / 3, rel=0.25)
    assert seen["patience"]["low_s"] <= 60 <= seen["patience"]["high_s"]
    assert told["scenario"]["queues"]["sales"]["talk_s"]["mean"] == pytest.approx(100, rel=0.15)
    assert (told["scenario"]["from"], told["scenario"]["until"]) == ("9:00", "12:00")
    assert sum(crew["count"] for crew in told["scenario"]["agents"]) == agents


def test_only_some_weekdays_and_coarser_steps(project: Path) -> None:
    keep(project, DAYS)
    told = json.loads(
        run(
            *("fit", "--since", "2026-01-01", "--until", "2026-01-31"),
            *("--weekdays", "lun", "--step", "60", "--json"),
        ).stdout
    )
    assert told["days"] == ["2026-01-05", "2026-01-12"]
    assert [each["until"] for each in told["scenario"]["queues"]["sales"]["arrivals"]] == ["10:00", "11:00", "12:00"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--step", "20"), "choose 15, 30 or 60"),
        (("--name", "My Monday"), "use a-z"),
        (("--weekdays", "someday"), "no day of the week"),
        (("--since", "monday"), "is not a day"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "is after"),
        (("--queue", "sails"), "there is no queue sails: choose from"),
    ],
)
def test_what_cannot_be_asked_for_is_said(project: Path, words: tuple[str, ...], told: str) -> None:
    found = run("fit", *words)
    assert found.exit_code == 2
    assert told in " ".join(found.output.split())


def test_too_little_is_refused(project: Path) -> None:
    keep(project, DAYS[:1])
    for words, told in (
        (("--queue", "support", "--since", "2026-01-05", "--until", "2026-01-05"), "too few to learn from"),
        (("--since", "2026-03-01", "--until", "2026-03-02"), "nobody called"),
    ):
        found = run("fit", *words)
        assert (found.exit_code, found.stdout) == (1, "")
        assert told in " ".join(found.stderr.split())


@pytest.mark.parametrize(("named", "told"), [("two_more", "two_more"), ("known", "draft-2")])
def test_another_floor_is_called_what_its_scenario_says(project: Path, named: str, told: str) -> None:
    first, other = project / "monday.yaml", project / "draft-2.yaml"
    crew = "agents: [{count: 4, queues: [sales, support], skills: {sales: 5, language.es: 5}}]\n"
    first.write_text(WORLD + crew, encoding="utf-8")
    other.write_text(f"scenario: {named}\n{crew.replace('count: 4', 'count: 6')}", encoding="utf-8")
    words = ("--scenario", str(first), "--what-if", str(other), "--days", "1", "--json")
    found = run("acd", *words)
    assert found.exit_code == 0, found.output
    assert [floor["name"] for floor in json.loads(found.stdout)["floors"]] == ["known", told]
