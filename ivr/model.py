"""A flow, and a release: every flow, calendar and table of one configuration, checked together and unchanging.

A call is pinned to the release it began in. A release can be rebuilt from its sources, so the call also survives a
restart of the engine after the files have changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING

from core.media import Sound, Speech
from definitions.problems import Problems
from ivr.calendars import Calendar
from ivr.node import Defaults, NodeModel
from ivr.prompts import Prompt
from ivr.tables import Table

if TYPE_CHECKING:
    from ivr.loader import Context


@dataclass(frozen=True)
class Flow:
    """One flow. `languages`: the first is the default. `variables`: initial values. `nodes` have inherited the
    flow's defaults. `lines`: node -> the line of `file` it begins on. `offered`: to agents, as a place to send a
    customer to."""

    id: str
    tenant: str
    title: Mapping[str, str]
    languages: tuple[str, ...]
    start: str
    variables: Mapping[str, str]
    defaults: Defaults
    nodes: Mapping[str, NodeModel]
    file: str
    offered: bool = True
    recording_notice: Prompt | None = None
    lines: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def constants(self) -> Mapping[str, str]:
        """Variables that keep their initial value, since no node sets them: texts that hold only these are
        rendered at load."""
        changed = frozenset[str]().union(*(node.sets() for node in self.nodes.values()))
        return {name: value for name, value in self.variables.items() if name not in changed}

    def prompts(self) -> Iterator[Prompt]:
        """Every prompt of every node, and the recording notice."""
        for node in self.nodes.values():
            for placed in node.prompts():
                yield placed.value
        if self.recording_notice is not None:
            yield self.recording_notice

    def static_speech(self) -> frozenset[Speech]:
        """Everything said in this flow that is known before anybody calls."""
        return frozenset[Speech]().union(
            *(prompt.static_speech(self.languages, self.constants) for prompt in self.prompts())
        )

    def sounds(self) -> frozenset[Sound]:
        """Every recording it needs, in each of its languages."""
        return frozenset[Sound]().union(*(prompt.sounds(self.languages) for prompt in self.prompts()))

    def name(self, language: str) -> str:
        """Its title in this language, else in its own, else its id."""
        return self.title.get(language) or next(iter(self.title.values()), self.id)


def fingerprint(sources: Mapping[str, str]) -> str:
    """A name for exactly these texts: path -> text."""
    digest = sha256()
    for name in sorted(sources):
        for text in (name, sources[name]):
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Release:
    """Keys are (tenant, id). `sources`: the texts it was built from; `id` is their fingerprint."""

    id: str
    flows: Mapping[tuple[str, str], Flow]
    calendars: Mapping[tuple[str, str], Calendar] = field(default_factory=dict)
    tables: Mapping[tuple[str, str], Table] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)

    def flow(self, tenant: str, flow_id: str) -> Flow | None:
        return self.flows.get((tenant, flow_id))

    def calendar(self, tenant: str, name: str) -> Calendar | None:
        return self.calendars.get((tenant, name))

    def table(self, tenant: str, name: str) -> Table | None:
        return self.tables.get((tenant, name))

    @classmethod
    def from_sources(cls, sources: Mapping[str, str], context: Context | None = None) -> Release:
        """Builds an earlier release again.

        Raises:
            ValueError: today's rules do not accept these sources; the message lists the problems.
        """
        from ivr.loader import Context, load

        loaded = load(sources, context or Context())
        if loaded.release is None:
            raise ValueError(str(Problems(loaded.problems.errors)))
        return loaded.release
