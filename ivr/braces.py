"""Variables in single braces: they are said, or sent, as they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from definitions.problems import Severity
from ivr.flow_file import ReadFlow
from ivr.node import Placed

_SINGLE = re.compile(r"(?<!\{)\{\s*([A-Za-z_]\w*)\s*\}(?!\})")


def check_braces(read: ReadFlow, name: str, texts: Iterable[Placed], variables: frozenset[str]) -> None:
    """Warns where what stands in single braces is a variable's name."""
    for placed in texts:
        for text in _texts(placed.value.source):
            for variable in sorted(set(_SINGLE.findall(text)) & variables):
                what = f"'{{{variable}}}' is taken literally"
                hint = f"for the variable write {{{{ {variable} }}}}"
                read.say(name, tuple(placed.path), what, hint, severity=Severity.WARNING)


def _texts(source: object) -> Iterator[str]:
    if isinstance(source, str):
        if "{" in source:
            yield source
    elif isinstance(source, Mapping):
        for inner in source.values():
            yield from _texts(inner)
    elif isinstance(source, Sequence):
        for inner in source:
            yield from _texts(inner)
