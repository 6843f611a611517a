"""What must hold between queues, skills, agents, dispositions and reasons: every problem at its place, all at once."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass

from acd.definitions import NOT_GIVEN, Agent, Agents, Choice, Dispositions, Routing
from acd.reading import D, Filed, Q, Read
from acd.setup import CHANNELS, Key
from acd.skills import Requirement, RequirementInvalid
from acd.strategies import STRATEGIES
from definitions.faults import did_you_mean
from definitions.layout import file_of, place_of
from definitions.problems import Problems
from definitions.yaml import Path, problem_at


@dataclass(frozen=True, slots=True)
class Around:
    """What exists beside queues and agents, as (tenant, name). None: nobody knows, so it is not checked."""

    devices: frozenset[Key] | None = None
    calendars: frozenset[Key] | None = None
    music: frozenset[str] | None = None
    """Classes of music on hold, the same for all tenants."""
    routing: Routing = Routing()
    site: str = ""
    """The text of config/site.yaml, where the routing stands."""


def check(read: Read[Q], around: Around) -> None:
    """Adds every problem to `read.problems`."""
    for key, queue in sorted(read.queues.items()):
        _check_queue(read, queue, around)
        _check_servable(read, key, queue)
    _check_circles(read)
    for tenant in sorted(read.agents):
        check_agents(read, tenant, around)
    for filed in read.dispositions.values():
        for name, tree in filed.value.dispositions.items():
            _check_tree(read.problems, filed, name, tree)
    for filed_reasons in read.reasons.values():
        given = {name: (("reasons", name, "digits"), r.digits) for name, r in filed_reasons.value.reasons.items()}
        _check_digits(read.problems, filed_reasons, given, "reasons")
    _check_removed(read, around)


def requirement_of(read: Read[Q], filed: Filed[Q], path: Path, text: str) -> Requirement | None:
    """The expression at `path`, or None when it is wrong, which is said at its column."""
    try:
        requirement = Requirement.parse(text)
    except RequirementInvalid as wrong:
        filed.say_within(read.problems, path, wrong.column, wrong.what, wrong.hint)
        return None
    known = skills_of(read, filed.tenant)
    for name in requirement.names if known is not None else ():
        if known is None or name in known:
            continue
        hint = did_you_mean(name, known, what="skills")
        hint = hint if hint.startswith("did") else "write it in config/skills.yaml"
        filed.say_within(read.problems, path, column_of(name, text), f"there is no skill '{name}'", hint)
    return requirement


def skills_of(read: Read[Q], tenant: str) -> frozenset[str] | None:
    """The skills a tenant has; None when its file is broken."""
    if (tenant, "skills") in read.broken:
        return None
    return _names(read.skills.get(tenant), "skills")


def _names(filed: Filed[D] | None, key: str) -> frozenset[str] | None:
    """What a file defines under `key`, right or wrong; None when that cannot be known."""
    if filed is None:
        return frozenset()
    if key in filed.marked.lost():
        return None
    return frozenset(getattr(filed.value, key)) | filed.marked.lost(key)


def column_of(name: str, text: str) -> int:
    """Where (from 1) the skill stands in an expression, and not as a part of a longer one."""
    inside = frozenset(string.ascii_letters + string.digits + "_.-")
    start = text.find(name)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(name) : start + len(name) + 1]
        if before not in inside and after not in inside:
            return start + 1
        start = text.find(name, start + 1)
    return 1


# -- queues -----------------------------------------------------------------------------------------
def _check_queue(read: Read[Q], filed: Filed[Q], around: Around) -> None:
    queue, problems = filed.value, read.problems
    if queue.strategy not in STRATEGIES:
        hint = did_you_mean(queue.strategy, STRATEGIES, what="strategies")
        filed.say(problems, ("strategy",), f"there is no strategy '{queue.strategy}'", hint)
    elif not filed.marked.is_lost(("strategy",)):
        options = [name for name, _ in STRATEGIES[queue.strategy].options]
        for option in sorted(set(queue.strategy_options) - set(options)):
            what = f"{queue.strategy} has no option '{option}'"
            filed.say(
                problems, ("strategy_options", option), what, did_you_mean(option, options, what="options"), key=True
            )
    if around.music is not None and queue.music not in around.music:
        hint = did_you_mean(queue.music, around.music, what="music")
        hint = hint if hint.startswith("did") else f"put sound files into flows/sounds/music/{queue.music}/"
        filed.say(problems, ("music",), f"there is no music '{queue.music}'", hint)
    others = {name for tenant, name in read.queue_names if tenant == filed.tenant}
    for field in ("overflow_to", "fallback"):
        wanted = getattr(queue, field)
        if wanted is not None and wanted not in others:
            hint = did_you_mean(wanted, others - {queue.queue}, what="queues")
            filed.say(problems, (field,), f"there is no queue '{wanted}'", hint)
        elif wanted == queue.queue:
            filed.say(problems, (field,), f"the queue '{wanted}' leads to itself", "name another queue")
    known = _names(read.dispositions.get(filed.tenant), "dispositions")
    known = None if (filed.tenant, "dispositions") in read.broken else known
    if queue.dispositions and known is not None and queue.dispositions not in known:
        hint = did_you_mean(queue.dispositions, known, what="trees")
        filed.say(problems, ("dispositions",), f"there is no tree of dispositions '{queue.dispositions}'", hint)
    called_back = queue.callback.calendar if queue.callback is not None else None
    for place, name in ((("calendar",), queue.calendar), (("callback", "calendar"), called_back)):
        calendars = {known for tenant, known in around.calendars or () if tenant == filed.tenant}
        if around.calendars is not None and name is not None and name not in calendars:
            hint = did_you_mean(name, calendars, what="calendars")
            hint = hint if hint.startswith("did") else "write it under " + place_of(filed.tenant, "config/calendars/")
            filed.say(problems, place, f"there is no calendar '{name}'", hint)


def _check_servable(read: Read[Q], key: Key, filed: Filed[Q]) -> None:
    """Whether somebody who is declared could ever serve the queue: at the first step, or at a later one."""
    queue = filed.value
    steps: list[tuple[Path, str]] = [(("skills",), queue.skills)]
    steps += [(("relax", index, "skills"), step.skills) for index, step in enumerate(queue.relax)]
    requirements = [requirement_of(read, filed, path, text) for path, text in steps]
    tenant, name = key
    whole = filed.marked.is_whole and all(agents.marked.is_whole for agents in read.agents.get(tenant, ()))
    if tenant not in read.agents or (tenant, "agents") in read.broken or None in requirements or not whole:
        return
    members = [agent for agent in read.agents_of(tenant).values() if _serves(agent, name)]
    if not members:
        what = f"no declared agent serves the queue '{name}'"
        hint = "add it to somebody's `queues` in " + place_of(tenant, "config/agents.yaml")
        filed.say(read.problems, ("queue",), what, hint, warning=True)
        return
    levels = [agent.skills for agent in members]
    if not any(requirement is not None and any(map(requirement.met, levels)) for requirement in requirements):
        what = f"no declared agent of the queue '{name}' has the skills it asks for"
        filed.say(read.problems, ("skills",), what, "give them to somebody, or add a step to `relax`", warning=True)


def _serves(agent: Agent, queue: str) -> bool:
    return agent.queues == "all" or queue in agent.queues


def _check_circles(read: Read[Q]) -> None:
    """A caller must not go from queue to queue without end."""
    for (tenant, name), filed in sorted(read.queues.items()):
        for field in ("overflow_to", "fallback"):
            way = [name]
            while True:
                after = read.queues.get((tenant, way[-1]))
                target = getattr(after.value, field) if after else None
                if target is None or target in way:
                    break
                way.append(target)
            if target == name and len(way) > 1:
                circle = " → ".join((*way, name))
                what = f"{field} leads in a circle: {circle}"
                filed.say(read.problems, (field,), what, "let one of them end in its flow instead")


def _check_removed(read: Read[Q], around: Around) -> None:
    for old, new in around.routing.removed_queues.items():
        names = {name for _, name in read.queue_names}
        if new not in names:
            hint = did_you_mean(new, names, what="queues")
            path: Path = ("routing", "removed_queues", old)
            what = f"there is no queue '{new}' to take who waits in '{old}'"
            read.problems.add(problem_at(around.site, "config/site.yaml", path, what, hint))


# -- agents -----------------------------------------------------------------------------------------
def check_agents(read: Read[Q], tenant: str, around: Around) -> None:
    """Adds what is wrong with a tenant's agents to `read.problems`."""
    problems = read.problems
    queues = {name for owner, name in read.queue_names if owner == tenant}
    devices = None if around.devices is None else {name for owner, name in around.devices if owner == tenant}
    skills = skills_of(read, tenant)
    codes: dict[str, str] = {}
    phones: dict[str, str] = {}
    files: dict[str, str] = {}
    placed = [(filed, *item) for filed in read.agents[tenant] for item in filed.value.agents.items()]
    for filed, name, agent in placed:
        path: Path = ("agents", name)
        if name in files:
            what = f"'{name}' is declared in {files[name]} already"
            filed.say(problems, path, what, "keep her in one of the two files", key=True)
            continue
        files[name] = filed.marked.file
        if agent is None:
            filed.say(problems, path, f"'{name}' has no device, no code, nothing", "write at least {name: …}", key=True)
            continue
        for skill in sorted(set(agent.skills) - skills) if skills is not None else ():
            hint = did_you_mean(skill, skills or (), what="skills")
            hint = hint if hint.startswith("did") else "write it in config/skills.yaml"
            filed.say(problems, (*path, "skills", skill), f"there is no skill '{skill}'", hint, key=True)
        if agent.queues != "all":
            _check_queues_of(problems, filed, path, name, agent, queues)
        elif not queues:
            what = f"'{name}' serves every queue, and there is none"
            filed.say(problems, path, what, "write one under config/queues/", key=True)
        if agent.device is not None:
            _check_device(problems, filed, path, name, agent.device, devices, phones)
        elif agent.code is None or agent.pin is None:
            what = f"'{name}' can log in nowhere with a phone: no device, and no code with a pin"
            filed.say(problems, path, what, "add `device: …`, or `code:` and `pin:`", key=True, warning=True)
        if agent.code is not None and agent.code in codes:
            what = f"the code {agent.code} is {codes[agent.code]}'s already"
            filed.say(problems, (*path, "code"), what, "give each agent her own")
        elif agent.code is not None:
            codes[agent.code] = name
        _check_units(problems, filed, path, agent, around)


