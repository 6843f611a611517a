"""What another user's files are answered with: whose they are and what to do, and no traceback."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli import app as command_line
from engine.cli.app import app
from engine.cli.belongings import whose

ME = pwd.getpwuid(os.geteuid()).pw_name
NOBODY = 65534


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/site.yaml").write_text("site: t\nlanguages: [es]\n")
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    monkeypatch.setenv("CENTRALITA_STATE", str(tmp_path / "var"))
    (tmp_path / "var").mkdir()
    return tmp_path


def refused(path: Path) -> PermissionError:
    return PermissionError(13, "Permission denied", str(path))


def test_a_command_that_meets_them_says_whose_they_are(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def meets_them() -> None:
        raise refused(project / "var" / "master.key")

    monkeypatch.setattr(command_line, "app", meets_them)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    assert ended.value.code == 1
    assert f"{project / 'var' / 'master.key'} may not be used" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_of_the_nearest_directory_that_can_be_seen_is_named(tmp_path: Path) -> None:
    os.chown(tmp_path, NOBODY, -1)
    owner = pwd.getpwuid(NOBODY).pw_name
    said = whose(refused(tmp_path / "var" / "secrets.json"))
    assert f"may not be used by {ME}: {tmp_path} is {owner}'s. Run this as {owner}" in said
    assert f"chown -R {ME} {tmp_path}" in said


def test_what_is_ones_own_needs_a_right(tmp_path: Path) -> None:
    assert f"chmod u+rwX {tmp_path}" in whose(refused(tmp_path))
    assert whose(PermissionError("no")) == "this may not be done: no"


def test_nobody_says_that_nothing_runs_where_she_may_not_look(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert CliRunner().invoke(app, ["status"]).exit_code == 3
    monkeypatch.setattr(os, "access", lambda *_: False)
    told = CliRunner().invoke(app, ["status"])
    assert (told.exit_code, f"{project / 'var'} may not be used" in told.output.replace("\n", "")) == (1, True)


@pytest.mark.parametrize("state", ["config/site.yaml", "config/site.yaml/var"])
def test_a_state_directory_that_cannot_be_one_is_told(
    project: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setenv("CENTRALITA_STATE", str(project / state))
    told = CliRunner().invoke(app, ["up"])
    assert told.exit_code == 5
    assert "cannot be the state directory" in told.output.replace("\n", "")
