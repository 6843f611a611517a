"""Numbers nobody may dial, by list: a tenant's, a campaign's, a nation's. Values; membership is a binary search.

A list of ten million numbers is one sorted array of 64-bit integers, 80 MB. Who says "don't call me again" is in an
overlay, at once, until the list is built anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

_E164 = re.compile(r"\+[1-9][0-9]{3,14}")


def how_to_import(register: str) -> str:
    """The command that brings a national register in."""
    return f"centralita dnc import FILE --register {register} --as-of DAY"


def number_key(number: str) -> int:
    """`+34911234567` -> 34911234567.

    Raises:
        ValueError: it is not E.164.
    """
    if not _E164.fullmatch(number):
        raise ValueError(f"'{number[:40]}' is not E.164: write it like +34911234567")
    return int(number[1:])


class NumberSet:
    """Many numbers in little memory; it never changes."""

    __slots__ = ("_sorted",)

    def __init__(self, numbers: Iterable[str] = ()) -> None:
        """Raises ValueError for a number that is not E.164."""
        self._sorted = np.unique(np.fromiter(map(number_key, numbers), dtype=np.uint64))

    @classmethod
    def of_keys(cls, keys: NDArray[np.uint64]) -> NumberSet:
        """From keys as `number_key` makes them, in any order."""
        made = cls()
        made._sorted = np.unique(keys.astype(np.uint64, copy=False))
        return made

    @classmethod
    def of_sorted(cls, keys: NDArray[np.uint64]) -> NumberSet:
        """From keys that are sorted already and without doubles: nothing is copied, so they may be a mapped file."""
        made = cls()
        made._sorted = keys
        return made

    def __contains__(self, number: str) -> bool:
        key = np.uint64(number_key(number))
        at = int(np.searchsorted(self._sorted, key))
        return at < len(self._sorted) and bool(self._sorted[at] == key)

    def __len__(self) -> int:
        return len(self._sorted)

    def __iter__(self) -> Iterator[str]:
        return (f"+{key}" for key in self._sorted.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NumberSet) and bool(np.array_equal(self._sorted, other._sorted))

    __hash__ = None  # type: ignore[assignment]

    @property
    def nbytes(self) -> int:
        return int(self._sorted.nbytes)

    def among(self, numbers: Iterable[str]) -> frozenset[str]:
        """Which of them are in it; quicker than one by one."""
        asked = list(numbers)
        if not asked or not len(self):
            return frozenset()
        keys = np.fromiter(map(number_key, asked), dtype=np.uint64, count=len(asked))
        places = np.minimum(np.searchsorted(self._sorted, keys), len(self) - 1)
        return frozenset(number for number, hit in zip(asked, self._sorted[places] == keys, strict=True) if hit)

    def union(self, other: NumberSet) -> NumberSet:
        return NumberSet.of_keys(np.concatenate((self._sorted, other._sorted)))


@dataclass(frozen=True, slots=True)
class DoNotCall:
    """One list. `name`: what rules call it (`us-national`). `level`: whose it is. `as_of_s`: of when the register is;
    a list of one's own is always of now. `added`, `removed`: since it was built."""

    name: str
    level: Literal["tenant", "campaign", "national"]
    as_of_s: float
    numbers: NumberSet = field(default_factory=NumberSet)
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def __contains__(self, number: str) -> bool:
        return number in self.added or (number not in self.removed and number in self.numbers)

    def with_number(self, number: str) -> DoNotCall:
        """The list with one more number, at once. Raises ValueError when it is not E.164."""
        number_key(number)
        return replace(self, added=self.added | {number}, removed=self.removed - {number})

    def without(self, number: str) -> DoNotCall:
        """The list without a number: somebody was listed by mistake, or agreed to be called again."""
        return replace(self, added=self.added - {number}, removed=self.removed | {number})