def _check_queues_of(
    problems: Problems, filed: Filed[Agents], path: Path, name: str, agent: Agent, queues: set[str]
) -> None:
    """Who supervises need not serve any."""
    given = tuple(agent.queues)
    if not given and not agent.supervises:
        what = f"'{name}' serves no queue"
        filed.say(problems, (*path, "queues"), what, "name one, or leave `queues` out for all of them")
    for index, queue in enumerate(given):
        if queue not in queues:
            hint = did_you_mean(queue, queues, what="queues")
            hint = hint if hint.startswith("did") else "write it under " + place_of(filed.tenant, "config/queues/")
            filed.say(problems, (*path, "queues", index), f"there is no queue '{queue}'", hint)


def _check_device(
    problems: Problems,
    filed: Filed[Agents],
    path: Path,
    name: str,
    device: str,
    devices: set[str] | None,
    phones: dict[str, str],
) -> None:
    place = (*path, "device")
    if devices is not None and device not in devices:
        hint = did_you_mean(device, devices, what="devices")
        hint = hint if hint.startswith("did") else "write " + file_of(filed.tenant, "devices", device)
        filed.say(problems, place, f"there is no device '{device}'", hint)
    if device in phones:
        what = f"the device {device} is {phones[device]}'s already"
        filed.say(problems, place, what, "who shares a phone logs in with code and PIN: leave `device` out")
    phones.setdefault(device, name)


