"""What is wrong with a file, said so that its author can mend it: `file:line:column: what: hint`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """An error keeps the whole configuration from loading; a warning only wants to be read."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` and `column` count from 1, as editors do; 0 means the file as a whole. `hint`: what to do about it."""

    file: str
    line: int
    column: int
    what: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        warning = "warning: " if self.severity is Severity.WARNING else ""
        hint = f": {self.hint}" if self.hint else ""
        said = f"{self.place}: {warning}{self.what}{hint}"
        # One line, and nothing from a file may move the cursor of a terminal.
        return said if said.isprintable() else "".join(sign if sign.isprintable() else " " for sign in said)

    @property
    def place(self) -> str:
        """`file:line:column`, as terminals and editors turn it into a link."""
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Problems:
    """A collection that is always sorted by place and never says the same thing twice.

    True when it holds anything at all; `errors` decides whether something loads.
    """

    def __init__(self, problems: Iterable[Problem] = ()) -> None:
        self._problems: dict[Problem, None] = dict.fromkeys(problems)

    def add(self, problem: Problem) -> None:
        self._problems[problem] = None

    def extend(self, problems: Iterable[Problem]) -> None:
        self._problems.update(dict.fromkeys(problems))

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self if problem.severity is Severity.ERROR)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self if problem.severity is Severity.WARNING)

    def __iter__(self) -> Iterator[Problem]:
        return iter(sorted(self._problems, key=lambda p: (p.file, p.line, p.column, p.severity.value, p.what, p.hint)))

    def __len__(self) -> int:
        return len(self._problems)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Problems) and self._problems.keys() == other._problems.keys()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Problems({list(self)!r})"

    def __str__(self) -> str:
        return "\n".join(map(str, self))
