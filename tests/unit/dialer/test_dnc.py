"""Do-not-call lists: exact, small, at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.dnc import DoNotCall, NumberSet, number_key

numbers = st.integers(1000, 10**15 - 1).map(lambda key: f"+{key}")


@given(st.sets(numbers, max_size=50), st.sets(numbers, max_size=50))
def test_a_number_set_is_a_set(listed: set[str], others: set[str]) -> None:
    found = NumberSet(listed)
    assert len(found) == len(listed)
    assert set(found) == listed
    for number in listed | others:
        assert (number in found) == (number in listed)
    assert found.among(listed | others) == listed
    assert set(found.union(NumberSet(others))) == listed | others


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from(["+34911111111", "+34922222222", "+12125550100"])), max_size=20)
)
def test_what_was_changed_last_counts(changes: list[tuple[bool, str]]) -> None:
    listed = DoNotCall("main", "tenant", 0.0, NumberSet(["+34911111111", "+34933333333"]))
    expected = {"+34911111111", "+34933333333"}
    for put, number in changes:
        listed = listed.with_number(number) if put else listed.without(number)
        expected = expected | {number} if put else expected - {number}
        assert (number in listed) is put
    for number in ("+34911111111", "+34922222222", "+12125550100", "+34933333333"):
        assert (number in listed) == (number in expected)


@pytest.mark.parametrize(
    "number", ["34911234567", "+34 911", "+0911234567", "", "+", "tel:+34911234567", "+1234567890123456"]
)
def test_what_is_not_normalised_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match=r"is not E\.164"):
        number_key(number)
    with pytest.raises(ValueError, match=r"is not E\.164"):
        DoNotCall("main", "tenant", 0.0).with_number(number)


def test_a_million_numbers_take_eight_megabytes() -> None:
    keys = np.random.default_rng(7).integers(34_600_000_000, 34_799_999_999, 1_000_000, dtype=np.uint64)
    listed = NumberSet.of_keys(keys)
    assert listed.nbytes == 8 * len(listed)
    assert all(f"+{key}" in listed for key in keys[:1000].tolist())
