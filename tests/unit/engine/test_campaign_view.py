"""Campaigns on a terminal, and what came of them as CSV."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from typer.testing import CliRunner

from core.lead import LeadState
from core.lead_record import LeadNumber, Promise
from desk.fake_dialer import campaign_view
from engine.cli import campaign
from engine.cli.app import app
from engine.cli.campaign_results import export_csv
from engine.cli.campaign_view import campaign_page, campaign_table, moment, why_page
from engine.dialer_views import by_state
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


def test_a_campaigns_page_says_how_full_its_quotas_are() -> None:
    view = campaign_view("main", "renewals", "Renewals", "predictive", "sales", "spring")
    view["quotas"] = [{"name": "enough_sold", "most": 400, "reached": 12}, {"name": "soria", "most": 20, "reached": 20}]
    page = Console(file=io.StringIO(), width=100)
    page.print(campaign_page(view, NOW_S))
    assert "quotas  enough_sold 12 of 400 · soria 20 of 20, reached\n" in page.file.getvalue()  # type: ignore[attr-defined]


def test_who_is_being_dialed_is_not_counted_as_staged() -> None:
    """The store hears of an attempt when it is over."""
    known = {LeadState.STAGED: 22, LeadState.DONE: 2}
    assert {name: n for name, n in by_state(known, 2).items() if n} == {"staged": 20, "dialing": 2, "done": 2}
    assert sum(by_state({LeadState.DONE: 24}, 2).values()) == 24, "it has counted them as done already"


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


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_campaigns_page_cuts_nothing_where_the_terminal_is_narrow(width: int) -> None:
    view = campaign_view("main", "renewals", "Renewals", "predictive", "sales", "spring")
    limit = {"rule": "es/abandonment", "most": 0.03, "live": 200, "abandoned": 3, "ratio": 0.015, "spare": 2}
    view["abandonment"] = [{**limit, "machines": 40, "at_worst": 5, "until_s": NOW_S}]
    why = "no agent is there; 1 agent is logged in but not on a held line: *455"
    view["decisions"] = [{"at_s": NOW_S - 65.0, "count": 0, "ready": 0, "lines": 0, "why": why}]
    page = Console(file=io.StringIO(), width=width)
    page.print(campaign_page(view, NOW_S))
    shown = page.file.getvalue()  # type: ignore[attr-defined]
    assert "…" not in shown
    assert all(len(line) <= width for line in shown.splitlines())
    words = " ".join(shown.split())
    assert "3 of 200 live abandoned, 1.50%; at most 3.0%, 2 more may still be" in words
    assert "people at worst 5" in words
    for name in ("leaving message", "on held lines", "dialed today", "in flight", "held line:"):
        assert name in words


def test_decisions_for_the_same_reason_are_one_line_with_since_and_until() -> None:
    view = campaign_view("main", "renewals", "Renewals", "predictive", "sales", "spring")
    run = {"ready": 2, "lines": 3, "why": "one line for each ready agent"}
    view["decisions"] = [
        {**run, "since_s": NOW_S - 65.0, "at_s": NOW_S - 2.0, "times": 14, "count": 21},
        {**run, "since_s": NOW_S - 70.0, "at_s": NOW_S - 70.0, "times": 1, "count": 0, "why": "no agent is ready"},
    ]
    page = Console(file=io.StringIO(), width=100)
    page.print(campaign_page(view, NOW_S))
    lines = [" ".join(line.split()) for line in page.file.getvalue().splitlines()]  # type: ignore[attr-defined]
    assert "1:05 to 0:02 ago 14 21 2 3 one line for each ready agent" in lines
    assert "1:10 ago 1 0 2 3 no agent is ready" in lines


@pytest.mark.parametrize("width", [80, 120])
def test_why_shows_times_and_numbers_whole(width: int) -> None:
    block = {"rule": "es/commercial_hours", "why": "it is Sun 21:05 in Europe/Madrid"}
    number = {"number": "+34910123410", "allowed": False, "dead": "", "blocks": [block], "next_s": NOW_S}
    told = {"lead_id": "ana", "state": "new", "sentences": [], "numbers": [number], "attempts": [], "next_s": NOW_S}
    page = Console(file=io.StringIO(), width=width)
    page.print(why_page(told))
    shown = page.file.getvalue()  # type: ignore[attr-defined]
    line = next(line for line in shown.splitlines() if "+34910123410" in line)
    assert moment(NOW_S) in line


def test_why_tells_the_time_by_the_sites_clock() -> None:
    number = {"number": "+34910123410", "allowed": False, "dead": "", "blocks": [], "next_s": NOW_S}
    past = {"dialed_s": NOW_S, "number": "+34910123410", "state": "busy"}
    told = {"lead_id": "ana", "state": "new", "sentences": [], "numbers": [number], "attempts": [past], "next_s": NOW_S}
    page = Console(file=io.StringIO(), width=100)
    page.print(why_page(told, ZoneInfo("Asia/Tokyo")))
    shown = page.file.getvalue()  # type: ignore[attr-defined]
    assert shown.count(moment(NOW_S + 9 * 3600.0)) == 3


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


@pytest.mark.parametrize(
    ("count", "state", "told"),
    [
        (0, "running", "spring: running\nnobody is dialed yet: nobody may be called at this hour\n"),
        (2, "running", "spring: running\n"),
        (0, "paused", "spring: paused (a register is missing)\n"),
    ],
)
def test_who_starts_a_campaign_is_told_what_its_first_decision_was(
    monkeypatch: pytest.MonkeyPatch, count: int, state: str, told: str
) -> None:
    views = [
        {"state": "stopped", "why": "", "decisions": []},
        {"state": "running", "why": "", "decisions": []},
        {
            "state": state,
            "why": "" if state == "running" else "a register is missing",
            "decisions": [{"at_s": 5.0, "count": count, "why": "nobody may be called at this hour"}],
        },
    ]
    monkeypatch.setattr(campaign, "home_of", lambda project: None)
    monkeypatch.setattr(campaign, "do", lambda *words: {"ok": True})
    monkeypatch.setattr(campaign, "ask", lambda *words: views.pop(0))
    monkeypatch.setattr(campaign, "_LOOK_S", 0.0)
    done = CliRunner().invoke(app, ["campaign", "start", "spring"])
    assert (done.exit_code, done.output) == (0, told)


@pytest.fixture
def leads_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "site.yaml").write_text("site: acme\ncountry: ES\nlanguages: [es]\n")
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    home = Home.find(tmp_path)
    home.state.mkdir(parents=True, exist_ok=True)

    async def fill() -> None:
        database = Database(home.leads_url, LEADS)
        await database.upgrade()
        numbers = {"ana": "+34910123410", "eva": "+34910123411", "pau": "+34910123411"}
        promised = Promise("promise", "2026-12-01", NOW_S + 5e5, NOW_S + 7e5)
        leads = [
            lead(
                name,
                name=name.title(),
                numbers=(LeadNumber(each),),
                external_id=f"crm-{name}",
                promise=promised if name == "eva" else None,
            )
            for name, each in numbers.items()
        ]
        await SqlLeadStore(database).save([save(each) for each in leads])
        await database.close()

    asyncio.run(fill())
    monkeypatch.setattr(campaign, "home_of", lambda project: home)
    return home


def answers_about_ana(home: object, method: str, path: str) -> dict[str, Any]:
    lead_id = path.rsplit("/", 1)[-1]
    about = {"ok": True, "lead_id": "ana", "state": "new", "sentences": [], "numbers": [], "attempts": []}
    return {**about, "next_s": None} if lead_id == "ana" else {"ok": False, "why": f"there is no lead '{lead_id}'"}


@pytest.mark.usefixtures("leads_home")
@pytest.mark.parametrize("asked", ["ana", "crm-ana", "910123410", "910 12 34 10", "+34 910-12-34-10", "0034910123410"])
def test_a_lead_is_found_by_her_number_as_people_write_it(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "ask", answers_about_ana)
    told = CliRunner().invoke(app, ["why", asked, "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["lead_id"] == "ana"


@pytest.mark.usefixtures("leads_home")
@pytest.mark.parametrize("asked", ["eva", "crm-eva", "910123411", "0034 910 12 34 11"])
def test_who_kept_a_promise_is_found_as_why_finds_her(asked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two leads with that number the one who has promised something."""
    told: list[str] = []

    def refusal(home: object, fact: str, fields: dict[str, str], path: str) -> str:
        told.append(fields["lead_id"])
        return "" if fields["lead_id"] == "eva" else f"there is no lead '{fields['lead_id']}'"

    monkeypatch.setattr(campaign, "refusal", refusal)
    done = CliRunner().invoke(app, ["campaign", "kept", asked])
    assert (done.exit_code, done.output) == (0, f"{asked}: kept\n")
    assert told[-1] == "eva"
    nobody = CliRunner().invoke(app, ["campaign", "broken", "910123499"])
    assert nobody.exit_code == 1
    assert "no lead has the number +34910123499" in nobody.output


@pytest.mark.usefixtures("leads_home")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("910123411", ("eva  spring  new  Eva", "pau  spring  new  Pau", "2 leads have the number +34910123411")),
        ("910123499", ("no lead has the number +34910123499", "centralita dnc show +34910123499")),
        ("nobody", ("there is no lead 'nobody'", "is no phone number")),
    ],
)
def test_a_number_of_several_leads_lists_them_and_one_of_nobody_says_so(
    asked: str, said: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "ask", answers_about_ana)
    told = CliRunner().invoke(app, ["why", asked])
    assert told.exit_code == 1
    assert all(each in " ".join(told.output.split("\n")) for each in said), told.output
