"""Opens a list by what is in the file, not by its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from desk.lists.sheet_file import is_sheet, read_sheet
from desk.lists.tables import FileUnusable, Shape, Table
from desk.lists.text_file import read_text

__all__ = ["FileUnusable", "Shape", "Table", "open_again", "open_table"]


def open_table(
    path: Path, encoding: str = "", delimiter: str = "", sheet: str = "", header_row: int | None = None
) -> Table:
    """What is not given is found out.

    Raises:
        FileUnusable: it is no list; in words.
    """
    try:
        if is_sheet(path):
            return read_sheet(path, sheet, header_row)
        return read_text(path, encoding, delimiter, header_row)
    except LookupError:
        raise FileUnusable(f"'{encoding[:40]}' is no encoding: write utf-8, latin-1 or utf-16") from None
    except OSError as failure:
        raise FileUnusable(f"{path} cannot be read: {failure.strerror or failure}") from None


def open_again(path: Path, reading: Mapping[str, str]) -> Table:
    """As a job read it before. Raises FileUnusable."""
    shape = Shape.of_plain(reading)
    return open_table(path, shape.encoding, shape.delimiter, shape.sheet, shape.header_row)
