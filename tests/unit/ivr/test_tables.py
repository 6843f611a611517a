"""Lookup tables: found however the value is written; bad lines are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.problems import Problems
from ivr.tables import Table
from tests.effort import cpu_s

VIPS = """phone;name;level
600 12 34 56;Ana;gold
+54 9 11 1234 5678;"Ruiz; Bea";silver
0034911234567;Carlos;

 Ávila ;Diego;x
"""


def table(text: str = VIPS, region: str = "ES") -> Table:
    found = Table.from_csv("vips", text, "vips.csv", region)
    assert isinstance(found, Table), str(found)
    return found


@pytest.mark.parametrize("typed", ["600123456", "+34600123456", "0034 600 123 456", "34600123456", " 600-12-34-56 "])
def test_a_phone_number_is_found_however_it_is_written(typed: str) -> None:
    row = table().find("phone", typed)
    assert row is not None
    assert row["name"] == "Ana"


def test_other_countries_and_other_texts() -> None:
    assert (table().find("phone", "+5491112345678") or {})["name"] == "Ruiz; Bea"
    assert (table().find("phone", "911234567") or {})["name"] == "Carlos"
    assert (table().find("phone", "avila") or {})["name"] == "Diego"
    assert (table().find("level", "GOLD") or {})["name"] == "Ana"


def test_what_is_not_there() -> None:
    assert table().find("phone", "600000000") is None
    assert table().find("colour", "red") is None
    assert table(region="").find("phone", "+34600123456") is None, "without a country 600… is nobody's"


def test_codes_are_not_numbers() -> None:
    codes = table("code,what\n0810,a\n810,b\n012345,c\n")
    assert (codes.find("code", "810") or {})["what"] == "b"
    assert (codes.find("code", "0810") or {})["what"] == "a"
    assert codes.find("code", "12345") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "vips.csv: this table is empty"),
        ("a,b\n1\n", "vips.csv:2:1: this line has 1 values, the header has 2"),
        ("a,a\n", "the column 'a' is named twice"),
        ("a,\n", "column 2 has no name"),
        (
            "phone,name\n1,Ana\n2,\ufffd\ufffdigo\n",
            "vips.csv:3:3: a character is not UTF-8: '2,\ufffd\ufffdigo', and 1 more",
        ),
        ("phone\tname\n1\tAna\n", "vips.csv:1:6: the columns are parted by tabs: save it with commas or semicolons"),
        ('a,b\n"x,1\n', "this line is not CSV"),
        (",".join(f"c{i}" for i in range(60)) + "\n", "the limit is 50"),
        ("a\n" + "1,2\n" * 500, "too many bad lines"),
        ("a\n" + "1\n" * 10_000_001, "the limit is 20,000,000"),
    ],
    ids=range(10),
)
def test_bad_tables_are_named(text: str, words: str) -> None:
    found = Table.from_csv("vips", text, "vips.csv")
    assert isinstance(found, Problems)
    assert words in str(found)


def test_a_big_table_is_not_read_from_end_to_end_for_each_caller() -> None:
    def callers(found: Table) -> None:
        for number in range(1_000):
            found.find("phone", f"+346{number:08}")

    small, big = (table("phone,name\n" + "".join(f"6{n:08},N{n}\n" for n in range(size))) for size in (100, 100_000))
    assert (big.find("phone", "+34600099999") or {})["name"] == "N99999"
    assert cpu_s(lambda: callers(big)) < 50 * cpu_s(lambda: callers(small))


@given(st.text(alphabet='a1,;"\n\r é'), st.text())
def test_no_text_raises(text: str, value: str) -> None:
    found = Table.from_csv("t", text, "t.csv", "ES")
    if isinstance(found, Table):
        for column in found.columns:
            found.find(column, value)
