"""What must hold between a campaign and everything else: queues, flows, calendars, rule packs, other campaigns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from definitions.faults import did_you_mean
from definitions.layout import place_of
from definitions.problems import Problems
from dialer.compliance.rules import Basis, DropAction, Mode, RulePack
from dialer.definitions import OUTCOMES
from dialer.identities import fits
from dialer.loader import Campaigns, FiledCampaign, Site, pacing_of, setup_of
from dialer.setup import CampaignSetup, Key

_OVERDIAL = frozenset({Mode.POWER, Mode.PREDICTIVE})
_ANOTHER = "`detection: {{by: {}}}` in config/site.yaml"
OPT_OUT_VERB = "do_not_call"
"""The flow node by which a caller says so herself."""
DISPOSITION_VERB = "disposition"
"""The one by which a flow says what came of her."""


@dataclass(frozen=True, slots=True)
class InFlow:
    """`verbs`: the types of a flow's nodes, and of the flows it calls. `dispositions`: what they say came of the call,
    and the fields of the form that they fill in for each. `queues`: whose agents it may lead to."""

    verbs: frozenset[str] = frozenset()
    dispositions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    queues: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Around:
    """What exists beside campaigns. `queues`: (tenant, name) -> the paths of its dispositions. `flows`: (tenant, name)
    -> what is in it; None when flows could not be read. `wrong_skills`: (tenant, expression) -> what is wrong
    and what to do, several times. `hosts`: those that may be asked -> by which tenants, empty: by all; None: nobody
    knows. `detection`: who tells machines from people: audio, talk_detect or app_amd."""

    queues: Mapping[Key, frozenset[str]] = field(default_factory=dict)
    broken_queues: frozenset[Key] = frozenset()
    flows: Mapping[Key, InFlow] | None = None
    calendars: frozenset[Key] = frozenset()
    packs: Mapping[str, RulePack] = field(default_factory=dict)
    broken_packs: frozenset[str] = frozenset()
    languages: tuple[str, ...] = ("es",)
    hosts: Mapping[str, frozenset[str]] | None = field(default_factory=dict)
    detection: str = "audio"
    wrong_skills: Callable[[str, str], Iterable[tuple[str, str]]] = lambda tenant, text: ()


def check(read: Campaigns, around: Around) -> None:
    """Adds every problem to `read.problems`."""
    for _, filed in sorted(read.filed.items()):
        _check_names(read.problems, filed, around)
        _check_detection(read.problems, filed, around.detection)
        known = filed.marked.is_whole and all(name in around.packs for name in filed.value.packs)
        if _check_pacing(read.problems, filed) and known:
            setup = setup_of(filed, around.packs, Site(languages=around.languages))
            _check_law(read.problems, filed, setup, around)
    _check_lists(read)


def _check_names(problems: Problems, filed: FiledCampaign, around: Around) -> None:
    value, tenant = filed.value, filed.tenant
    for index, name in enumerate(value.packs):
        if name not in around.packs and name not in around.broken_packs:
            hint = did_you_mean(name, around.packs, what="packs")
            hint = hint if hint.startswith("did") else f"write config/compliance/{name}.yaml with `kind: dialing`"
            filed.say(problems, ("packs", index), f"there is no pack of dialing rules '{name}'", hint)
    if value.queue is not None and (tenant, value.queue) not in around.broken_queues:
        queues = {name for owner, name in around.queues if owner == tenant}
        if value.queue not in queues:
            hint = did_you_mean(value.queue, queues, what="queues")
            filed.say(problems, ("queue",), f"there is no queue '{value.queue}'", hint)
        else:
            _check_dispositions(problems, filed, around.queues[tenant, value.queue])
    elif value.mode is Mode.AGENTLESS and around.flows is not None and (tenant, value.flow) in around.flows:
        _check_said(problems, filed, around.flows[tenant, value.flow or ""], around)
    for path, flow in (
        (("flow",), value.flow),
        (("drop", "flow"), value.drop.flow),
        (("on_machine", "flow"), value.on_machine.flow),
    ):
        if flow is not None and around.flows is not None and (tenant, flow) not in around.flows:
            flows = {name for owner, name in around.flows if owner == tenant}
            filed.say(problems, path, f"there is no flow '{flow}'", did_you_mean(flow, flows, what="flows"))
    if value.calendar is not None and (tenant, value.calendar) not in around.calendars:
        calendars = {name for owner, name in around.calendars if owner == tenant}
        hint = did_you_mean(value.calendar, calendars, what="calendars")
        hint = hint if hint.startswith("did") else "write it under " + place_of(tenant, "config/calendars/")
        filed.say(problems, ("calendar",), f"there is no calendar '{value.calendar}'", hint)
    for what, hint in around.wrong_skills(tenant, value.skills) if value.skills else ():
        filed.say(problems, ("skills",), what, hint)
    for index, hook in enumerate(value.webhooks):
        host = hook.url.partition("://")[2].partition("/")[0].partition(":")[0].lower()
        place = ("webhooks", index, "url")
        if around.hosts is not None and host not in around.hosts:
            filed.say(problems, place, f"{host} is no host that may be asked", "add it to config/http.yaml")
        elif around.hosts and around.hosts[host] and tenant not in around.hosts[host]:
            what = f"{host} is other tenants'"
            filed.say(problems, place, what, f"add {tenant} to its `tenants` in config/http.yaml")


def _check_dispositions(problems: Problems, filed: FiledCampaign, known: frozenset[str]) -> None:
    """Empty `known`: the queue has no tree, so agents give none."""
    for place, path in _dispositions_named(filed):
        if path in known:
            continue
        if not known:
            what = f"the queue {filed.value.queue} has no dispositions, so nobody can give '{path}'"
            filed.say(problems, place, what, f"name a tree in config/queues/{filed.value.queue}.yaml", key=True)
        else:
            hint = did_you_mean(path, known, what="dispositions")
            filed.say(problems, place, f"there is no disposition '{path}'", hint, key=place[0] == "dispositions")


def _check_said(problems: Problems, filed: FiledCampaign, flow: InFlow, around: Around) -> None:
    """An agentless campaign: its flow says what came of her, or the agents to whom it hands her over."""
    value, tenant = filed.value, filed.tenant
    of_agents = frozenset[str]().union(*(around.queues.get((tenant, queue), frozenset()) for queue in flow.queues))
    own = {"/".join(path.split("/")[:length]) for path in flow.dispositions for length in range(1, path.count("/") + 2)}
    unknown = any((tenant, queue) in around.broken_queues for queue in flow.queues)
    for place, path in () if unknown else _dispositions_named(filed):
        if path in own or path in of_agents:
            continue
        known = sorted(own | of_agents)
        hint = did_you_mean(path, known, what="dispositions") if known else ""
        if not hint.startswith("did"):
            hint = f"say it in a node: {{type: {DISPOSITION_VERB}, value: {path}, next: …}}"
        what = f"the flow {value.flow} never says '{path}'"
        filed.say(problems, place, what, hint, key=place[0] == "dispositions")
    fields = {entry.name for entry in value.form}
    for path, answers in sorted(flow.dispositions.items()):
        for name in sorted(answers - fields):
            what = (
                f"the flow {value.flow} fills in '{name}' with its disposition '{path}', and the form has no such field"
            )
            hint = did_you_mean(name, fields, what="fields") if fields else ""
            hint = hint if hint.startswith("did") else f"write form: [{{name: {name}, title: …}}]"
            filed.say(problems, ("form",) if fields else ("flow",), what, hint, key=True)
    for path, rule in value.dispositions.items():
        said = [fields for one, fields in flow.dispositions.items() if one == path or one.startswith(f"{path}/")]
        if rule.date and said and path not in of_agents and not any(rule.date in answers for answers in said):
            what = f"nobody fills in '{rule.date}', the day of this {rule.then}"
            hint = f"write `answers: {{{rule.date}: …}}` in the flow's node that says '{path}'"
            filed.say(problems, ("dispositions", path, "date"), what, hint)


def _dispositions_named(filed: FiledCampaign) -> list[tuple[tuple[str | int, ...], str]]:
    """(where, path) of every one that the campaign names."""
    wanted: list[tuple[tuple[str | int, ...], str]] = [
        (("dispositions", path), path) for path in filed.value.dispositions
    ]
    wanted += [
        (("quotas", index, "result"), quota.result)
        for index, quota in enumerate(filed.value.quotas)
        if quota.result not in OUTCOMES
    ]
    wanted += [
        (("webhooks", index, "on", place), result)
        for index, hook in enumerate(filed.value.webhooks)
        for place, result in enumerate(hook.on)
        if result not in OUTCOMES
    ]
    test = filed.value.script_test
    wanted += [(("script_test", "goal", index), path) for index, path in enumerate(test.goal if test else ())]
    return wanted


def _check_detection(problems: Problems, filed: FiledCampaign, by: str) -> None:
    """What the site's detector cannot do."""
    value = filed.value
    if by == "app_amd" and value.screen == "bridge_first":
        what = "Asterisk's AMD() hears nobody who talks with an agent already"
        filed.say(problems, ("screen",), what, f"write `screen: yes`, or {_ANOTHER.format('talk_detect')}")
    if value.on_machine.action == "hang_up" or by == "audio":
        return
    if by == "app_amd":
        what = "Asterisk's AMD() waits for no beep, so nobody would know when the machine records"
        filed.say(
            problems, ("on_machine",), what, f"write `on_machine: hang_up`, or {_ANOTHER.format('audio')}", key=True
        )
    else:
        what = "talk_detect hears no beep: the message begins when the machine has been silent for 2.5 s"
        filed.say(problems, ("on_machine",), what, f"{_ANOTHER.format('audio')} hears it", key=True, warning=True)