def _check_units(problems: Problems, filed: Filed[Agents], path: Path, agent: Agent, around: Around) -> None:
    known = {*CHANNELS, *around.routing.channels}
    for channel, units in agent.units.items():
        place = (*path, "units", channel)
        if channel not in known:
            hint = did_you_mean(channel, known, what="channels")
            filed.say(problems, place, f"there is no channel '{channel}'", hint, key=True)
        elif units > agent.capacity:
            what = f"one {channel} takes {units} units and she has {agent.capacity}"
            filed.say(problems, place, what, "she would never get one: lower it, or raise `capacity`")


# -- dispositions and digits ------------------------------------------------------------------------
def _check_tree(problems: Problems, filed: Filed[Dispositions], name: str, tree: Mapping[str, Choice]) -> None:
    root: Path = ("dispositions", name)
    if not tree:
        filed.say(problems, root, f"the tree '{name}' has no choice", "write at least one: `sold: {title: …}`")
    given: dict[str, tuple[Path, str | None]] = {}
    for first, choice in tree.items():
        for path, inner in choice.leaves((first,)):
            steps = [part for step in path for part in ("choices", step)][1:]
            place = (*root, *steps)
            if path[-1] == NOT_GIVEN:
                what = f"'{NOT_GIVEN}' is what stands where nothing was chosen"
                filed.say(problems, place, what, "call it something else", key=True)
            if inner.choices and inner.digits is not None:
                what = f"'{'/'.join(path)}' is a group and cannot be chosen"
                filed.say(problems, (*place, "digits"), what, "give the digits to what is in it")
                continue
            given["/".join(path)] = ((*place, "digits"), inner.digits)
    _check_digits(problems, filed, given, "choices")


def _check_digits(
    problems: Problems, filed: Filed[D], given: Mapping[str, tuple[Path, str | None]], things: str
) -> None:
    taken: dict[str, str] = {}
    for name, (path, digits) in given.items():
        if digits is None:
            continue
        if digits in taken:
            what = f"the digits {digits} are those of '{taken[digits]}' too"
            filed.say(problems, path, what, f"give each of the {things} its own")
        taken.setdefault(digits, name)
