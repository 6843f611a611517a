"""The files of queues, skills, agents, dispositions and reasons, read one by one; what is wrong inside each is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from acd.agents_csv import read_csv
from acd.definitions import Agent, Agents, Dispositions, NotReady, Skills
from acd.queue_definitions import Queue
from acd.setup import Key
from definitions.layout import each_tenants, in_folder, stem_of
from definitions.models import Definition, salvage
from definitions.problems import Problem, Problems, Severity
from definitions.yaml import Marked, Path, load_marked

D = TypeVar("D", bound=Definition)
Q = TypeVar("Q", bound=Queue)


@dataclass(frozen=True, slots=True)
class Filed(Generic[D]):
    """A definition and the file it stands in. What is wrong in itself has been said and is left out of both: about
    that, nothing more is said."""

    tenant: str
    value: D
    marked: Marked
    text: str

    def say(
        self, problems: Problems, path: Path, what: str, hint: str, *, key: bool = False, warning: bool = False
    ) -> None:
        """A problem at the value of `path`, or at its key."""
        if self.marked.is_lost(path):
            return
        severity = Severity.WARNING if warning else Severity.ERROR
        problems.add(self.marked.problem(path, what, hint, key=key, severity=severity))

    def say_within(self, problems: Problems, path: Path, column: int, what: str, hint: str) -> None:
        """A problem at the `column`th character (from 1) of the text at `path`."""
        if not self.marked.is_lost(path):
            problems.add(problem_within(self.marked, self.text, path, column, what, hint))


def problem_within(marked: Marked, text: str, path: Path, column: int, what: str, hint: str) -> Problem:
    """A problem at the `column`th character (from 1) of the text at `path`. `text`: the whole file."""
    line, start = marked.place(path)
    rows = text.split("\n")
    row = rows[line - 1] if line <= len(rows) else ""
    opening = row[start - 1 : start]
    if opening in ("|", ">"):
        column = 1
    elif opening in ('"', "'"):
        start += 1
    return Problem(marked.file, line, start + max(column, 1) - 1, what, hint)


@dataclass(slots=True)
class Read(Generic[Q]):
    """All that could be read, be it in part. `broken_queues`: files that could not, by the name they would have."""

    queues: dict[Key, Filed[Q]] = field(default_factory=dict)
    broken_queues: set[Key] = field(default_factory=set)
    skills: dict[str, Filed[Skills]] = field(default_factory=dict)
    agents: dict[str, list[Filed[Agents]]] = field(default_factory=dict)
    """By tenant: `config/agents.yaml`, then `config/agents.csv`."""
    dispositions: dict[str, Filed[Dispositions]] = field(default_factory=dict)
    reasons: dict[str, Filed[NotReady]] = field(default_factory=dict)
    broken: set[tuple[str, str]] = field(default_factory=set)
    """(tenant, what) of the one-file kinds that could not be read: skills, agents, dispositions, not_ready."""
    problems: Problems = field(default_factory=Problems)

    @property
    def queue_names(self) -> frozenset[Key]:
        return frozenset({*self.queues, *self.broken_queues})

    def agents_of(self, tenant: str) -> dict[str, Agent]:
        """Everybody who is declared, by name."""
        found: dict[str, Agent] = {}
        for filed in self.agents.get(tenant, ()):
            for name, agent in filed.value.agents.items():
                found.setdefault(name, agent or Agent())
        return found

    def queues_of(self, tenant: str) -> Iterator[Filed[Q]]:
        return (filed for (owner, _), filed in sorted(self.queues.items()) if owner == tenant)


def read(sources: Mapping[str, str], queue_model: type[Q]) -> Read[Q]:
    """`sources`: relative path -> text. `queue_model`: `Queue`, or one of its own that knows more keys."""
    found: Read[Q] = Read()
    for file, tenant in in_folder(sources, "queues"):
        stem = stem_of(file)
        queue = _one(found, queue_model, sources[file], file, tenant, {"queue": stem})
        if queue is None:
            found.broken_queues.add((tenant, stem))
            continue
        if queue.value.queue != stem:
            what = f"the file is called {stem} and defines queue '{queue.value.queue}'"
            queue.say(found.problems, ("queue",), what, f"rename it to {queue.value.queue}.yaml")
        found.queues[tenant, queue.value.queue] = queue
    _each(found, sources, "skills", Skills, found.skills)
    yaml_agents: dict[str, Filed[Agents]] = {}
    _each(found, sources, "agents", Agents, yaml_agents)
    found.agents = {tenant: [filed] for tenant, filed in yaml_agents.items()}
    for file, tenant in each_tenants(sources, "config/agents.csv"):
        table = _valid(found, Agents, read_csv(sources[file], file), sources[file], tenant)
        if table is not None:
            found.agents.setdefault(tenant, []).append(table)
    _each(found, sources, "dispositions", Dispositions, found.dispositions)
    _each(found, sources, "not_ready", NotReady, found.reasons)
    return found


def add_agents(found: Read[Q], text: str, file: str, tenant: str) -> None:
    """More agents of a tenant, from elsewhere than its files; `text` as in `config/agents.yaml`."""
    filed = _valid(found, Agents, load_marked(text, file), text, tenant)
    if filed is not None:
        found.agents.setdefault(tenant, []).append(filed)


def _each(found: Read[Q], sources: Mapping[str, str], name: str, model: type[D], into: dict[str, Filed[D]]) -> None:
    for file, tenant in each_tenants(sources, f"config/{name}.yaml"):
        filed = _one(found, model, sources[file], file, tenant)
        if filed is None:
            found.broken.add((tenant, name))
        else:
            into[tenant] = filed


def _one(
    found: Read[Q], model: type[D], text: str, file: str, tenant: str, stand_ins: Mapping[str, str] | None = None
) -> Filed[D] | None:
    return _valid(found, model, load_marked(text, file), text, tenant, stand_ins)


def _valid(
    found: Read[Q],
    model: type[D],
    marked: Marked | Problems,
    text: str,
    tenant: str,
    stand_ins: Mapping[str, str] | None = None,
) -> Filed[D] | None:
    if isinstance(marked, Problems):
        found.problems.extend(marked)
        return None
    right = salvage(model, marked, stand_ins=stand_ins)
    found.problems.extend(right.problems)
    return None if right.value is None else Filed(tenant, right.value, right.marked, text)
