"""Fixtures every test may ask for (real Asterisk, real phones, a whole system), and the order of files."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.asterisk_fixture",
    "tests.phone_fixture",
    "tests.postgres_fixture",
    "tests.system_fixture",
    "tests.contract.lead_stage",
    "tests.contract.projection_stage",
]

TESTS = Path(__file__).parent
SLOWEST_FIRST = ("recovery", "calls", "contract", "unit")


# A console takes this for good when it is made: what a test finds in a table is not for the terminal it runs in to say.
os.environ.pop("COLUMNS", None)

# Six thousand tests are a million objects: the collector would look at them again and again, here and in each test.
gc.disable()


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The rooms whose files take longest come first: what is left at the end is small, and workers that share the
    files (in this order: `--no-loadscope-reorder`) finish together."""
    rank = {TESTS / room: n for n, room in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: min((rank[above] for above in item.path.parents if above in rank), default=0))
