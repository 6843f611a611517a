"""From texts to the `Setup` the router goes by: read, checked together, converted. Pure.

read = acd.reading.read(sources, Queue)
acd.checks.check(read, Around(devices=…, calendars=…))        problems at file:line:column, all at once
setup = build(read, Site(hours={("main", "office"): calendar}))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from acd.days import SiteDays
from acd.definitions import Agent, Choice, Reason, Routing
from acd.fields import Titles
from acd.queue_definitions import Callback, Queue
from acd.reading import Q, Read
from acd.setup import (
    CHANNELS,
    AgentSetup,
    Announcements,
    Callbacks,
    Channel,
    Disposition,
    Hours,
    Key,
    NotReadyReason,
    QueueSetup,
    Relaxation,
    ServiceLevel,
    Setup,
)

SYSTEM_REASONS: Mapping[str, Mapping[str, str]] = {
    "login": {"es": "Acaba de entrar", "en": "Just logged in"},
    "rona": {"es": "No contestó", "en": "Did not answer"},
    "unreachable": {"es": "Teléfono sin conexión", "en": "Phone not reachable"},
}
"""Reasons the router itself gives; every tenant has them, whatever its file says."""


@dataclass(frozen=True, slots=True)
class Site:
    """What comes from elsewhere. `languages`: for titles written once. `hours`: calendars by (tenant, name)."""

    release_id: str = ""
    languages: tuple[str, ...] = ("es",)
    hours: Mapping[Key, Hours] = field(default_factory=dict)
    routing: Routing = Routing()
    tenants: frozenset[str] = frozenset({"main"})
    time_zone: str = "UTC"
    """By which days begin."""
    devices: frozenset[str] = frozenset()
    """Phones, by their names inside Asterisk."""


def build(read: Read[Q], site: Site) -> Setup:
    """The setup of what was read. What is broken is left out: say `read.problems` first."""
    queues = {key: _queue(read, filed.tenant, filed.value, site) for key, filed in sorted(read.queues.items())}
    agents = {
        (tenant, name): agent_setup(tenant, name, agent)
        for tenant in sorted(read.agents)
        for name, agent in read.agents_of(tenant).items()
    }
    fallbacks = {key: filed.value.fallback for key, filed in read.queues.items() if filed.value.fallback}
    for old, new in site.routing.removed_queues.items():
        fallbacks.update({(tenant, old): new for tenant in site.tenants if (tenant, new) in read.queues})
    return Setup(
        release_id=site.release_id,
        agents=agents,
        queues=queues,
        reasons=_reasons(read, site),
        channels=_channels(site.routing),
        fallbacks=fallbacks,
        rest_s=site.routing.rest_s,
        days=SiteDays(site.time_zone),
        skills=frozenset(name for filed in read.skills.values() for name in filed.value.skills),
        devices=site.devices,
    )


def merge(setup: Setup, others: Iterable[AgentSetup]) -> Setup:
    """The setup with the agents of the database beside the declared ones, which win."""
    return replace(setup, agents={**{(other.tenant, other.agent_id): other for other in others}, **setup.agents})


def agent_setup(tenant: str, name: str, agent: Agent) -> AgentSetup:
    """The agent as the router sees her."""
    return AgentSetup(
        tenant=tenant,
        agent_id=name,
        name=agent.name or name,
        skills={skill: level for skill, level in agent.skills.items() if level},
        queues=None if agent.queues == "all" else frozenset(agent.queues),
        device=f"{tenant}-{agent.device}" if agent.device else "",
        code=agent.code or "",
        pin=agent.pin or "",
        capacity=agent.capacity,
        units=dict(agent.units),
        auto_answer=agent.auto_answer,
        languages=agent.languages,
        rest_s=agent.rest_s,
        supervises=agent.supervises,
    )


def dispositions_of(tree: Mapping[str, Choice], languages: tuple[str, ...]) -> tuple[Disposition, ...]:
    """Every choice of a tree with its path, groups before what is in them."""
    return tuple(
        Disposition("/".join(path), titles(inner.title, languages), inner.digits or "", leaf=not inner.choices)
        for first, choice in tree.items()
        for path, inner in choice.leaves((first,))
    )


def titles(title: Titles, languages: tuple[str, ...]) -> dict[str, str]:
    """One text for each language; a text that was written once holds for all of them."""
    if isinstance(title, str):
        return dict.fromkeys(languages, title) if title else {}
    return dict(title)


def _queue(read: Read[Q], tenant: str, queue: Queue, site: Site) -> QueueSetup:
    trees = read.dispositions.get(tenant)
    tree = trees.value.dispositions.get(queue.dispositions or "", {}) if trees else {}
    told = queue.announcements
    level = queue.service_level
    return QueueSetup(
        tenant=tenant,
        queue=queue.queue,
        title=queue.title or queue.queue,
        skills=queue.skills,
        relaxations=tuple(Relaxation(step.after_s, step.skills, step.priority) for step in queue.relax),
        strategy=queue.strategy,
        strategy_options=dict(queue.strategy_options),
        priority=queue.priority,
        ageing=queue.ageing,
        value_weight=queue.value_weight,
        service_level=ServiceLevel(level.target, level.within_s, level.short_abandon_s, level.variant),
        ring_s=queue.ring_s,
        rona_after=queue.rona_after,
        refused_again_s=queue.refused_again_s,
        patience_s=queue.patience_s,
        wrap_up_s=queue.wrap_up_s,
        wrap_up_extend_s=queue.wrap_up_extend_s,
        disposition_required=queue.disposition_required,
        dispositions=dispositions_of(tree, site.languages),
        max_waiting=queue.max_waiting,
        max_wait_s=queue.max_wait_s,
        no_agents=queue.no_agents,
        overflow_to=queue.overflow_to or "",
        hours=site.hours.get((tenant, queue.calendar)) if queue.calendar else None,
        announcements=Announcements(told.every_s, told.first_s, told.position, told.ewt, told.comfort_every_s),
        auto_answer=queue.auto_answer,
        music=queue.music,
        record_percent=queue.record_percent,
        callback=_callback(tenant, queue.callback, site) if queue.callback is not None else None,
        script=titles(queue.script, site.languages),
    )


def _callback(tenant: str, told: Callback, site: Site) -> Callbacks:
    return Callbacks(
        first=told.first,
        hours=site.hours.get((tenant, told.calendar)) if told.calendar else None,
        ahead_s=told.ahead_s,
        ring_s=told.ring_s,
        attempts=told.attempts,
        retry_s=told.retry_s,
        expiry_s=told.expiry_s,
        rule=told.rule or "",
        caller=told.caller or "",
        min_ewt_s=told.min_ewt_s,
        ring_back=told.ring_back,
    )


def _reasons(read: Read[Q], site: Site) -> dict[Key, NotReadyReason]:
    found: dict[Key, NotReadyReason] = {}
    for tenant in sorted(site.tenants | read.reasons.keys()):
        for name, words in SYSTEM_REASONS.items():
            found[tenant, name] = NotReadyReason(name, words, chosen=False, system=True)
        filed = read.reasons.get(tenant)
        for name, reason in filed.value.reasons.items() if filed else ():
            found[tenant, name] = _reason(name, reason, site)
    return found


def _reason(name: str, reason: Reason, site: Site) -> NotReadyReason:
    return NotReadyReason(
        reason=name,
        title=titles(reason.title, site.languages) or SYSTEM_REASONS.get(name, {}),
        digits=reason.digits or "",
        paid=reason.paid,
        limit_s=reason.limit_s,
        per_hour_s=reason.per_hour_s,
        chosen=reason.chosen and name not in SYSTEM_REASONS,
        system=name in SYSTEM_REASONS,
    )


def _channels(routing: Routing) -> dict[str, Channel]:
    found = dict(CHANNELS)
    for name, rule in routing.channels.items():
        usual = CHANNELS.get(name, Channel(name))
        found[name] = Channel(
            name,
            usual.units if rule.units is None else rule.units,
            usual.interrupts if rule.interrupts is None else frozenset(rule.interrupts),
        )
    return found
