"""What else is wrong in a file that is not YAML: after its first mistake a parser stops, and its author should not have
to find the others one by one.

Only what is certain is told. Each entry (a key in the first column; where its value is a map, each key of that) is read
alone: what is no YAML by itself is none in the file either, whatever stands around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import yaml

from definitions.problems import Problem
from definitions.yaml_traps import explain

MOST = 20
"""Problems of one file."""
LONGEST = 200_000
"""Characters of a file in which more is looked for: no honest definition is longer, and others may be made to hurt."""
_KEY = re.compile(r"""( *)(?:"[^"]*"|'[^']*'|[^\s"'#\-\[{&*!|>%@`][^:]*):(?:\s|$)""")


def explain_all(error: yaml.YAMLError | UnicodeEncodeError, text: str, file: str) -> list[Problem]:
    """The mistake at which reading stopped, and those that are certain besides, by line."""
    first = explain(error, text, file)
    if not isinstance(error, yaml.MarkedYAMLError) or len(text) > LONGEST:
        return [first]
    found = {first.line: first}
    lines = text.split("\n")
    for start, end in _entries(lines):
        if start < first.line <= end:  # lines are counted from 1
            continue
        alone = "\n".join(lines[start:end])
        if _mistake(alone) is None:
            continue
        in_place = "\n" * start + alone
        mistake = _mistake(in_place)
        if mistake is not None:
            problem = explain(mistake, in_place, file)
            found.setdefault(problem.line, problem)
        if len(found) >= MOST:
            break
    return sorted(found.values(), key=lambda problem: problem.line)


def _mistake(text: str) -> yaml.MarkedYAMLError | None:
    try:
        for _ in yaml.parse(text, Loader=yaml.CLoader):
            pass
    except yaml.MarkedYAMLError as mistake:
        return mistake
    return None


def _entries(lines: list[str]) -> Iterator[tuple[int, int]]:
    """From which line (counted from 0) to before which each entry goes. A key whose value is a map counts for its own
    line alone."""
    outer = [number for number, row in enumerate(lines) if _depth(row) == 0]
    for start, end in pairwise([*outer, len(lines)]):
        below = next((depth for row in lines[start + 1 : end] if (depth := _depth(row)) is not None), None)
        if not below or lines[start].partition("#")[0].rstrip()[-1:] != ":":
            yield start, end
            continue
        inner = [number for number in range(start + 1, end) if _depth(lines[number]) == below]
        yield from pairwise([*inner, end])


def _depth(row: str) -> int | None:
    """How far a line that begins an entry is indented; None for others."""
    key = _KEY.match(row)
    return len(key[1]) if key else None
