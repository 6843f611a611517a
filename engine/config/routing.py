"""Queues, skills and agents among everything else that is configured: read, checked against it, made a `Setup`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from acd import loader as acd_loader
from acd.checks import Around, check, column_of, skills_of
from acd.definitions import Routing
from acd.reading import Read, problem_within, read
from acd.setup import Key, Setup
from acd.skills import Requirement, RequirementInvalid
from definitions.faults import did_you_mean
from definitions.layout import in_folder, stem_of
from definitions.problems import Problem, Problems
from definitions.yaml import Marked, load_marked
from engine.config.queue_prompts import Queue, QueuePrompts, check_prompts, prompts_of
from engine.config.sources import asterisk_name
from ivr.model import Flow, Release
from ivr.nodes.disposition import Model as DispositionNode
from ivr.nodes.queue import Model as QueueNode


@dataclass(frozen=True)
class RoutingPart:
    """What was read, and its problems; `setup` once everything else is known."""

    found: Read[Queue]
    devices: frozenset[str] = frozenset()
    """Phones, by their names inside Asterisk."""

    @property
    def queues(self) -> Mapping[Key, Queue]:
        return {key: filed.value for key, filed in self.found.queues.items()}

    def setup(
        self,
        release: Release,
        languages: tuple[str, ...],
        routing: Routing,
        tenants: Iterable[str],
        time_zone: str = "UTC",
    ) -> Setup:
        """The setup of this release."""
        everybody = frozenset({"main", *tenants})
        site = acd_loader.Site(release.id, languages, release.calendars, routing, everybody, time_zone, self.devices)
        return acd_loader.build(self.found, site)

    def check_callbacks(self, rules: Collection[str], problems: Problems) -> None:
        """The outbound rule that a queue calls its callers back by is there."""
        for filed in self.found.queues.values():
            wanted = filed.value.callback.rule if filed.value.callback is not None else None
            if wanted is not None and wanted not in rules:
                hint = did_you_mean(wanted, rules, what="rules")
                hint = hint if hint.startswith("did") else "name one of config/outbound.yaml"
                filed.say(problems, ("callback", "rule"), f"there is no outbound rule '{wanted}'", hint)

    def prompts(self) -> dict[Key, QueuePrompts]:
        return {key: prompts_of(queue) for key, queue in self.queues.items()}

    def check_flows(self, flows: Iterable[Flow], sources: Mapping[str, str], problems: Problems) -> None:
        """A flow's own requirements, as far as they are known before anybody calls, ask for skills that exist;
        and the dispositions that it gives exist."""
        for flow in flows:
            for name, node in flow.nodes.items():
                if isinstance(node, DispositionNode):
                    problems.extend(self._wrong_disposition(flow, sources[flow.file], name, node.value))
                if not isinstance(node, QueueNode) or not node.skills.names <= {"language"}:
                    continue
                known = skills_of(self.found, flow.tenant)
                for language in flow.languages:
                    text = node.skills.render({"language": language}, language)
                    for what, hint, column in wrong_skills(text, known):
                        column = column if text == node.skills.source else 1
                        problems.add(_in_flow(sources[flow.file], flow.file, name, column, what, hint))

    def _wrong_disposition(self, flow: Flow, text: str, name: str, wanted: str) -> Iterator[Problem]:
        trees = self.found.dispositions.get(flow.tenant)
        if (flow.tenant, "dispositions") in self.found.broken or (trees is not None and not trees.marked.is_whole):
            return  # that is said, and nobody knows what there is
        choices = [
            one
            for tree in (trees.value.dispositions.values() if trees is not None else ())
            for one in acd_loader.dispositions_of(tree, flow.languages)
        ]
        leaves = {one.path for one in choices if one.leaf}
        if wanted in leaves:
            return
        marked = load_marked(text, flow.file)
        assert isinstance(marked, Marked), "it has been read before"
        within = sorted(path for path in leaves if path.startswith(f"{wanted}/"))
        what = f"the disposition '{wanted}' is a group" if within else f"there is no disposition '{wanted}'"
        hint = f"choose among {', '.join(within)}" if within else did_you_mean(wanted, leaves, what="dispositions")
        if not (within or hint.startswith("did")):
            hint = "write it into a tree of config/dispositions.yaml"
        yield marked.problem(("nodes", name, "value"), what, hint)


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
    check(found, Around(devices, calendars, music, routing, sources.get("config/site.yaml", "")))
    for filed in found.queues.values():
        check_prompts(filed, languages, sounds, found.problems)
    return RoutingPart(found, frozenset(asterisk_name(*key) for key in devices))


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


def wrong_skills(text: str, skills: frozenset[str] | None) -> list[tuple[str, str, int]]:
    """What is wrong with a requirement, what to do, and at which character (from 1). `skills`: those there are; None:
    nobody knows."""
    try:
        requirement = Requirement.parse(text)
    except RequirementInvalid as wrong:
        return [(wrong.what, wrong.hint, wrong.column)]
    return [
        (f"there is no skill '{name}'", _hint(name, skills), column_of(name, text))
        for name in requirement.names
        if skills is not None and name not in skills
    ]


def _hint(name: str, skills: frozenset[str]) -> str:
    close = did_you_mean(name, skills)
    return close if close.startswith("did") else "write it in config/skills.yaml"


def _in_flow(text: str, file: str, node: str, column: int, what: str, hint: str) -> Problem:
    marked = load_marked(text, file)
    assert isinstance(marked, Marked), "it has been read before"
    return problem_within(marked, text, ("nodes", node, "skills"), column, what, hint)
