"""Reading the journal: recovery, `journal show`, projections. Also from another process while the engine writes."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from store import journal_file, wire
from store.cipher import ContactCipher
from store.entry import OpenSnapshot, Recorded, StartedCommand, StateRow
from store.errors import Erased, JournalDamaged, KeysUnusable, WireError

ERASED = "erased"
_EVENTS = "SELECT seq, interaction_id, contact_key_id, at_us, type, body FROM events"
_COMMANDS = "SELECT command_id, interaction_id, what, subject_id, started_us, done_us, outcome FROM commands"


class JournalReader:
    """Blocking; every method may be called from any thread, and raises JournalDamaged when a page is unreadable.

    A body that cannot be read (erased, or from a newer release) is no error: the entry says so.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, cipher: ContactCipher) -> None:
        self._path = path
        self._db = connection
        self._cipher = cipher
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, cipher: ContactCipher) -> Self:
        """Raises JournalDamaged."""
        return cls(path, journal_file.open_for_reading(path), cipher)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def last_seq(self) -> int:
        """The number given last, among those on disk."""
        with self._lock:
            try:
                return journal_file.last_seq(self._db)
            except sqlite3.DatabaseError as error:
                raise self._damaged(error) from None

    def show(self, interaction_id: str) -> list[Recorded]:
        """Everything that happened to one interaction, in order."""
        return self._recorded(f"{_EVENTS} WHERE interaction_id = ? ORDER BY seq", (interaction_id,))

    def tail(self, after_seq: int, limit: int = 500) -> list[Recorded]:
        """Entries numbered above `after_seq`, in order. A number may be missing: pruned, or lost in a gap."""
        return self._recorded(f"{_EVENTS} WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit))

    def find(self, prefix: str, limit: int = 20) -> list[str]:
        """Ids of interactions that begin with `prefix`."""
        # No text sorts above this one: U+10FFFF is the last code point there is.
        query = (
            "SELECT DISTINCT interaction_id FROM events WHERE interaction_id >= ? AND interaction_id <= ?"
            " ORDER BY interaction_id LIMIT ?"
        )
        return [row[0] for row in self._rows(query, (prefix, prefix + "\U0010ffff", limit))]

    def newest(self, limit: int = 1) -> list[str]:
        """Ids of the interactions that something happened to last, the latest first."""
        query = (
            "SELECT interaction_id FROM events WHERE interaction_id <> '' GROUP BY interaction_id"
            " ORDER BY max(seq) DESC LIMIT ?"
        )
        return [row[0] for row in self._rows(query, (limit,))]

    def begun(self, after_seq: int = 0, keys: Collection[str] = ()) -> Iterator[str]:
        """Ids of the interactions whose first event has a higher number, those that began last first.

        Args:
            keys: only of these contacts, by their key's id; empty for all.
        """
        theirs = f" AND contact_key_id IN ({','.join('?' * len(keys))})" if keys else ""
        # From the end, as far as it is read: who wants the last one does not wait for a year of them.
        query = (
            f"SELECT interaction_id FROM events AS one WHERE seq > ? AND interaction_id <> ''{theirs} AND NOT EXISTS"  # noqa: S608
            f" (SELECT 1 FROM events WHERE interaction_id = one.interaction_id AND seq < one.seq{theirs})"
            " ORDER BY seq DESC"
        )
        return (row[0] for row in self._rows(query, (after_seq, *keys, *keys), at_first=1))

    def seq_before(self, at_s: float) -> int:
        """The last number whose entry was handled before `at_s` (UTC seconds); 0 when there is none.

        Entries are in the order of time, so a search by halves spares an index on it.
        """
        low, high = 0, self.last_seq()
        while low < high:
            middle = (low + high + 1) // 2
            row = next(self._rows("SELECT at_us FROM events WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)), None)
            if row is not None and row[0] < at_s * 1e6:
                low = middle
            else:
                high = middle - 1
        return low

    def count_until(self, seq: int, limit: int) -> tuple[int, int] | None:
        """How many of the oldest entries, at most `limit`, are numbered up to `seq`, and the last of these."""
        query = "SELECT count(*), max(seq) FROM (SELECT seq FROM events WHERE seq <= ? ORDER BY seq LIMIT ?)"
        count, last = next(self._rows(query, (seq, limit)))
        return (count, last) if count else None

    def gaps(self) -> list[tuple[int, int]]:
        """(first, last) numbers of events that could not be kept while the disk failed."""
        return [(first, last) for first, last in self._rows("SELECT first_seq, last_seq FROM gaps ORDER BY 1", ())]

    def open_snapshots(self) -> Iterator[OpenSnapshot]:
        """The interactions that were open, in no order, read as the caller goes."""
        query = "SELECT interaction_id, contact_key_id, seq, version, body FROM snapshots"
        for interaction_id, contact, seq, version, sealed in self._rows(query, ()):
            body, _ = self._open(seq, sealed)
            yield OpenSnapshot(interaction_id, contact, seq, version, body)

    def load_state(self, name: str) -> StateRow | None:
        row = next(self._rows("SELECT seq, version, body FROM states WHERE name = ?", (name,)), None)
        if row is None:
            return None
        body, why = self._open(row[0], row[2])
        if body is None:
            raise JournalDamaged(f"{self._path}: the state {name!r} cannot be read: {why}")
        return StateRow(name, row[1], body)

    def load_states(self, prefix: str) -> Iterator[StateRow]:
        """The states whose names begin with `prefix`, by name. Those that cannot be read are left out."""
        query = "SELECT name, seq, version, body FROM states WHERE name >= ? AND name <= ? ORDER BY name"
        for name, seq, version, sealed in self._rows(query, (prefix, prefix + "\U0010ffff")):
            body, _ = self._open(seq, sealed)
            if body is not None:
                yield StateRow(name, version, body)

    def last_of(self, kind: str, before_seq: int) -> Recorded | None:
        """The last event of this type with a lower number."""
        query = f"{_EVENTS} WHERE seq < ? AND type = ? ORDER BY seq DESC LIMIT 1"
        return next(iter(self._recorded(query, (before_seq, kind))), None)

    def at(self, seq: int) -> Recorded | None:
        return next(iter(self._recorded(f"{_EVENTS} WHERE seq = ?", (seq,))), None)

    def contact_of(self, interaction_id: str) -> str | None:
        """Whose key seals what happened to the interaction; None when nothing is known of it."""
        query = "SELECT contact_key_id FROM events WHERE interaction_id = ? ORDER BY seq LIMIT 1"
        row = next(self._rows(query, (interaction_id,)), None)
        return None if row is None else row[0]

    def commands(self, interaction_id: str) -> list[StartedCommand]:
        """The irreversible commands of one interaction."""
        rows = self._rows(f"{_COMMANDS} WHERE interaction_id = ? ORDER BY started_us, command_id", (interaction_id,))
        return [_started(*row) for row in rows]

    def unfinished_commands(self) -> list[StartedCommand]:
        """Irreversible commands that were started and of which nobody knows how they ended."""
        return [_started(*row) for row in self._rows(f"{_COMMANDS} WHERE done_us IS NULL ORDER BY started_us", ())]

    def load_release(self, release_id: str) -> bytes | None:
        row = next(self._rows("SELECT body FROM releases WHERE id = ?", (release_id,)), None)
        return None if row is None else row[0]

    def _recorded(self, query: str, values: Sequence[object]) -> list[Recorded]:
        self._cipher.refresh()
        recorded = []
        for seq, interaction_id, contact, at_us, kind, sealed in self._rows(query, values):
            body, why = self._open(seq, sealed)
            try:
                event, decisions, commands = wire.unpack(body) if body else (None, [], [])
            except WireError as error:
                event, decisions, commands, why = None, [], [], str(error)
            recorded.append(Recorded(seq, interaction_id, contact, at_us / 1e6, kind, event, decisions, commands, why))
        return recorded

    def _open(self, seq: int, sealed: bytes) -> tuple[bytes | None, str]:
        try:
            plain = self._cipher.unseal(sealed, seq.to_bytes(8, "big"))
        except Erased:
            return None, ERASED
        except KeysUnusable as error:
            return None, str(error)
        return plain, "" if plain else "it could not be saved"

    def _rows(self, query: str, values: Sequence[object], at_first: int = 500) -> Iterator[Any]:
        """Pages of rows: the lock is not held between them, so that a slow reader holds up nobody."""
        with self._lock:
            try:
                cursor = self._db.execute(query, values)
                page = cursor.fetchmany(at_first)
            except sqlite3.DatabaseError as error:
                raise self._damaged(error) from None
        while page:
            yield from page
            with self._lock:
                try:
                    page = cursor.fetchmany(500)
                except sqlite3.DatabaseError as error:
                    raise self._damaged(error) from None

    def _damaged(self, error: sqlite3.DatabaseError) -> JournalDamaged:
        return JournalDamaged(f"{self._path} cannot be read ({error}): restore it from a backup")


def _started(
    command_id: str, interaction_id: str, what: str, subject: str, started_us: int, done_us: int | None, how: str | None
) -> StartedCommand:
    done_s = None if done_us is None else done_us / 1e6
    return StartedCommand(command_id, interaction_id, what, subject, started_us / 1e6, done_s, how)
