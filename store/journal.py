"""The journal: what happened, on disk before anybody acts on it.

`append` numbers an entry and returns at once; a thread of its own commits whatever gathered. Nobody waiting,
entries gather for `LINGER_S`; whoever awaits `durable` starts a commit at once, but not sooner than `GATHER_S`
after the one before. A commit costs a hundred times what an entry does: in quiet hours a waiter waits for one
fsync, in busy ones many share it.

A disk that is full or failing makes the journal unhealthy: entries stay in memory and are tried again, new
work should be refused at the door (`healthy`), calls in progress go on. When memory's share is used up too,
further events are given up (the newest snapshot of each interaction is not) and the journal says which.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from store import journal_file
from store.cipher import ContactCipher
from store.entry import Entry, OpenSnapshot, Recorded, StartedCommand, StateRow
from store.errors import JournalUnavailable
from store.files import Lease
from store.journal_reader import JournalReader
from store.journal_writer import Batch, JournalWriter, Operation

LINGER_S = 0.05
GATHER_S = 0.008
STALLED_S = 5.0
MAX_PENDING = 100_000
CLOSE_TIMEOUT_S = 10.0
_PRUNED_AT_ONCE = 2000
_RETIRED = "retired/"
"""Before a release's id, the name of what `about` says: the last event that may refer to it."""

T = TypeVar("T")


