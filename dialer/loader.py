"""From `config/campaigns/*.yaml` to what the dialer goes by, every problem at its place. Pure: texts in, values out.

read = read_campaigns(sources)
check(read, Around(…))                          dialer/checks.py: against everything else that is configured
setup = build(read, packs, Site(…))
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from math import inf

from core.lead_store import ListShare
from definitions.layout import in_folder, stem_of
from definitions.models import salvage
from definitions.problems import Problems, Severity
from definitions.yaml import Marked, Path, load_marked
from dialer import definitions as written
from dialer.compliance import rules
from dialer.compliance.abandonment import Reviewed
from dialer.compliance.rules import Rule, RulePack, Scope, Source
from dialer.pacing import PacingSettings
from dialer.setup import (
    After,
    CallerIds,
    CampaignSetup,
    Days,
    DialerSetup,
    FormField,
    Hours,
    Key,
    Quota,
    Retry,
    Script,
    ScriptTest,
    Webhook,
)
from dialer.written_dialing import CallerIdPool
from dialer.written_form import Titles

DAY_S = 86_400.0
_STAND_INS = {"mode": "progressive", "purpose": "service", "packs": ["-"]}
"""What is taken for what is wrong, to look at the rest."""
OWN = "campaign"
"""The pack that a campaign's own hours and caps stand in."""


@dataclass(frozen=True, slots=True)
class FiledCampaign:
    """A campaign and the file it stands in. What is wrong in itself has been said and is left out of both: about
    that, nothing more is said."""

    tenant: str
    value: written.Campaign
    marked: Marked

    @property
    def key(self) -> Key:
        return (self.tenant, self.value.campaign)

    def say(
        self, problems: Problems, path: Path, what: str, hint: str, *, key: bool = False, warning: bool = False
    ) -> None:
        """A problem at the value of `path`, or at its key."""
        if self.marked.is_lost(path):
            return
        severity = Severity.WARNING if warning else Severity.ERROR
        problems.add(self.marked.problem(path, what, hint, key=key, severity=severity))


@dataclass(slots=True)
class Campaigns:
    """Everything that could be read, be it in part."""

    filed: dict[Key, FiledCampaign] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)


@dataclass(frozen=True, slots=True)
class Site:
    """What comes from elsewhere. `languages`: for texts written once, and of leads whose list says none. `calendars`:
    by (tenant, name)."""

    release_id: str = ""
    languages: tuple[str, ...] = ("es",)
    calendars: Mapping[Key, Hours] = field(default_factory=dict)
    days: Days | None = None
    time_zone: str = "UTC"


def read_campaigns(sources: Mapping[str, str]) -> Campaigns:
    """`sources`: relative path -> text."""
    found = Campaigns()
    for file, tenant in in_folder(sources, "campaigns"):
        marked = load_marked(sources[file], file)
        if isinstance(marked, Problems):
            found.problems.extend(marked)
            continue
        right = salvage(written.Campaign, marked, stand_ins={**_STAND_INS, "campaign": stem_of(file)})
        found.problems.extend(right.problems)
        campaign = right.value
        if campaign is None:
            continue
        filed = FiledCampaign(tenant, campaign, right.marked)
        if stem_of(file) != campaign.campaign:
            what = f"the file is called {stem_of(file)} and defines campaign '{campaign.campaign}'"
            filed.say(found.problems, ("campaign",), what, f"rename it to {campaign.campaign}.yaml")
        found.filed[filed.key] = filed
    return found


def build(read: Campaigns, packs: Mapping[str, RulePack], site: Site) -> DialerSetup:
    """The setup of what was read. What is broken is left out: say the problems first."""
    campaigns = {key: setup_of(filed, packs, site) for key, filed in sorted(read.filed.items())}
    return DialerSetup(site.release_id, campaigns, site.days, site.time_zone)


