"""Spreadsheets (XLSX, XLS, XLSB, ODS). Small ones by calamine; a large XLSX streams through openpyxl, which is slower
and needs no more memory for a million rows than for ten."""

from __future__ import annotations

import hashlib
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.cell import range_boundaries
from python_calamine import CalamineError, CalamineWorkbook

from desk.lists.tables import SAMPLE_ROWS, FileUnusable, RawRow, Shape, Table, find_header

LARGE = 48 << 20
"""Bytes of a sheet's XML from which it is streamed."""
_LARGEST = 6 << 30
"""Of all that is in the file: a sheet cannot have more; a bomb does."""
_MOST_MERGED = 100_000
_MERGED = re.compile(rb'<mergeCell [^>]*ref="([A-Z0-9:]+)"')
_CHUNK = 1 << 20

Merge = tuple[int, int, int, int]
"""First row, first column, last row, last column; from 0."""


def is_sheet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def read_sheet(path: Path, sheet: str = "", header_row: int | None = None, large: int = LARGE) -> Table:
    """Raises FileUnusable, OSError."""
    size = _xml_size(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        names = tuple(book.sheet_names)
    except (CalamineError, OSError, ValueError) as failure:
        raise FileUnusable(
            f"{path.name} cannot be opened as a spreadsheet ({failure}): save it again as XLSX"
        ) from None
    name = _chosen(path, names, sheet)
    if size > large:
        merges = _merged_in(path, name)

        def all_rows() -> Iterator[RawRow]:
            return _filled(_streamed(path, name), merges)
    else:

        def all_rows() -> Iterator[RawRow]:
            return _at_once(path, name)

    try:
        sample = tuple(row for row, _ in zip(all_rows(), range(SAMPLE_ROWS), strict=False))
    except (CalamineError, ValueError, KeyError, zipfile.BadZipFile) as failure:
        raise FileUnusable(f"the sheet {name} of {path.name} cannot be read ({failure}): save it again") from None
    if not any(cell.strip() for row in sample for cell in row.cells):
        raise FileUnusable(
            f"the sheet {name} of {path.name} has no rows: choose another with --sheet ({', '.join(names)})"
        )
    found, headers = find_header(sample)
    if header_row is not None and header_row != found:
        named = next((row.cells for row in sample if row.number == header_row), [])
        cells = [*named, *[""] * len(headers)][: max(len(headers), len(named))]
        found, headers = header_row, tuple(cell.strip() or f"column {n}" for n, cell in enumerate(cells, 1))
    return Table(
        Shape("sheet", sheet=name, header_row=found),
        headers,
        0 if size > large else _height(path, name),
        _fingerprint(path),
        all_rows,
        names,
        sample=sample,
    )


def text_of(value: Any) -> str:
    """A cell as people see it: whole numbers without a point, dates as ISO."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if not math.isfinite(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)


def _at_once(path: Path, name: str) -> Iterator[RawRow]:
    sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name)
    merges = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
    first_row, first_column = sheet.start or (0, 0)
    before = [""] * first_column

    def rows() -> Iterator[RawRow]:
        for number, row in enumerate(sheet.iter_rows(), 1):
            cells = [text_of(value) for value in row]
            # Rows above the first that has anything come as empty ones; columns before the first do not come at all.
            yield RawRow(number, before + cells if first_column and number > first_row else cells, number)

    return _filled(rows(), merges)


def _streamed(path: Path, name: str) -> Iterator[RawRow]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        sheet = book[name]
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            yield RawRow(number, [text_of(value) for value in row], number)
    finally:
        book.close()


def _filled(rows: Iterable[RawRow], merges: Sequence[Merge]) -> Iterator[RawRow]:
    """What is merged over several rows stands in each of them. A title over several columns stays in the first."""
    tall = sorted((merge for merge in merges if merge[2] > merge[0]), reverse=True)
    if not tall or len(tall) > _MOST_MERGED:
        yield from rows
        return
    active: list[tuple[Merge, str]] = []
    for row in rows:
        index = row.number - 1
        active = [(merge, text) for merge, text in active if merge[2] >= index]
        while tall and tall[-1][0] <= index:
            merge = tall.pop()
            if merge[2] >= index and merge[1] < len(row.cells):
                active.append((merge, row.cells[merge[1]]))
        for merge, text in active:
            row.cells.extend([""] * (merge[1] + 1 - len(row.cells)))
            if merge[0] < index and not row.cells[merge[1]]:
                row.cells[merge[1]] = text
        yield row


def _merged_in(path: Path, name: str) -> list[Merge]:
    """The merged ranges of a large sheet; they stand behind its cells."""
    found: list[Merge] = []
    with zipfile.ZipFile(path) as archive:
        part = _part_of(path, name)
        if part not in archive.namelist():
            return []
        with archive.open(part) as stream:
            rest = b""
            while chunk := stream.read(_CHUNK):
                rest += chunk
                if b"<mergeCell" in rest:
                    cut = rest.rfind(b"<")
                    for match in _MERGED.finditer(rest, 0, cut):
                        left, top, right, bottom = (edge or 1 for edge in range_boundaries(match[1].decode()))
                        found.append((top - 1, left - 1, bottom - 1, right - 1))
                    rest = rest[cut:]
                else:
                    rest = rest[-64:]
                if len(found) > _MOST_MERGED:
                    return []
    return found


def _part_of(path: Path, name: str) -> str:
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return str(getattr(book[name], "_worksheet_path", "")).lstrip("/")
    finally:
        book.close()


def _chosen(path: Path, names: Sequence[str], wanted: str) -> str:
    if not names:
        raise FileUnusable(f"{path.name} has no sheets: save the list again as XLSX or CSV")
    if not wanted:
        return names[0]
    for name in names:
        if name.strip().lower() == wanted.strip().lower():
            return name
    raise FileUnusable(f"{path.name} has no sheet '{wanted[:40]}': it has {', '.join(names)}")


def _xml_size(path: Path) -> int:
    """Bytes of the largest sheet's XML; 0 for files that are no archive."""
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if sum(part.file_size for part in parts) > _LARGEST:
        raise FileUnusable(f"{path.name} unpacks to more than {_LARGEST >> 30} GB: no list is as large")
    return max(
        (p.file_size for p in parts if p.filename.startswith("xl/worksheets/") and p.filename.endswith(".xml")),
        default=0,
    )


def _height(path: Path, name: str) -> int:
    return int(CalamineWorkbook.from_path(str(path)).get_sheet_by_name(name).total_height)


def _fingerprint(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
