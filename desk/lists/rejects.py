"""The file of what an import did not take: a line for each reason, beside the row as it was.

It can be mended and imported again: its own columns begin with `_` and are not read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from dialer.importing.plan import ImportPlan
from dialer.importing.reasons import Refusal

What = Literal["rejected", "left_out", "duplicate"]
OWN_COLUMNS = ("_row", "_column", "_what", "_reason")
_WHAT = {
    "rejected": ("rejected", "rechazada"),
    "left_out": ("number left out", "número omitido"),
    "duplicate": ("duplicate", "duplicada"),
}
_FORMULA = ("=", "@", "\t")


class Rejects:
    """`bytes_kept`: how much of the file is certain; whatever a killed import wrote behind is cut off."""

    def __init__(self, path: Path, plan: ImportPlan, bytes_kept: int) -> None:
        self._plan = plan
        self._spanish = plan.words == "es"
        self._delimiter = plan.reading.get("delimiter") or (";" if self._spanish else ",")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(bytes_kept)
        self._file.seek(0, io.SEEK_END)
        self._lines: list[list[str]] = []
        if self._file.tell() == 0:
            self._file.write(b"\xef\xbb\xbf")  # or a spreadsheet takes it for Latin-1
            self._lines.append([*OWN_COLUMNS, *plan.headers])

    def add(self, row: int, refused: Refusal, what: What, cells: Sequence[str]) -> None:
        reason = refused.say(self._plan.words)
        lead = [str(row), refused.column, _WHAT[what][self._spanish], reason]
        self._lines.append([*lead, *map(_harmless, cells)])

    def flush(self) -> int:
        """Writes what was added; returns how long the file is now."""
        if self._lines:
            text = io.StringIO()
            csv.writer(text, delimiter=self._delimiter, lineterminator="\r\n").writerows(self._lines)
            self._lines.clear()
            self._file.write(text.getvalue().encode("utf-8", "replace"))
            self._file.flush()
        return self._file.tell()

    def close(self) -> None:
        self._file.close()


def _harmless(cell: str) -> str:
    """A spreadsheet must not take a cell of somebody's list for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
