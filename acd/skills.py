"""What an agent must know to take a contact: a boolean expression over skills and their levels (0 to 10).

    language.es >= 3 and (billing >= 2 or vip) and not trainee

A bare name means level 1 or more; a skill an agent does not have has level 0. `and` binds tighter than `or`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import NoReturn

from core.errors import CentralitaError

MAX_LENGTH = 500
MAX_DEPTH = 20
MAX_LEVEL = 10

Levels = Mapping[str, int]
Having = Callable[[str, str, int], int]
"""Everybody whose level compares like that (`billing`, `>=`, 2), as a bit mask."""

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)|(?P<number>\d+)|(?P<sign>>=|<=|==|!=|[<>=()])|(?P<other>\S))",
    re.ASCII,
)
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ">=": lambda has, level: has >= level,
    ">": lambda has, level: has > level,
    "<=": lambda has, level: has <= level,
    "<": lambda has, level: has < level,
    "=": lambda has, level: has == level,
    "==": lambda has, level: has == level,
    "!=": lambda has, level: has != level,
}


class RequirementInvalid(CentralitaError):
    """A skill requirement that cannot be read. `column` counts from 1."""

    def __init__(self, what: str, hint: str, column: int) -> None:
        super().__init__(f"{what} (column {column}): {hint}")
        self.what, self.hint, self.column = what, hint, column


@dataclass(frozen=True, slots=True)
class _Part:
    """`lacks`: what these levels lack, in words; empty when the part is met. `among`: who of everybody meets it."""

    lacks: Callable[[Levels], tuple[str, ...]]
    met: Callable[[Levels], bool]
    among: Callable[[Having, int], int]
    text: str


@dataclass(frozen=True, slots=True)
class Requirement:
    """`text`: in one canonical spelling, equal for equal requirements written with different spaces.
    `names`: the skills it mentions, each once, in their order."""

    text: str
    names: tuple[str, ...] = ()
    _part: _Part | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Requirement:
        """Empty text asks for nothing.

        Raises:
            RequirementInvalid: with the column and what to write instead.
        """
        return _parse(text)

    def met(self, levels: Levels) -> bool:
        return self._part is None or self._part.met(levels)

    def among(self, having: Having, everybody: int) -> int:
        """Who of `everybody`, a bit mask, meets it."""
        return everybody if self._part is None else self._part.among(having, everybody)

    def missing(self, levels: Levels) -> tuple[str, ...]:
        """What `levels` lack (`billing >= 2`); of alternatives the one that lacks least. Empty when met."""
        return () if self._part is None else self._part.lacks(levels)

    def also(self, other: Requirement) -> Requirement:
        """Both must be met."""
        return other if self.text == other.text else _both(self, other)


@lru_cache(maxsize=4096)
def _both(one: Requirement, other: Requirement) -> Requirement:
    if one._part is None or other._part is None:
        return other if one._part is None else one
    part = _all([one._part, other._part])
    return Requirement(part.text, tuple(dict.fromkeys(one.names + other.names)), part)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Requirement:
    if len(text) > MAX_LENGTH:
        raise RequirementInvalid(f"{len(text)} characters", f"shorten it to {MAX_LENGTH}", MAX_LENGTH)
    reader = _Reader(text)
    if reader.word is None:
        return Requirement("")
    part = reader.alternatives(0)
    if reader.word is not None:
        reader.fail(f"'{reader.word}' is not expected here", "join two conditions with 'and' or 'or'")
    return Requirement(part.text, tuple(dict.fromkeys(reader.names)), part)


class _Reader:
    """One word ahead of what is being built."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        self._words = _words(text)
        self._at = 0
        self._end = len(text.rstrip()) + 1

    @property
    def word(self) -> str | None:
        return self._words[self._at][0] if self._at < len(self._words) else None

    def fail(self, what: str, hint: str) -> NoReturn:
        column = self._words[self._at][2] if self._at < len(self._words) else self._end
        raise RequirementInvalid(what, hint, column)

    def alternatives(self, depth: int) -> _Part:
        if depth > MAX_DEPTH:
            self.fail("too many parentheses inside one another", f"use at most {MAX_DEPTH}")
        parts = [self._conditions(depth)]
        while self._take("or"):
            parts.append(self._conditions(depth))
        return parts[0] if len(parts) == 1 else _either(parts)

    def _conditions(self, depth: int) -> _Part:
        parts = [self._condition(depth)]
        while self._take("and"):
            parts.append(self._condition(depth))
        return parts[0] if len(parts) == 1 else _all(parts)

    def _condition(self, depth: int) -> _Part:
        if self._take("not"):
            if depth > MAX_DEPTH:
                self.fail("too many 'not' in a row", "one is enough")
            return _not(self._condition(depth + 1))
        if self._take("("):
            part = self.alternatives(depth + 1)
            if not self._take(")"):
                self.fail("a parenthesis is not closed", "add ')'")
            return part
        return self._comparison()

    def _comparison(self) -> _Part:
        if self.word is None:
            self.fail("the expression ends too early", "name a skill, like 'billing >= 2'")
        name, kind, _ = self._words[self._at]
        if kind != "name" or name.lower() in ("and", "or", "not"):
            self.fail(f"'{name}' stands where a skill is expected", "name a skill first, like 'billing >= 2'")
        self._at += 1
        self.names.append(name)
        sign = next((sign for sign in _COMPARE if self._take(sign)), None)
        if sign is None:
            return _compared(name, ">=", 1)
        if self.word is None or self._words[self._at][1] != "number":
            self.fail(f"'{name} {sign}' is not compared with a level", f"write a level from 0 to {MAX_LEVEL}")
        level = int(self.word)
        if level > MAX_LEVEL:
            self.fail(f"there is no level {level}", f"levels go from 0 to {MAX_LEVEL}")
        self._at += 1
        return _compared(name, "=" if sign == "==" else sign, level)

    def _take(self, word: str) -> bool:
        found = self.word
        if found is None or found.lower() != word:
            return False
        self._at += 1
        return True


