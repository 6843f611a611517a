"""Campaigns on a terminal, and what came of them as CSV."""

from __future__ import annotations

import asyncio
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from desk.fake_dialer import campaign_view
from engine.cli import campaign
from engine.cli.app import app
from engine.cli.campaign_results import export_csv
from engine.cli.campaign_view import campaign_table
from engine.home import Home
from store.sql.database import LEADS, Database
from store.sql.leads import SqlLeadStore
from tests.contract.lead_stage import NOW_S, attempt, lead, save

LONG = "appointment_reminders_of_the_south_branch"


def shown(width: int, *names: str) -> str:
    views: list[dict[str, Any]] = [campaign_view("main", name, "", "predictive", "sales", name) for name in names]
    page = Console(file=io.StringIO(), width=width)
    page.print(campaign_table(views, width))
    return page.file.getvalue()  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("width", [48, 60, 80, 100, 120, 200])
def test_no_name_of_a_campaign_is_cut(width: int) -> None:
    page = shown(width, "renewals", "appointment_reminders")
    assert "…" not in page
    assert "renewals " in page
    assert "stopped" in page
    assert "appointment_reminders " in page
    assert all(len(line) <= width for line in page.splitlines())
    lines = [line.strip().split("  ")[0] for line in shown(width, LONG).splitlines() if line.strip()]
    assert "".join(lines[2:]) == LONG


def test_a_wide_terminal_shows_everything() -> None:
    assert all(name in shown(120, "renewals") for name in ("mode", "connected", "spare", "hopper"))


def test_each_field_of_the_form_has_a_column_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "site.yaml").write_text("site: acme\ncountry: ES\nlanguages: [es]\n")
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    home = Home.find(tmp_path)
    home.state.mkdir(parents=True, exist_ok=True)

    async def fill() -> None:
        database = Database(home.leads_url, LEADS)
        await database.upgrade()
        ana = lead("ana", name="Ana")
        tried = [
            attempt("a", "ana", ana.numbers[0].number, NOW_S, answers={"sum": "90.50", "note": "=1+1"}),
            attempt("b", "gone", "+34600000002", NOW_S + 1.0, answers={"pay_on": "2026-12-01"}),
            attempt("c", "ana", ana.numbers[0].number, NOW_S + 2.0),
        ]
        await SqlLeadStore(database).save([save(ana), *map(save, tried)])
        await database.close()

    asyncio.run(fill())
    file = tmp_path / "out.csv"
    assert export_csv(home, "main", "c1", file, 0.0) == 3
    first, second, third = csv.DictReader(file.open(encoding="utf-8"))
    assert (first["name"], first["form.sum"], first["form.pay_on"]) == ("Ana", "90.50", "")
    assert not first["form.note"].startswith("="), "a spreadsheet must not take it for a formula"
    assert (second["form.pay_on"], second["form.sum"]) == ("2026-12-01", "")
    assert [third[name] for name in third if name.startswith("form.")] == ["", "", ""]


def test_whether_promises_were_kept_is_told_of_several_leads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str, str]] = []

    def refusal(home: object, fact: str, fields: dict[str, str], path: str) -> str:
        asked.append((fields["lead_id"], fields["action"], fields["tenant"]))
        return "this lead has promised nothing" if fields["lead_id"] == "l2" else ""

    monkeypatch.setattr(campaign, "home_of", lambda project: None)
    monkeypatch.setattr(campaign, "refusal", refusal)
    done = CliRunner().invoke(app, ["campaign", "kept", "l1", "l2", "--tenant", "acme"])
    assert (done.exit_code, done.output) == (1, "l1: kept\nl2: this lead has promised nothing\n")
    assert CliRunner().invoke(app, ["campaign", "broken", "l3"]).exit_code == 0
    assert asked == [("l1", "kept", "acme"), ("l2", "kept", "acme"), ("l3", "broken", "main")]


def test_who_starts_a_campaign_is_told_that_nobody_is_to_be_dialed(monkeypatch: pytest.MonkeyPatch) -> None:
    told = "there is no lead to dial, spring is empty: centralita lists import FILE --list spring"
    monkeypatch.setattr(campaign, "home_of", lambda project: None)
    monkeypatch.setattr(campaign, "do", lambda *words: {"ok": True, "told": told})
    monkeypatch.setattr(campaign, "ask", lambda *words: {"state": "running", "why": ""})
    done = CliRunner().invoke(app, ["campaign", "start", "spring"])
    assert (done.exit_code, done.output) == (0, f"spring: running\n{told}\n")
