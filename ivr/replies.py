"""What a flow takes from the JSON that another system answers.

value_at(document, "customer.balance")     one value
value_at(document, "items.0.id")           of the first of several
value_at(document, "slots.*.start")        of all of them, as a list for a menu's `options`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SEPARATOR = "|"
"""Between the values of a list: variables are texts."""
MOST_VALUES = 100


def value_at(document: Any, path: str) -> str:
    """The value at a dotted path as a text.

    Raises:
        ValueError: the path leads nowhere, or to no single value.
    """
    return _at(document, tuple(path.split(".")), path)


def _at(value: Any, steps: tuple[str, ...], path: str) -> str:
    for number, step in enumerate(steps):
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, Sequence) and not isinstance(value, str) and step == "*":
            found = [_at(inner, steps[number + 1 :], path) for inner in value[:MOST_VALUES]]
            return SEPARATOR.join(text.replace(SEPARATOR, " ") for text in found)
        else:
            raise ValueError(f"the reply has nothing at '{path}'")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        raise ValueError(f"the reply has no single value at '{path}'")
    return "" if value is None else str(value)
