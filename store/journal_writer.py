"""The journal's one writer: a thread that commits whatever has gathered, then says up to where it is safe.

A statement carries many rows: each one hands Python's interpreter lock back and forth once, and with a busy
event loop on the other side every such exchange may cost milliseconds.

When the disk refuses, nothing is dropped: the same batch is tried again, with what gathered meanwhile, until
it is taken. The connection is opened anew before each try, so no half-made state is trusted.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from store import wire
from store.cipher import HOUSE
from store.entry import Entry, StateRow
from store.journal_file import connect

Operation = Callable[[sqlite3.Connection], None]
"""Statements that run in the batch's transaction. It may run again when the transaction failed."""

_ROWS_PER_STATEMENT = (256, 64, 16, 4, 1)
_RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
_PAGE_BYTES = 4096
_PAGES_A_BATCH = 6
_CHECKPOINT_BYTES = 4 * 1024 * 1024
_CHECKPOINT_NOW_BYTES = 32 * 1024 * 1024


class Cipher(Protocol):
    """What the writer needs of `ContactCipher`."""

    def refresh(self) -> None: ...

    def seal(self, contact_key_id: str, plain: bytes, bound: bytes) -> bytes: ...

    def persist(self) -> None: ...


@dataclass(slots=True)
class Batch:
    """What is committed together.

    Attributes:
        lost: (first, last) numbers of entries that found no room in memory.
        remains: of these, the last per interaction, for its snapshot.
        remaining_states: of these, the last per state of the engine.
        waiters: the loop's business, not the thread's.
    """

    entries: list[tuple[int, Entry]] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    remains: dict[str, tuple[int, Entry]] = field(default_factory=dict)
    remaining_states: dict[str, tuple[int, StateRow]] = field(default_factory=dict)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)
    last_seq: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.entries or self.operations or self.lost)

    def lose(self, seq: int, entry: Entry) -> None:
        if self.lost and self.lost[-1][1] == seq - 1:
            self.lost[-1] = (self.lost[-1][0], seq)
        else:
            self.lost.append((seq, seq))
        if entry.snapshot is not None or entry.closed:
            self.remains[entry.interaction_id] = (seq, entry)
        for row in entry.states:
            self.remaining_states[row.name] = (seq, row)

    def has_lost(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.lost)


