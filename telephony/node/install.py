"""Makes the private root: a small Debian with Asterisk 22, its sounds, music, espeak-ng and sox.

`mmdebstrap` builds it into a tar stream, as root or in a user namespace; it is unpacked beside its final
place, examined by running it, and renamed. What was interrupted leaves no root behind.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from telephony.node.debian import install_missing
from telephony.node.errors import InstallFailed, NotInstalled
from telephony.node.installation import Installation, allow_user_namespaces, default_root, find, in_root

SUITE = "forky"
"""The Debian release whose Asterisk 22 this was tested with (22.10)."""
PACKAGES = (
    "asterisk",
    "asterisk-core-sounds-es-wav",
    "asterisk-core-sounds-en-wav",
    "asterisk-moh-opsound-wav",
    "espeak-ng",
    "sox",
    "ca-certificates",
)
TOOLS = ("mmdebstrap", "bubblewrap", "uidmap")
"""What this machine needs to make a root and run it."""
DOWNLOAD_MB, DISK_MB = 150, 400

_NEVER_READ = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*", "path-exclude=/usr/share/doc/*")
# Where the whole stands when a stage begins, in percent of the time a slow line takes.
_STAGES = {
    "running apt-get update": (0, "reading package lists"),
    "downloading packages": (8, "downloading the base"),
    "extracting archives": (20, "unpacking the base"),
    "installing essential": (25, "setting up the base"),
    "installing remaining": (32, "downloading and setting up Asterisk and its sounds"),
    "cleaning package lists": (90, "cleaning up"),
    "creating tarball": (92, "putting it in place"),
    "done": (100, "done"),
}


def install(root: Path | None = None, console: Console | None = None) -> Installation:
    """A suitable Asterisk, made if there is none. Returns at once, without network, when there is.

    Safe to call from several processes: one makes the root and the others wait for it.

    Raises:
        InstallFailed: it could not be made.
        PackagesMissing: Debian packages are missing and could not be installed.
        Unsuitable: what was made, or was there, does not run or is not what was tested.
    """
    root = root or default_root()
    console = console or Console(stderr=True)
    try:
        return find(root)
    except NotInstalled as error:
        console.print(f"{str(error).partition(', and there')[0]}: making a private one in {root}")
    install_missing(TOOLS, console)
    root.parent.mkdir(parents=True, exist_ok=True)
    with _alone(root.parent / "asterisk-root.lock"):
        if (root / "usr/sbin/asterisk").exists():
            return in_root(root)
        for leftover in root.parent.glob(f"{root.name}.partial-*"):
            _remove(leftover)
        return _make(root, console)


def _make(root: Path, console: Console) -> Installation:
    _check_user_namespaces()
    _check_room(root.parent)
    partial = root.with_name(f"{root.name}.partial-{os.getpid()}")
    console.print(f"Downloading Asterisk 22 with its sounds and music (about {DOWNLOAD_MB} MB, {DISK_MB} MB on disk)")
    try:
        partial.mkdir()
        _bootstrap(partial, console)
        _write_hosts(partial)
        made = in_root(partial)
        if not made.version.startswith("22."):
            raise InstallFailed(
                f"Debian {SUITE} now has Asterisk {made.version} and this was tested with 22: update Centralita"
            )
        partial.rename(root)
    except BaseException:
        _remove(partial)
        raise
    console.print(f"Asterisk {made.version} is ready in {root}")
    return in_root(root)


def _bootstrap(into: Path, console: Console) -> None:
    command = ["mmdebstrap", "--variant=minbase", "--format=tar", f"--include={','.join(PACKAGES)}"]
    # A machine whose clock is off, or a mirror that lags, is no reason to fail.
    command += ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Retries "3"']
    command += [f"--dpkgopt={option}" for option in _NEVER_READ]
    if os.geteuid() != 0:
        command.append("--mode=unshare")
    unpack = ["tar", "--extract", "--directory", str(into), "--no-same-owner", "--exclude=./dev/*"]
    said: list[str] = []
    # mmdebstrap tells percentages to terminals only.
    ours, theirs = os.openpty()
    with subprocess.Popen(unpack, stdin=subprocess.PIPE) as tar:  # noqa: S603
        build = subprocess.Popen([*command, SUITE, "-"], stdin=subprocess.DEVNULL, stdout=tar.stdin, stderr=theirs)  # noqa: S603
        os.close(theirs)
        assert tar.stdin is not None
        tar.stdin.close()
        try:
            _show(ours, said, console)
        except BaseException:
            build.terminate()
            raise
        finally:
            os.close(ours)
            build.wait()
    if build.returncode or tar.returncode:
        reasons = [line for line in said if line.startswith(("E:", "W:"))] or said
        raise InstallFailed(
            f"mmdebstrap could not make the root. It said: {' | '.join(reasons[-6:])}. "
            "Is the network there? Then try again."
        )


def _show(terminal: int, said: list[str], console: Console) -> None:
    """A bar from mmdebstrap's stages and percentages, until it closes its end."""
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:.0f}%"),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        task = bar.add_task("starting", total=100)
        begin, end = 0.0, 0.0
        for line in _lines(terminal):
            percent = re.search(r"(\d+\.\d+)\s*$", line)
            if percent and line.lstrip().startswith("["):
                bar.update(task, completed=begin + (end - begin) * float(percent[1]) / 100)
                continue
            said.append(line)
            stages = list(_STAGES.items())
            for index, (key, (start, description)) in enumerate(stages):
                if line.startswith(f"I: {key}"):
                    begin, end = start, stages[min(index + 1, len(stages) - 1)][1][0]
                    bar.update(task, completed=begin, description=description)
                    if not console.is_terminal:
                        console.print(f"  {description}")


def _lines(terminal: int) -> Iterator[str]:
    waiting = b""
    while True:
        try:
            chunk = os.read(terminal, 4096)
        except OSError:  # EIO: the last writer closed a pseudo-terminal
            chunk = b""
        if not chunk:
            break
        *whole, waiting = re.split(rb"[\r\n]+", waiting + chunk)
        yield from (line.decode(errors="replace") for line in whole if line.strip())
    if waiting.strip():
        yield waiting.decode(errors="replace")


def _check_user_namespaces() -> None:
    if os.geteuid() == 0:
        return
    probe = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True)  # noqa: S607
    if probe.returncode:
        raise InstallFailed(
            f"this machine forbids user namespaces to ordinary users ({probe.stderr.strip()}). "
            f"To allow them: {allow_user_namespaces()}"
        )


def _check_room(place: Path) -> None:
    free_mb = shutil.disk_usage(place).free // 1_000_000
    if free_mb < DISK_MB * 2:
        raise InstallFailed(
            f"{place} has {free_mb} MB free and {DISK_MB * 2} MB are needed: "
            "make room, or set XDG_CACHE_HOME to another disk"
        )


def _write_hosts(root: Path) -> None:
    (root / "etc/hosts").write_text(
        f"127.0.0.1 localhost\n::1 localhost\n127.0.1.1 {socket.gethostname()}\n", encoding="utf-8"
    )


def _remove(path: Path) -> None:
    for directory, _, _ in os.walk(path):
        os.chmod(directory, 0o700)
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
