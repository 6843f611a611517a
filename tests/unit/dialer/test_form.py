"""What an agent writes into a form is read in one way, or refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.form import missing, read
from dialer.setup import FieldKind, FormField

KINDS: tuple[FieldKind, ...] = ("text", "number", "money", "date", "datetime", "choice")
FORM = tuple(FormField(kind, {}, ("12m", "24m") if kind == "choice" else (), kind=kind) for kind in KINDS)


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("text", "  Calle\n Mayor 3\x00 ", "Calle Mayor 3"),
        ("text", "0 \x1f\u200b", "0"),
        ("number", "0012,50", "12.50"),
        ("number", "-3", "-3"),
        ("number", "-0", "0"),
        ("money", "1.250,00 €", "1250.00"),
        ("money", "€ 1,250.5", "1250.50"),
        ("money", "1.250", "1250.00"),
        ("money", "1 250 000 euros", "1250000.00"),
        ("money", "12,5", "12.50"),
        ("money", "US$12", "12.00"),
        ("date", "2026-12-01", "2026-12-01"),
        ("datetime", "2026-12-01 17:30", "2026-12-01T17:30"),
        ("datetime", "2026-12-01T17:30:59", "2026-12-01T17:30"),
        ("choice", "24M", "24m"),
        ("choice", "  ", ""),
    ],
)
def test_an_answer_is_kept_as_every_system_reads_it(kind: str, written: str, kept: str) -> None:
    assert read(FORM, {kind: written}) == ({kind: kept}, ())


@pytest.mark.parametrize(
    ("kind", "written", "why"),
    [
        ("number", "1.250", "number: '1.250' is no number that can be read in one way alone: write 1250 or 1.2500"),
        ("number", "two", "number: 'two' is no number: write it like 1250 or 12.5"),
        ("money", "1.250.00", "money: '1.250.00' is no amount: write it like 1250.00"),
        ("money", "1,25,000", "money: '1,25,000' is no amount: write it like 1250.00"),
        ("money", "-5", "money: '-5' is no amount: write it like 1250.00"),
        ("date", "1/12/2026", "date: '1/12/2026' is no date: write it like 2026-12-01"),
        ("date", "0202-12-01", "date: '0202-12-01' is no date of our times: look at the year"),
        ("datetime", "2026-12-01", "datetime: '2026-12-01' is no date with an hour: write it like 2026-12-01T17:30"),
        ("choice", "36m", "choice: '36m' is no choice: choose among 12m, 24m"),
        ("text", "x" * 1001, "text: at most 1000 characters are kept, these are 1001"),
        ("wish", "x", f"the form has no field 'wish': its fields are {', '.join(KINDS)}"),
    ],
)
def test_what_cannot_be_read_is_said(kind: str, written: str, why: str) -> None:
    assert read(FORM, {kind: written}) == ({}, (why,))


def test_everything_wrong_is_said_at_once_and_what_is_right_is_read() -> None:
    answers, wrong = read(FORM, {"number": "x", "date": "soon", "text": "ok"})
    assert answers == {"text": "ok"}
    assert [each.partition(":")[0] for each in wrong] == ["number", "date"]
    assert read((), {"a": "1"}) == ({}, ("the form has no field 'a': the campaign has none",))


def test_what_is_required_is_missed() -> None:
    form = (FormField("a", required=True), FormField("b"), FormField("c", required=True))
    assert missing(form, {"a": "x", "b": ""}) == ("c",)
    assert missing(form, {"a": "", "c": "1"}) == ("a",)


@given(st.sampled_from(KINDS), st.one_of(st.text(), st.text(alphabet="0123456789.,-' €T:")))
def test_what_was_read_is_read_again_to_the_same(kind: str, written: str) -> None:
    answers, wrong = read(FORM, {kind: written})
    assert len(answers) + len(wrong) == 1
    assert "\x00" not in str(answers)
    if answers:
        assert read(FORM, answers) == (answers, ())
