"""Debian packages of this machine: which are missing, and installing them with the person's leave."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable

from rich.console import Console

from telephony.node.errors import PackagesMissing


def missing(packages: Iterable[str]) -> list[str]:
    """Those of `packages` that are not installed; all of them where there is no dpkg."""
    wanted = list(packages)
    if shutil.which("dpkg-query") is None:
        return wanted
    done = subprocess.run(  # noqa: S603
        ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *wanted],  # noqa: S607
        capture_output=True,
        text=True,
    )
    there = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in wanted if package not in there]


def install_missing(packages: Iterable[str], console: Console) -> None:
    """Installs what is missing with apt, through sudo for an ordinary user; apt says how big and how far.

    Raises:
        PackagesMissing: no apt here, no sudo, or apt failed.
    """
    wanted = missing(packages)
    if not wanted:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *wanted]
    shown = " ".join(["sudo", *command])
    if shutil.which("apt-get") is None:
        raise PackagesMissing(
            f"these programs are missing: {', '.join(wanted)}; install them with this system's package manager"
        )
    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise PackagesMissing(
                f"these packages are missing and there is no sudo here; as root, run: {shown.removeprefix('sudo ')}"
            )
        command = ["sudo", *command]
    console.print(f"Installing Debian packages: [bold]{', '.join(wanted)}[/]")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.run(command, env=environment).returncode:  # noqa: S603
        # Package lists of a fresh machine are empty or stale.
        update = [*command[: command.index("apt-get")], "apt-get", "update"]
        subprocess.run(update, env=environment, check=False)  # noqa: S603
        if subprocess.run(command, env=environment).returncode:  # noqa: S603
            raise PackagesMissing(f"apt could not install {', '.join(wanted)}: see above, mend it and run: {shown}")
