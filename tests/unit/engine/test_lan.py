"""`make run LAN=1`: phones on the table reach us, and nothing but SIP and audio leaves loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from engine import node_settings as settings_module
from engine import supervisor
from engine.cli.app import app
from engine.home import Home
from engine.supervisor import AlreadyUp, Plan
from telephony.node import installation
from telephony.node.installation import Installation
from telephony.node.render import render

PROJECT = Path(__file__).resolve().parents[3]
LAN = "192.0.2.7"
FILES = {
    "config/site.yaml": "site: t\nlanguages: [es]\n",
    "config/devices/1001.yaml": 'device: "1001"\n',
    "config/numbers/default.yaml": "default: yes\nflow: f\n",
    "flows/f.yaml": "flow: f\nstart: a\nlanguages: [es]\nnodes: {a: {type: hangup}}\n",
}


class Started:
    """In the supervisor's place: keeps what would have been started."""

    plans: list[Plan] = []

    def __init__(self, plan: Plan, on_event: object = None) -> None:
        self.plans.append(plan)

    async def start(self, *_: object) -> None:
        raise AlreadyUp("enough")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    place = Path("/usr/share/asterisk")
    there = Installation(Path("/usr/sbin/asterisk"), "22.10.1", place / "modules", place)
    monkeypatch.setattr(installation, "find", lambda: there)
    monkeypatch.setattr(supervisor, "Supervisor", Started)
    monkeypatch.setattr(settings_module, "lan_address", lambda: LAN)
    Started.plans.clear()
    return Home.find(tmp_path, tmp_path / "var")


def run(home: Home, *words: str) -> Result:
    environment = {"CENTRALITA_STATE": str(home.state), "COLUMNS": "120"}
    return CliRunner().invoke(app, [*words, "--project", str(home.project)], env=environment)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize(("given", "expected"), [([], "up"), (["LAN=1"], "up --lan")])
def test_make_passes_it_on(given: list[str], expected: str) -> None:
    # Not what the make that runs the tests was told.
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = ["make", "-n", "run", *given]
    shown = subprocess.run(command, cwd=PROJECT, env=clean, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in shown.splitlines() if "/centralita " in line]
    assert line.split("/centralita ")[1].split() == expected.split()


@pytest.mark.parametrize(
    ("words", "address"), [((), "127.0.0.1"), (("--lan",), LAN), (("--bind", "192.0.2.9"), "192.0.2.9")]
)
def test_sip_listens_where_it_was_told_to(words: tuple[str, ...], address: str, home: Home) -> None:
    assert run(home, "up", *words).exit_code == 4
    (plan,) = Started.plans
    assert (str(plan.node.bind), plan.node.rtp_address) == (address, address)
    desk = json.loads((home.state / "desk.json").read_text())
    assert desk["bind"] == "127.0.0.1", "the desk's passwords do not cross a network in clear"


def test_in_asterisks_files_sip_alone_leaves_loopback(home: Home) -> None:
    run(home, "up", "--lan")
    (plan,) = Started.plans
    etc = render(plan.node, plan.installation).parent
    for kind in ("udp", "tcp"):
        section = (etc / "pjsip.conf").read_text().partition(f"[transport-{kind}]")[2].partition("[")[0]
        assert f"bind = {LAN}:{plan.node.sip_port}" in section
    assert f"media_address = {LAN}" in (etc / "pjsip.conf").read_text()
    for name in ("http.conf", "manager.conf"):
        assert re.findall(r"^bindaddr = (.*)$", (etc / name).read_text(), re.M) == ["127.0.0.1"], name


def test_what_was_chosen_holds_for_the_commands_beside_it(home: Home) -> None:
    run(home, "up", "--lan")
    home.bind_file.write_text(f"{LAN}\n")  # as the supervisor leaves it
    told = json.loads(run(home, "accounts", "--json").stdout)
    assert {account["host"] for account in told} == {LAN}
    assert "LAN=1" not in run(home, "accounts", "1001").stdout


def test_on_loopback_a_phone_app_is_told_what_to_do(home: Home) -> None:
    run(home, "up")
    assert "LAN=1" in run(home, "accounts", "1001").stdout


def test_a_machine_without_a_network_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> str:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(settings_module, "lan_address", unreachable)
    done = run(home, "up", "--lan")
    assert (done.exit_code, Started.plans) == (5, [])
    assert "unreachable" in done.stderr
