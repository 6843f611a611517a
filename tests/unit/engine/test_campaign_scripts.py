"""`centralita campaign compare --by script`, over a store with attempts, in the words that people read."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from dialer.compare_scripts import Arm, Compared
from dialer.setup import Script, ScriptTest
from engine.cli.app import app
from engine.cli.campaign_scripts import conclusion, table
from engine.home import Home
from store.sql.database import LEADS, Database
from store.sql.leads import SqlLeadStore
from tests.contract.lead_stage import NOW_S, attempt, save
from tests.unit.dialer.law_case import ROOT

TEST = """\
script_test:
  name: opening
  goal: [sold]
  scripts:
    - {name: classic, text: Le llamo de Acme}
    - {name: short, text: Hola}
"""


def run(project: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["campaign", *words, "-p", str(project)])


def campaign(project: Path) -> Path:
    return project / "config" / "campaigns" / "renewals.yaml"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("config", "flows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("sounds"))
    before, _, rest = campaign(tmp_path).read_text().partition("script:\n")
    campaign(tmp_path).write_text(before + TEST + rest[rest.index("form:\n") :])
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "160")
    return tmp_path


def dialed(project: Path, **counts: tuple[int, int]) -> None:
    """script -> (leads talked with, how many of them were sold to)."""
    home = Home.find(project)
    home.state.mkdir(parents=True, exist_ok=True)

    async def fill() -> None:
        database = Database(home.leads_url, LEADS)
        await database.upgrade()
        made = []
        for script, (met, goal) in counts.items():
            for number in range(met):
                how: dict[str, Any] = {"campaign": "renewals", "state": "completed", "script": f"opening/{script}"}
                how |= {"connected_s": NOW_S + 5.0, "ended_s": NOW_S + 60.0}
                how["disposition"] = "sold/new" if number < goal else "not_interested"
                id_ = f"{script}-{number}"
                made.append(attempt(id_, id_, "+34600000001", NOW_S + number, **how))
        await SqlLeadStore(database).save(list(map(save, made)))
        await database.close()

    asyncio.run(fill())


def test_which_script_serves_better(project: Path) -> None:
    dialed(project, classic=(300, 30), short=(320, 96))
    done = run(project, "compare", "renewals", "--by", "script")
    assert done.exit_code == 0, done.output
    assert "Scripts of the test 'opening' (goal: sold)" in done.output
    assert "split as written" in done.output
    assert "short leads to the goal more often than classic" in done.output
    assert "hold at all looks together" in " ".join(done.output.split())
    told = json.loads(run(project, "compare", "renewals", "--by", "script", "--json").stdout)
    classic, short = told["arms"]
    assert (classic["dialed"], classic["met"], classic["goal"], classic["more"]) == (300, 300, 30, None)
    assert (short["dialed"], short["goal"], short["rate"], short["differs"]) == (320, 96, 0.3, True)
    assert 0 < short["more_least"] < 0.2 < short["more_most"]
    assert (told["sound"], told["test"]) == (True, "opening")


def test_a_split_that_lots_did_not_make_is_said_first_and_nothing_is_concluded(project: Path) -> None:
    dialed(project, classic=(300, 30), short=(500, 150))
    done = run(project, "compare", "renewals", "--by", "script")
    words = " ".join(done.output.split())
    assert "Do not believe a difference" in words
    assert "classic 50%: 37.5% of those dialed" in words
    assert "leads to the goal" not in words
    told = json.loads(run(project, "compare", "renewals", "--by", "script", "--json").stdout)
    assert not told["sound"]
    assert not told["arms"][1]["differs"]


def test_what_it_cannot_answer_it_refuses_in_words(project: Path) -> None:
    dialed(project)
    nobody = run(project, "compare", "renewals", "--by", "script")
    assert nobody.exit_code == 1
    assert "has dialed nobody for its test 'opening'" in nobody.output
    picked = run(project, "compare", "renewals", "--by", "script", "--since", "2026-11-01")
    assert picked.exit_code == 2
    assert "leave out --since" in " ".join(picked.output.split())
    campaign(project).write_text(campaign(project).read_text().replace(TEST, ""))
    untested = run(project, "compare", "renewals", "--by", "script")
    assert untested.exit_code == 1
    assert "tests no scripts: write `script_test`" in " ".join(untested.output.split())


def test_attempts_are_exported_with_their_script(project: Path) -> None:
    dialed(project, short=(1, 1))
    done = run(project, "export", "renewals")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    assert row["script"] == "opening/short"


FIRST = Arm("classic", 1, 900, 500, 100)
SHORT = Arm("short", 1, 910, 510, 90, -0.0235, -0.1, 0.053)
FOUND = Compared("opening", (FIRST, SHORT), 0.81, 0.75, 0, 0, 0)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (FOUND, "(p = 0.81)"),
        (FOUND, "no difference seen yet. It may be as much as 10.0 points worse than classic, or 5.3 better"),
        (FOUND, "with classic 20.0% reach the goal. A script that leads to 24.0% after some 3,"),
        (FOUND, "By now there are 1,010."),
        (
            replace(FOUND, arms=(replace(FIRST, goal=9), replace(SHORT, more=None, goal=30))),
            "with the scripts 3.9% reach the goal",
        ),
        (
            replace(FOUND, arms=(replace(FIRST, goal=4), replace(SHORT, more=None, goal=5))),
            "can be said once 10 people reached the goal and 10 did not; by now 9 of 1,010 did",
        ),
        (replace(FOUND, arms=(FIRST, replace(SHORT, share=3), SHORT)), "classic and short together. By now"),
        (replace(FOUND, arms=(FIRST, Arm("short", 1, 9, 3, 1))), "too early to say"),
        (
            replace(FOUND, arms=(FIRST, replace(SHORT, more=-0.1, more_least=-0.15, more_most=-0.05))),
            "less often than classic: by 5.0 to 15.0 people of a hundred",
        ),
        (replace(FOUND, p_dialed=None), "Too few leads were dialed to tell"),
        (replace(FOUND, gone=3), "3 leads were drawn for scripts that are not written any more"),
        (replace(FOUND, crossed=2, unfinished=4), "2 leads heard another script later"),
        (replace(FOUND, unfinished=4), "4 conversations whose end nobody has told yet"),
    ],
)
def test_in_plain_words(found: Compared, said: str) -> None:
    assert said in " ".join(conclusion(found))


def test_a_test_that_may_end_needs_no_size() -> None:
    found = replace(FOUND, arms=(FIRST, replace(SHORT, more=-0.1, more_least=-0.15, more_most=-0.05)))
    assert "How large" not in " ".join(conclusion(found))


def test_a_table_for_who_wants_the_numbers() -> None:
    console = Console(width=140, file=io.StringIO())
    console.print(table(FOUND, ScriptTest("opening", (Script("classic"), Script("short")), talk_s=30.0)))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "goal: 30 s of talk" in text
    assert "-2.4 (-10.0 to +5.3)" in text
