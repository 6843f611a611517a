"""How fast lists come in, in how much memory, and how long the hopper's query takes with a million leads.

    python -m bench.leads [--rows 1000000] [--kinds sqlite postgresql] [--file csv|xlsx]

A file of made-up people is imported by the very code of `centralita lists import`, in a process of its own whose peak
memory is read afterwards, while another process stages leads as the engine does. Beside it, as the peer, the same rows
go plainly into one table: `executemany` of Python's sqlite3, `COPY` of PostgreSQL; they parse no number, look for no
duplicate, and keep no index but the key. The databases wait for the disk at every commit.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl

from core.lead import LeadState
from core.lead_store import ListShare, Save, Staging
from desk.lists.service import Lists
from store.sql.database import LEADS, Database
from store.sql.lead_imports import SqlListStore
from tests.postgres_fixture import PostgresServer, find_binaries

_ZONES = ("Sevilla", "Las Palmas", "Madrid", "", "Barcelona")
_HEADER = ("Id", "Nombre", "Apellidos", "Móvil", "Fijo", "Provincia", "Consentimiento", "Saldo", "Prioridad")
_STAGINGS = 300
_HOPPER_S = 25.0


def people(rows: int, seed: int = 1) -> Iterator[list[str]]:
    """A header and the rows of nine columns; one row in fifty is bad, one in fifty doubles another."""
    chance = random.Random(seed)
    yield list(_HEADER)
    for number in range(rows):
        kind = chance.random()
        mobile = f"6{number * 97 % 10**8:08d}"
        if kind < 0.02:
            mobile = chance.choice(["112", "no tiene", "61234", "3.4911E+10"])
        row_id = number if kind < 0.98 else max(0, number - 1000)
        home = f"91{chance.randrange(2 * 10**6, 9 * 10**6):07d}" if number % 3 == 0 else ""
        name = f"Ana {number % 977}", f"Pérez {number % 1009}"
        place = _ZONES[number % 5]
        yield [f"C{row_id}", *name, mobile, home, place, "22/11/2025", f"{number % 1000},50", str(number % 10)]


def write_list(path: Path, rows: int, seed: int = 1) -> None:
    """By the name of the file: CSV with semicolons, or a spreadsheet of one sheet."""
    if path.suffix == ".xlsx":
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet("Hoja1")
        for row in people(rows, seed):
            sheet.append(row)
        book.save(path)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerows(people(rows, seed))


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqlListStore]:
    database = Database(url, LEADS)
    await database.upgrade()
    try:
        yield SqlListStore(database)
    finally:
        await database.close()


async def imports(url: str, file: Path, state: Path) -> None:
    """In its own process: prints what it did and the most memory it had."""
    async with opened(url) as store:
        lists = Lists(store, state, time.time)
        began = time.perf_counter()
        shown = await lists.preview(file, "main", "spring", country="ES")
        job = await lists.run(await lists.begin(file, shown.plan, shown.table), table=shown.table)
        took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    tally = {name: getattr(job.tally, name) for name in ("added", "updated", "unchanged", "rejected")}
    cpu = time.process_time()
    print(json.dumps({"took_s": took, "cpu_s": cpu, "peak_mb": peak, "rows": job.tally.rows, **tally}))


async def stages(url: str, seconds: float, zones: tuple[str, ...] | None, count: int = 20) -> list[float]:
    """How long each staging took; what was staged is saved as dialed and waiting, as the engine does."""
    took: list[float] = []
    until = time.monotonic() + seconds
    serial = 1
    shares = ListShare("spring", 3), ListShare("before", 1)
    async with opened(url) as store:
        while time.monotonic() < until and len(took) < _STAGINGS:
            now_s = time.time()
            wanted = Staging("main", "c1", shares, count, now_s, zones, 7 * 86_400)
            began = time.perf_counter()
            staged = await store.stage(wanted)
            took.append(time.perf_counter() - began)
            saves = [
                Save(
                    f"lead:{each.record.lead_id}",
                    serial,
                    lead=replace(each.record, state=LeadState.WAITING, not_before_s=now_s + 3600, attempts=1),
                )
                for each in staged.leads
            ]
            serial += 1
            await store.save(saves)
            await asyncio.sleep(0.01)
    return took


def quantiles(took: list[float]) -> str:
    if len(took) < 2:
        return "too few"
    cuts = statistics.quantiles(sorted(took), n=100)
    return f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, worst {max(took) * 1000:.1f} ms ({len(took)})"


def peer_sqlite(file: Path, directory: Path) -> float:
    """The same cells with executemany, 1,000 a transaction."""
    connection = sqlite3.connect(directory / "peer.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE plain (number INTEGER PRIMARY KEY, a, b, c, d, e, f, g, h, i)")
    began = time.perf_counter()
    with file.open(encoding="utf-8", newline="") as lines:
        batch: list[list[Any]] = []
        for number, row in enumerate(csv.reader(lines, delimiter=";")):
            batch.append([number, *row])
            if len(batch) == 1000:
                with connection:
                    connection.executemany("INSERT INTO plain VALUES (?,?,?,?,?,?,?,?,?,?)", batch)
                batch = []
        with connection:
            connection.executemany("INSERT INTO plain VALUES (?,?,?,?,?,?,?,?,?,?)", batch)
    connection.close()
    return time.perf_counter() - began


async def peer_postgres(url: str, file: Path) -> float:
    """The same cells with COPY, 1,000 a transaction."""
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute(
        f"CREATE TABLE plain (number bigint PRIMARY KEY, {', '.join(f'{name} text' for name in 'abcdefghi')})"
    )
    began = time.perf_counter()
    with file.open(encoding="utf-8", newline="") as lines:
        batch: list[tuple[Any, ...]] = []
        for number, row in enumerate(csv.reader(lines, delimiter=";")):
            batch.append((number, *row))
            if len(batch) == 1000:
                await connection.copy_records_to_table("plain", records=batch)
                batch = []
        await connection.copy_records_to_table("plain", records=batch)
    took = time.perf_counter() - began
    await connection.close()
    return took


async def measure(kind: str, url: str, file: Path, directory: Path, rows: int, small: Path, plain: Path) -> None:
    """`file`: what is imported; `plain`: the same as CSV, for the peer."""
    await imports_quietly(url, small, directory)
    command = [sys.executable, "-m", "bench.leads", "--import", url, str(file), str(directory / f"state-{kind}")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    during: list[float] = []
    while process.poll() is None:
        during += await stages(url, 1.0, ("Europe/Madrid", "Atlantic/Canary"), 5)
    assert process.stdout is not None
    done = json.loads(process.stdout.read())
    print(
        f"\n{kind}, {rows:,} rows of {file.suffix[1:]}: imported in {done['took_s']:.1f} s, "
        f"{done['rows'] / done['took_s']:,.0f} rows/s, "
        f"at most {done['peak_mb']:.0f} MB, {done['cpu_s'] / done['rows'] * 1e6:.0f} µs of CPU a row; "
        f"{done['added']:,} added, {done['updated']:,} updated, {done['rejected']:,} rejected",
        flush=True,
    )
    print(f"  staging meanwhile: {quantiles(during)}", flush=True)
    peer = peer_sqlite(plain, directory) if kind == "sqlite" else await peer_postgres(url, plain)
    print(f"  the peer (no checks, no indexes): {rows / peer:,.0f} rows/s")
    print(f"  hopper, 20 leads, all zones open: {quantiles(await stages(url, _HOPPER_S, None))}")
    print(f"  hopper, 20 leads, the Canaries alone: {quantiles(await stages(url, _HOPPER_S, ('Atlantic/Canary',)))}")
    async with opened(url) as store:
        began = time.perf_counter()
        counts = await store.counts("main", ["spring"])
        print(f"  counting {sum(counts.values()):,} leads by state: {(time.perf_counter() - began) * 1000:.0f} ms")
    again = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(
        f"  the same file again: {again['rows'] / again['took_s']:,.0f} rows/s, {again['unchanged']:,} unchanged, "
        f"{again['updated']:,} updated, {again['added']:,} added"
    )


async def imports_quietly(url: str, file: Path, directory: Path) -> None:
    """A list that is there before."""
    async with opened(url) as store:
        lists = Lists(store, directory, time.time)
        shown = await lists.preview(file, "main", "before", country="ES")
        await lists.run(await lists.begin(file, shown.plan, shown.table), table=shown.table)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--kinds", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--file", choices=["csv", "xlsx"], default="csv")
    parser.add_argument("--import", nargs=3, dest="job", metavar=("URL", "FILE", "STATE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.job:
        await imports(asked.job[0], Path(asked.job[1]), Path(asked.job[2]))
        return
    with tempfile.TemporaryDirectory(prefix="centralita-leads-") as name:
        directory = Path(name)
        plain, small = directory / "list.csv", directory / "small.csv"
        write_list(plain, asked.rows)
        file = plain.with_suffix(f".{asked.file}")
        if file != plain:
            write_list(file, asked.rows)
        write_list(small, 5_000, seed=2)
        for kind in asked.kinds:
            if kind == "sqlite":
                await measure(kind, f"sqlite:///{directory}/dialer.db", file, directory, asked.rows, small, plain)
                continue
            binaries = find_binaries()
            assert binaries is not None, "PostgreSQL is not installed"
            server = PostgresServer(binaries, durable=True)
            try:
                server.start()
                await measure(kind, server.create_database("leads"), file, directory, asked.rows, small, plain)
            finally:
                server.remove()


if __name__ == "__main__":
    asyncio.run(main())