def _check_pacing(problems: Problems, filed: FiledCampaign) -> bool:
    """Whether its numbers make sense."""
    try:
        pacing_of(filed.value)
        return True
    except ValueError as wrong:
        name, _, what = str(wrong).partition(": ")
        path = {"target_share": "target_percent", "agent_within_s": "method"}.get(name, name)
        filed.say(problems, ("pacing", path), what, "see docs/campaigns.md")
        return False


def _check_law(problems: Problems, filed: FiledCampaign, setup: CampaignSetup, around: Around) -> None:
    value, law = filed.value, setup.law()
    for wrong in law.contradictions():
        filed.say(problems, ("packs",), wrong, "name packs that agree, or one alone")
    terms = law.overall
    if terms.ring.source is not None and value.ring_s < terms.ring.value:
        what = f"it rings {value.ring_s:g} s, and {terms.ring.source.name} asks for {terms.ring.value:g}"
        filed.say(problems, ("ring_s",), what, f"write {terms.ring.value:g} or more", key="ring_s" not in _given(filed))
    if value.mode not in (Mode.AGENTLESS, Mode.MANUAL):
        allowed = terms.drop_actions
        if allowed.value and DropAction(value.drop.action) not in allowed.value and allowed.source is not None:
            names = ", ".join(sorted(action.value for action in allowed.value))
            what = f"{allowed.source.name} does not allow the drop action '{value.drop.action}'"
            filed.say(problems, ("drop", "action"), what, f"allowed: {names}", key=True)
        _check_opt_out(problems, filed, setup, around)
    if value.mode in _OVERDIAL and any(limit.most == 0 for limit in terms.abandonment):
        zero = next(limit for limit in terms.abandonment if limit.most == 0)
        what = f"{zero.source.name} allows no abandoned call: it will dial one line for each ready agent"
        filed.say(problems, ("mode",), what, "write mode: progressive, which says so", warning=True)
    for needed in terms.bases:
        if not needed.any_of - {Basis.NONE}:
            filed.say(problems, ("mode",), f"{needed.source.name} allows nobody to be called so", "choose another mode")
    _check_message(problems, filed, setup)
    _check_identities(problems, filed, setup)


