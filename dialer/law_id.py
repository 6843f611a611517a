"""By which rules leads were asked: a short id of all in a campaign's setup that decides whether one may be dialed.

The same in every process, unlike Python's own hashes and the order of its sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Any


def law_id(*values: Any) -> str:
    """Sixteen characters; of dataclasses, collections and what has a stable `repr`."""
    return sha256(_plain(values).encode()).hexdigest()[:16]


def _plain(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        inside = [_plain(getattr(value, each.name)) for each in fields(value)]
        return f"{type(value).__name__}({', '.join(inside)})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(sorted(f'{_plain(key)}: {_plain(inside)}' for key, inside in value.items()))}}}"
    if isinstance(value, Set):
        return f"{{{', '.join(sorted(map(_plain, value)))}}}"
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_plain, value))}]"
    return repr(value)
