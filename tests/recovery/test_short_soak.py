"""The soak, short: calls that hang up, holds, transfers, phones that refuse or ring out; all of it accounted for."""

import asyncio

import pytest

from bench.soak import soak

pytestmark = pytest.mark.asterisk


def test_a_short_bad_day_loses_nobody_and_leaves_nothing_behind() -> None:
    report = asyncio.run(soak(minutes=0.3, agents=6, seed=1, say=lambda text: None))
    assert report.faults == []
    assert report.answered > 0
    assert report.ends["answered"] > 0
