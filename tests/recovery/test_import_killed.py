"""kill -9 in the middle of an import: it goes on, and every row is accounted for once."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

_ROWS = 5_000
_BAD = 50


def _command(*words: str) -> list[str]:
    return [sys.executable, "-c", "from engine.cli import main; main()", *words]


def _rows_taken(database: Path) -> int:
    try:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=1) as connection:
            return int((connection.execute("SELECT max(row_count) FROM import_jobs").fetchone() or (0,))[0] or 0)
    except sqlite3.Error:
        return 0


@pytest.mark.timeout(600)
def test_an_import_killed_twice_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "site.yaml").write_text("site: acme\n")
    rows = [f"C{n};{'112' if n % (_ROWS // _BAD) == 0 else f'6{n:08d}'}" for n in range(_ROWS)]
    (tmp_path / "list.csv").write_text("\n".join(["id;phone", *rows]))
    environment = {**os.environ, "CENTRALITA_HOME": str(tmp_path)}
    environment.pop("CENTRALITA_STATE", None)
    database = tmp_path / "var" / "dialer.db"

    def killed_after(rows: int, *words: str) -> None:
        process = subprocess.Popen(
            _command(*words), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 200
        while process.poll() is None and _rows_taken(database) < rows and time.monotonic() < until:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def asked(*words: str) -> dict[str, object]:
        done = subprocess.run(
            _command(*words), env=environment, capture_output=True, text=True, check=False, timeout=200
        )
        assert done.returncode == 0, done.stderr
        body: dict[str, object] = json.loads(done.stdout)
        return body

    killed_after(1_000, "lists", "import", str(tmp_path / "list.csv"), "--list", "spring", "--yes")
    with sqlite3.connect(database) as connection:
        ((job, state),) = connection.execute("SELECT job_id, state FROM import_jobs").fetchall()
        assert state == "running"
        assert connection.execute("SELECT count(*) FROM leads WHERE ready = 1").fetchone() == (0,)
    killed_after(3_000, "lists", "resume", job)
    done = asked("lists", "resume", job, "--json")
    assert (done["state"], done["tally"]["added"], done["tally"]["rejected"]) == ("finished", _ROWS - _BAD, _BAD)  # type: ignore[index]
    with sqlite3.connect(database) as connection:
        counted = connection.execute("SELECT count(*), count(DISTINCT external_id), sum(ready) FROM leads").fetchone()
        assert counted == (_ROWS - _BAD, _ROWS - _BAD, _ROWS - _BAD)
    rejects = (tmp_path / "var" / "imports" / f"{job}.csv").read_text("utf-8-sig").splitlines()
    assert len(rejects) == 1 + _BAD
    assert [int(line.split(";")[0]) for line in rejects[1:]] == [n * (_ROWS // _BAD) + 2 for n in range(_BAD)]
