"""CSV of any encoding and separator, read line by line: a quotation mark that is never closed costs one row."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from desk.lists.tables import SAMPLE_ROWS, FileUnusable, RawRow, Shape, Table, find_header
from dialer.importing.reasons import refusal

_LONGEST = 65_536
"""Characters of a line, and of a record over several lines."""
_MOST_LINES = 20
"""Of one record: a cell with more line breaks in it is a quotation mark that was never closed."""
_CHUNK = 1 << 20
_DELIMITERS = ";,\t|"
_MIXED = "centralita-mixed"
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class _Scan:
    size: int
    fingerprint: str
    encoding: str


def read_text(path: Path, encoding: str = "", delimiter: str = "", header_row: int | None = None) -> Table:
    """Raises FileUnusable, OSError. What is not given is found out; `header_row` 0: there is none."""
    scan = _scan(path, encoding)
    delimiter = delimiter or _delimiter(path, scan.encoding)

    def all_rows() -> Iterator[RawRow]:
        return _records(path, scan.encoding, delimiter)

    sample = tuple(row for row, _ in zip(all_rows(), range(SAMPLE_ROWS), strict=False))
    if not any(cell.strip() for row in sample for cell in row.cells):
        raise FileUnusable(f"{path.name} has no rows: is it the right file?")
    found, headers = find_header(sample)
    if header_row is not None and header_row != found:
        named = next((row.cells for row in sample if row.number == header_row), None)
        width = max(len(headers), len(named or ()))
        cells = [*(named or ()), *[""] * width][:width]
        found, headers = header_row, tuple(cell.strip() or f"column {n}" for n, cell in enumerate(cells, 1))
    shape = Shape("csv", scan.encoding, delimiter, "", found)
    return Table(shape, headers, scan.size, scan.fingerprint, all_rows, sample=sample)


def _records(path: Path, encoding: str, delimiter: str) -> Iterator[RawRow]:
    """Each record once, in order, with the number of its first line."""
    raw = path.open("rb", buffering=_CHUNK)
    with io.TextIOWrapper(raw, encoding=encoding, errors=_MIXED, newline="") as stream:
        lines = _Lines(stream)
        for number, line in lines:
            position = raw.tell()
            if line is None:
                yield RawRow(number, [], position, refusal("line_too_long", most=_LONGEST))
            elif number == 1 and re.fullmatch(r"sep=.\s*", line):
                continue
            elif '"' not in line:
                yield _judged(RawRow(number, line.rstrip("\r\n").split(delimiter), position))
            else:
                yield _judged(_quoted(lines, number, line, delimiter, position))


def _judged(row: RawRow) -> RawRow:
    """Where a byte is nothing, others may be wrong: such a row is shown without it, and not taken."""
    if not any("\0" in cell for cell in row.cells):
        return row
    return replace(row, cells=[cell.replace("\0", "") for cell in row.cells], fault=refusal("nothing"))


def _quoted(lines: _Lines, number: int, line: str, delimiter: str, position: int) -> RawRow:
    """A record whose cells may go over several lines."""
    record, more = line, list[tuple[int, str]]()
    while True:
        try:
            return RawRow(number, next(csv.reader([record], delimiter=delimiter, strict=True)), position)
        except csv.Error as failure:
            if "unexpected end of data" not in str(failure):
                break
        following = lines.take()
        if following is None or len(more) >= _MOST_LINES or len(record) + len(following[1]) > _LONGEST:
            lines.give_back([*more, *([following] if following else [])])
            return RawRow(number, _loose(line.rstrip("\r\n"), delimiter), position, refusal("quotes"))
        more.append(following)
        record += following[1]
    lines.give_back(more)
    # A mark in the middle of a cell ("Juan "Nene" Pérez"): as spreadsheets do, it is taken for itself.
    return RawRow(number, _loose(line.rstrip("\r\n"), delimiter), position)


def _loose(line: str, delimiter: str) -> list[str]:
    cells = line.split(delimiter)
    return [cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell for cell in cells]


class _Lines:
    """Lines with their numbers; None for one that is too long. Some may be given back."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._stream = stream
        self._number = 0
        self._again: deque[tuple[int, str]] = deque()

    def __iter__(self) -> Iterator[tuple[int, str | None]]:
        while True:
            if self._again:
                yield self._again.popleft()
                continue
            line = self._stream.readline(_LONGEST)
            if not line:
                return
            self._number += 1
            if len(line) >= _LONGEST and not line.endswith(("\n", "\r")):
                self._skip()
                yield self._number, None
            else:
                yield self._number, line

    def take(self) -> tuple[int, str] | None:
        """The next line; None at the end, or when it is too long."""
        if self._again:
            return self._again.popleft()
        line = self._stream.readline(_LONGEST)
        if not line:
            return None
        self._number += 1
        if len(line) >= _LONGEST and not line.endswith(("\n", "\r")):
            self._skip()
            return None
        return self._number, line

    def give_back(self, lines: list[tuple[int, str]]) -> None:
        self._again.extendleft(reversed(lines))

    def _skip(self) -> None:
        while (rest := self._stream.readline(_LONGEST)) and not rest.endswith(("\n", "\r")):
            pass


