"""Durable events per second and how long one waits, beside the plain ways to save an event.

    python -m bench.journal            about 20 s; PostgreSQL's rows need the package postgresql

Every way saves the same: a digit pressed in a menu with three decisions and two commands (about 600 bytes).
The journal also seals it and keeps the snapshot (500 bytes) of its interaction; the others do not.
CPU is this process's, and the server's where there is one. Wait: from handing it over to knowing it is safe.
On purpose the journal commits at most every 8 ms (`GATHER_S`): a lone waiter in quiet hours does not notice,
one in a tight loop would.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from core.commands import Command
from core.decisions import Decision, Moved, NodeEntered, NodeLeft
from core.events import DigitPressed
from core.leg_commands import Play, StopPlayback
from core.media import Silence, Sound, Speech
from core.table import Transition
from store import wire
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from tests.postgres_fixture import PostgresServer, find_binaries

SECONDS = 1.5
EVENT = DigitPressed("leg-0123456789", "1")
DECISIONS: list[Decision] = [
    NodeLeft("reception", "menu", 3, "1", "sales"),
    NodeEntered("reception", "sales", 4),
    Moved(Transition("interaction", "i-0123456789", "in_flow", "queued", "queue")),
]
COMMANDS: list[Command] = [
    StopPlayback("leg-0123456789", "playback-1"),
    Play("leg-0123456789", "playback-2", (Sound("welcome", "es"), Speech("Un momento", "es"), Silence(0.3))),
]
BODY = wire.pack(EVENT, DECISIONS, COMMANDS)
SNAPSHOT = bytes(500)


@dataclass
class Result:
    """`waits_s`: per event; `cpu_s`: of everything that took part."""

    how: str
    situation: str
    waits_s: list[float]
    wall_s: float
    cpu_s: float

    def row(self) -> list[str]:
        waits = sorted(self.waits_s)
        at = [waits[int(len(waits) * share)] * 1e3 for share in (0.5, 0.99)]
        each = self.cpu_s / len(waits) * 1e6
        rate = f"{len(waits) / self.wall_s:,.0f}"
        return [self.how, self.situation, rate, *(f"{wait:.2f}" for wait in at), f"{each:.0f}"]


async def measure(
    how: str,
    situation: str,
    at_once: int,
    save: Callable[[int], Awaitable[None]],
    server_cpu_s: Callable[[], float] = lambda: 0.0,
    every_s: float = 0.0,
) -> Result:
    """`at_once` callers, each saving one event after another for SECONDS, or one `every_s`."""
    waits: list[float] = []
    ends = time.perf_counter() + SECONDS

    async def caller(number: int) -> None:
        while (started := time.perf_counter()) < ends:
            await save(number)
            waits.append(time.perf_counter() - started)
            if every_s:
                await asyncio.sleep(every_s)

    cpu, wall = time.process_time() + server_cpu_s(), time.perf_counter()
    await asyncio.gather(*(caller(number) for number in range(at_once)))
    wall, cpu = time.perf_counter() - wall, time.process_time() + server_cpu_s() - cpu
    return Result(how, situation, waits, wall, cpu)


QUIET, IN_TURN, MANY = "quiet: one every 25 ms", "one after another", "{} callers, each waits"


def entry(number: int, contacts: int = 50) -> Entry:
    contact = f"{number % contacts:032d}"
    return Entry(f"i-{number:012d}", contact, time.time(), EVENT, DECISIONS, COMMANDS, snapshot=lambda: SNAPSHOT)


async def the_journal(directory: Path) -> list[Result]:
    journal = Journal.open(directory / "journal.db", ContactCipher.open(directory), print)

    async def save(number: int) -> None:
        await journal.durable(journal.append(entry(number)))

    results = [await measure("journal", QUIET, 1, save, every_s=0.025)]
    results += [await measure("journal", MANY.format(at_once), at_once, save) for at_once in (50, 1000)]
    results.append(await paced(journal))
    results.append(await burst(journal))
    await journal.close()
    return results


async def paced(journal: Journal, per_s: int = 800) -> Result:
    """What an engine with 100 calls a second does: eight events a call, one of them awaited."""
    waits: list[float] = []
    tasks: set[asyncio.Task[None]] = set()

    async def waited(seq: int, started: float) -> None:
        await journal.durable(seq)
        waits.append(time.perf_counter() - started)

    cpu, wall = time.process_time(), time.perf_counter()
    for n in range(int(per_s * SECONDS * 2)):
        await asyncio.sleep(max(0.0, wall + n / per_s - time.perf_counter()))
        started = time.perf_counter()
        seq = journal.append(entry(n // 8, contacts=10**9))
        if n % 8 == 0:
            tasks.add(asyncio.ensure_future(waited(seq, started)))
    await asyncio.gather(*tasks)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    result = Result("journal", f"{per_s} events/s paced, one in 8 waited for", waits, wall, cpu)
    result.waits_s = waits * 8
    return result


async def burst(journal: Journal, number: int = 20_000) -> Result:
    cpu, wall, loop = time.process_time(), time.perf_counter(), time.thread_time()
    for n in range(number):
        journal.append(entry(n % 2000))
        if n % 50 == 0:
            await asyncio.sleep(0)
    loop = time.thread_time() - loop
    await journal.durable(journal.last_seq)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    situation = f"{number:,} in a burst ({loop / number * 1e6:.0f} µs each on the loop)"
    return Result("journal", situation, [wall] * number, wall, cpu)


async def plain_sqlite(directory: Path) -> list[Result]:
    db = sqlite3.connect(directory / "plain.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY, interaction_id TEXT, body BLOB)")

    async def save(number: int) -> None:
        db.execute("INSERT INTO events (interaction_id, body) VALUES (?, ?)", (f"i-{number:012d}", BODY))

    how = "sqlite3, commit each"
    results = [await measure(how, QUIET, 1, save, every_s=0.025), await measure(how, IN_TURN, 1, save)]
    db.close()
    return results


async def postgresql(server: PostgresServer) -> list[Result]:
    url = server.create_database("bench")
    pool = await asyncpg.create_pool(url, min_size=16, max_size=16)
    await pool.execute("CREATE TABLE events (seq BIGSERIAL PRIMARY KEY, interaction_id TEXT, body BYTEA)")

    async def save(number: int) -> None:
        await pool.execute("INSERT INTO events (interaction_id, body) VALUES ($1, $2)", f"i-{number:012d}", BODY)

    def cpu_s() -> float:
        return cpu_of(server.pid)

    how = "PostgreSQL, commit each"
    results = [
        await measure(how, QUIET, 1, save, cpu_s, every_s=0.025),
        await measure(how, IN_TURN, 1, save, cpu_s),
        await measure(how, MANY.format(16), 16, save, cpu_s),
    ]
    await pool.close()
    return results


def cpu_of(parent: int) -> float:
    """Seconds of a process and its children, as they are now."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, fields = stat.parent.name, stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(name) == parent or int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


async def main() -> None:
    console = Console(width=120)
    table = Table("how", "situation", "durable events/s", "wait p50 ms", "p99 ms", "CPU µs/event", title="Journal")
    for column in table.columns[2:]:
        column.justify = "right"
    with tempfile.TemporaryDirectory(prefix="centralita-store-bench-", dir=Path.home()) as place:
        results = [*await the_journal(Path(place)), *await plain_sqlite(Path(place))]
    binaries = find_binaries()
    if binaries is None:
        console.print("PostgreSQL is left out: apt-get install postgresql")
    else:
        server = PostgresServer(binaries, durable=True)
        try:
            server.start()
            results += await postgresql(server)
        finally:
            server.remove()
    for result in results:
        table.add_row(*result.row())
    console.print(table)
    console.print(f"{len(BODY)} bytes an event; {os.cpu_count()} cores; SQLite {sqlite3.sqlite_version}")


if __name__ == "__main__":
    uvloop.run(main())
