"""`centralita campaign create`, as people use it: checked as a whole, refused in words, nothing overwritten."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from desk.lists.registers import registers_directory, write_register
from engine.cli import campaign_create, client
from engine.cli.app import app
from engine.config.loader import load
from engine.config.sources import read_sources
from tests.unit.dialer.law_case import ROOT

SALES = (
    *("spring", "--mode", "predictive", "--purpose", "sales", "--pack", "es", "--list", "cold=3", "--list", "warm"),
    *("--queue", "sales", "--caller-id", "+34910100199", "--drop", "safe_harbour"),
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("config", "flows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("sounds"))
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def run(*words: str, **more: Any) -> Result:
    return CliRunner().invoke(app, ["campaign", "create", *words], **more)


def campaigns(project: Path) -> list[str]:
    return sorted(file.name for file in (project / "config" / "campaigns").iterdir())


def test_a_campaign_told_by_options_is_whole_and_says_what_comes_next(project: Path) -> None:
    done = run(*SALES)
    assert done.exit_code == 0, done.output
    assert "config/campaigns/spring.yaml is written." in done.output
    assert "centralita lists import FILE --list cold" in done.output
    said = " ".join(done.output.split())
    assert "Before it may dial: the register es-robinson has not been imported: centralita dnc import FILE" in said
    assert "on a held line: they dial *455" in said
    loaded = load(read_sources(project)).configuration
    assert loaded is not None
    made = loaded.campaigns.campaigns["main", "spring"]
    assert (made.mode.value, made.purpose.value, made.queue) == ("predictive", "sales", "sales")
    assert [(share.list_id, share.weight) for share in made.lists] == [("cold", 3), ("warm", 1)]
    assert made.caller_ids[0].numbers == ("+34910100199",)
    assert (made.drop_action, made.drop_flow) == ("message", "safe_harbour")


def test_an_agentless_one_says_how_fast_it_calls(project: Path) -> None:
    words = ("calls", "--mode", "agentless", "--purpose", "reminder", "--pack", "es", "--list", "dates")
    done = run(*words, "--flow", "reminder", "--caller-id", "+34910100199", "--max-lines", "4", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "ok": True,
        "file": "config/campaigns/calls.yaml",
        "in_force": False,
        "problems": json.loads(done.stdout)["problems"],
    }
    text = (project / "config/campaigns/calls.yaml").read_text()
    assert yaml.safe_load(text)["pacing"] == {"max_lines": 4}
    assert text.startswith("# yaml-language-server: $schema=../../docs/schema/campaign.json\n")


def test_what_is_there_stays_as_it_is(project: Path) -> None:
    file = project / "config/campaigns/renewals.yaml"
    before = file.read_bytes()
    again = run("renewals", *SALES[1:])
    assert again.exit_code == 1
    assert "is there already" in again.output
    assert file.read_bytes() == before


@pytest.mark.parametrize("mode", ["manual", "preview", "progressive", "power", "predictive", "agentless"])
def test_what_is_asked_for_is_enough_for_every_mode(project: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    monkeypatch.setattr(campaign_create, "_can_ask", lambda: True)
    lists, talks = ([] if mode == "manual" else ["new"]), ("reminder" if mode == "agentless" else "sales")
    answers = ["autumn", mode, "service", "es", *lists, talks, "+34910100199", ""]
    done = run(input="\n".join(answers) + "\n")
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "still to be told: NAME, --mode, --purpose, --pack, --list, --queue, --caller-id"),
        (("spring", "--mode", "agentless"), 2, "--purpose, --pack, --list, --flow, --caller-id"),
        (("../x", *SALES[1:]), 2, "'../x' is no name"),
        ((*SALES, "--queue", "salse"), 1, "there is no queue 'salse': did you mean 'sales'?"),
        ((*SALES, "--purpose", "fun"), 1, "'fun' is not a purpose"),
        ((*SALES, "--list", "renewals"), 1, "the list 'renewals' belongs to campaign renewals already"),
        ((*SALES, "--list", "warm=x"), 2, "the weight is a whole number, like warm=3"),
        ((*SALES, "--list", "warm=0"), 2, "the weight is a whole number, like warm=3"),
        ((*SALES, "--list", "cold", "--list", "cold=2"), 2, "--list cold is told twice"),
        ((*SALES, "--drop", "hangup"), 2, "--drop hangup: to hang up, write hang_up"),
        ((*SALES, "--caller-id", "112"), 1, "'112' is no public number"),
        ((*SALES, "--drop", "nowhere"), 1, "there is no flow 'nowhere'"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(
    project: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    before = campaigns(project)
    refused = run(*words)
    assert refused.exit_code == code, refused.output
    assert said in " ".join(refused.output.split())
    assert campaigns(project) == before


def test_everything_wrong_is_said_at_once_also_for_scripts(project: Path) -> None:
    refused = run(*SALES, "--queue", "salse", "--drop", "nowhere", "--json")
    assert refused.exit_code == 1
    told = json.loads(refused.stdout)
    assert (told["ok"], len(told["problems"])) == (False, 2)


def test_a_configuration_with_errors_is_mended_first(project: Path) -> None:
    (project / "config" / "skills.yaml").write_text("skills: [")
    refused = run(*SALES)
    assert (refused.exit_code, "centralita check" in refused.output) == (1, True)
    assert "spring.yaml" not in campaigns(project)


def test_what_is_not_told_is_asked(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign_create, "_can_ask", lambda: True)
    answers = ["autumn", "telepathic", "progressive", "service", "es, strict-zero", "old new", "billing"]
    done = run(input="\n".join([*answers, "+34910100199", "", ""]))
    assert done.exit_code == 0, done.output
    written = yaml.safe_load((project / "config/campaigns/autumn.yaml").read_text())
    assert written == {
        "campaign": "autumn",
        "mode": "progressive",
        "purpose": "service",
        "packs": ["es", "strict-zero"],
        "lists": ["old", "new"],
        "queue": "billing",
        "caller_ids": [{"name": "all", "numbers": ["+34910100199"]}],
        "drop": {"action": "message", "flow": "safe_harbour"},
    }


def test_a_running_engine_puts_it_in_force(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As over the API: the engine writes and reloads; what it refuses is not there."""
    asked: list[tuple[str, Any]] = []
    answer = {"ok": True, "file": "config/campaigns/spring.yaml", "problems": []}

    def post(home: object, path: str, body: Any) -> dict[str, Any]:
        asked.append((path, body))
        return answer

    monkeypatch.setattr(client, "if_running", lambda home, path: {"state": "running"})
    monkeypatch.setattr(client, "post", post)
    done = run(*SALES)
    assert (done.exit_code, "in force; it is stopped" in done.output) == (0, True)
    ((path, body),) = asked
    assert (path, body["campaign"], body["replace"]) == ("/dialer/files", "spring", False)
    answer.clear()
    answer.update(ok=False, why="the disk is full")
    refused = run(*SALES)
    assert (refused.exit_code, "nothing was written: the disk is full" in refused.output) == (1, True)


def test_check_warns_of_campaigns_that_want_for_a_register_until_it_is_there(project: Path) -> None:
    def told() -> list[str]:
        checked = CliRunner().invoke(app, ["check", "--json"])
        assert checked.exit_code == 0, checked.output
        found = json.loads(checked.stdout)["problems"]
        return [each["file"] for each in found if "this campaign dials nobody" in each["what"]]

    assert run(*SALES).exit_code == 0
    assert told() == ["config/campaigns/renewals.yaml", "config/campaigns/spring.yaml"]
    place, now_s = registers_directory(project / "var"), time.time()
    write_register(place, "es-robinson", np.array([34911000111], np.uint64), now_s - 86400.0, now_s)
    assert told() == []
    write_register(place, "es-robinson", np.array([34911000111], np.uint64), now_s - 400 * 86400.0, now_s)
    assert len(told()) == 2
