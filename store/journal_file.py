"""The journal's file: its tables, and how it is opened.

events     one row per event, numbered without holes; its body (event, decisions, commands) is sealed
snapshots  the last state of each open interaction, replaced in the transaction of its last event
states     the same for what concerns the whole engine
commands   irreversible commands that were started, and how they ended
releases   the sources that interactions are pinned to, as long as an event refers to them
gaps       numbers given to events that could not be kept while the disk failed
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from store.errors import JournalDamaged
from store.files import sync_directory

APPLICATION_ID = 0x43745631
SCHEMA_VERSION = 1
_CHECKED_WHOLE_BYTES = 64 * 1024 * 1024

_LOCKED_S = 1.0

_SCHEMA = """
CREATE TABLE events (
    seq INTEGER PRIMARY KEY, interaction_id TEXT NOT NULL, contact_key_id TEXT NOT NULL,
    at_us INTEGER NOT NULL, type TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE INDEX events_by_interaction ON events (interaction_id, seq);
CREATE TABLE snapshots (
    interaction_id TEXT PRIMARY KEY, contact_key_id TEXT NOT NULL, seq INTEGER NOT NULL,
    version INTEGER NOT NULL, body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE states (name TEXT PRIMARY KEY, seq INTEGER NOT NULL, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
CREATE TABLE commands (
    command_id TEXT PRIMARY KEY, interaction_id TEXT NOT NULL, what TEXT NOT NULL, subject_id TEXT NOT NULL,
    started_us INTEGER NOT NULL, done_us INTEGER, outcome TEXT
) STRICT;
CREATE INDEX commands_by_interaction ON commands (interaction_id);
CREATE INDEX commands_unfinished ON commands (command_id) WHERE done_us IS NULL;
CREATE TABLE releases (id TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
CREATE TABLE gaps (first_seq INTEGER PRIMARY KEY, last_seq INTEGER NOT NULL) STRICT;
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
"""


def open_for_writing(path: Path, keys_identity: str) -> sqlite3.Connection:
    """The journal at `path`, created when neither it nor a write-ahead log of it is there.

    Raises:
        JournalDamaged: it is not a journal, is damaged, of a newer release, or belongs to other keys.
    """
    wal = path.with_name(path.name + "-wal")
    fresh = not path.exists() or path.stat().st_size == 0
    if fresh and wal.exists() and wal.stat().st_size:
        raise JournalDamaged(
            f"{path} is gone but {wal.name} is still there: restore {path.name} from a backup, "
            f"or move {wal.name} away to start with an empty journal"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if fresh:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            db = connect(path)
            _create(db, keys_identity)
            sync_directory(path.parent)
        else:
            # Read-only first: what is damaged, or not ours, must not be changed by looking at it.
            looking = connect(path, read_only=True)
            try:
                _check(looking, path, keys_identity)
            finally:
                looking.close()
            db = connect(path)
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from None
    return db


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A second, read-only connection; also from another process, while the engine writes.

    Raises:
        JournalDamaged: there is no journal at `path`, or it cannot be read.
    """
    if not path.exists():
        raise JournalDamaged(f"there is no journal at {path}: is the state directory right?")
    try:
        db = connect(path, read_only=True)
        _check_version(db, path)
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from None
    return db


def connect(path: Path, read_only: bool = False) -> sqlite3.Connection:
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_LOCKED_S,
    )
    if not read_only:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute(f"PRAGMA journal_size_limit = {_CHECKED_WHOLE_BYTES}")
    return db


def last_seq(db: sqlite3.Connection) -> int:
    """The highest number ever given and kept, pruned events and gaps included; 0 for an empty journal."""
    row = db.execute(
        "SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(last_seq) FROM gaps), 0),"
        " coalesce((SELECT CAST(value AS INTEGER) FROM about WHERE name = 'pruned_seq'), 0))"
    ).fetchone()
    return int(row[0])


def _create(db: sqlite3.Connection, keys_identity: str) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    db.execute("INSERT INTO about VALUES ('keys', ?)", (keys_identity,))
    db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _check(db: sqlite3.Connection, path: Path, keys_identity: str) -> None:
    _check_version(db, path)
    about: dict[str, str] = dict(db.execute("SELECT name, value FROM about"))
    if about.get("keys") != keys_identity:
        raise JournalDamaged(
            f"{path} was written with other keys than those beside it: put back the keys.db and master.key "
            "that belong to it, or move the journal away to start with an empty one"
        )
    # The whole of a large file takes longer than callers wait; there, damage shows when its page is read.
    if path.stat().st_size <= _CHECKED_WHOLE_BYTES:
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _damaged(path, verdict.splitlines()[-1])
    last_seq(db)


def _check_version(db: sqlite3.Connection, path: Path) -> None:
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise _damaged(path, "it is another program's database")
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise JournalDamaged(f"{path} was written by a newer release: upgrade this one; nothing was changed")


def _damaged(path: Path, why: object) -> JournalDamaged:
    return JournalDamaged(
        f"{path} cannot be used ({why}): it was left as it is. Restore it from a backup, or save what can be read "
        f'with: sqlite3 {path.name} ".recover" | sqlite3 recovered.db. To start with an empty journal, '
        f"move {path.name} and {path.name}-wal away"
    )
