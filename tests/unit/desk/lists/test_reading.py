"""Lists as people have them: any encoding, separator, spreadsheet, and all that is wrong with them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from desk.lists.preview import plan_for, preview_of
from desk.lists.reading import FileUnusable, open_again, open_table
from desk.lists.sheet_file import read_sheet

_HEADER = ("Nombre", "Teléfono", "Nota")
_ROWS = (("Ana Ñúñez", "612345678", "sí; mañana"), ("Luis", "911234567", "")) * 3


def _file(directory: Path, content: bytes, name: str = "list.csv") -> Path:
    path = directory / name
    path.write_bytes(content)
    return path


def _rows(path: Path, **how: object) -> list[list[str]]:
    return [row.cells for row in open_table(path, **how).rows() if row.fault is None]  # type: ignore[arg-type]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_encoding_and_separator(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    lines = [delimiter.join(f'"{cell}"' if delimiter in cell else cell for cell in row) for row in (_HEADER, *_ROWS)]
    table = open_table(_file(tmp_path, (newline.join(lines) + newline).encode(encoding)))
    assert table.headers == _HEADER
    assert table.shape.delimiter == delimiter
    assert [tuple(row.cells) for row in table.rows()] == list(_ROWS)
    again = open_again(tmp_path / "list.csv", table.shape.plain())
    assert list(again.rows()) == list(table.rows())
    assert again.fingerprint == table.fingerprint
    assert [row.number for row in again.rows(after=3)] == [4, 5, 6, 7]


def test_one_wrong_byte_does_not_change_the_encoding_of_the_rest(tmp_path: Path) -> None:
    lines = ["nombre;telefono", *(f"Begoña {n};61234567{n % 10}" for n in range(50))]
    content = "\n".join(lines).encode() + b"\nMu\xf1oz;612345678\n"
    rows = _rows(_file(tmp_path, content))
    assert rows[0] == ["Begoña 0", "612345670"]
    assert rows[-1] == ["Muñoz", "612345678"]


def test_a_quotation_mark_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    lines = ["name;phone", 'Ana;"612345678', *(f"Luis {n};61234567{n % 10}" for n in range(40))]
    table = open_table(_file(tmp_path, "\n".join(lines).encode()))
    rows = list(table.rows())
    assert [row.number for row in rows if row.fault] == [2]
    assert rows[0].fault is not None
    assert rows[0].fault.code == "quotes"
    assert rows[0].cells == ["Ana", '"612345678'], "as it was, so that it can be mended"
    assert [row.cells[0] for row in rows[1:]] == [f"Luis {n}" for n in range(40)]
    assert [row.number for row in rows[1:]] == list(range(3, 43))


def test_quotes_within_cells_and_over_lines(tmp_path: Path) -> None:
    content = b'name;phone;note\n"P\xc3\xa9rez; Ana";612345678;"two\nlines ""quoted"""\nJuan "Nene" Ruiz;612345679;x\n'
    content += b'"Juan "Nene"";612345670;5" pipe\n'
    rows = _rows(_file(tmp_path, content))
    assert rows == [
        ["Pérez; Ana", "612345678", 'two\nlines "quoted"'],
        ['Juan "Nene" Ruiz', "612345679", "x"],
        ['Juan "Nene"', "612345670", '5" pipe'],
    ]


def test_what_is_before_and_between_the_rows_is_left_out(tmp_path: Path) -> None:
    header = "Nombre;Teléfono;Nota\n"
    content = f"Listado de clientes;;\n;;\n{header}Ana;612345678;\n;;\n  ;\n\n{header}Eva;612345679;x\n"
    table = open_table(_file(tmp_path, content.encode("latin-1")))
    assert table.headers == ("Nombre", "Teléfono", "Nota")
    assert table.shape.header_row == 3
    assert [(row.number, row.cells[0]) for row in table.rows()] == [(4, "Ana"), (9, "Eva")]
    assert table.sampled() == list(table.rows())
    shown = preview_of(table, plan_for(table, "main", "spring", country="ES"), 0.0)
    assert (shown.looked_at, shown.taken, shown.examples) == (2, 2, ())


def test_a_list_without_a_header_has_numbered_columns(tmp_path: Path) -> None:
    table = open_table(_file(tmp_path, b"Ana,612345678\nLuis,612345679\n"))
    assert table.headers == ("column 1", "column 2")
    assert len(list(table.rows())) == 2
    assert open_table(_file(tmp_path, b"612345678\n612345679\n")).headers == ("column 1",)
    told = open_table(_file(tmp_path, b"Ana,612345678\nLuis,612345679\n"), header_row=1)
    assert told.headers == ("Ana", "612345678")
    assert len(list(told.rows())) == 1


def test_a_separator_the_file_declares(tmp_path: Path) -> None:
    assert _rows(_file(tmp_path, b"sep=|\nname|phone\nAna|612345678\n")) == [["Ana", "612345678"]]


