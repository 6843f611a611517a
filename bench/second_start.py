"""How long `make run` takes when everything has been set up before, without any network.

    python -m bench.second_start [--runs 5] [--precedence] [--json]                            needs root; a minute

The project is copied, with its modification times, beside a link to the virtual environment of this one; its first
start makes the database and is not counted. Each start runs in a network namespace of its own that has nothing but
loopback, so no other system on this machine is in the way, and nothing can be downloaded. *answers*: Asterisk takes
SIP and the engine calls, as its `/ready` says; *says so*: the terminal tells what to dial. Then Ctrl-C. `--precedence`:
all processes that are started come before whatever else runs on the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from bench.precedence import PROC, take_all

PROJECT = Path(__file__).parents[1]
WITHIN_S = 120.0
GREETING = "Ctrl-C"
"""Of the welcome, which tells what to dial."""
_NOT_PASSED_ON = ("CENTRALITA", "MAKE", "PYTHON")
_DEEPEST = 6


def copied(directory: Path) -> Path:
    """What git knows of this project, and its virtual environment. Set-up counts as done, however the files are now."""
    listed = subprocess.run(["git", "ls-files"], cwd=PROJECT, check=True, capture_output=True, text=True)
    for name in listed.stdout.split("\n"):
        if name and (PROJECT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, directory / name)
            os.utime(directory / name, (0, 0))
    (directory / ".venv").symlink_to(PROJECT / ".venv")
    return directory


def started(project: Path, precedence: bool = False) -> tuple[float, float]:
    """Seconds until it answers, and until the terminal says so.

    Raises:
        RuntimeError: it did not come up, or did not stop.
    """
    inside = f"ip link set lo up && cd '{project}' && exec make run"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_PASSED_ON)}
    # As with anybody who started it before, what was imported then is compiled.
    environment |= {"CENTRALITA_STATE": str(project / "var"), "PYTHONPYCACHEPREFIX": str(project / "compiled")}
    output = project / "output.txt"
    with output.open("wb") as sink:
        began_s = time.monotonic()
        process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", inside],
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        try:
            answers_s = said_s = 0.0
            while not (answers_s and said_s):
                if precedence:
                    take_all(_sessions_below(process.pid))
                if process.poll() is not None or time.monotonic() - began_s > WITHIN_S:
                    raise RuntimeError(f"`make run` did not come up:\n{output.read_text(errors='replace')[-2000:]}")
                if not answers_s and _is_ready(project / "var"):
                    answers_s = time.monotonic() - began_s
                if not said_s and GREETING in output.read_text(errors="replace"):
                    said_s = time.monotonic() - began_s
                time.sleep(0.02)
        finally:
            _stop(process)
    return answers_s, said_s


def _sessions_below(pid: int) -> list[int]:
    """It and its descendants that lead a session."""
    parents: dict[int, int] = {}
    leaders: set[int] = set()
    for place in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = place.read_text().rsplit(") ", 1)[1].split()
            child = int(place.parent.name)
            parents[child] = int(fields[1])
            if int(fields[3]) == child:
                leaders.add(child)
    below = {pid}
    for _ in range(_DEEPEST):
        below |= {child for child, parent in parents.items() if parent in below}
    return sorted(below & leaders)


def _is_ready(state: Path) -> bool:
    """Over its control socket, which is a file: a namespace does not hide it."""
    from engine.home import Home

    transport = httpx.HTTPTransport(uds=str(Home(state.parent, state).control_socket))
    try:
        with httpx.Client(transport=transport, base_url="http://engine", timeout=1.0) as client:
            return client.get("/ready").status_code == 200
    except (httpx.HTTPError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise RuntimeError("`make run` did not stop within a minute of Ctrl-C") from None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--precedence", action="store_true", help="before whatever else runs here")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if os.geteuid() != 0:
        print("a network of its own needs root: run it with sudo", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="start-") as directory:
        project = copied(Path(directory))
        first = started(project, given.precedence)
        runs = [started(project, given.precedence) for _ in range(given.runs)]
    answers, said = ([run[which] for run in runs] for which in (0, 1))
    found: dict[str, Any] = {"first": first, "answers_s": answers, "said_s": said}
    if given.json:
        print(json.dumps(found))
    else:
        _show(found)
    return 0


def _show(found: dict[str, Any]) -> None:
    table = Table(title="make run, everything set up, no network: seconds")
    for name in ("", "median", "least", "most"):
        table.add_column(name, justify="right")
    for name, seconds in (("answers", found["answers_s"]), ("says so", found["said_s"])):
        table.add_row(name, *(f"{which(seconds):.1f}" for which in (statistics.median, min, max)))
    out = Console()
    out.print(table)
    out.print(f"the first start, with its database to make: {found['first'][0]:.1f} s until it answered")


if __name__ == "__main__":
    sys.exit(main())
