"""How messages of earlier releases become messages of this one.

`VERSIONS` names the types that are no longer at version 1. An upcaster gets the fields that (type, version)
was written with, plain values with enums as their text, and returns (type, version, fields) of the next;
so a renamed type is lifted too. An upcaster is never removed: journals are kept for years.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Upcaster = Callable[[dict[str, Any]], tuple[str, int, dict[str, Any]]]

VERSIONS: Mapping[str, int] = {}

UPCASTERS: Mapping[tuple[str, int], Upcaster] = {}
