"""Nobody believes that an emergency number can be dialed when it cannot."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from engine.cli.app import app
from engine.cli.doctor import examine
from engine.cli.welcome import welcome
from engine.config.loader import load
from engine.config.outbound_file import emergency_warnings
from engine.home import Home, SecretBox
from engine.node_settings import node_settings

FILES = {
    "config/site.yaml": "site: t\nlanguages: [es]\n",
    "config/numbers/default.yaml": "default: yes\nflow: f\n",
    "config/devices/1001.yaml": 'device: "1001"\n',
    "flows/f.yaml": "flow: f\nstart: a\nnodes: {a: {type: hangup}}\n",
}
TRUNK = {"config/trunks/carrier.yaml": "trunk: carrier\nhost: 10.0.0.1\n"}


def written(project: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)


def outbound(text: str) -> dict[str, str]:
    return {"config/outbound.yaml": text}


@pytest.mark.parametrize(
    ("files", "place", "numbers"),
    [
        ({}, "config/outbound.yaml:1:1", "112"),
        (outbound("rules: []\n"), "config/outbound.yaml:1:1", "112"),
        (outbound('rules: []\nemergency:\n  numbers: ["112", "061"]\n'), "config/outbound.yaml:3:3", "112, 061"),
    ],
)
def test_without_a_trunk_it_is_said_where_one_belongs(files: dict[str, str], place: str, numbers: str) -> None:
    loaded = load({**FILES, **files})
    assert loaded.configuration is not None
    (warning,) = emergency_warnings(loaded.configuration)
    assert str(warning).startswith(f"{place}: warning: the emergency numbers {numbers} have no trunk")
    assert "config/trunks/" in warning.hint


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("emergency: {trunk: carrier, failover: [spare]}\n", "1:40", "there is no trunk 'spare'"),
        ("emergency: {failover: [carrier]}\n", "1:23", "failover without a trunk"),
        ("emergency: {trunk: carrier, failover: [carrier]}\n", "1:39", "a trunk is named twice"),
        (
            "rules:\n  - {name: spain, prefixes: ['+34'], trunk: carrier, failover: [spare]}\n",
            "2:65",
            "there is no trunk 'spare'",
        ),
    ],
)
def test_other_trunks_that_cannot_take_over_are_refused(text: str, place: str, what: str) -> None:
    loaded = load({**FILES, **TRUNK, **outbound(text)})
    assert loaded.configuration is None
    (problem,) = loaded.problems.errors
    assert str(problem).startswith(f"config/outbound.yaml:{place}: {what}")


@pytest.mark.parametrize(
    "files",
    [
        {**TRUNK, **outbound('emergency: {numbers: ["112"], trunk: carrier}\n')},
        outbound("emergency: {numbers: []}\n"),
    ],
)
def test_nothing_is_said_where_they_reach_somebody_or_there_are_none(files: dict[str, str]) -> None:
    loaded = load({**FILES, **files})
    assert loaded.configuration is not None
    assert not list(emergency_warnings(loaded.configuration))


def test_check_says_it_and_passes(tmp_path, monkeypatch) -> None:
    written(tmp_path, FILES)
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    checked = CliRunner().invoke(app, ["check"])
    assert (checked.exit_code, "config/outbound.yaml:1:1" in checked.output) == (0, True)
    assert "1 warning" in checked.output


def test_a_strict_check_does_not_pass(tmp_path, monkeypatch) -> None:
    written(tmp_path, FILES)
    monkeypatch.setenv("CENTRALITA_HOME", str(tmp_path))
    assert CliRunner().invoke(app, ["check", "--strict"]).exit_code == 1
    written(tmp_path, {**TRUNK, **outbound('emergency: {numbers: ["112"], trunk: carrier}\n')})
    checked = CliRunner().invoke(app, ["check", "--strict"])
    assert (checked.exit_code, "all right" in checked.output) == (0, True)


@pytest.mark.parametrize(
    ("files", "loud"), [({}, True), ({**TRUNK, **outbound('emergency: {numbers: ["112"], trunk: carrier}\n')}, False)]
)
def test_whoever_starts_it_reads_it_first(tmp_path, files: dict[str, str], loud: bool) -> None:
    configuration = load({**FILES, **files}).configuration
    assert configuration is not None
    home = Home(tmp_path / "project", tmp_path / "var")
    home.prepare()
    node = node_settings(home, configuration, SecretBox(home.state / "secrets.json"))
    console = Console(width=200, record=True, file=StringIO())
    console.print(welcome(home, node, configuration, {}))
    lines = console.export_text().splitlines()
    assert ("112 reach nobody" in lines[1]) is loud


@pytest.mark.parametrize(
    ("files", "verdict", "says"),
    [
        ({}, "warning", "112 have no trunk"),
        ({**TRUNK, **outbound('emergency: {numbers: ["112", "061"], trunk: carrier}\n')}, "ok", "112, 061 over trunk"),
    ],
)
def test_the_doctor_says_it_too(tmp_path, files: dict[str, str], verdict: str, says: str) -> None:
    written(tmp_path, {**FILES, **files})
    found = next(each for each in examine(Home(tmp_path, tmp_path / "var")) if each.what == "emergency calls")
    assert (found.verdict, found.says.startswith(says)) == (verdict, True)