def setup_of(filed: FiledCampaign, packs: Mapping[str, RulePack], site: Site) -> CampaignSetup:
    """The campaign as the dialer sees it. Packs that are not there are left out."""
    tenant, value = filed.tenant, filed.value
    named = tuple(packs[name] for name in dict.fromkeys(value.packs) if name in packs)
    return CampaignSetup(
        tenant=tenant,
        campaign=value.campaign,
        title=value.title or value.campaign,
        mode=value.mode,
        purpose=value.purpose,
        packs=named,
        own=own_rules(value, named),
        lists=tuple(ListShare(name, weight) for name, weight in value.lists.items()),
        queue=value.queue or "",
        skills=value.skills,
        flow=value.flow or "",
        language=value.language or site.languages[0],
        drop_action=value.drop.action,
        drop_flow=value.drop.flow or "",
        on_machine=value.on_machine.action,
        machine_flow=value.on_machine.flow or "",
        beep_within_s=value.on_machine.beep_within_s,
        no_beep=value.on_machine.no_beep,
        ring_s=value.ring_s,
        within_s=value.agent_within_s,
        screen=value.screen != "no",
        bridge_first=value.screen == "bridge_first",
        reviewed=Reviewed(value.machines_reviewed.people, value.machines_reviewed.sample),
        held_lines=value.pacing.held_lines,
        caller_ids=tuple(_pool(pool) for pool in value.caller_ids),
        calendar=site.calendars.get((tenant, value.calendar)) if value.calendar else None,
        retries={name: Retry(rule.after, rule.most, rule.number, rule.best_hour) for name, rule in value.retry.items()},
        quotas=tuple(Quota(one.name, one.result, one.most, one.field, one.value) for one in value.quotas),
        dispositions={
            path: After(rule.then, rule.after, rule.means, rule.date or "", rule.amount or "")
            for path, rule in value.dispositions.items()
        },
        priority=value.priority,
        weight=value.weight,
        pacing=pacing_of(value),
        max_lines=value.pacing.max_lines,
        calls_per_second=value.pacing.calls_per_second,
        preview_s=value.preview.for_s,
        preview_then=value.preview.then,
        skip_after_s=value.preview.skip_after,
        callback_wait_s=value.callbacks.wait,
        grace_s=value.promises.grace,
        remind_s=value.appointments.remind,
        queue_priority=value.queue_priority,
        script=_titles(value.script, site.languages),
        script_test=_script_test(value, site.languages),
        form=tuple(
            FormField(one.name, _titles(one.title or one.name, site.languages), one.choices, one.required, one.kind)
            for one in value.form
        ),
        variables=dict(value.variables),
        webhooks=tuple(Webhook(one.url, frozenset(one.on)) for one in value.webhooks),
    )


def pacing_of(value: written.Campaign) -> PacingSettings:
    """Raises ValueError, in words that begin with the key, when a setting makes no sense."""
    given = value.pacing
    return PacingSettings(
        method=given.method or written.METHOD_OF.get(value.mode, "progressive"),
        ratio=given.ratio,
        target_share=None if given.target_percent is None else float(given.target_percent),
        most_lines_per_agent=given.most_lines_per_agent,
        occupancy_ceiling=None if given.occupancy_ceiling is None else float(given.occupancy_ceiling),
        agent_within_s=value.agent_within_s,
    )


def own_rules(value: written.Campaign, named: tuple[RulePack, ...]) -> RulePack | None:
    """The campaign's own hours and caps as rules beside the law's; they allow no country that no pack is for."""
    found: list[Rule] = []
    if value.hours is not None:
        found.append(rules.Hours(_source("hours"), Scope(), value.hours))
    caps = (("day", DAY_S, "lead"), ("week", 7 * DAY_S, "lead"), ("ever", inf, "lead"), ("number_day", DAY_S, "number"))
    for name, within_s, per in caps:
        most = getattr(value.caps, name)
        if most is not None:
            rule = f"{per}_{name.removeprefix('number_')}"
            found.append(
                rules.Cap(_source(rule), Scope(), most, within_s, "attempts", "number" if per == "number" else "lead")
            )
    if not found:
        return None
    everywhere = any(not pack.countries for pack in named)
    countries = frozenset[str]() if everywhere else frozenset[str]().union(*(pack.countries for pack in named))
    return RulePack(OWN, OWN, countries or (frozenset() if everywhere else frozenset({"-"})), tuple(found))


def _source(rule: str) -> Source:
    return Source(OWN, rule, "the campaign's own rule", None, date.max)


def _pool(pool: CallerIdPool) -> CallerIds:
    return CallerIds(
        pool.name,
        pool.numbers,
        tuple(place for place in pool.destinations if place.startswith("+")),
        frozenset(place for place in pool.destinations if not place.startswith("+")),
        pool.daily,
        pool.rest_after,
        pool.rest,
    )


def _script_test(value: written.Campaign, languages: tuple[str, ...]) -> ScriptTest | None:
    test = value.script_test
    if test is None:
        return None
    scripts = tuple(Script(one.name, one.share, _titles(one.text, languages)) for one in test.scripts)
    return ScriptTest(test.name, scripts, test.goal, test.talk)


def _titles(title: Titles, languages: tuple[str, ...]) -> dict[str, str]:
    """One text for each language; a text that was written once holds for all of them."""
    if isinstance(title, str):
        return dict.fromkeys(languages, title) if title else {}
    return dict(title)
