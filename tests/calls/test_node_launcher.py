"""A node's life: quick to start, alone in its directory, gone without a trace."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telephony.node.errors import AlreadyRunning, PortTaken, StartFailed
from telephony.node.installation import Installation, by_loader, find
from telephony.node.launcher import Launcher
from telephony.node.ports import free_settings
from telephony.node.settings import Device, NodeSettings
from telephony.softphone.client import Softphone
from tests.ari_listener import ari
from tests.asterisk_fixture import AsteriskNode, started

pytestmark = pytest.mark.asterisk


def processes_of(state_dir: Path) -> list[str]:
    """Command lines of this machine that mention the directory."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(state_dir).encode() in command:
                found.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return found


def gone(state_dir: Path, within_s: float = 20.0) -> bool:
    until = time.monotonic() + within_s
    while processes_of(state_dir):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def sockets_in(state_dir: Path) -> list[Path]:
    return [path for path in state_dir.rglob("*") if path.is_socket()]


def test_it_knows_how_long_it_took_and_is_what_was_installed(asterisk_node: AsteriskNode) -> None:
    assert asterisk_node.launcher.ready_after_s is not None
    assert 0 < asterisk_node.launcher.ready_after_s < 60
    said = ari(asterisk_node, "GET", "asterisk/info").json()
    assert said["system"]["version"].startswith(asterisk_node.launcher.installation.version)


def test_its_log_has_no_errors_and_its_files_are_private(asterisk_node: AsteriskNode) -> None:
    start = asterisk_node.log.partition("Asterisk Ready")[0]
    assert "ERROR" not in start
    assert "WARNING" not in start
    for path in (asterisk_node.settings.state_dir / "etc").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert asterisk_node.settings.state_dir.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("wrapped", [True, False])
def test_stop_leaves_no_process_no_socket_and_free_ports_and_it_starts_again(
    asterisk_installation: Installation, tmp_path: Path, wrapped: bool
) -> None:
    installation = asterisk_installation
    if not wrapped:
        if installation.root is None:
            pytest.skip("the machine's own Asterisk is never wrapped")
        installation = by_loader(installation.root)
    launcher = Launcher(free_settings(tmp_path / "node"), installation)
    for _ in range(2):
        launcher.start()
        assert processes_of(tmp_path)
        launcher.stop()
        launcher.stop()
        assert not launcher.alive
        assert gone(tmp_path), processes_of(tmp_path)
        assert sockets_in(tmp_path) == []
    said = launcher.log_path.read_text(encoding="utf-8")
    assert "Asterisk Ready" in said
    assert "ERROR" not in said


def test_a_second_one_in_the_same_directory_is_refused_and_the_first_lives_on(asterisk_node: AsteriskNode) -> None:
    taken = asterisk_node.settings.state_dir
    second = Launcher(free_settings(taken), asterisk_node.launcher.installation)
    with pytest.raises(AlreadyRunning, match=f"{os.getpid()}"):
        second.start()
    with pytest.raises(AlreadyRunning):
        asterisk_node.launcher.spawn()
    assert ari(asterisk_node, "GET", "asterisk/ping").status_code == 200


