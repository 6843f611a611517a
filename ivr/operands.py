"""How the values of templates are compared, joined and kept small."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ivr.filters import TESTS, number_of, shown, text_of

MOST_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class Missing:
    """A variable that is not set: nothing in a condition, an error when said or calculated with."""

    name: str

    def __bool__(self) -> bool:
        return False


def join_text(values: Iterable[object]) -> str:
    """The values as one text.

    Raises:
        ValueError: a variable is not set, or the text is too long.
    """
    text = "".join(text_of(given(value)) for value in values)
    if len(text) > MOST_CHARACTERS:
        raise ValueError(f"the text becomes longer than {MOST_CHARACTERS:,} characters")
    return text


def absent(value: Any) -> Any:
    """What is not set, seen from outside."""
    return None if isinstance(value, Missing) else value


def given(value: Any) -> Any:
    if isinstance(value, Missing):
        raise ValueError(f"the variable '{value.name}' is not set: set it first, or write | default('…')")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise ValueError(f"the text becomes longer than {MOST_CHARACTERS:,} characters")
    if _is_number(value) and not abs(value) < 10**15:
        raise ValueError("the number becomes longer than fifteen digits")
    if isinstance(value, Decimal) and int(value.as_tuple().exponent) < -9:
        return round(value, 9)
    return value


def _equal(left: Any, right: Any) -> bool:
    """As numbers when one side is a number, else as texts; what is not set equals only an empty text or none."""
    if isinstance(left, Missing) or isinstance(right, Missing):
        return text_of(absent(left)) == text_of(absent(right))
    if _is_number(left) or _is_number(right):
        return bool(TESTS["number"](left) and TESTS["number"](right) and number_of(left) == number_of(right))
    return text_of(left) == text_of(right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """As numbers when both look like numbers, else as texts (dates as 2026-03-15 compare well)."""

    def run(left: Any, right: Any) -> bool:
        left, right = given(left), given(right)
        if TESTS["number"](left) and TESTS["number"](right):
            return compare(number_of(left), number_of(right))
        if _is_number(left) or _is_number(right):
            raise ValueError(f"{shown(left)} and {shown(right)} cannot be compared: one is not a number")
        return compare(text_of(left), text_of(right))

    return run


def _contains(left: Any, right: Any) -> bool:
    if isinstance(right, tuple):
        return any(_equal(left, item) for item in right)
    return text_of(given(left)) in text_of(given(right))


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": _equal,
    "ne": lambda left, right: not _equal(left, right),
    "lt": _ordered(lambda left, right: left < right),
    "lteq": _ordered(lambda left, right: left <= right),
    "gt": _ordered(lambda left, right: left > right),
    "gteq": _ordered(lambda left, right: left >= right),
    "in": _contains,
    "notin": lambda left, right: not _contains(left, right),
}
