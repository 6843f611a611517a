"""Queues, skills and agents among everything else that is configured: read, checked against it, made a `Setup`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from acd import loader as acd_loader
from acd.checks import Around, check
from acd.definitions import Routing
from acd.reading import Read, read
from acd.setup import Key, Setup
from acd.skills import Requirement, RequirementInvalid
from definitions.layout import in_folder, stem_of
from definitions.problems import Problem, Problems
from engine.config.queue_prompts import Queue, QueuePrompts, check_prompts, prompts_of
from ivr.model import Flow, Release
from ivr.nodes.queue import Model as QueueNode


@dataclass(frozen=True)
class RoutingPart:
    """What was read, and its problems; `setup` once everything else is known."""

    found: Read[Queue]

    @property
    def queues(self) -> Mapping[Key, Queue]:
        return {key: filed.value for key, filed in self.found.queues.items()}

    def setup(self, release: Release, languages: tuple[str, ...], routing: Routing, tenants: Iterable[str]) -> Setup:
        """The setup of this release."""
        site = acd_loader.Site(release.id, languages, release.calendars, routing, frozenset({"main", *tenants}))
        return acd_loader.build(self.found, site)

    def prompts(self) -> dict[Key, QueuePrompts]:
        return {key: prompts_of(queue) for key, queue in self.queues.items()}

    def check_flows(self, flows: Iterable[Flow], problems: Problems) -> None:
        """A flow's own requirement, where it is the same for every caller, asks for skills that exist."""
        skills = {tenant: frozenset(filed.value.skills) for tenant, filed in self.found.skills.items()}
        for flow in flows:
            for name, node in flow.nodes.items():
                if not isinstance(node, QueueNode) or not node.skills.is_static:
                    continue
                for what, hint in _wrong(node.skills.source, skills.get(flow.tenant, frozenset())):
                    problems.add(Problem(flow.file, flow.lines.get(name, 0), 1, f"node '{name}': {what}", hint))


def read_routing(
    sources: Mapping[str, str],
    languages: tuple[str, ...],
    devices: frozenset[Key],
    sounds: Mapping[str, frozenset[str]] | None,
    routing: Routing,
    music: frozenset[str] | None = None,
) -> RoutingPart:
    """Reads and checks; problems are in `found.problems`."""
    found = read(sources, Queue)
    calendars = frozenset((tenant, stem_of(file)) for file, tenant in in_folder(sources, "calendars"))
    check(found, Around(devices, calendars, music, routing))
    for filed in found.queues.values():
        check_prompts(filed, languages, sounds, found.problems)
    return RoutingPart(found)


def with_pins(setup: Setup, pins: Mapping[Key, str]) -> Setup:
    """The setup with generated PINs (`secret:NAME`) in the place of their names. `pins`: (tenant, name) -> PIN."""
    agents = {
        key: replace(agent, pin=pins.get((agent.tenant, agent.pin.removeprefix("secret:")), ""))
        if agent.pin.startswith("secret:")
        else agent
        for key, agent in setup.agents.items()
    }
    return replace(setup, agents=agents)


def pins_named(setup: Setup) -> set[Key]:
    """(tenant, name) of every PIN that agents leave to be generated."""
    return {
        (agent.tenant, agent.pin.removeprefix("secret:"))
        for agent in setup.agents.values()
        if agent.pin.startswith("secret:")
    }


def _wrong(text: str, skills: frozenset[str]) -> list[tuple[str, str]]:
    try:
        requirement = Requirement.parse(text)
    except RequirementInvalid as wrong:
        return [(wrong.what, wrong.hint)]
    return [
        (f"there is no skill '{name}'", "write it in config/skills.yaml")
        for name in requirement.names
        if name not in skills
    ]
