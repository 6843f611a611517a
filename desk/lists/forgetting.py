"""Rows of a person go from the files of what imports did not take."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable
from pathlib import Path

_LEAST_DIGITS = 6
"""What is shorter may stand in anybody's row."""
_NO_DIGITS = re.compile(r"\D+")


def forget_rows(files: Iterable[Path], numbers: Collection[str]) -> int:
    """How many rows went. `numbers`: hers, as digits without a country's prefix too; a row with one of them in any
    cell, however it is written, is hers. Each file is written anew, whole or not at all.

    Raises:
        OSError: the disk is full, or a file cannot be written.
    """
    wanted = {digits for digits in (_NO_DIGITS.sub("", number) for number in numbers) if len(digits) >= _LEAST_DIGITS}
    return sum(_forget(path, wanted) for path in files if path.is_file()) if wanted else 0


def _forget(path: Path, wanted: Collection[str]) -> int:
    draft, gone = path.with_suffix(".new"), 0
    with path.open(encoding="utf-8-sig", newline="") as old:
        first = old.readline()
        delimiter = first[4:5] if first.startswith("_row") else ","
        old.seek(0)
        with draft.open("w", encoding="utf-8-sig", newline="") as new:
            draft.chmod(0o600)
            writer = csv.writer(new, delimiter=delimiter, lineterminator="\r\n")
            for row in csv.reader(old, delimiter=delimiter):
                if any(digits in _NO_DIGITS.sub("", cell) for cell in row for digits in wanted):
                    gone += 1
                else:
                    writer.writerow(row)
    if gone:
        draft.replace(path)
    else:
        draft.unlink()
    return gone