def _words(text: str) -> list[tuple[str, str, int]]:
    """Word, kind, column."""
    words = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "other"
        column = match.start(kind) + 1
        if kind == "other":
            raise RequirementInvalid(
                f"'{match[kind]}' is not understood",
                "use skill names, levels, >= > <= < = !=, and, or, not, parentheses",
                column,
            )
        words.append((match[kind], kind, column))
    return words


def compares(has: int, sign: str, level: int) -> bool:
    return _COMPARE[sign](has, level)


def _compared(name: str, sign: str, level: int) -> _Part:
    compare, text = _COMPARE[sign], f"{name} {sign} {level}"

    def met(levels: Levels) -> bool:
        return compare(levels.get(name, 0), level)

    return _Part(
        lambda levels: () if met(levels) else (text,),
        met,
        lambda having, everybody: everybody & having(name, sign, level),
        text,
    )


def _not(part: _Part) -> _Part:
    text = f"not ({part.text})"
    return _Part(
        lambda levels: (text,) if part.met(levels) else (),
        lambda levels: not part.met(levels),
        lambda having, everybody: everybody & ~part.among(having, everybody),
        text,
    )


def _all(parts: list[_Part]) -> _Part:
    return _Part(
        lambda levels: tuple(lack for part in parts for lack in part.lacks(levels)),
        lambda levels: all(part.met(levels) for part in parts),
        lambda having, everybody: reduce(lambda left, part: part.among(having, left), parts, everybody),
        " and ".join(part.text if " or " not in part.text else f"({part.text})" for part in parts),
    )


def _either(parts: list[_Part]) -> _Part:
    return _Part(
        lambda levels: min((part.lacks(levels) for part in parts), key=len),
        lambda levels: any(part.met(levels) for part in parts),
        lambda having, everybody: reduce(lambda found, part: found | part.among(having, everybody), parts, 0),
        " or ".join(part.text for part in parts),
    )
