"""Data that stayed behind in the state directory when `database:` in config/site.yaml named another database: who asked
never to be called stands there, and nobody who dials would know.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from engine.home import Home

MOVED = ".moved"
"""After the name of a file whose data was moved."""
_KEPT = (
    ("dialer.db", "leads", "lead", "leads"),
    ("dialer.db", "listed_numbers", "do-not-call number", "do-not-call numbers"),
    ("centralita.db", "accounts", "account of the desk", "accounts of the desk"),
)
MEND = "stop, then `centralita move-data`; or move these files away when nobody needs them"


def files(home: Home) -> tuple[Path, ...]:
    return tuple(home.state / name for name in ("dialer.db", "centralita.db"))


def left_behind(home: Home, database: str) -> str:
    """What is in files that nobody reads; empty: nothing. `database`: what the site names."""
    if not database:
        return ""
    found = [
        f"{count} {one if count == 1 else many} in {file}"
        for file, table, one, many in _KEPT
        if (count := _count(home.state / file, table))
    ]
    return f"{', '.join(found)} of {home.state}: the database in config/site.yaml is another one" if found else ""


def _count(file: Path, table: str) -> int:
    if not file.exists():
        return 0
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=1.0)) as database:
            return int(next(_first(database, f"SELECT count(*) FROM {table}"), 0))  # noqa: S608 - names of ours
    except sqlite3.Error:
        return 0


def _first(database: sqlite3.Connection, query: str) -> Iterator[int]:
    for row in database.execute(query):
        yield row[0]
