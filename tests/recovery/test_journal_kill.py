"""kill -9 at any moment: what was called durable is there, numbers go on, snapshots match their last event."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from core.events import DigitPressed
from store.cipher import ContactCipher
from store.journal import Journal

CHILD = Path(__file__).with_name("journal_child.py")
ROUNDS, AT_MOST = 12, 100
"""A machine that is busy with others promises less in a round: then there are more of them."""


def _run_and_kill(directory: Path, seed: int, after_s: float) -> list[str]:
    """What the child had said before it died."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(directory), str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        assert child.stdout.readline() == "open\n", child.stderr.read()
        time.sleep(after_s)
        child.kill()
        return child.stdout.read().splitlines()


async def test_nothing_that_was_called_durable_is_lost(tmp_path: Path) -> None:
    chance = random.Random(20)
    promised = last = 0
    started: set[str] = set()
    for n in range(AT_MOST):
        if n >= ROUNDS and promised > 500 and started:
            break
        said = _run_and_kill(tmp_path, n, chance.choice((0.0, 0.01, 0.05, 0.15, 0.3)) * (1 + chance.random()))
        # The last line may be cut off by the kill; what follows "durable" is then shorter, so smaller.
        promised = max([promised, *(int(line.split()[1]) for line in said if line.startswith("durable "))])
        started |= {line.split()[1] for line in said[:-1] if line.startswith("started ")}

        errors: list[str] = []
        journal = Journal.open(tmp_path / "journal.db", ContactCipher.open(tmp_path), errors.append)
        entries = journal.reader.tail(0, 10_000_000)
        numbers = [each.seq for each in entries]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else promised == 0
        assert journal.last_seq >= max(promised, last)
        assert not numbers or numbers[-1] == journal.last_seq
        assert all(isinstance(each.event, DigitPressed) and each.event.digit == str(each.seq) for each in entries)
        assert started <= {each.command_id for each in journal.unfinished_commands()}

        newest = {each.interaction_id: each.seq for each in entries}
        still_open = {name for name, seq in newest.items() if entries[seq - numbers[0]].event.leg_id == "open"}
        assert still_open <= {each.interaction_id for each in journal.open_snapshots()}
        for snapshot in journal.open_snapshots():
            assert snapshot.body is not None
            assert int(snapshot.body.split()[0]) == snapshot.seq
            assert newest.get(snapshot.interaction_id, snapshot.seq) == snapshot.seq
        counter = journal.load_state("counter")
        assert counter is None or int(counter.body) == journal.last_seq
        last = journal.last_seq
        await journal.close()
        assert errors == []
    assert promised > 500
    assert started
