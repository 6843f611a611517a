"""`centralita campaign compare`, over a store with attempts."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from dialer.compare import Compared
from engine.cli.app import app
from engine.cli.campaign_compare import comparison
from engine.home import Home
from store.sql.database import LEADS, Database
from store.sql.leads import SqlLeadStore
from tests.contract.lead_stage import NOW_S, attempt, save


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The number with the better share was shown in the evening alone; in the same hours the other one is as good."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "site.yaml").write_text("site: acme\ncountry: ES\nlanguages: [es]\n")
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    home = Home.find(tmp_path)
    home.state.mkdir(parents=True, exist_ok=True)
    wanted = [("+34910000001", 10, 40, 4), ("+34910000001", 0, 4, 0), ("+34910000002", 0, 40, 2)]

    async def fill() -> None:
        database = Database(home.leads_url, LEADS)
        await database.upgrade()
        made = []
        for identity, hours, dialed, live in wanted:
            for number in range(dialed):
                id_ = f"{identity}-{hours}-{number}"
                how = {"state": "completed" if number < live else "no_answer", "identity": identity}
                made.append(attempt(id_, id_, "+34600000001", NOW_S + hours * 3600.0, **how))
        await SqlLeadStore(database).save(list(map(save, made)))
        await database.close()

    asyncio.run(fill())
    return tmp_path


def test_numbers_are_compared_in_like_hours(project: Path) -> None:
    done = CliRunner().invoke(app, ["campaign", "compare", "c1", "-p", str(project), "--json"])
    assert done.exit_code == 0, done.output
    first, second = json.loads(done.output)
    assert (first["group"], first["dialed"], first["live"]) == ("+34910000001", 44, 4)
    assert (second["group"], second["dialed"], second["live"]) == ("+34910000002", 40, 2)
    assert first["more"] == pytest.approx(-0.05), "of the hour in which both were shown"
    assert not first["differs"]


def test_in_words(project: Path) -> None:
    alone, console = Compared("1", 1_084, 6, 0.03, 0.15), Console(width=140, file=io.StringIO())
    console.print(comparison([alone, replace(alone, more=0.1, more_least=0.02, more_most=0.18)], "try"))
    first, second = [line for line in console.file.getvalue().splitlines() if "1,084" in line]
    assert "nothing like it to compare with" in first
    assert "+10.0 (+2.0 to +18.0) │ more" in second
    done = CliRunner().invoke(app, ["campaign", "compare", "c1", "--by", "try", "-p", str(project)])
    assert done.exit_code == 0, done.output
    nobody = CliRunner().invoke(app, ["campaign", "compare", "c1", "--since", "2090-01-01", "-p", str(project)])
    assert nobody.exit_code == 1
    assert "has dialed nobody since 2090-01-01" in nobody.output
