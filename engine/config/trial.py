"""A configuration is tried in a process of its own, with little memory and time, before the engine touches it.

Whatever a file does to its reader, it does it there: the engine only ever loads what has loaded once.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

from definitions.problems import Problem, Problems, Severity

MEMORY_BYTES = 1_500_000_000
CPU_S = 30
WALL_S = 60


def try_out(project: Path) -> Problems:
    """Every problem of the files under `project`; errors among them mean: do not load it."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "engine.config.trial", str(project)],
            capture_output=True,
            text=True,
            timeout=WALL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _whole(f"checking took more than {WALL_S} s", "look for a very large or deeply nested file")
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        return _whole(f"the check itself died ({last[0][:200]})", "look for a very large or deeply nested file")
    return Problems(
        Problem(row[0], row[1], row[2], row[3], row[4], Severity(row[5])) for row in json.loads(done.stdout)
    )


def _whole(what: str, hint: str) -> Problems:
    return Problems([Problem("config", 0, 0, what, hint)])


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    from engine.config.loader import load
    from engine.config.sources import read_sources

    problems = load(read_sources(Path(sys.argv[1]))).problems
    rows = [(p.file, p.line, p.column, p.what, p.hint, p.severity.value) for p in problems]
    sys.stdout.write(json.dumps(rows))


if __name__ == "__main__":
    main()