@pytest.mark.parametrize("setting", ["sip_port", "http_port", "ami_port"])
def test_a_port_in_use_is_named(asterisk_installation: Installation, tmp_path: Path, setting: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        settings = free_settings(tmp_path / "node", **{setting: other.getsockname()[1]})
        with pytest.raises(PortTaken, match=setting):
            Launcher(settings, asterisk_installation).start()


def test_when_asterisk_cannot_start_its_own_words_are_told(asterisk_installation: Installation, tmp_path: Path) -> None:
    settings = free_settings(tmp_path / "node")
    Launcher(settings, asterisk_installation)  # renders nothing yet
    (settings.state_dir / "lib" / "astdb.sqlite3").mkdir(parents=True)
    with pytest.raises(StartFailed, match="database"):
        Launcher(settings, asterisk_installation).start(timeout_s=60)
    assert gone(tmp_path)


def test_killed_it_is_noticed_and_starts_again(asterisk_installation: Installation, tmp_path: Path) -> None:
    launcher = Launcher(free_settings(tmp_path / "node"), asterisk_installation)
    launcher.start()
    try:
        assert launcher.pid is not None
        os.kill(launcher.pid, signal.SIGKILL)
        assert launcher.wait(60.0) is not None
        assert not launcher.alive
        died_s = time.time()
        launcher.start()
        spawned_s = time.time() - (launcher.ready_after_s or 0.0)
        assert spawned_s // 1 > died_s // 1, "its first channel could bear the name of an old one"
    finally:
        launcher.stop()
    assert gone(tmp_path)


PARENT = """
import sys, time
from pathlib import Path
from telephony.node.installation import find
from telephony.node.launcher import Launcher
from telephony.node.settings import Device, NodeSettings
from telephony.softphone.client import Softphone
launcher = Launcher(NodeSettings.model_validate_json(sys.argv[1]), find())
launcher.start()
print("ready", flush=True)
time.sleep(60)
"""


def test_asterisk_dies_with_its_parent_and_the_next_start_is_clean(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    settings = free_settings(tmp_path / "node")
    words = settings.model_dump_json()
    with subprocess.Popen([sys.executable, "-c", PARENT, words], stdout=subprocess.PIPE, cwd=Path.cwd()) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        parent.kill()
    assert gone(tmp_path), processes_of(tmp_path)
    launcher = Launcher(NodeSettings.model_validate_json(words), asterisk_installation)
    launcher.start()
    launcher.stop()
    assert gone(tmp_path)


def test_the_machines_own_asterisk_is_run_as_it_is(
    asterisk_installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The private root's Asterisk played by its own loader is, to us, one that lies on this machine."""
    root = asterisk_installation.root
    assert root is not None
    libraries = asterisk_installation.outside(asterisk_installation.modules_dir).parents[1]
    loader = next(path for path in (root / "usr").glob("lib*/**/ld-linux-*.so.*"))
    program = tmp_path / "asterisk"
    program.write_text(f'#!/bin/sh\nexec {loader} --library-path {libraries} {root}/usr/sbin/asterisk "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    modules, data = str(libraries / "asterisk" / "modules"), str(root / "usr/share/asterisk")
    monkeypatch.setattr("telephony.node.installation._SYSTEM_MODULES", (modules,))
    monkeypatch.setattr("telephony.node.installation._SYSTEM_DATA", (data,))

    installation = find(tmp_path / "no-private-root")
    assert installation.root is None
    launcher = Launcher(free_settings(tmp_path / "node"), installation)
    launcher.start()
    try:
        assert ari(AsteriskNode(launcher.settings, launcher), "GET", "sounds/vm-goodbye").status_code == 200
        assert launcher.pid is not None
    finally:
        launcher.stop()
    assert "cleanly ending" in launcher.log_path.read_text(encoding="utf-8")
    assert gone(tmp_path)


async def test_a_phone_registers_over_tls_with_the_certificate_made_here(
    asterisk_installation: Installation, tmp_path: Path
) -> None:
    ana = Device(name="main-ana", transport="tls")
    tls_port = free_settings(tmp_path / "unused").sip_port
    node = started(asterisk_installation, tmp_path / "node", tls_port=tls_port, devices=(ana,))
    try:
        async with Softphone.start() as phone:
            await phone.register("main-ana", ana.secret, port=tls_port, transport="tls")
            call = await phone.call("900123456")
            await call.until("confirmed")
    finally:
        node.launcher.stop()


def test_the_console_answers_while_it_runs_and_says_so_when_it_does_not(
    asterisk_node: AsteriskNode, tmp_path: Path
) -> None:
    def console(state_dir: Path) -> subprocess.CompletedProcess[str]:
        words = ["core", "show", "uptime", "--state", str(state_dir)]
        return subprocess.run(
            [sys.executable, "-m", "telephony.node", "console", *words], capture_output=True, text=True, timeout=60
        )

    there = console(asterisk_node.settings.state_dir)
    assert "System uptime" in there.stdout
    assert there.returncode == 0
    missing = console(tmp_path)
    assert "no Asterisk runs" in missing.stderr
    assert missing.returncode == 1