class JournalWriter:
    """All callbacks are called on the writer's thread.

    Args:
        on_saved: these batches are on disk.
        on_refused: a try failed; it will be repeated.
        on_problem: something of one entry could not be saved, and never will be.
    """

    def __init__(
        self,
        path: Path,
        cipher: Cipher,
        connection: sqlite3.Connection,
        on_saved: Callable[[Sequence[Batch]], None],
        on_refused: Callable[[Exception], None],
        on_problem: Callable[[str], None],
    ) -> None:
        self._path = path
        self._cipher = cipher
        self._db: sqlite3.Connection | None = connection
        self._on_saved = on_saved
        self._on_refused = on_refused
        self._on_problem = on_problem
        self._queue: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        # What an engine before us left in the log is moved with the first batch.
        self._written_bytes = _CHECKPOINT_BYTES
        self._give_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def put(self, batch: Batch) -> None:
        self._queue.put(batch)

    def finish(self) -> None:
        """Saves what was put and ends the thread."""
        self._queue.put(None)

    def give_up(self) -> None:
        """Ends the thread after the present try, saved or not."""
        self._give_up.set()
        self._queue.put(None)

    def join(self, timeout_s: float) -> bool:
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        batches: list[Batch] = []
        finishing, tries = False, 0
        while not self._give_up.is_set():
            if not batches:
                if finishing:
                    break
                finishing = self._gather(batches, wait=True) or finishing
            finishing = self._gather(batches, wait=False) or finishing
            if not batches:
                continue
            try:
                self._save(batches)
            except Exception as error:
                self._drop_connection()
                self._on_refused(error)
                self._give_up.wait(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
                tries += 1
                continue
            tries = 0
            self._on_saved(batches)
            batches = []
            self._checkpoint()
        self._drop_connection()

    def _gather(self, batches: list[Batch], wait: bool) -> bool:
        """Adds what is queued; True when told to finish."""
        finishing = False
        try:
            while True:
                batch = self._queue.get(block=wait)
                wait = False
                if batch is None:
                    finishing = True
                else:
                    batches.append(batch)
        except queue.Empty:
            return finishing

    def _save(self, batches: Sequence[Batch]) -> None:
        db = self._db
        if db is None:
            db = self._db = connect(self._path)
        self._cipher.refresh()
        events, snapshots, closed = self._rows(batches)
        states, gone = self._states(batches)
        self._cipher.persist()
        # The log takes whole pages: a snapshot lies on any, events lie one behind the other.
        pages = _PAGES_A_BATCH + len(closed) + len(snapshots) + len(states) + len(gone)
        bodies = sum([len(row[-1]) for row in events]) + sum([len(row[-1]) for row in snapshots])
        self._written_bytes += pages * _PAGE_BYTES + bodies
        db.execute("BEGIN IMMEDIATE")
        _insert(db, "INSERT INTO events (seq, interaction_id, contact_key_id, at_us, type, body) VALUES", events)
        _insert(db, "REPLACE INTO snapshots (interaction_id, contact_key_id, seq, version, body) VALUES", snapshots)
        _insert(db, "REPLACE INTO states (name, seq, version, body) VALUES", states)
        for size, chunk in _chunks(closed):
            marks = ",".join("?" * size)
            db.execute(f"DELETE FROM snapshots WHERE interaction_id IN ({marks})", chunk)  # noqa: S608
        for size, chunk in _chunks(gone):
            marks = ",".join("?" * size)
            db.execute(f"DELETE FROM states WHERE name IN ({marks})", chunk)  # noqa: S608
        for batch in batches:
            for operation in batch.operations:
                operation(db)
            for first, last in batch.lost:
                db.execute("INSERT INTO gaps VALUES (?, ?)", (first, last))
        db.execute("COMMIT")

    def _rows(self, batches: Iterable[Batch]) -> tuple[list[Any], list[Any], list[str]]:
        """Sealed rows of all batches; of each snapshot only the last."""
        events: list[tuple[object, ...]] = []
        last: dict[str, tuple[int, Entry]] = {}
        seal = self._cipher.seal
        for batch in batches:
            for seq, entry in batch.entries:
                bound = seq.to_bytes(8, "big")
                events.append(self._row(seq, entry, bound))
                if entry.snapshot is not None or entry.closed:
                    last[entry.interaction_id] = (seq, entry)
            last.update(batch.remains)
        snapshots: list[tuple[object, ...]] = []
        closed: list[str] = []
        for interaction_id, (seq, entry) in last.items():
            if entry.closed:
                closed.append(interaction_id)
                continue
            try:
                if not (_is_text(interaction_id) and _is_text(entry.contact_key_id)):
                    raise ValueError("an id of it is no text")
                plain = entry.snapshot() if callable(entry.snapshot) else entry.snapshot or b""
                sealed = seal(entry.contact_key_id, plain, seq.to_bytes(8, "big"))
            except Exception as error:
                self._on_problem(f"event {seq}: no snapshot of {interaction_id}, the one before stays: {error!r}")
                continue
            snapshots.append((interaction_id, entry.contact_key_id, seq, entry.snapshot_version, sealed))
        return events, snapshots, closed

    def _states(self, batches: Iterable[Batch]) -> tuple[list[Any], list[str]]:
        """The engine's states after all batches, sealed, and the names of those that are gone."""
        last: dict[str, tuple[int, StateRow]] = {}
        for batch in batches:
            for seq, entry in batch.entries:
                for row in entry.states:
                    last[row.name] = (seq, row)
            last.update(batch.remaining_states)
        kept: list[tuple[object, ...]] = []
        gone: list[str] = []
        for name, (seq, row) in last.items():
            if not _is_text(name):
                self._on_problem(f"event {seq}: a state has the unusable name {name!r}")
            elif row.body is None:
                gone.append(name)
            else:
                kept.append((name, seq, row.version, self._cipher.seal(HOUSE, row.body, seq.to_bytes(8, "big"))))
        return kept, gone

    def _row(self, seq: int, entry: Entry, bound: bytes) -> tuple[object, ...]:
        """What cannot be written must not hold up everybody else's events: its body is left out, its row stays."""
        try:
            plain = wire.pack(entry.event, entry.decisions, entry.commands)
            if not (_is_text(entry.interaction_id) and _is_text(entry.contact_key_id)):
                raise ValueError("an id of it is no text")
            at_us = int(entry.at_s * 1e6)
        except Exception as error:
            self._on_problem(f"event {seq} of {entry.interaction_id!r}: its body cannot be saved: {error}")
            interaction_id = entry.interaction_id.encode("utf-8", "replace").decode()
            return seq, interaction_id, HOUSE, 0, type(entry.event).__name__, self._cipher.seal(HOUSE, b"", bound)
        body = self._cipher.seal(entry.contact_key_id, plain, bound)
        return seq, entry.interaction_id, entry.contact_key_id, at_us, type(entry.event).__name__, body

    def _checkpoint(self) -> None:
        """Moves the log into the file: in a quiet moment, or when the log has grown too long to wait for one.

        The log is written from its beginning again then and keeps its size, so what was written since is counted.
        """
        db = self._db
        if db is None:
            return
        written = self._written_bytes
        if not (written > _CHECKPOINT_NOW_BYTES or (written > _CHECKPOINT_BYTES and self._queue.empty())):
            return
        try:
            _, in_log, moved = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        except sqlite3.Error:
            self._drop_connection()
            return
        # A reader may still need some of it: the rest is tried again when as much has come to it.
        self._written_bytes = (in_log - moved) * _PAGE_BYTES

    def _drop_connection(self) -> None:
        db, self._db = self._db, None
        if db is None:
            return
        try:
            db.close()
        except sqlite3.Error:
            return


def _is_text(value: str) -> bool:
    """False for lone surrogates, which SQLite and UTF-8 do not know."""
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _insert(db: sqlite3.Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if not rows:
        return
    group = f"({','.join('?' * len(rows[0]))})"
    for size, chunk in _chunks(rows):
        db.execute(f"{statement} {','.join([group] * size)}", [value for row in chunk for value in row])


def _chunks(rows: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    """Few different sizes, so that each statement is parsed once and then reused."""
    start = 0
    for size in _ROWS_PER_STATEMENT:
        while len(rows) - start >= size:
            yield size, rows[start : start + size]
            start += size
