"""Lookup tables: a CSV file with a header, found by the value of a column.

    # config/tables/vips.csv
    phone,name,level
    +34 600 123 456,Ana García,gold

Values are compared without regard to case, accents or spaces around; phone numbers match however they are
written (`600123456`, `+34 600 123 456`, `0034600123456`) when the table knows its country.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence

import phonenumbers

from definitions.encoding import not_utf8
from definitions.fields import plain
from definitions.problems import Problem, Problems

MOST_CHARACTERS = 20_000_000
MOST_ROWS = 200_000
MOST_COLUMNS = 50
_PHONE = re.compile(r"\+?[0-9][0-9\s().\-/]{5,24}")
_SIGNS = re.compile(r"[\s().\-/]")


class Table:
    """Rows of texts. Read-only; `region` is the country (ISO 3166) whose national phone numbers it holds."""

    __slots__ = ("_indexes", "_lines", "_rows", "columns", "name", "region")

    def __init__(
        self, name: str, columns: tuple[str, ...], rows: list[list[str]], region: str = "", lines: Sequence[int] = ()
    ) -> None:
        """`lines`: where each row stands in its file, counted from 1."""
        self.name, self.columns, self.region = name, columns, region
        self._rows = rows
        self._lines = lines
        self._indexes: dict[str, dict[str, int]] = {}  # built when a column is first asked for

    @classmethod
    def from_csv(cls, name: str, text: str, file: str, region: str = "") -> Table | Problems:
        """Reads comma or semicolon separated text; every bad line is a problem."""
        problems = Problems()
        if len(text) > MOST_CHARACTERS:
            what = f"this table has {len(text):,} characters, the limit is {MOST_CHARACTERS:,}"
            return Problems([Problem(file, 0, 0, what, "a table this big belongs behind an http node")])
        problems.extend(not_utf8(text, file))
        header = text.partition("\n")[0]
        if "\t" in header and not re.search("[,;]", header):
            what, hint = "the columns are parted by tabs", "save it with commas or semicolons"
            problems.add(Problem(file, 1, header.index("\t") + 1, what, hint))
        if problems:
            return problems
        columns: tuple[str, ...] = ()
        rows: list[list[str]] = []
        lines: list[int] = []
        for line, cells in _lines(text, file, problems):
            if not columns:
                columns = tuple(cell.strip() for cell in cells)
                problems.extend(_header_problems(columns, file, line))
            elif len(cells) != len(columns):
                what = f"this line has {len(cells)} values, the header has {len(columns)}"
                problems.add(Problem(file, line, 1, what, 'put values with a comma in double quotes: "García, Ana"'))
            else:
                rows.append([cell.strip() for cell in cells])
                lines.append(line)
            if len(rows) > MOST_ROWS or len(problems) > 100:
                what = f"more than {MOST_ROWS:,} rows" if len(rows) > MOST_ROWS else "too many bad lines"
                problems.add(Problem(file, line, 1, what, "what follows was not read"))
                break
        if not columns:
            problems.add(Problem(file, 0, 0, "this table is empty", "its first line names the columns: phone,name"))
        return problems if problems.errors else cls(name, columns, rows, region, lines)

    def find(self, column: str, value: str) -> Mapping[str, str] | None:
        """The first row whose `column` has this value; None when there is none, or no such column."""
        if column not in self.columns:
            return None
        index = self._index(column)
        found = next((index[key] for key in self._keys(value) if key in index), None)
        return None if found is None else dict(zip(self.columns, self._rows[found], strict=True))

    def repeated(self, column: str) -> list[tuple[int, int]]:
        """(line, the earlier line with the same value in this column): rows that are never found by it."""
        place, index = self.columns.index(column), self._index(column)
        keys = ((number, _key(row[place])) for number, row in enumerate(self._rows))
        found = ((number, index[key]) for number, key in keys if key)
        return [(self._lines[number], self._lines[first]) for number, first in found if number != first]

    def rows(self) -> Iterator[Mapping[str, str]]:
        """Every row, in the file's order."""
        return (dict(zip(self.columns, row, strict=True)) for row in self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {len(self)} rows of {', '.join(self.columns)})"

    def _index(self, column: str) -> dict[str, int]:
        if column not in self._indexes:
            place = self.columns.index(column)
            index: dict[str, int] = {}
            for number, row in enumerate(self._rows):
                index.setdefault(_key(row[place]), number)
            self._indexes[column] = index
        return self._indexes[column]

    def _keys(self, value: str) -> Iterator[str]:
        """Every way this value may have been written into the table."""
        yield _key(value)
        if not _PHONE.fullmatch(value.strip()):
            return
        bare = _key(value)
        international = f"+{bare[2:]}" if bare.startswith("00") else bare
        try:
            number = phonenumbers.parse(international, self.region or None)
        except phonenumbers.NumberParseException:
            return
        if not phonenumbers.is_valid_number(number):
            return
        full = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        yield from (full, f"00{full[1:]}", full[1:])
        if self.region and phonenumbers.country_code_for_region(self.region) == number.country_code:
            national = phonenumbers.national_significant_number(number)
            yield from (national, f"0{national}")


def _key(value: str) -> str:
    text = value.strip()
    return _SIGNS.sub("", text) if _PHONE.fullmatch(text) else plain(text)


def _lines(text: str, file: str, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not empty."""
    header = text.lstrip("\ufeff").partition("\n")[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        hint = 'a double quote inside a value is written twice: ""'
        problems.add(Problem(file, reader.line_num, 1, f"this line is not CSV ({error})", hint))


def _header_problems(columns: tuple[str, ...], file: str, line: int) -> Iterator[Problem]:
    if len(columns) > MOST_COLUMNS:
        yield Problem(file, line, 1, f"this table has {len(columns)} columns", f"the limit is {MOST_COLUMNS}")
    for place, column in enumerate(columns):
        if not column:
            yield Problem(file, line, 1, f"column {place + 1} has no name", "the first line names every column")
        elif column in columns[:place]:
            yield Problem(file, line, 1, f"the column '{column}' is named twice", "give each column its own name")
