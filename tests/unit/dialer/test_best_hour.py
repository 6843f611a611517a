"""The hour at which somebody who was not reached is tried again."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.best_hour import Counts, Slot, chance, choose, noted, slot_of
from tests.unit.dialer.law_case import at

MADRID = "Europe/Madrid"
EVENINGS: dict[Slot, Counts] = {hour: (400, 200 if hour in (19, 20) else 20) for hour in range(9, 21)}
"""People of this campaign are there after work."""


def clock(text: str) -> float:
    return at(text, MADRID)


def drawn(missed: tuple[Slot, ...] = (), counts: dict[Slot, Counts] = EVENINGS, many: int = 400) -> Counter[int]:
    """The local hours of many leads who were missed on a Monday at ten."""
    found: Counter[int] = Counter()
    for number in range(many):
        at_s = choose(counts, missed, MADRID, clock("2026-11-23 14:00"), 86_400.0, business, f"a{number}")
        found[slot_of(at_s, MADRID)] += 1
    return found


def business(at_s: float) -> bool:
    return 9 <= slot_of(at_s, MADRID) < 21


def test_most_are_tried_when_people_are_there_and_not_all_at_once() -> None:
    found = drawn()
    assert found[19] + found[20] > 0.95 * 400
    assert min(found[19], found[20]) > 0.3 * 400
    assert all(9 <= hour < 21 for hour in found)


def test_who_was_missed_at_an_hour_is_tried_at_another() -> None:
    assert drawn(missed=(20, 20))[19] > 3 * drawn(missed=(20, 20))[20]


def test_while_nothing_is_known_every_hour_is_as_good() -> None:
    found = drawn(counts={})
    assert len(found) == 12
    assert max(found.values()) < 5 * min(found.values())


def test_nothing_open_until_then_leaves_the_time_as_it_was() -> None:
    night = clock("2026-11-23 23:30")
    assert choose(EVENINGS, (), MADRID, night, 3600.0, business, "a") == night


def test_weekends_are_hours_of_their_own() -> None:
    assert slot_of(clock("2026-11-22 18:59"), MADRID) == 24 + 18
    assert slot_of(clock("2026-11-23 18:59"), MADRID) == 18
    assert chance({18 + 24: (400, 300), 18: (400, 4)}, 18 + 24) > 4 * chance({18 + 24: (400, 300), 18: (400, 4)}, 18)


def test_few_tries_say_little_and_many_say_much() -> None:
    few, many = {18: (2, 2), 10: (100, 20)}, {18: (500, 500), 10: (100, 20)}
    assert chance(few, 18) == pytest.approx(chance(few, 11), abs=0.1)
    assert chance(many, 18) > 0.9


def test_old_habits_are_forgotten() -> None:
    counts: dict[Slot, Counts] = {}
    for _ in range(3000):
        counts = noted(counts, 18, True)
    for _ in range(3000):
        counts = noted(counts, 18, False)
    tried, reached = counts[18]
    assert tried <= 2000
    assert reached < tried * 0.25


@given(
    st.dictionaries(st.integers(0, 47), st.tuples(st.integers(0, 500), st.integers(0, 500)).map(sorted).map(tuple)),
    st.lists(st.integers(0, 47), max_size=6),
    st.integers(0, 400 * 86_400),
    st.floats(0.0, 3 * 86_400.0),
    st.sets(st.integers(0, 47)),
    st.text(max_size=5),
)
def test_never_too_soon_too_late_or_when_she_may_not_be_called(counts, missed, start, within_s, shut, draw) -> None:
    counts = {slot: (high, low) for slot, (low, high) in counts.items()}
    earliest_s = clock("2026-01-01 00:00") + start

    def is_open(at_s: float) -> bool:
        return slot_of(at_s, MADRID) not in shut

    at_s = choose(counts, missed, MADRID, earliest_s, within_s, is_open, draw)
    assert earliest_s <= at_s <= earliest_s + within_s
    assert is_open(at_s) or at_s == earliest_s
    assert at_s == choose(counts, missed, MADRID, earliest_s, within_s, is_open, draw)
    assert all(0.0 <= chance(counts, slot, missed) <= 1.0 for slot in range(48))
