"""Runs mmdebstrap into a directory and shows how far it is.

It writes a tar stream, which is unpacked as the current user: the root belongs to whoever made it and can be
removed like any directory, also when it was built in a user namespace.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from telephony.node.errors import InstallFailed

_NEVER_READ = ("path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*", "path-exclude=/usr/share/doc/*")
_UNITS = {"B": 1e-6, "kB": 1e-3, "MB": 1.0, "GB": 1e3}
_SAID_LINES = 40

# What mmdebstrap says when a stage begins -> where the whole stands then, in percent, and in our words.
_STAGES = {
    "running apt-get update": (0, "reading package lists"),
    "downloading packages": (4, "the base"),
    "extracting archives": (14, "the base"),
    "installing essential": (16, "the base"),
    "installing remaining": (24, "Asterisk and its sounds"),
    "cleaning package lists": (92, "cleaning up"),
    "creating tarball": (94, "putting it in place"),
    "done": (100, "putting it in place"),
}


def bootstrap(suite: str, packages: Iterable[str], into: Path, console: Console) -> None:
    """Fills the empty directory `into` with a Debian of that suite.

    Raises:
        InstallFailed: mmdebstrap or tar failed; says their last words.
    """
    command = ["mmdebstrap", "--variant=minbase", "--format=tar", "--verbose", f"--include={','.join(packages)}"]
    # A machine whose clock is off, or a mirror that lags, is no reason to fail.
    command += ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Retries "3"']
    command += [f"--dpkgopt={option}" for option in _NEVER_READ]
    if os.geteuid() != 0:
        command.append("--mode=unshare")
    unpack = ["tar", "--extract", "--directory", str(into), "--no-same-owner", "--exclude=./dev/*"]
    said: list[str] = []
    with subprocess.Popen(unpack, stdin=subprocess.PIPE) as tar:  # noqa: S603
        build = subprocess.Popen(  # noqa: S603
            [*command, suite, "-"],
            stdin=subprocess.DEVNULL,
            stdout=tar.stdin,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=os.environ | {"LC_ALL": "C.UTF-8"},
        )
        assert tar.stdin is not None
        assert build.stderr is not None
        tar.stdin.close()
        try:
            _show(build.stderr, said, console)
        except BaseException:
            build.terminate()
            raise
        finally:
            build.stderr.close()
            build.wait()
    if build.returncode or tar.returncode:
        reasons = [line for line in said if line.startswith(("E:", "W:", "mmdebstrap:"))] or said
        raise InstallFailed(
            f"mmdebstrap could not make the root. It said: {' | '.join(reasons[-6:])}. "
            "Is the network there? Then try again."
        )


class BuildProgress:
    """How far a build is, from mmdebstrap's verbose output.

    `percent`: 0 to 100, never falling. `words`: what is being done, with megabytes while downloading.
    """

    def __init__(self) -> None:
        self.percent = 0.0
        self._stage = "starting"
        self._begin, self._end = 0.0, 0.0
        self._packages = self._unpacked = self._set_up = 0
        self._need_mb = self._got_mb = 0.0

    @property
    def words(self) -> str:
        if 0 < self._got_mb < self._need_mb and not self._unpacked:
            return f"{self._stage}: {self._got_mb:.0f} of {self._need_mb:.0f} MB"
        return self._stage

    def hear(self, line: str) -> bool:
        """Takes a line of output; True when a new stage begins with it."""
        stages = list(_STAGES.items())
        for index, (key, (start, description)) in enumerate(stages):
            if line.startswith(f"I: {key}"):
                self._stage = description
                self._begin, self._end = start, stages[min(index + 1, len(stages) - 1)][1][0]
                self._packages = self._unpacked = self._set_up = 0
                self._need_mb = self._got_mb = 0.0
                self._advance()
                return True
        if match := re.match(r"\d+ upgraded, (\d+) newly installed", line):
            self._packages = int(match[1])
        elif match := re.match(r"Need to get ([\d.,]+) ([kMG]?B)", line):
            self._need_mb = _megabytes(match[1], match[2])
        elif match := re.match(r"Get:\d+ .*\[([\d.,]+) ([kMG]?B)\]$", line):
            self._got_mb += _megabytes(match[1], match[2])
        elif line.startswith("Unpacking "):
            self._unpacked += 1
        elif line.startswith("Setting up "):
            self._set_up += 1
        self._advance()
        return False

    def _advance(self) -> None:
        downloaded = min(1.0, self._got_mb / self._need_mb) if self._need_mb else 0.0
        installed = min(1.0, (self._unpacked + self._set_up) / (2 * self._packages)) if self._packages else 0.0
        share = 0.5 * downloaded + 0.5 * installed
        self.percent = max(self.percent, self._begin + (self._end - self._begin) * share)


def _show(output: Iterable[str], said: list[str], console: Console) -> None:
    """A bar on a terminal, a line per stage elsewhere; `said` keeps the last lines."""
    build = BuildProgress()
    columns = (TextColumn("  {task.description:<40}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task(build.words, total=100)
        for raw in output:
            line = raw.rstrip()
            said.append(line)
            del said[:-_SAID_LINES]
            began = build.hear(line)
            bar.update(task, completed=build.percent, description=build.words)
            told = line.startswith("Need to get ")
            if not console.is_terminal and (began or told):
                console.print(
                    f"  {build.percent:>3.0f}% {build.words}{': ' + line[len('Need to get ') :] if told else ''}"
                )


def _megabytes(number: str, unit: str) -> float:
    return float(number.replace(",", "")) * _UNITS[unit]
