"""Makes the private root: a small Debian with Asterisk 22, its sounds, music, espeak-ng and sox.

It is built beside its final place, as root or in a user namespace, examined by running it, and renamed: what was
interrupted leaves no root behind.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from telephony.node.bootstrap import bootstrap
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
DOWNLOAD_MB, DISK_MB = 180, 400


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
        console.print(f"{str(error).partition(', and there')[0]}: making a private one in {root}", soft_wrap=True)
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
    for place in {root.parent, Path(tempfile.gettempdir())}:
        _check_room(place)
    partial = root.with_name(f"{root.name}.partial-{os.getpid()}")
    console.print(
        f"Downloading Asterisk 22 with its sounds and music (about {DOWNLOAD_MB} MB, {DISK_MB} MB on disk)",
        soft_wrap=True,
    )
    try:
        partial.mkdir()
        bootstrap(SUITE, PACKAGES, partial, console)
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
    console.print(f"Asterisk {made.version} is ready in {root}", soft_wrap=True)
    ready = in_root(root)
    if not ready.is_wrapped:
        console.print("Nobody may make namespaces here (a container?): it runs without bubblewrap around it")
    return ready


def _check_user_namespaces() -> None:
    if os.geteuid() == 0:
        return
    probe = subprocess.run(["unshare", "--user", "true"], capture_output=True, text=True)  # noqa: S607
    if probe.returncode:
        raise InstallFailed(
            f"this machine forbids user namespaces to ordinary users ({probe.stderr.strip()}). "
            f"To allow them: {allow_user_namespaces()}. Where that cannot be, as in a container, do this as root"
        )


def _check_room(place: Path) -> None:
    free_mb = shutil.disk_usage(place).free // 1_000_000
    if free_mb < DISK_MB * 2:
        raise InstallFailed(
            f"{place} has {free_mb} MB free and {DISK_MB * 2} MB are needed: "
            "make room, or set XDG_CACHE_HOME and TMPDIR to another disk"
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