def _scan(path: Path, encoding: str) -> _Scan:
    """Reads the whole file once: what it is, and in which encoding."""
    digest, size, nothing = hashlib.sha256(), 0, 0
    decoder = codecs.getincrementaldecoder("utf-8")(errors=_MIXED)
    wrong_before, foreign = _broken.count, 0
    head = b""
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            head = head or chunk[:65_536]
            digest.update(chunk)
            size += len(chunk)
            nothing += chunk.count(0)
            if not chunk.isascii():
                text = decoder.decode(chunk)
                foreign += len(text) - len(text.encode("ascii", "ignore"))
            else:
                decoder.reset()
    if not size:
        raise FileUnusable(f"{path.name} is empty: is it the right file?")
    wrong = _broken.count - wrong_before
    return _Scan(size, digest.hexdigest(), encoding or _encoding(path, head, nothing / size, wrong, foreign))


def _encoding(path: Path, head: bytes, nothing: float, wrong: int, foreign: int) -> str:
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    if head[:5] == b"%PDF-" or head.lstrip()[:14].lower().startswith((b"<html", b"<!doctype html", b"<table")):
        raise FileUnusable(f"{path.name} is a page, not a table: open it in a spreadsheet and save it as XLSX or CSV")
    if nothing > 0.2:
        pairs = head[: len(head) // 2 * 2]
        return "utf-16-le" if pairs[1::2].count(0) > pairs[::2].count(0) else "utf-16-be"
    if nothing > 0.01 and _is_binary(head):
        raise FileUnusable(f"{path.name} is no text: save the list as CSV or XLSX")
    # Some bytes of Latin-1 within a file of UTF-8 do not make it a file of Latin-1, nor the other way round.
    return "utf-8" if wrong == 0 or foreign - wrong > wrong else "cp1252"


def _is_binary(head: bytes) -> bool:
    """Bytes that are nothing on most lines, or others that no text has: it is no list with some rows spoilt."""
    lines = [line for line in head.split(b"\n") if line.strip(b"\r\0 ")]
    spoilt = sum(0 in line for line in lines)
    odd = len(head) - len(head.translate(None, _ODD))
    return spoilt > len(lines) / 2 or odd > len(head) / 200


_ODD = bytes({*range(1, 9), *range(14, 32)} - {27})
"""Control characters that no text has."""


def _delimiter(path: Path, encoding: str) -> str:
    """The one that cuts most lines into the same number of cells."""
    with path.open("r", encoding=encoding, errors=_MIXED, newline="") as stream:
        lines = [line for line in (stream.readline(_LONGEST) for _ in range(SAMPLE_ROWS)) if line.strip()]
    if lines and (told := re.match(r"sep=(.)\s*$", lines[0])):
        return told[1]
    best, most = ";", 0
    for delimiter in _DELIMITERS:
        widths = Counter(len(_loose_quotes.sub("", line).split(delimiter)) for line in lines)
        widths.pop(1, None)
        agree = widths.most_common(1)[0][1] if widths else 0
        if agree > most:
            best, most = delimiter, agree
    return best


_loose_quotes = re.compile(r'"[^"]*"')


class _Broken:
    """Decodes, byte by byte as Windows would, what is no character in the file's encoding, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        wrong = error.object[error.start : error.end]
        self.count += len(wrong)
        text = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in wrong)
        return ("\ufffd" if error.encoding.startswith("utf-16") else text), error.end


_broken = _Broken()
codecs.register_error(_MIXED, _broken)
