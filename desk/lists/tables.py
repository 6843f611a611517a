"""A list as a table of texts, whatever file it came in: rows by their number, headers, and how it was read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dialer.importing.columns import guess, looks_like_phone
from dialer.importing.reasons import Refusal

SAMPLE_ROWS = 200


class FileUnusable(Exception):
    """The file is no list we can read: it says what it is, and what to do."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """`number`: of its line, or in the sheet, from 1. `position`: bytes read by then. `fault`: why it is no row."""

    number: int
    cells: list[str]
    position: int = 0
    fault: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """How the file is read; as texts it goes into the plan of a job, so that a resume reads it the same way.
    `header_row` 0: it has none."""

    kind: str
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 0

    def plain(self) -> dict[str, str]:
        return {
            "kind": self.kind,
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "sheet": self.sheet,
            "header_row": str(self.header_row),
        }

    @classmethod
    def of_plain(cls, body: Mapping[str, str]) -> Shape:
        return cls(**{**body, "header_row": int(body["header_row"])})  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Table:
    """`all_rows` reads the file from its beginning. `size`: its bytes (of a sheet: its rows, as `position` then is).
    `fingerprint`: of its content. `sheets`: the names of all. `notes`: what was noticed about it."""

    shape: Shape
    headers: tuple[str, ...]
    size: int
    fingerprint: str
    all_rows: Callable[[], Iterator[RawRow]]
    sheets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sample: tuple[RawRow, ...] = field(default=(), repr=False)

    def rows(self, after: int = 0) -> Iterator[RawRow]:
        """Those with something in them, after row `after`; never the header, nor its repetitions."""
        return self._of_people(self.all_rows(), after)

    def sampled(self) -> list[RawRow]:
        """Those of the first rows that `rows` would give."""
        return list(self._of_people(self.sample, 0))

    def _of_people(self, rows: Iterable[RawRow], after: int) -> Iterator[RawRow]:
        skipped = max(after, self.shape.header_row)
        header = [name.strip() for name in self.headers] if self.shape.header_row else None
        for row in rows:
            if row.number <= skipped:
                continue
            if row.fault is None:
                if not any(cell and not cell.isspace() for cell in row.cells):
                    continue
                if header is not None and [cell.strip() for cell in row.cells[: len(header)]] == header:
                    continue
            yield row


def find_header(rows: Sequence[RawRow]) -> tuple[int, tuple[str, ...]]:
    """(row number, headers) among the first rows; row 0 and `column 1`, … when there is none."""
    usable = [row for row in rows if any(cell.strip() for cell in row.cells)]
    width = _width(usable)
    for place, row in enumerate(usable[:20]):
        if _is_header(row, width, usable[place + 1 :]):
            cells = [cell.strip() for cell in row.cells]
            width = max(width, len(cells))
            cells += [""] * (width - len(cells))
            return row.number, tuple(cell or f"column {index}" for index, cell in enumerate(cells, 1))
        if any(map(looks_like_phone, row.cells)):
            break
    return 0, tuple(f"column {index}" for index in range(1, width + 1))


def _is_header(row: RawRow, width: int, later: Sequence[RawRow]) -> bool:
    cells = [cell.strip() for cell in row.cells if cell.strip()]
    if any(map(looks_like_phone, cells)) or any(len(cell) > 80 for cell in cells):
        return False
    if any(column.target not in ("field", "ignore") for column in guess(cells, ())) and 2 * len(cells) >= width:
        return True
    # Words over columns of numbers, every one of them another: a header in a language we do not know.
    distinct = len(set(cells)) == len(cells) and len(cells) >= max(1, width - 1)
    worded = all(not cell[0].isdigit() for cell in cells)
    return distinct and worded and any(any(map(looks_like_phone, each.cells)) for each in later[:20])


def _width(rows: Sequence[RawRow]) -> int:
    """How many columns most rows have, empty ones at the end apart."""
    counts = Counter(max((index for index, cell in enumerate(row.cells, 1) if cell.strip()), default=0) for row in rows)
    counts.pop(0, None)
    if not counts:
        return 0
    often = counts.most_common(1)[0][1]
    return max(width for width, number in counts.items() if number * 5 >= often)