@pytest.mark.parametrize("good", [2, 4000])
def test_rows_with_a_nul_byte_are_refused_by_their_number_and_the_others_taken(tmp_path: Path, good: int) -> None:
    content = b"name;phone\nA\0na;612345678\n" + b"Eva;612345679\n" * good + b'"Lu\0is";"612345670"\n'
    rows = list(open_table(_file(tmp_path, content)).rows())
    refused = [(row.number, row.cells, row.fault.code) for row in rows if row.fault is not None]
    assert refused == [(2, ["Ana", "612345678"], "nothing"), (good + 3, ["Luis", "612345670"], "nothing")]
    assert [row.cells for row in rows if row.fault is None] == [["Eva", "612345679"]] * good
    header = b"na\0me;phone\nAna;612345678\nEva;612345679\nLuis;612345677\n"
    assert open_table(_file(tmp_path, header)).headers == ("name", "phone")


def test_a_line_without_end_costs_no_memory_and_one_row(tmp_path: Path) -> None:
    content = b"name;phone\nAna;612345678\n" + b"x" * 300_000 + b"\nEva;612345679\n"
    rows = list(open_table(_file(tmp_path, content)).rows())
    assert [row.number for row in rows] == [2, 3, 4]
    assert rows[1].fault is not None
    assert rows[1].fault.code == "line_too_long"
    assert rows[2].cells == ["Eva", "612345679"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n;;\n", "has no rows"),
        (b"%PDF-1.7 ...", "is a page"),
        (b"<html><table><tr><td>612345678</td></tr></table>", "is a page"),
        (b"PK\x03\x04 not really", "cannot be opened as a spreadsheet"),
        (b"\xd0\xcf\x11\xe0 not really", "cannot be opened as a spreadsheet"),
        (b"ab\x00\x00\x00" * 3 + b"x" * 90, "is no text"),
        (b"\x7fELF\x02\x01\x01" + b"\x00" * 9 + b"\x03\x00>\x00\x01" * 20 + b"text\n" * 60, "is no text"),
    ],
)
def test_what_is_no_list_is_refused_with_what_to_do(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(FileUnusable, match=words):
        open_table(_file(tmp_path, content))


def test_a_file_that_is_not_there_and_an_encoding_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(FileUnusable, match="cannot be read"):
        open_table(tmp_path / "nothing.csv")
    with pytest.raises(FileUnusable, match="is no encoding"):
        open_table(_file(tmp_path, b"a;b\n"), encoding="klingon")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.binary(max_size=400))
def test_any_bytes_are_rows_or_refused(tmp_path: Path, content: bytes) -> None:
    path = _file(tmp_path, content)
    try:
        table = open_table(path)
    except FileUnusable:
        return
    numbers = [row.number for row in table.rows()]
    assert numbers == sorted(set(numbers))


def _sheet(path: Path, offset: int = 0) -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for _ in range(offset):
        sheet.append([])
    sheet.append(["Clientes 2026"])
    sheet.append(["Nombre", "Teléfono", "Ciudad", "Alta", "Saldo", "Id"])
    sheet.append(["Ana", 612345678, "Sevilla", date(2026, 3, 4), 12.5, 7.0])
    at_nine = datetime.fromisoformat("2026-03-04 09:30")
    sheet.append(["Luis", "612 345 679", None, at_nine, True, 3.4911e10])
    sheet.append([None, None, None, None])
    sheet.append(["Eva", 34612345670, "Cádiz", None, None, None])
    first = 1 + offset
    sheet.merge_cells(start_row=first, start_column=1, end_row=first, end_column=6)
    sheet.merge_cells(start_row=first + 2, start_column=3, end_row=first + 3, end_column=3)
    book.create_sheet("Otra").append(["x"])
    book.save(path)
    return path


@pytest.mark.parametrize("large", [1 << 30, 0])
@pytest.mark.parametrize("offset", [0, 2])
def test_a_spreadsheet_reads_the_same_at_once_and_streamed(tmp_path: Path, large: int, offset: int) -> None:
    table = read_sheet(_sheet(tmp_path / "list.xlsx", offset), large=large)
    assert table.headers == ("Nombre", "Teléfono", "Ciudad", "Alta", "Saldo", "Id")
    assert table.sheets == ("Sheet", "Otra")
    assert [(row.number - offset, [*row.cells, "", "", ""][:6]) for row in table.rows()] == [
        (3, ["Ana", "612345678", "Sevilla", "2026-03-04", "12.5", "7"]),
        (4, ["Luis", "612 345 679", "Sevilla", "2026-03-04 09:30:00", "yes", "34911000000"]),
        (6, ["Eva", "34612345670", "Cádiz", "", "", ""]),
    ]


def test_a_sheet_is_chosen_by_its_name(tmp_path: Path) -> None:
    path = _sheet(tmp_path / "list.xlsx")
    with pytest.raises(FileUnusable, match="has no sheet 'Hoja9': it has Sheet, Otra"):
        open_table(path, sheet="Hoja9")
    assert open_table(path, sheet="otra").shape.sheet == "Otra"
