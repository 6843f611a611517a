"""A configuration that served is there when the files are broken."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from core.events import ReleaseActivated
from definitions.problems import Problem, Problems
from engine import releases
from engine.book import JournalBook
from engine.cli import lazy
from engine.cli.app import app
from engine.cli.service import _last_good
from engine.clock import AnchoredClock
from engine.config.loader import load
from engine.config.sources import pack
from engine.home import Home
from store.cipher import ContactCipher
from store.journal import Journal

FILES = {
    "config/site.yaml": "site: t\nlanguages: [es]\n",
    "config/numbers/default.yaml": "default: yes\nflow: f\n",
    "config/devices/1001.yaml": 'device: "1001"\n',
    "flows/f.yaml": "flow: f\nstart: a\nnodes: {a: {type: hangup}}\n",
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path, tmp_path / "var")
    home.prepare()
    return home


async def serve(home: Home) -> str:
    configuration = load(FILES).configuration
    assert configuration is not None
    with ContactCipher.open(home.state) as cipher:
        journal = Journal.open(home.journal, cipher, lambda problem: None)
        journal.save_release(configuration.release_id, pack(configuration.sources))
        event = ReleaseActivated(configuration.release_id)
        JournalBook(journal, cipher, AnchoredClock()).write_state("release", event, 1.0, configuration.release_id)
        await journal.close()
    return configuration.release_id


def test_where_nothing_served_there_is_none(home: Home) -> None:
    assert releases.last_good(home) is None
    home.journal.write_bytes(b"no journal at all")
    assert releases.last_good(home) is None


def test_what_served_last_serves_again(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    release_id = asyncio.run(serve(home))
    found = releases.last_good(home)
    assert found is not None
    assert found.release_id == release_id
    broken_flow = Problems([Problem("flows/f.yaml", 1, 1, "wrong")])
    assert _last_good(home, broken_flow).release_id == release_id
    assert "the last good release serves" in capsys.readouterr().err


def test_a_broken_flow_takes_no_phone_away(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CENTRALITA_HOME", str(home.project))
    monkeypatch.delenv("CENTRALITA_STATE", raising=False)
    asyncio.run(serve(home))
    for name, text in {**FILES, "flows/g.yaml": "flow: g\nbad: [\n"}.items():
        (home.project / name).parent.mkdir(parents=True, exist_ok=True)
        (home.project / name).write_text(text)
    shown = CliRunner().invoke(app, ["accounts", "--json"])
    assert (shown.exit_code, [row["user"] for row in json.loads(shown.stdout)]) == (0, ["main-1001"])
    found = lazy._account("1001")
    assert found is not None, "`centralita phone`"
    assert found.account == "main-1001"


def test_a_broken_site_does_not_start(home: Home) -> None:
    asyncio.run(serve(home))
    with pytest.raises(typer.Exit) as ended:
        _last_good(home, Problems([Problem("config/site.yaml", 1, 1, "wrong")]))
    assert ended.value.exit_code == 5


def test_a_project_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CENTRALITA_HOME", raising=False)
    with pytest.raises(FileNotFoundError, match="no project here: run this inside"):
        Home.find()
    with pytest.raises(FileNotFoundError, match=f"there is no project in {tmp_path}/none"):
        Home.find(tmp_path / "none")