class Journal:
    """One per engine. All methods belong to the event loop it was opened in; none of them blocks it for long.

    Attributes:
        durable_seq: every entry up to this number is on disk.
        last_seq: the number given last.
        pending: entries that are not on disk yet.
        reader: blocking reads, for other threads.
    """

    def __init__(
        self,
        path: Path,
        lease: Lease,
        connection: sqlite3.Connection,
        cipher: ContactCipher,
        on_error: Callable[[str], None],
        max_pending: int,
        on_awaited: Callable[[], None],
    ) -> None:
        self.path = path
        self.reader = JournalReader.open(path, cipher)
        self.durable_seq = self.last_seq = journal_file.last_seq(connection)
        self.pending = 0
        self._lease = lease
        self._on_error = on_error
        self._max_pending = max_pending
        self._on_awaited = on_awaited
        self._loop = asyncio.get_running_loop()
        self._batch = Batch()
        self._in_flight: deque[tuple[float, Batch]] = deque()
        self._timer: asyncio.Handle | None = None
        self._next_flush_s = 0.0
        self._urgent = self._failing = self._closed = False
        self._writer = JournalWriter(
            path,
            cipher,
            connection,
            on_saved=self._on_disk,
            on_refused=lambda error: self._soon(self._refused, error),
            on_problem=lambda message: self._soon(self._on_error, f"journal {path}: {message}"),
        )

    @classmethod
    def open(
        cls,
        path: Path,
        cipher: ContactCipher,
        on_error: Callable[[str], None],
        max_pending: int = MAX_PENDING,
        on_awaited: Callable[[], None] = lambda: None,
    ) -> Self:
        """Opens, or creates, the journal; to be called inside the running event loop.

        Args:
            on_error: called in the loop with what is wrong and what to do; once per failure, not per retry.
            max_pending: entries kept in memory while the disk refuses.
            on_awaited: called on the writer's thread when something that somebody waits for is on disk, and the loop
                has been told.

        Raises:
            JournalLocked: another engine has it open.
            JournalDamaged: the file is unusable; it was left as it is.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        lease = Lease(path)
        try:
            connection = journal_file.open_for_writing(path, cipher.identity)
            return cls(path, lease, connection, cipher, on_error, max_pending, on_awaited)
        except BaseException:
            lease.release()
            raise

    async def close(self) -> None:
        """Saves what is pending and gives the lease back. What a failing disk does not take in time is reported."""
        if self._closed:
            return
        self._flush()
        self._closed = True
        # Readers first: the last connection to close, if it may write, tidies the log away.
        self.reader.close()
        self._writer.finish()
        if not await asyncio.to_thread(self._writer.join, CLOSE_TIMEOUT_S):
            self._writer.give_up()
            self._on_error(f"journal {self.path}: {self.pending} events were not saved: the disk refuses them")
            await asyncio.to_thread(self._writer.join, CLOSE_TIMEOUT_S)
        # The writer's last "saved" was queued in this loop before its thread ended: let it arrive.
        await asyncio.sleep(0)
        for _, batch in self._in_flight:
            _fail(batch.waiters, JournalUnavailable("the journal was closed before this was saved"))
        self._lease.release()

    @property
    def healthy(self) -> bool:
        """False while the disk refuses, or has not answered for `STALLED_S`: take in no new work."""
        if self._failing or self._closed:
            return False
        return not self._in_flight or self._loop.time() - self._in_flight[0][0] < STALLED_S

    # -- writing -----------------------------------------------------------------------------------
    def append(self, entry: Entry) -> int:
        """Numbers the entry and queues it; does not wait. Its command n has the id `{number}.{n}`.

        Raises:
            JournalUnavailable: the journal is closed.
        """
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        self.last_seq = seq = self.last_seq + 1
        batch = self._batch
        batch.last_seq = seq
        if self.pending < self._max_pending:
            batch.entries.append((seq, entry))
            self.pending += 1
        else:
            batch.lose(seq, entry)
        if self._timer is None:
            self._timer = self._loop.call_later(LINGER_S, self._flush)
        return seq

    def durable(self, seq: int) -> asyncio.Future[None]:
        """Done when the entry of this number is on disk; starts the commit. May be cancelled.

        The future fails with JournalUnavailable when the entry found no room, or the journal closed first.
        """
        settled: asyncio.Future[None] = self._loop.create_future()
        if seq <= self.durable_seq:
            settled.set_result(None)
            return settled
        if seq > self.last_seq:
            settled.set_exception(JournalUnavailable(f"no event has the number {seq}"))
            return settled
        batch = next((batch for _, batch in self._in_flight if batch.last_seq >= seq), self._batch)
        if batch.has_lost(seq):
            settled.set_exception(JournalUnavailable(f"event {seq} was not kept: the disk has refused for too long"))
            return settled
        return self._wait_for(batch)

    def command_started(
        self, command_id: str, interaction_id: str, what: str, subject_id: str, at_s: float
    ) -> asyncio.Future[None]:
        """Done when the mark, and every entry appended before it, is on disk: the command may run then.

        Args:
            what: the command's type name.
            subject_id: the leg, request or message it is about; comes back in `unfinished_commands`.
        """
        row = (*map(_text, (command_id, interaction_id, what, subject_id)), int(at_s * 1e6))
        return self._operate(lambda db: _run(db, "REPLACE INTO commands VALUES (?, ?, ?, ?, ?, NULL, NULL)", row))

    def command_done(self, command_id: str, outcome: str, at_s: float) -> None:
        """How it ended, for recovery and `journal show`; saved with the next batch."""
        row = (int(at_s * 1e6), _text(outcome), _text(command_id))
        self._enqueue(lambda db: _run(db, "UPDATE commands SET done_us = ?, outcome = ? WHERE command_id = ?", row))

    def save_release(self, release_id: str, body: bytes) -> asyncio.Future[None]:
        """Done when these flow sources are on disk. A release never changes: saving it again does nothing."""
        row = (release_id, body)
        return self._operate(lambda db: _run(db, "INSERT OR IGNORE INTO releases VALUES (?, ?)", row))

    def retire_releases(self, in_use: Iterable[str]) -> asyncio.Future[None]:
        """Nothing new refers to other releases than these. The others go when the last event until now has gone.

        One that is used again is retired no longer.
        """
        return self._operate(partial(_retire, in_use=sorted(in_use), until=self.last_seq))

    async def prune(self, before_s: float, projected_seq: int) -> int:
        """Deletes what happened before `before_s` (UTC seconds) and up to `projected_seq`, which projections have, with
        the retired releases that only it referred to.

        In small portions between other commits. Returns how many events were deleted.
        """
        until = min(await asyncio.to_thread(self.reader.seq_before, before_s), projected_seq)
        row = (int(before_s * 1e6),)
        await self._operate(lambda db: _run(db, "DELETE FROM commands WHERE done_us < ?", row))
        deleted = 0
        while portion := await asyncio.to_thread(self.reader.count_until, until, _PRUNED_AT_ONCE):
            await self._operate(partial(_prune, last=portion[1]))
            deleted += portion[0]
        return deleted

    # -- recovery: before the first append -----------------------------------------------------------
    def open_snapshots(self) -> Iterator[OpenSnapshot]:
        return self.reader.open_snapshots()

    def load_state(self, name: str) -> StateRow | None:
        return self.reader.load_state(name)

    def load_states(self, prefix: str) -> Iterator[StateRow]:
        return self.reader.load_states(prefix)

    def unfinished_commands(self) -> list[StartedCommand]:
        """Irreversible commands whose end nobody knows: ask the peer, else emit `CommandOutcomeUnknown`."""
        return self.reader.unfinished_commands()

    def load_release(self, release_id: str) -> bytes | None:
        return self.reader.load_release(release_id)

    # -- reading what is on disk, off the loop ---------------------------------------------------------
    async def show(self, interaction_id: str) -> list[Recorded]:
        return await asyncio.to_thread(self.reader.show, interaction_id)

    async def tail(self, after_seq: int, limit: int = 500) -> list[Recorded]:
        return await asyncio.to_thread(self.reader.tail, after_seq, limit)

    async def find(self, prefix: str, limit: int = 20) -> list[str]:
        return await asyncio.to_thread(self.reader.find, prefix, limit)

    # -- within ----------------------------------------------------------------------------------------
    def _operate(self, operation: Operation) -> asyncio.Future[None]:
        self._enqueue(operation)
        return self._wait_for(self._batch)

    def _enqueue(self, operation: Operation) -> None:
        if self._closed:
            raise JournalUnavailable("the journal is closed")
        self._batch.operations.append(operation)
        self._batch.last_seq = self.last_seq
        if self._timer is None:
            self._timer = self._loop.call_later(LINGER_S, self._flush)

    def _wait_for(self, batch: Batch) -> asyncio.Future[None]:
        waiter: asyncio.Future[None] = self._loop.create_future()
        batch.waiters.append(waiter)
        if batch is self._batch and not self._urgent:
            self._urgent = True
            if self._timer is not None:
                self._timer.cancel()
            # Even in quiet hours not at once: whatever else this turn of the loop appends goes along.
            self._timer = self._loop.call_at(self._next_flush_s, self._flush)
        return waiter

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._urgent = False
        batch, self._batch = self._batch, Batch()
        if batch.is_empty:
            return
        now = self._loop.time()
        self._next_flush_s = now + GATHER_S
        if self._in_flight and now - self._in_flight[0][0] > STALLED_S and not self._failing:
            self._refuse(f"the disk has not answered for {STALLED_S:.0f} s")
        self._in_flight.append((now, batch))
        self._writer.put(batch)

    def _on_disk(self, batches: Sequence[Batch]) -> None:
        """On the writer's thread."""
        self._soon(self._saved, batches)
        if any(batch.waiters for batch in batches):
            self._on_awaited()

    def _saved(self, batches: Sequence[Batch]) -> None:
        for batch in batches:
            self._in_flight.popleft()
            self.pending -= len(batch.entries)
            self.durable_seq = batch.last_seq
            for waiter in batch.waiters:
                if not waiter.done():
                    waiter.set_result(None)
        if self._failing:
            self._failing = False
            self._on_error(f"journal {self.path}: the disk takes entries again; everything pending was saved")

    def _refused(self, error: Exception) -> None:
        what = str(error)
        if "full" in what or getattr(error, "errno", None) == errno.ENOSPC:
            self._refuse(f"{what}: free space on its disk")
        elif "locked" in what:
            self._refuse(f"{what}: another program has it open for writing, stop that one")
        else:
            self._refuse(f"{what}: check its disk, permissions and limits")

    def _refuse(self, why: str) -> None:
        if not self._failing:
            self._failing = True
            self._on_error(
                f"journal {self.path} cannot be written ({why}). New calls are refused, calls in progress go on; "
                f"{self.pending} events wait in memory (room for {self._max_pending}) and are tried again by themselves"
            )

    def _soon(self, call: Callable[[T], None], value: T) -> None:
        """From the writer's thread; a loop that is gone needs no news."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, value)


def _run(db: sqlite3.Connection, statement: str, values: Sequence[object]) -> None:
    db.execute(statement, values)


def _prune(db: sqlite3.Connection, last: int) -> None:
    db.execute("DELETE FROM events WHERE seq <= ?", (last,))
    db.execute("DELETE FROM gaps WHERE last_seq <= ?", (last,))
    db.execute("REPLACE INTO about VALUES ('pruned_seq', ?)", (str(last),))
    forgotten = f"SELECT name FROM about WHERE name GLOB '{_RETIRED}*' AND CAST(value AS INTEGER) <= ?"  # noqa: S608
    db.execute(f"DELETE FROM releases WHERE '{_RETIRED}' || id IN ({forgotten})", (last,))  # noqa: S608
    db.execute(f"DELETE FROM about WHERE name IN ({forgotten})", (last,))  # noqa: S608


def _retire(db: sqlite3.Connection, in_use: Sequence[str], until: int) -> None:
    """Which event may be the last to refer to a release stands beside it; the first time it was retired counts."""
    db.executemany("DELETE FROM about WHERE name = ?", [(_RETIRED + release_id,) for release_id in in_use])
    marks = ",".join("?" * len(in_use))
    db.execute(
        f"INSERT OR IGNORE INTO about SELECT '{_RETIRED}' || id, ? FROM releases WHERE id NOT IN ({marks})",  # noqa: S608
        (str(until), *in_use),
    )


def _fail(waiters: Iterable[asyncio.Future[None]], error: JournalUnavailable) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_exception(error)


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()
