"""`centralita report clientela`, from a real journal."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from core.decisions import StayEnded
from core.events import QueueLeft
from engine.cli.report import app
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal

ROOT = Path(__file__).parents[3]


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


async def keep(
    state: Path, stays: list[tuple[str, str, float, str]], virtual_s: float = 0.0, tenant: str = "main"
) -> None:
    """(when, interaction, waited_s, how) each. `virtual_s`: of each wait, away from the phone."""
    journal = Journal.open(state / "journal.db", ContactCipher.open(state), lambda _: None)
    try:
        for when, interaction_id, waited_s, how in stays:
            left = QueueLeft(interaction_id, f"{interaction_id}.s", how)
            ended = StayEnded(
                *(interaction_id, f"{interaction_id}.s", tenant, "sales", how, waited_s),
                virtual=virtual_s > 0,
                virtual_s=virtual_s,
            )
            seq = journal.append(Entry(interaction_id, "k", at(when), left, [ended]))
        await journal.durable(seq)
    finally:
        await journal.close()


def report(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["clientela", *arguments])


def test_it_counts_the_days_asked_for_and_says_whether_it_is_enough(project: Path) -> None:
    answered = [(f"2026-03-10 11:{minute:02}", f"i-{minute}", 20.0, "answered") for minute in range(19)]
    late = [("2026-03-10 23:59", "late", 400.0, "answered")]
    other_day = [("2026-03-09 23:59", "before", 1.0, "abandoned"), ("2026-03-11 00:00", "after", 1.0, "abandoned")]
    asyncio.run(keep(project / "var", sorted([*answered, *late, *other_day])))
    day = report("--from", "2026-03-10", "--to", "2026-03-10", "--json")
    found = json.loads(day.output)
    assert (found["total"]["received"], found["total"]["in_time"], found["total"]["percent"]) == (20, 19, 95.0)
    assert (found["met"], day.exit_code) == (True, 0)
    assert [row["queue"] for row in found["queues"]] == ["sales"]
    three = report("--from", "2026-03-09", "--to", "2026-03-11")
    assert three.exit_code == 1
    assert "not reached" in three.output
    assert "86.4%" in three.output


def test_waits_away_from_the_phone_are_told_apart(project: Path) -> None:
    asyncio.run(keep(project / "var", [("2026-03-10 11:00", "i", 900.0, "answered")], virtual_s=700.0))
    day = ("--from", "2026-03-10", "--to", "2026-03-10")
    (row,) = json.loads(report(*day, "--json").output)["queues"]
    assert (row["virtual"], row["mean_virtual_s"], row["in_time"]) == (1, 700.0, 0)
    assert "virtual: 1 call, mean 700 s" in report(*day).output


def test_what_is_no_day_is_said(project: Path) -> None:
    asyncio.run(keep(project / "var", [("2026-03-10 11:00", "i", 1.0, "answered")]))
    result = report("--from", "yesterday")
    assert result.exit_code == 2
    assert "is not a day" in result.output


def test_without_the_pack_there_is_nothing_to_compare_with(project: Path) -> None:
    (project / "config/compliance/es-clientela.yaml").unlink()
    site = project / "config/site.yaml"
    site.write_text(site.read_text().replace("compliance: [es-clientela]", ""))
    result = report()
    assert result.exit_code == 1
    assert "has no rule answered_within" in " ".join(result.output.split())


def test_each_client_company_is_counted_for_itself(project: Path) -> None:
    (project / "tenants" / "acme").mkdir(parents=True)
    good = [(f"2026-03-10 11:{minute:02}", f"i-{minute}", 20.0, "answered") for minute in range(40)]
    asyncio.run(keep(project / "var", good))
    asyncio.run(keep(project / "var", [("2026-03-10 12:00", "late", 400.0, "answered")], tenant="acme"))
    day = ("--from", "2026-03-10", "--to", "2026-03-10")
    whole = report(*day)
    assert whole.exit_code == 1, "one company's good days do not make up for another's bad ones"
    assert ("acme: 95%" in whole.output, "main: 95%" in whole.output) == (True, True)
    both = json.loads(report(*day, "--json").output)
    assert {name: row["percent"] for name, row in both["tenants"].items()} == {"acme": 0.0, "main": 100.0}
    ours = report(*day, "--tenant", "main")
    assert (ours.exit_code, "acme" in ours.output) == (0, False)
    theirs = json.loads(report(*day, "--tenant", "acme", "--json").output)
    assert (theirs["met"], theirs["total"]["received"], len(theirs["queues"])) == (False, 1, 1)
    unknown = report(*day, "--tenant", "acmee")
    assert (unknown.exit_code, "did you mean 'acme'?" in unknown.output) == (2, True)
