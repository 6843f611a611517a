"""Appends for ever and says which numbers are durable: `python journal_child.py DIRECTORY SEED`. To be killed."""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from pathlib import Path

from core.events import DigitPressed
from store.cipher import ContactCipher
from store.entry import Entry, StateRow
from store.journal import Journal


async def main(directory: Path, seed: int) -> None:
    chance = random.Random(seed)
    journal = Journal.open(
        directory / "journal.db", ContactCipher.open(directory), lambda what: os.write(2, what.encode())
    )

    def say(line: str) -> None:
        os.write(1, (line + "\n").encode())

    async def promise(seq: int) -> None:
        await journal.durable(seq)
        say(f"durable {seq}")

    async def start(seq: int) -> None:
        await journal.command_started(f"{seq}.0", "i", "OriginateLeg", f"leg-{seq}", time.time())
        say(f"started {seq}.0")

    tasks: set[asyncio.Task[None]] = set()
    say("open")
    while True:
        for _ in range(chance.randrange(1, 40)):
            seq = journal.last_seq + 1
            name = chance.randrange(200)
            closed = chance.random() < 0.1
            journal.append(
                Entry(
                    f"i-{name}",
                    f"contact-{chance.randrange(5000)}",
                    time.time(),
                    DigitPressed("closed" if closed else "open", str(seq)),
                    snapshot=None if closed else f"{seq} ".encode() * chance.randrange(1, 300),
                    closed=closed,
                    states=[StateRow("counter", 1, str(seq).encode())],
                )
            )
        tasks.add(asyncio.ensure_future(promise(seq)))
        if chance.random() < 0.2:
            tasks.add(asyncio.ensure_future(start(seq)))
        if chance.random() < 0.02:
            await journal.prune(time.time() - 0.5, journal.durable_seq)
        tasks = {task for task in tasks if not task.done()}
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.01)))


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
