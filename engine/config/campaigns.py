"""Campaigns among everything else that is configured: read, checked against it, made a `DialerSetup`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from acd import loader as acd_loader
from acd.checks import skills_of
from acd.days import SiteDays
from acd.reading import Read
from acd.setup import Key
from definitions.layout import in_folder, stem_of
from dialer.checks import Around, InFlow, check
from dialer.compliance.loader import Packs
from dialer.loader import Campaigns, Site, build, read_campaigns
from dialer.setup import DialerSetup
from engine.config.queue_prompts import Queue
from engine.config.routing import wrong_skills
from ivr.model import Release
from ivr.node import NodeModel
from ivr.nodes.disposition import Model as DispositionNode


@dataclass(frozen=True)
class CampaignPart:
    """What was read, with its problems; `setup` once everything else is known."""

    found: Campaigns
    dialing: Packs
    languages: tuple[str, ...]
    time_zone: str

    def setup(self, release: Release) -> DialerSetup:
        """The setup of this release."""
        site = Site(release.id, self.languages, release.calendars, SiteDays(self.time_zone), self.time_zone)
        return build(self.found, self.dialing.packs, site)


def read_dialer(
    sources: Mapping[str, str],
    dialing: Packs,
    queues: Read[Queue],
    release: Release | None,
    languages: tuple[str, ...],
    time_zone: str,
    hosts: Mapping[str, frozenset[str]] | None,
    detection: str,
) -> CampaignPart:
    """Reads and checks; problems are in `found.problems`. `release` None: flows could not be read, so campaigns are not
    checked against them. `detection`: who tells machines from people."""
    found = read_campaigns(sources)
    check(
        found,
        Around(
            queues=_dispositions(queues, languages),
            broken_queues=frozenset({*queues.broken_queues, *_without_dispositions(queues)}),
            flows=_in_flows(release) if release is not None else None,
            calendars=frozenset((tenant, stem_of(file)) for file, tenant in in_folder(sources, "calendars")),
            packs=dialing.packs,
            broken_packs=frozenset(map(stem_of, dialing.files)) - dialing.packs.keys(),
            languages=languages,
            hosts=hosts,
            detection=detection,
            wrong_skills=lambda tenant, text: [
                (what, hint) for what, hint, _ in wrong_skills(text, skills_of(queues, tenant))
            ],
        ),
    )
    return CampaignPart(found, dialing, languages, time_zone)


def _dispositions(queues: Read[Queue], languages: tuple[str, ...]) -> dict[Key, frozenset[str]]:
    """(tenant, queue) -> the paths its agents may choose, groups included."""
    found: dict[Key, frozenset[str]] = {}
    for (tenant, name), filed in queues.queues.items():
        trees = queues.dispositions.get(tenant)
        tree = trees.value.dispositions.get(filed.value.dispositions or "", {}) if trees else {}
        found[tenant, name] = frozenset(one.path for one in acd_loader.dispositions_of(tree, languages))
    return found


def _without_dispositions(queues: Read[Queue]) -> Iterator[Key]:
    """Queues of which nobody knows now what their agents may choose, since that is wrong in itself."""
    for (tenant, name), filed in queues.queues.items():
        trees = queues.dispositions.get(tenant)
        broken = (tenant, "dispositions") in queues.broken or (trees is not None and not trees.marked.is_whole)
        if broken or filed.marked.is_lost(("dispositions",)):
            yield tenant, name


def _in_flows(release: Release) -> dict[Key, InFlow]:
    """(tenant, flow) -> what campaigns have to know of it and of the flows it calls."""
    calls = {
        key: {(flow.tenant, str(getattr(node, "flow", ""))) for node in flow.nodes.values() if node.type == "subflow"}
        for key, flow in release.flows.items()
    }
    found: dict[Key, InFlow] = {}
    for key in release.flows:
        reached, waiting = {key}, [key]
        while waiting:
            more = calls.get(waiting.pop(), set()) - reached
            reached |= more
            waiting += sorted(more)
        found[key] = _in_flow([node for one in sorted(reached & release.flows.keys()) for node in _nodes(release, one)])
    return found


def _nodes(release: Release, key: Key) -> Iterable[NodeModel]:
    return release.flows[key].nodes.values()


def _in_flow(nodes: Sequence[NodeModel]) -> InFlow:
    said: dict[str, frozenset[str]] = {}
    for node in nodes:
        if isinstance(node, DispositionNode):
            said[node.value] = said.get(node.value, frozenset()) | node.answers.keys()
    queues = frozenset(str(getattr(node, "queue", "") or "") for node in nodes) - {""}
    return InFlow(frozenset(node.type for node in nodes), said, queues)
