"""The files of a configuration read one by one: what is wrong inside each is said, what is right of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from definitions.layout import stem_of
from definitions.models import Definition, salvage
from definitions.problems import Problems, Severity
from definitions.yaml import Marked, load_marked, problem_at
from engine.config.sources import tenant_of, within_tenant

D = TypeVar("D", bound=Definition)
Key = tuple[str, str]
"""(tenant, name)."""


@dataclass(frozen=True)
class Things(Generic[D]):
    """One thing a file, by (tenant, name). `broken`: those that are there and cannot be read, by their file's name."""

    found: Mapping[Key, D]
    broken: frozenset[Key] = frozenset()

    @property
    def names(self) -> frozenset[Key]:
        return self.broken | self.found.keys()


@dataclass
class Reading:
    """What has been read so far, and what was wrong with it.

    What is wrong in itself is left out, and nothing more is said about it: `error` knows.
    """

    sources: Mapping[str, str]
    problems: Problems = field(default_factory=Problems)
    _marked: dict[str, Marked] = field(default_factory=dict)
    _broken: set[str] = field(default_factory=set)

    def read(self, file: str, model: type[D], stand_ins: Mapping[str, Any] | None = None) -> D | None:
        """The definition in a file, be it in part; None when there is too little of it. `stand_ins`: see `salvage`."""
        marked = load_marked(self.sources[file], file)
        if isinstance(marked, Problems):
            self.problems.extend(marked)
            self._broken.add(file)
            return None
        right = salvage(model, marked, stand_ins=stand_ins)
        self.problems.extend(right.problems)
        self._marked[file] = right.marked
        if right.value is None:
            self._broken.add(file)
        return right.value

    def one(self, file: str, model: type[D], default: Callable[[], D], stand_ins: Mapping[str, Any] | None = None) -> D:
        """`default`: when there is no such file, or too little of it."""
        found = self.read(file, model, stand_ins) if file in self.sources else None
        return default() if found is None else found

    def folder(self, folder: str) -> Iterable[tuple[str, str]]:
        """(file, tenant) of each file in `config/<folder>/`, of every tenant."""
        for name in self.sources:
            if within_tenant(name).startswith(f"config/{folder}/"):
                yield name, tenant_of(name)

    def things(
        self,
        folder: str,
        model: type[D],
        key: str,
        stand_ins: Mapping[str, Any] | None = None,
        others: Collection[str] = (),
    ) -> Things[D]:
        """Each file of a folder as a `model` whose `key` is the file's name: one thing, one file. `others`: files of
        the folder that are of another kind."""
        found: dict[Key, D] = {}
        broken: set[Key] = set()
        for file, tenant in self.folder(folder):
            if file in others:
                continue
            stem = stem_of(file)
            thing = self.read(file, model, {**(stand_ins or {}), key: stem})
            if thing is None:
                broken.add((tenant, stem))
                continue
            name = getattr(thing, key)
            if stem != name:
                what = f"the file is called {stem} and defines {key} '{name}'"
                self.error(file, what, f"rename it to {name}.yaml", key)
            found[tenant, name] = thing
        return Things(found, frozenset(broken))

    def is_lost(self, file: str, *path: str | int) -> bool:
        """Whether the value of `path`, or a part of it, was wrong and left out."""
        marked = self._marked.get(file)
        return file in self._broken or (marked is not None and marked.is_lost(path))

    def error(self, file: str, what: str, hint: str, *path: str | int) -> None:
        """At the value of `path`; without one, at the file's beginning."""
        self._say(Severity.ERROR, file, what, hint, path)

    def warning(self, file: str, what: str, hint: str, *path: str | int) -> None:
        """As `error`; it loads all the same."""
        self._say(Severity.WARNING, file, what, hint, path)

    def _say(self, severity: Severity, file: str, what: str, hint: str, path: tuple[str | int, ...]) -> None:
        marked = self._marked.get(file)
        if marked is None:
            problem = problem_at(self.sources.get(file, ""), file, path, what, hint)
        elif not marked.is_lost(path):
            problem = marked.problem(path if marked.child(*path) else (), what, hint)
        else:
            return
        self.problems.add(replace(problem, severity=severity))
