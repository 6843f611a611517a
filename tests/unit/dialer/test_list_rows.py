"""Columns, cells and rows of lists: what they are taken for, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.compliance.numbers import never_dialed
from dialer.importing.columns import guess, mapped
from dialer.importing.plan import Column, ImportPlan, plan_problems
from dialer.importing.reasons import CODES, LANGUAGES, Refusal, refusal
from dialer.importing.rows import RowReader
from dialer.importing.values import (
    basis_of,
    country_of_text,
    decimal_of,
    language_of,
    moment_of,
    region_of_text,
    whole_of,
    zone_of_text,
)
from dialer.quota import concerns
from dialer.setup import Quota
from tests.unit.dialer.house import campaign

NOW_S = 1_795_000_000.0


def kinds(*headers: str, rows: Any = ()) -> list[str]:
    return [each.target + (f":{each.label}" if each.label else "") for each in guess(headers, rows)]


def plan(**more: Any) -> ImportPlan:
    headers = ("phone", "mobile", "name", "zona horaria", "provincia", "consentimiento", "basis", "prioridad", "saldo")
    return ImportPlan(**{"tenant": "main", "list_id": "a", "columns": guess(headers, ()), "country": "ES", **more})


def read(*cells: str, **more: Any) -> Any:
    return RowReader(plan(**more), "j00000000001", NOW_S).read(7, cells)


def test_columns_are_guessed_in_spanish_and_english() -> None:
    assert kinds("Teléfono móvil", "TELEFONO 2", "Nombre", "Apellidos", "E-mail") == [
        "phone:mobile",
        "phone:phone",
        "first_name",
        "last_name",
        "field:e_mail",
    ]
    assert kinds("Phone", "Phone2", "phone 3") == ["phone:phone", "phone:phone2", "phone:phone3"]
    assert kinds("Nombre", "Tlf.") == ["name", "phone:phone"]
    assert kinds("id", "ID cliente", "phone") == ["external_id", "field:id_cliente", "phone:phone"]
    assert kinds("_row", "_reason", "phone") == ["ignore", "ignore", "phone:phone"]
    assert kinds("column 1", "column 2", rows=[["Ana", "612345678"], ["Eva", "+34 612 345 679"]]) == [
        "field:column_1",
        "phone:phone",
    ]


@pytest.mark.parametrize("header", ["Teléfonos", "Móviles", "Celulares", "Phones", "Teléfonos de contacto", "Números"])
def test_a_column_of_several_numbers_is_one_of_numbers(header: str) -> None:
    assert [column.target for column in guess(("Cliente", header), ())] == ["name", "phone"]


def test_wishes_go_before_guesses() -> None:
    columns = guess(("Nombre", "Tel", "Saldo"), ())
    told = mapped(columns, [("phone:home", "tel"), ("field:balance", "3"), ("name", "Saldo")])
    assert [(each.target, each.label) for each in told] == [("field", "nombre"), ("phone", "home"), ("name", "")]
    with pytest.raises(ValueError, match="choose among phone"):
        mapped(columns, [("telephone", "Tel")])


def test_what_a_plan_lacks_is_told_at_once() -> None:
    columns = (Column(0, "a", "name"), Column(1, "b", "name"), Column(2, "c", "colour"))
    found = plan_problems(plan(columns=columns, same_number=False))
    assert len(found) == 4
    survived = plan(registers=("x",), reading={"kind": "csv"})
    assert ImportPlan.of_plain(survived.plain()) == survived


@pytest.mark.parametrize(
    ("text", "country", "day"),
    [
        ("2026-11-22", "ES", "2026-11-22"),
        ("22/11/2026", "ES", "2026-11-22"),
        ("22.11.26", "ES", "2026-11-22"),
        ("11/22/2026", "US", "2026-11-22"),
        ("2026/11/22 18:30", "ES", "2026-11-22"),
        ("46348", "ES", "2026-11-22"),
        ("46348.75", "ES", "2026-11-22"),
        ("2026-11-22T18:30:00+01:00", "ES", "2026-11-22"),
    ],
)
def test_dates_as_people_and_spreadsheets_write_them(text: str, country: str, day: str) -> None:
    at_s = moment_of(text, country, "Europe/Madrid")
    assert isinstance(at_s, float)
    assert datetime.fromtimestamp(at_s, UTC).date().isoformat() == day


@pytest.mark.parametrize("text", ["31/02/2026", "22/22/2026", "soon", "1", "0000-00-00", "99999", "1850-01-01"])
def test_what_is_no_date_is_refused(text: str) -> None:
    assert moment_of(text, "ES") == refusal("date", text=text)


def test_other_cells() -> None:
    assert region_of_text("Sevilla", "ES") == region_of_text("an", "ES") == region_of_text("Andalucía", "ES") == "AN"
    assert region_of_text("A Coruña", "ES") == "GA"
    assert region_of_text("Mordor", "ES") == ""
    assert region_of_text("fl", "US") == "FL"
    assert zone_of_text("europe/madrid") == "Europe/Madrid"
    assert isinstance(zone_of_text("CET"), Refusal)
    assert (country_of_text("España"), country_of_text("es")) == ("ES", "ES")
    assert (language_of("Castellano"), language_of("es_mx"), language_of("EN")) == ("es", "es-MX", "en")
    assert (whole_of("7.0"), whole_of("-3"), decimal_of("2,5")) == (7, -3, 2.5)
    assert isinstance(whole_of("7.5"), Refusal)
    named = basis_of("Interés legítimo")
    assert not isinstance(named, Refusal)
    assert named.value == "relationship"


def test_a_row_becomes_a_lead() -> None:
    row = read("911234567", "612345678 / 612345679", " Ana\x00 ", "", "Las Palmas", "22/11/2025", "", "3", "12,5")
    lead = row.record
    assert lead is not None
    assert [(each.number, each.label) for each in lead.numbers] == [
        ("+34911234567", "phone"),
        ("+34612345678", "mobile"),
        ("+34612345679", "mobile"),
    ]
    assert (lead.lead_id, lead.name, lead.region, lead.priority) == ("j0000000000100000007", "Ana", "CN", 3)
    assert (lead.basis, dict(lead.fields)) == ("consent", {"provincia": "Las Palmas", "saldo": "12,5"})
    assert lead.zone == "", "her phone at work is in Madrid, the mobile in the Canaries: it depends on which is dialed"
    assert [each.time_zone for each in lead.numbers] == ["", "Atlantic/Canary", "Atlantic/Canary"]


def test_a_province_is_a_region_and_stays_a_field_for_quotas_and_scripts() -> None:
    assert kinds("province", "phone") == ["region:province", "phone:phone"]
    soria = read("911234567", "", "Ana", "", "Soria").record
    assert (soria.region, soria.fields) == ("CL", {"provincia": "Soria"})
    setup = campaign(quotas=(Quota("soria", "sold", 1, "provincia", "Soria"),))
    assert concerns(setup.quotas[0], soria)


def test_the_zone_of_a_number_that_may_be_in_several_is_all_of_them() -> None:
    assert read("", "612345678").record.zone == "Atlantic/Canary|Europe/Madrid"
    assert read("", "612345678", "", "Europe/Madrid").record.zone == "Europe/Madrid"
    assert read("", "612345678", time_zone="Europe/Madrid").record.zone == "Europe/Madrid"


@pytest.mark.parametrize(
    ("cells", "code", "column"),
    [
        (("", "no tiene"), "no_number", ""),
        (("112", ""), "emergency", "phone"),
        (("", "612345678", "", "CET"), "time_zone", "zona horaria"),
        (("", "612345678", "", "", "", "mañana"), "date", "consentimiento"),
        (("", "612345678", "", "", "", "2030-01-01"), "future", "consentimiento"),
        (("", "612345678", "", "", "", "", "porque sí"), "basis", "basis"),
        (("", "612345678", "", "", "", "", "", "alta"), "number", "prioridad"),
        (("", "612345678", "", "", "", "", "", "", "1", "2"), "too_many_cells", ""),
        (("", "612345678", "", "", "", "", "", "", "x" * 5000), "cell_too_long", "saldo"),
    ],
)
def test_a_row_that_cannot_be_taken_says_why_and_where(cells: tuple[str, ...], code: str, column: str) -> None:
    row = read(*cells)
    assert row.record is None
    assert (row.refusals[0].code, row.refusals[0].column) == (code, column)


def test_consent_and_its_default() -> None:
    def basis(said: str, **more: Any) -> tuple[str, bool]:
        lead = read("", "612345678", "", "", "", said, **more).record
        return lead.basis, lead.consent_s is not None

    assert basis("sí") == ("consent", False)
    assert basis("sí", consent="2025-11-22") == ("consent", True)
    assert basis("no", basis="consent", consent="2025-11-22") == ("none", False)
    assert basis("", basis="contract") == ("contract", False)


def test_every_reason_is_said_in_both_languages() -> None:
    values = dict.fromkeys(
        ("text", "country", "number", "register", "by", "lead", "list", "found", "wanted", "most"), "x"
    )
    for code in CODES:
        said = {Refusal(code, values).say(language) for language in LANGUAGES}
        assert len(said) == len(LANGUAGES)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(st.text(max_size=20), st.sampled_from(["612345678", "112", "sí", "22/11/2025"])), max_size=10)
)
def test_any_row_is_a_lead_that_may_be_dialed_or_refused(cells: list[str]) -> None:
    row = RowReader(plan(), "j00000000001", NOW_S).read(1, cells)
    assert (row.record is not None) or row.refusals
    for number in row.record.numbers if row.record else ():
        assert never_dialed(number.number) == ("", "")
    assert all(refused.say("es") for refused in row.refusals)
