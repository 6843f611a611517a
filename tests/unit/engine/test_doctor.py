"""What the doctor finds on machines that are not well, and the command it gives for each."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli import doctor, doctor_data
from engine.cli.app import app
from engine.cli.finding import Finding
from engine.home import Home
from telephony.node import installation
from telephony.node.entered import note, replaced
from telephony.node.errors import NotInstalled
from telephony.node.installation import Installation
from telephony.node.ports import free_port

FLOW = "flow: f\nstart: a\nlanguages: [es]\nnodes: {a: {type: hangup}}\n"
Check = Callable[[Home], Iterator[Finding]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    ports = {key: free_port() for key in ("asterisk_http_port", "asterisk_manager_port", "api_port", "desk_port")}
    files = {
        "config/site.yaml": f"site: t\nlanguages: [es]\nsip: {{port: {free_port()}}}\n"
        + "".join(f"{key}: {port}\n" for key, port in ports.items()),
        "config/numbers/default.yaml": "default: yes\nflow: f\n",
        "flows/f.yaml": FLOW,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    home = Home.find(tmp_path, tmp_path / "var")
    home.prepare()
    return home


def found(check: Check, home: Home) -> dict[str, tuple[str, str]]:
    """What was looked at: the verdict, and what mends it."""
    return {finding.what: (finding.verdict, finding.mend) for finding in check(home)}


# -- Asterisk ----------------------------------------------------------------------------------------------
def asterisk(place: Path, *voices: str, root: bool = True) -> Installation:
    for voice in voices:
        (place / "usr/share/asterisk/sounds" / voice).mkdir(parents=True)
    binary, modules, data = Path("/usr/sbin/asterisk"), Path("/usr/lib/asterisk/modules"), Path("/usr/share/asterisk")
    return Installation(binary, "22.10.1", modules, data, place if root else None)


def test_a_machine_without_asterisk_is_told_how_to_get_one(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Installation:
        raise NotInstalled("this machine has no Asterisk")

    monkeypatch.setattr(installation, "find", nowhere)
    assert found(doctor._asterisk, home) == {"Asterisk": ("wrong", "make install-asterisk")}


def test_sounds_that_are_missing_are_named_by_their_package(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = asterisk(tmp_path / "root", "es_MX_f_Allison")
    monkeypatch.setattr(installation, "find", lambda: there)
    seen = found(doctor._asterisk, home)
    assert (seen["Asterisk"][0], seen["sounds es"][0], seen["sounds en"][0]) == ("ok", "ok", "wrong")
    assert "asterisk-core-sounds-en-wav" in seen["sounds en"][1]


@pytest.mark.parametrize(
    ("bubblewrap", "code", "what", "verdict", "mend"),
    [
        ("/usr/bin/bwrap", 0, "user namespaces", "ok", ""),
        ("/usr/bin/bwrap", 1, "user namespaces", "wrong", "sudo sysctl"),
        (None, 0, "bubblewrap", "wrong", "apt install bubblewrap"),
    ],
)
def test_a_private_asterisk_needs_a_kernel_that_lets_it(
    bubblewrap: str | None,
    code: int,
    what: str,
    verdict: str,
    mend: str,
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = asterisk(tmp_path / "root")
    monkeypatch.setattr(installation, "find", lambda: there)
    monkeypatch.setattr(shutil, "which", lambda name: bubblewrap)
    ran = SimpleNamespace(returncode=code, stderr="bwrap: No permissions to create new namespace", stdout="")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: ran)
    seen = found(doctor._namespaces, home)
    assert list(seen) == [what]
    assert seen[what][0] == verdict
    assert seen[what][1].startswith(mend)


def test_the_machines_own_asterisk_needs_no_namespaces(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "find", lambda: asterisk(tmp_path, root=False))
    assert found(doctor._namespaces, home) == {"user namespaces": ("ok", "")}


# -- the project -------------------------------------------------------------------------------------------
def test_a_broken_configuration_is_sent_to_check(home: Home) -> None:
    assert found(doctor._configuration, home)["configuration"] == ("ok", "")
    (home.project / "flows/f.yaml").write_text(FLOW.replace("start: a", "start: b"))
    assert found(doctor._configuration, home)["configuration"] == ("wrong", "centralita check")


def test_warnings_are_counted_as_check_counts_them(home: Home) -> None:
    (home.project / "config/devices").mkdir()
    (home.project / "config/devices/1001.yaml").write_text('device: "1001"\n')
    (home.project / "config/outbound.yaml").write_text('emergency: {numbers: ["112"]}\n')
    checked = CliRunner().invoke(app, ["check", "--project", str(home.project), "--json"])
    warnings = sum(problem["severity"] == "warning" for problem in json.loads(checked.output)["problems"])
    (finding,) = doctor._configuration(home)
    assert warnings, "nobody can call an emergency number here"
    assert finding.says.endswith(f", {warnings} warning{'' if warnings == 1 else 's'}")


def test_a_port_in_use_is_named_with_its_key(home: Home) -> None:
    assert {verdict for verdict, _ in found(doctor._ports, home).values()} == {"ok"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        site = home.project / "config/site.yaml"
        site.write_text("".join(f"{line}\n" for line in site.read_text().splitlines() if "desk_port" not in line))
        site.write_text(f"{site.read_text()}desk_port: {port}\n")
        verdict, mend = found(doctor._ports, home)[f"port {port}"]
    assert verdict == "wrong"
    assert "desk_port" in mend
    assert f":{port}" in mend


def test_a_sip_port_that_another_address_has_taken_is_said_before_up_lan_fails(home: Home) -> None:
    with socket.create_server(("127.0.0.9", 0)) as taken:
        port = taken.getsockname()[1]
        site = home.project / "config/site.yaml"
        site.write_text(re.sub(r"\bport: [0-9]+", f"port: {port}", site.read_text()))
        seen = [finding for finding in doctor._ports(home) if finding.what == f"port {port}"]
        assert [finding.verdict for finding in seen] == ["ok", "warning"], "UDP and TCP"
        assert "up --lan" in seen[1].says
        home.prepare()
        home.bind_file.write_text("127.0.0.9\n")
        seen = [finding for finding in doctor._ports(home) if finding.what == f"port {port}"]
        assert [finding.verdict for finding in seen] == ["ok", "wrong"], "that is where it ran last"


def test_ports_of_the_system_that_runs_here_are_no_trouble(home: Home) -> None:
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(str(home.control_socket))
        engine.listen()
        assert found(doctor._ports, home) == {"ports": ("ok", "")}


# -- the machine -------------------------------------------------------------------------------------------
def test_recordings_on_a_disk_of_their_own_that_is_full(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    home.prepare()
    monkeypatch.setattr(doctor, "_device", lambda place: int(place == home.recordings))
    full = {home.recordings: 0}
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=full.get(place, 75_000_000_000)))
    seen = found(doctor._disk, home)
    assert {what: level for what, (level, _) in seen.items()} == {"disk": "ok", "disk of recordings": "warning"}


def test_a_disk_that_is_nearly_full_and_one_that_cannot_be_written(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(doctor._disk, home)["disk"][0] in ("ok", "warning")
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1_000_000_000))
    monkeypatch.setattr(os, "access", lambda *_: False)
    seen = found(doctor._disk, home)
    assert (seen["disk"][0], seen["state directory"][0]) == ("warning", "wrong")
    assert seen["state directory"][1].startswith("chown ")


@pytest.mark.parametrize(
    ("now_s", "systemd", "said", "verdict", "mend"),
    [
        (1_577_836_800.0, False, "", "wrong", "timedatectl set-ntp true"),  # 2020: a board without a battery
        (1_800_000_000.0, True, "NTPSynchronized=no", "warning", "timedatectl set-ntp true"),
        (1_800_000_000.0, True, "NTPSynchronized=yes", "ok", ""),
        (1_800_000_000.0, False, "", "ok", ""),
    ],
)
def test_a_clock_that_is_wrong_or_runs_by_itself(
    now_s: float, systemd: bool, said: str, verdict: str, mend: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "time", SimpleNamespace(time=lambda: now_s, gmtime=doctor.time.gmtime, strftime=_day))
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/timedatectl" if systemd else None)
    monkeypatch.setattr(doctor, "Path", lambda *_: SimpleNamespace(exists=lambda: systemd))
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=f"{said}\n"))
    assert found(doctor._clock, home) == {"clock": (verdict, mend)}


def _day(form: str, moment: Any) -> str:
    return "2020-01-01"


def test_a_trunk_that_is_not_registered_is_wrong_while_somebody_watches(home: Home) -> None:
    assert list(doctor._trunks(home)) == []
    home.prepare()
    trunks = {
        "main-acmetel": {"status": "rejected", "registration": "rejected"},
        "main-gone": {"status": "unreachable", "registration": "rejected"},
        "main-other": {"status": "registered", "registration": "registered", "round_trip_s": 0.02},
        "main-silent": {"status": "not watched"},
        "main-there": {"status": "reachable"},
        "main-void": {"status": "unreachable"},
    }
    home.node_file.write_text(json.dumps({"trunks": trunks}))
    bad, gone, good, silent, there, void = doctor._trunks(home)
    assert [each.verdict for each in (bad, gone, good, silent, there, void)] == [
        *("wrong", "wrong", "ok"),
        *("ok", "ok", "wrong"),
    ]
    assert "main-acmetel is not registered" in bad.says
    assert "config/trunks/" in bad.mend
    assert good.says == "main-other is registered at its carrier, 20 ms away"
    assert there.says == "main-there answers"
    assert "nothing goes out or comes in" in gone.says
    assert "nothing goes out over it" in void.says
    assert "watch_s: 0" in void.mend
    os.utime(home.node_file, (0, 0))
    assert list(doctor._trunks(home)) == []


def test_voices_that_are_missing_are_warnings(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert found(doctor._voices, home) == {
        "voices": ("warning", "pip install 'centralita[voices]'"),
        "espeak-ng": ("warning", "apt install espeak-ng"),
    }


def test_a_journal_that_is_none_is_wrong(home: Home) -> None:
    assert found(doctor._journal, home) == {"journal": ("ok", "")}
    home.journal.write_bytes(b"no database at all" * 1000)
    (finding,) = [each for each in doctor.examine(home) if each.what == "journal"]
    assert finding.verdict == "wrong"


# -- the command -------------------------------------------------------------------------------------------
def diagnosed(home: Home, *words: str) -> tuple[int, str]:
    asked = ["doctor", *words, "--project", str(home.project)]
    done = CliRunner().invoke(app, asked, env={"CENTRALITA_STATE": str(home.state), "COLUMNS": "120"})
    return done.exit_code, done.stdout


def _fine(home: Home) -> Iterator[Finding]:
    yield Finding("Python", "ok", "3.11")


def _doubtful(home: Home) -> Iterator[Finding]:
    yield Finding("disk", "warning", "1 GB free", "make room")


def _broken(home: Home) -> Iterator[Finding]:
    raise RuntimeError("no such thing")
    yield


@pytest.mark.parametrize(("disk", "code"), [(_doubtful, 0), (_broken, 1)])
def test_warnings_pass_and_a_check_that_fails_is_a_finding(
    disk: Check, code: int, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_asterisk", "_configuration", "_emergency", "_detection", "_ports", "_clock", "_namespaces"):
        monkeypatch.setattr(doctor, name, _fine)
    for name in ("_voices", "_journal"):
        monkeypatch.setattr(doctor, name, _fine)
    monkeypatch.setattr(doctor, "_disk", disk)
    found_code, words = diagnosed(home)
    assert found_code == code
    assert ("→ make room" in words) == (disk is _doubtful)
    found_code, text = diagnosed(home, "--json")
    told = json.loads(text)
    assert found_code == code
    assert [row["what"] for row in told if row["verdict"] != "ok"] == ["disk" if disk is _doubtful else "broken"]


# -- what is somewhere else --------------------------------------------------------------------------------
def test_sounds_that_were_replaced_while_asterisk_runs_are_silent(home: Home) -> None:
    home.sounds.mkdir(parents=True, exist_ok=True)
    (home.asterisk / "run").mkdir(parents=True, exist_ok=True)
    note(home.asterisk, [home.sounds, home.prompts])
    with home.up_lock.open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert list(doctor_data.entered(home)) == []
        home.sounds.rename(home.project / "flows/sounds.before")
        home.sounds.mkdir()
        (finding,) = doctor_data.entered(home)
        assert finding.verdict == "wrong"
        assert str(home.sounds) in finding.says
    assert list(doctor_data.entered(home)) == [], "nothing runs"
    note(home.asterisk, [])
    assert replaced(home.asterisk) == ()


def test_leads_in_a_file_that_nobody_reads_are_wrong(home: Home) -> None:
    with closing(sqlite3.connect(home.state / "dialer.db")) as database, database:
        database.execute("CREATE TABLE listed_numbers (number TEXT)")
        database.execute("INSERT INTO listed_numbers VALUES ('+34600111222')")
    assert list(doctor_data.left(home)) == []
    site = home.project / "config/site.yaml"
    site.write_text(f"{site.read_text()}database: postgresql://db/centralita\n")
    (finding,) = doctor_data.left(home)
    assert (finding.verdict, "move-data" in finding.mend) == ("wrong", True)
    assert "1 do-not-call number in dialer.db" in finding.says


def test_secrets_that_cannot_be_read_are_wrong_before_up_fails(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = home.state / "secrets.json"
    assert list(doctor_data.secrets(home)) == []
    kept.write_text("garbage")
    (finding,) = doctor_data.secrets(home)
    assert (finding.verdict, "is no JSON" in finding.says, "backup" in finding.says) == ("wrong", True, True)

    def closed(_home: Home) -> Iterator[Finding]:
        raise PermissionError(13, "Permission denied", str(kept))
        yield

    monkeypatch.setattr(doctor_data, "secrets", closed)
    found = [finding for finding in doctor.examine(home) if finding.what == "closed"]
    assert [finding.verdict for finding in found] == ["wrong"]
    assert f"{kept} may not be used" in found[0].says
