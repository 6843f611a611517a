"""Fills the disk under a journal, in a process of its own: `python full_disk.py DIRECTORY`.

On a small file system it fills that; elsewhere it forbids this process's files to grow.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from pathlib import Path

from core.events import DigitPressed
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal


class Disk:
    def __init__(self, directory: Path) -> None:
        room = os.statvfs(directory)
        self._small = room.f_blocks * room.f_frsize < 16 * 1024 * 1024
        self._filler = directory / "filler"

    def fill(self) -> None:
        if not self._small:
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
            return
        with self._filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                return

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def entry(n: int) -> Entry:
    return Entry(f"i-{n % 7}", f"contact-{n % 50}", 1.0, DigitPressed("leg", str(n)), snapshot=str(n).encode() * 100)


async def until(true: object) -> None:
    for _ in range(4000):
        if true():  # type: ignore[operator]
            return
        await asyncio.sleep(0.01)
    raise SystemExit("never happened")


async def main(directory: Path) -> None:
    disk = Disk(directory)
    errors: list[str] = []
    cipher = ContactCipher.open(directory)
    journal = Journal.open(directory / "journal.db", cipher, errors.append)
    for n in range(20):
        journal.append(entry(n))
    await journal.durable(20)
    for _ in range(2):
        disk.fill()
        while journal.healthy:
            journal.append(entry(journal.last_seq))
            await asyncio.sleep(0.005)
        promised = journal.durable_seq
        for _ in range(300):
            journal.append(entry(journal.last_seq))
        await asyncio.sleep(0.4)
        assert not journal.healthy
        assert journal.pending >= 300
        seen = [each.seq for each in journal.reader.tail(0, 100_000)]
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) >= promised
        disk.free()
        await journal.durable(journal.last_seq)
        await until(lambda: journal.healthy)
    last = journal.last_seq
    await journal.close()
    cipher.close()
    journal = Journal.open(directory / "journal.db", ContactCipher.open(directory), errors.append)
    found = journal.reader.tail(0, 1_000_000)
    assert [each.event for each in found] == [DigitPressed("leg", str(n)) for n in (*range(20), *range(20, last))]
    assert {int(each.body[: len(str(each.seq - 1))]) for each in journal.open_snapshots() if each.body} == {
        last - 1 - n for n in range(7)
    }
    await journal.close()
    sys.stdout.write("\n".join([*errors, f"nothing lost of {last}\n"]))


asyncio.run(main(Path(sys.argv[1])))