def _check_message(problems: Problems, filed: FiledCampaign, setup: CampaignSetup) -> None:
    """A message on a machine is a call that no agent speaks in."""
    for needed in setup.law(Mode.AGENTLESS).overall.bases if setup.on_machine == "message" else ():
        if not needed.any_of - {Basis.NONE}:
            what = f"{needed.source.name} allows nobody to be left a recorded message"
            filed.say(problems, ("on_machine", "action"), what, "write on_machine: hang_up", key=True)


def _check_opt_out(problems: Problems, filed: FiledCampaign, setup: CampaignSetup, around: Around) -> None:
    asked = setup.law().overall.drop_opt_out
    flow = filed.value.drop.flow
    if not asked.value or asked.source is None or flow is None or around.flows is None:
        return
    nodes = around.flows.get((filed.tenant, flow))
    if nodes is not None and OPT_OUT_VERB not in nodes.verbs:
        what = f"{asked.source.name} asks for a key not to be called again, and flow '{flow}' has none"
        filed.say(problems, ("drop", "flow"), what, f"give it a node `type: {OPT_OUT_VERB}` behind a key")


def _check_identities(problems: Problems, filed: FiledCampaign, setup: CampaignSetup) -> None:
    rules = [rule for rule in setup.law().overall.identities if not rule.scope.regions and not rule.scope.prefixes]
    if any(rule.shown for rule in rules) and not setup.caller_ids:
        shown = next(rule for rule in rules if rule.shown)
        what = f"{shown.source.name} asks for a number of ours to be shown, and there is none"
        filed.say(problems, ("packs",), what, "add `caller_ids`: without one nobody may be dialed")
    for index, pool in enumerate(setup.caller_ids):
        for place, number in enumerate(pool.numbers):
            broken = next((rule for rule in rules if not fits(rule, number)), None)
            if broken is None:
                continue
            only = all(not all(fits(rule, other) for rule in rules) for other in pool.numbers)
            what = f"{broken.source.name} does not allow {number} to be shown"
            hint = "take another number" if only else "take it out: it will never be shown where that rule holds"
            filed.say(problems, ("caller_ids", index, "numbers", place), what, hint, warning=not only)


def _check_lists(read: Campaigns) -> None:
    """A list belongs to one campaign."""
    owners: dict[tuple[str, str], str] = {}
    for (tenant, name), filed in sorted(read.filed.items()):
        for list_id in filed.value.lists:
            owner = owners.setdefault((tenant, list_id), name)
            if owner != name:
                what = f"the list '{list_id}' belongs to campaign {owner} already"
                filed.say(read.problems, ("lists", list_id), what, "give each campaign lists of its own", key=True)


def _given(filed: FiledCampaign) -> frozenset[str]:
    """The keys that were written."""
    return frozenset(filed.value.model_fields_set)
