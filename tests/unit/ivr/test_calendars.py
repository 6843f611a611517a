"""Calendars: open, closed or holiday, why, and when next."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from definitions.models import load
from definitions.problems import Problems
from ivr.calendars import Calendar, Holidays

MADRID = ZoneInfo("Europe/Madrid")
OFFICE = """
calendar: office
time_zone: Europe/Madrid
hours:
  mon-thu: [9:00-14:00, 16:00-19:00]
  fri: 9:00-15:00
  sat: 22:00-6:00
holidays: {country: ES, region: MD}
special_days:
  2026-12-24: 9:00-13:00
  2026-05-20: {holiday: San Isidro}
  12-31: closed
"""


def calendar(text: str = OFFICE) -> Calendar:
    found = load(Calendar, text, "office.yaml")
    assert isinstance(found, Calendar), str(found)
    return found


def at(*moment: int) -> float:
    return datetime(*moment, tzinfo=MADRID).timestamp()  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("moment", "state", "why"),
    [
        ((2026, 3, 16, 8, 59), "closed", "Monday: 9:00-14:00, 16:00-19:00"),
        ((2026, 3, 16, 9, 0), "open", "Monday: 9:00-14:00, 16:00-19:00"),
        ((2026, 3, 16, 14, 0), "closed", "Monday"),
        ((2026, 3, 20, 14, 59), "open", "Friday"),
        ((2026, 3, 21, 23, 0), "open", "Saturday: 22:00-6:00"),
        ((2026, 3, 22, 5, 59), "open", "past midnight"),
        ((2026, 3, 22, 6, 0), "closed", "Sunday: closed"),
        ((2026, 5, 1, 10, 0), "holiday", "Fiesta del Trabajo"),
        ((2026, 12, 24, 12, 59), "open", "special day 2026-12-24: 9:00-13:00"),
        ((2026, 12, 24, 16, 30), "closed", "special day 2026-12-24"),
        ((2026, 5, 20, 10, 0), "holiday", "San Isidro"),
        ((2025, 12, 31, 10, 0), "closed", "special day 2025-12-31: closed"),
        ((2030, 12, 31, 10, 0), "closed", "special day 2030-12-31"),
    ],
)
def test_open_closed_or_holiday_and_why(moment: tuple[int, ...], state: str, why: str) -> None:
    status = calendar().status(at(*moment))
    assert status.state == state
    assert why in status.why
    assert status.is_open is (state == "open")


def test_summer_time_follows_the_clock_on_the_wall() -> None:
    night = calendar("time_zone: Europe/Madrid\nhours: {sun: 2:30-4:00}")
    assert night.status(at(2026, 3, 29, 3, 0)).is_open, "2:30 did not exist, 3:00 did"
    assert calendar().status(at(2026, 7, 6, 9, 0)).is_open
    assert calendar().status(at(2026, 1, 12, 9, 0)).is_open


def test_another_time_zone_is_another_hour() -> None:
    buenos_aires = calendar("time_zone: America/Argentina/Buenos_Aires\nhours: {mon-fri: 9:00-18:00}")
    assert not buenos_aires.status(at(2026, 3, 16, 10, 0)).is_open
    assert buenos_aires.status(at(2026, 3, 16, 14, 0)).is_open


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ((2026, 3, 16, 15, 0), (2026, 3, 16, 16, 0)),
        ((2026, 3, 19, 20, 0), (2026, 3, 20, 9, 0)),
        ((2026, 12, 24, 20, 0), (2026, 12, 26, 22, 0)),
        ((2026, 3, 16, 10, 0), (2026, 3, 16, 10, 0)),
    ],
)
def test_when_it_opens_next(now: tuple[int, ...], opens: tuple[int, ...]) -> None:
    assert calendar().next_open_s(at(*now)) == at(*opens)


def test_a_place_that_never_opens() -> None:
    assert calendar("time_zone: UTC\nhours: {mon: closed}").next_open_s(at(2026, 1, 1)) is None


def test_the_site_gives_its_time_zone() -> None:
    found = load(Calendar, "hours: {mon: 24h}", "f.yaml", {"time_zone": "Europe/Madrid"})
    assert isinstance(found, Calendar)
    assert found.time_zone == "Europe/Madrid"
    assert isinstance(load(Calendar, "hours: {mon: 24h}", "f.yaml"), Problems)


def test_holidays_have_their_countrys_names() -> None:
    assert Holidays(country="ES", region="MD").on(datetime(2026, 5, 2, tzinfo=MADRID).date())
    assert not Holidays(country="ES", region="CT").on(datetime(2026, 5, 2, tzinfo=MADRID).date())
    assert "Mayo" in Holidays(country="AR").on(datetime(2026, 5, 25, tzinfo=MADRID).date())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("time_zone: Europe/Madird\nhours: {}", "1:12: there is no time zone 'Europe/Madird': did you mean"),
        ("time_zone: UTC\nhours: {mon-fry: 9:00-10:00}", "'fry' is no day of the week"),
        ("time_zone: UTC\nhours: {mon: 9-14}", "2:14: '9-14' are not hours"),
        ("time_zone: UTC\nhours: {mon: [8:00-9:00, 25:00-26:00]}", "2:26: '25:00' is not a time of day"),
        ("time_zone: UTC\nhours: {mon: [8:00-10:00, 9:00-11:00]}", "hours overlap at 9:00"),
        ("time_zone: UTC\nhours: {mon: 24h, mon-tue: 24h}", "2:19: Monday is given twice"),
        ("time_zone: UTC\nhours: 9:00-10:00", "the weekly hours are a map"),
        ("time_zone: UTC\nhours: {}\nholidays: {country: Spain}", "did you mean 'ES'?"),
        ("time_zone: UTC\nhours: {}\nholidays: {country: España}", "did you mean 'ES'?"),
        ("time_zone: UTC\nhours: {}\nholidays: {country: ES, region: Madrid}", "regions: AN, AR, AS"),
        ("time_zone: UTC\nhours: {}\nspecial_days: {2026-02-30: closed}", "3:16: '2026-02-30' is not a date"),
        ("time_zone: UTC\nhours: {}\nspecial_days: {12-24: {hour: 24h}}", "unknown key 'hour' in a special day"),
        ("time_zone: UTC\nhours: {}\nspecial_days: [12-24]", "the special days are a map"),
        ("time_zone: UTC\nhors: {}", "unknown key 'hors': did you mean 'hours'?"),
    ],
)  # fmt: skip
def test_mistakes_are_named_at_their_place(text: str, words: str) -> None:
    found = load(Calendar, text, "f.yaml")
    assert isinstance(found, Problems), repr(found)
    assert words in str(found)


@given(st.floats(min_value=0, max_value=4_000_000_000))
def test_at_every_moment_there_is_one_answer_and_the_next_opening_is_open(now_s: float) -> None:
    office = calendar()
    status = office.status(now_s)
    assert status.state in ("open", "closed", "holiday")
    opens_s = office.next_open_s(now_s)
    assert opens_s is not None
    assert opens_s >= now_s
    assert office.status(opens_s).is_open
