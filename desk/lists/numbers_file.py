"""Files of phone numbers: a national do-not-call register, or numbers nobody of ours may call."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from desk.lists.reading import open_table
from desk.lists.tables import FileUnusable, Table
from dialer.importing.columns import guess, index_of
from dialer.importing.phones import Phone, PhoneReader
from dialer.importing.reasons import Language, Refusal, refusal
from dialer.importing.values import is_nothing

_TELL_EVERY = 20_000


@dataclass(slots=True)
class NumbersRead:
    """`keys`: as `dialer.dnc.number_key` makes them, in no order. `refused`: how many rows, by reason; `examples`: the
    first of them."""

    keys: NDArray[np.uint64]
    rows: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, Refusal]] = field(default_factory=list)


Progress = Callable[[int, int, int], None]
"""(rows, bytes read, bytes in all)."""


def read_numbers(
    path: Path, country: str, column: str = "", on_progress: Progress = lambda rows, at, size: None
) -> NumbersRead:
    """Every number of a file: that of `column`, or whatever looks like a phone. Eight bytes a number in memory.

    A register lists what nobody may call: numbers that could not be dialed anyway (premium, short) are left out.
    Blocking.

    Raises:
        FileUnusable: it is no list, or no column of it is a phone number.
    """
    table = open_table(path)
    place = _column(table, column)
    reader = PhoneReader(country)
    keys: array[int] = array("Q")
    read = NumbersRead(np.empty(0, dtype=np.uint64))
    for row in table.rows():
        read.rows += 1
        if read.rows % _TELL_EVERY == 0:
            on_progress(read.rows, row.position, table.size)
        text = row.cells[place].strip() if place < len(row.cells) else ""
        found = row.fault or (refusal("no_number") if is_nothing(text) else reader.read(text))
        if isinstance(found, Phone):
            keys.append(int(found.number[1:]))
            continue
        read.refused[found.code] += 1
        if read.refused[found.code] <= 2:
            read.examples.append((row.number, found))
    read.keys = np.frombuffer(keys, dtype=np.uint64) if keys else read.keys
    return read


def why_nothing(read: NumbersRead, words: Language) -> str:
    """In words, why a file gave no number at all."""
    first = f": row {read.examples[0][0]}: {read.examples[0][1].say(words)}" if read.examples else ""
    return f"none of its {read.rows} rows is a phone number{first}"


def _column(table: Table, wanted: str) -> int:
    columns = guess(table.headers, [row.cells for row in table.sample])
    if wanted:
        try:
            return index_of(columns, wanted)
        except ValueError as failure:
            raise FileUnusable(str(failure)) from None
    phones = [column.index for column in columns if column.target == "phone"]
    if not phones and len(columns) == 1:
        return 0
    if len(phones) != 1:
        names = ", ".join(column.header for column in columns)
        raise FileUnusable(f"which column has the numbers? Name it with --column: {names[:400]}")
    return phones[0]
