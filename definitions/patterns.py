"""Regular expressions from definitions: RE2, so no pattern and no text can make them slow."""

from __future__ import annotations

from typing import Any

import re2

from definitions.faults import fault

MOST_CHARACTERS = 500
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


def compile_pattern(pattern: str) -> Any:
    """An RE2 pattern (`search`, `fullmatch`).

    Raises:
        PydanticCustomError: a fault, to raise on from a pydantic validator.
    """
    if len(pattern) > MOST_CHARACTERS:
        raise fault(f"this pattern has {len(pattern):,} characters", f"the limit is {MOST_CHARACTERS}")
    try:
        return re2.compile(pattern, _OPTIONS)
    except re2.error as error:
        why = error.args[0] if error.args else error
        words = why.decode() if isinstance(why, bytes) else str(why)
        hint = "RE2 syntax: no look-around, no back references"
        raise fault(f"bad regular expression: {words}", hint) from None
