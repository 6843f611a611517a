"""Groups of attempts side by side, in like circumstances."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dialer.compare import Dialed, compare


def called(group: str, stratum: int, dialed: int, live: int) -> list[Dialed]:
    return [Dialed(group, stratum, number < live) for number in range(dialed)]


def test_a_number_shown_in_better_hours_is_no_better_number() -> None:
    evening, morning = 1, 0
    attempts = [
        *called("madrid", evening, 900, 450),
        *called("madrid", morning, 100, 10),
        *called("mobile", evening, 100, 50),
        *called("mobile", morning, 900, 90),
    ]
    madrid, mobile = compare(attempts)
    assert madrid.share > 3 * mobile.share
    assert madrid.more == pytest.approx(0.0)
    assert not madrid.differs
    assert not mobile.differs


def test_a_difference_within_every_hour_is_one() -> None:
    attempts = [each for hour in range(10) for each in called("a", hour, 100, 30) + called("b", hour, 100, 20)]
    a, b = compare(attempts)
    assert a.more == pytest.approx(0.1)
    assert b.more == pytest.approx(-0.1)
    assert a.differs
    assert b.differs
    assert a.more_least == pytest.approx(0.1 - 1.96 * (0.3 * 0.7 / 1000 + 0.2 * 0.8 / 1000) ** 0.5, abs=0.005)


def test_who_was_never_there_at_the_same_time_is_not_compared() -> None:
    a, b = compare(called("a", 0, 10, 5) + called("b", 1, 10, 1))
    assert (a.more, b.more) == (None, None)
    assert (a.group, a.dialed, a.live) == ("a", 10, 5)


def test_of_equal_groups_about_one_in_twenty_seems_to_differ() -> None:
    chance = random.Random(1)
    seems = 0
    for _ in range(400):
        hours = [(chance.randrange(12), chance.choice("ab")) for _ in range(300)]
        attempts = [Dialed(group, hour, chance.random() < 0.02 * hour + 0.05) for hour, group in hours]
        seems += compare(attempts)[0].differs
    assert 0.02 < seems / 400 < 0.09


@example([Dialed("a", 0, True)] * 6)  # its range ends at all of them, to the last bit
@given(st.lists(st.builds(Dialed, st.sampled_from("abc"), st.integers(0, 3), st.booleans()), max_size=60))
def test_shares_and_differences_are_shares(attempts: list[Dialed]) -> None:
    found = compare(attempts)
    assert sum(one.dialed for one in found) == len(attempts)
    for one in found:
        assert 0.0 <= one.least <= one.share <= one.most <= 1.0
        assert one.more is None or -1.0 <= one.more_least <= one.more <= one.more_most <= 1.0 + 1e-9
