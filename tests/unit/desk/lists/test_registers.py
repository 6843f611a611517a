"""Registers in files: replaced in one step, mapped, refused when they are not what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from desk.lists.numbers_file import read_numbers
from desk.lists.registers import (
    known_registers,
    registers_at_hand,
    registers_directory,
    remove_register,
    usable_registers,
    write_register,
)
from desk.lists.tables import FileUnusable

NOW_S = 1_795_000_000.0


def _keys(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.uint64)


def test_a_register_is_replaced_whole_and_its_old_file_goes(tmp_path: Path) -> None:
    write_register(tmp_path, "lista-robinson", _keys(34612345679, 34612345678, 34612345678), NOW_S - 9, NOW_S, "a.csv")
    before = usable_registers(tmp_path)[0]["lista-robinson"]
    assert "+34612345678" in before
    assert "+34612345670" not in before
    assert (before.level, before.as_of_s, len(before.numbers)) == ("national", NOW_S - 9, 2)
    write_register(tmp_path, "lista-robinson", _keys(34612345670), NOW_S, NOW_S + 1)
    after = usable_registers(tmp_path)[0]["lista-robinson"]
    assert "+34612345678" not in after
    assert "+34612345678" in before, "who has the old one mapped keeps it"
    assert len(list(tmp_path.glob("*.npy"))) == 1
    assert [each.numbers for each in known_registers(tmp_path)] == [1]
    assert list(after.numbers) == ["+34612345670"]
    assert after.numbers.among(["+34612345670", "+34612345678"]) == {"+34612345670"}


def test_registers_of_like_names_do_not_touch_each_other(tmp_path: Path) -> None:
    write_register(tmp_path, "us", _keys(1), NOW_S, NOW_S)
    write_register(tmp_path, "us-abc", _keys(2), NOW_S, NOW_S)
    write_register(tmp_path, "us", _keys(3), NOW_S, NOW_S + 5)
    assert sorted(usable_registers(tmp_path)[0]) == ["us", "us-abc"]
    assert remove_register(tmp_path, "us")
    assert not remove_register(tmp_path, "us")
    assert sorted(usable_registers(tmp_path)[0]) == ["us-abc"]


def test_one_damaged_register_harms_no_other(tmp_path: Path) -> None:
    directory = registers_directory(tmp_path)
    write_register(directory, "good", _keys(34612345678), NOW_S, NOW_S)
    made = write_register(directory, "cut", _keys(*range(1000)), NOW_S, NOW_S)
    (directory / made.file).write_bytes((directory / made.file).read_bytes()[:300])
    write_register(directory, "gone", _keys(5), NOW_S, NOW_S)
    next(directory.glob("gone-*.npy")).unlink()
    (directory / "odd.json").write_text("[]")
    (directory / "other.json").write_text(json.dumps({"register": "x"}))
    found, wrong = usable_registers(directory)
    assert list(found) == ["good"]
    assert len(wrong) == 4
    assert list(registers_at_hand(tmp_path)) == ["good"]
    assert registers_at_hand(tmp_path / "nothing") == {}


@pytest.mark.parametrize("name", ["", "../x", "Lista", "a b", "-a", "a" * 60])
def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a register"):
        write_register(tmp_path, name, _keys(1), NOW_S, NOW_S)


def test_numbers_are_read_from_any_list(tmp_path: Path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("612345678\n+34 612 345 679\n112\nno\n")
    read = read_numbers(path, "ES")
    assert read.keys.tolist() == [34612345678, 34612345679]
    assert (read.rows, dict(read.refused)) == (4, {"emergency": 1, "no_number": 1})
    path.write_text("nombre;fijo;movil\nAna;911234567;612345678\n")
    with pytest.raises(FileUnusable, match="which column has the numbers"):
        read_numbers(path, "ES")
    assert read_numbers(path, "ES", "movil").keys.tolist() == [34612345678]
    with pytest.raises(FileUnusable, match="there is no column 'x'"):
        read_numbers(path, "ES", "x")
