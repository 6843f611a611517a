"""All of a configuration, or none of it and every problem it has. Pure: texts in, values out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from acd.setup import Key, Setup
from core.media import Speech
from definitions.faults import did_you_mean
from definitions.fields import TenantName
from definitions.layout import stem_of
from definitions.models import Definition
from definitions.models import load as load_definition
from definitions.problems import Problems
from definitions.yaml import problem_at
from dialer.compliance.loader import FiledPack, read_packs
from dialer.setup import DialerSetup
from engine.config import models
from engine.config.campaigns import read_dialer
from engine.config.compliance import Pack, check_compliance
from engine.config.numbers import NumberPlan, NumberRange, Route
from engine.config.outbound import OutboundRule, OutboundRules
from engine.config.queue_prompts import Queue, QueuePrompts
from engine.config.routing import pins_named, read_routing, with_pins
from engine.config.sources import asterisk_name, tenant_of, within_tenant
from engine.effects.http import AllowedHost
from engine.home import SecretBox
from engine.node_settings import misfits
from ivr import loader as ivr_loader
from ivr.model import Release

CALL_VARIABLES = frozenset({"caller_name"})
"""What every call brings with it beside what the flow language itself knows."""

_tenant_names: TypeAdapter[str] = TypeAdapter(TenantName)
D = TypeVar("D", bound=Definition)

# Folder -> (model, the key that names the thing). The file's name must be that name: one thing, one file.
_FOLDERS: Mapping[str, tuple[type[Definition], str]] = {
    "devices": (models.Device, "device"),
    "trunks": (models.Trunk, "trunk"),
    "compliance": (Pack, "pack"),
}


@dataclass(frozen=True)
class Configuration:
    """Everything admins defined, checked together. `devices`, `trunks`: by their name inside Asterisk."""

    release_id: str
    sources: Mapping[str, str]
    site: models.Site
    numbers: NumberPlan
    outbound: OutboundRules
    emergency: models.Emergency
    devices: Mapping[str, models.Device]
    trunks: Mapping[str, models.Trunk]
    queues: Mapping[Key, Queue]
    hosts: tuple[models.HttpHost, ...]
    release: Release
    routing: Setup
    """Declared agents only; a PIN `secret:NAME` is still a name (`routing_with`)."""
    queue_prompts: Mapping[Key, QueuePrompts]
    packs: Mapping[str, tuple[str, Pack]] = field(default_factory=dict)
    """Rule packs for flows: name -> (file, pack)."""
    dialing: Mapping[str, FiledPack] = field(default_factory=dict)
    """Rule packs for campaigns, by name."""
    campaigns: DialerSetup = field(default_factory=DialerSetup)

    def http_hosts(self, box: SecretBox) -> dict[str, AllowedHost]:
        """The hosts flows may ask; a header `secret:NAME` gets its value from the state directory."""

        def value(text: str) -> str:
            return box.get(f"http/{text.removeprefix('secret:')}") if text.startswith("secret:") else text

        return {
            host.host.lower(): AllowedHost(
                host.host.lower(),
                host.port,
                host.private,
                host.http,
                {name: value(text) for name, text in host.headers.items()},
            )
            for host in self.hosts
        }

    def pins_named(self) -> list[tuple[str, str]]:
        """(tenant, name) of every PIN that flows and agents leave to be generated (`pin: secret:name`)."""
        nodes = ((flow.tenant, node) for flow in self.release.flows.values() for node in flow.nodes.values())
        asked = {(tenant, name) for tenant, node in nodes if (name := getattr(node, "secret_pin", ""))}
        return sorted(asked | pins_named(self.routing))

    def pins(self, box: SecretBox) -> dict[tuple[str, str], str]:
        """The generated PINs, six digits each."""
        return {(tenant, name): box.get(f"pin/{tenant}/{name}", _new_pin) for tenant, name in self.pins_named()}

    def routing_with(self, box: SecretBox) -> Setup:
        """The setup with the generated PINs in it."""
        return with_pins(self.routing, self.pins(box))

    def static_speech(self) -> list[Speech]:
        """Every text that is spoken as written, to be rendered before anybody hears it."""
        flows = (flow.static_speech() for flow in self.release.flows.values())
        queues = (prompts.static_speech(self.site.languages) for prompts in self.queue_prompts.values())
        found = frozenset[Speech]().union(*flows, *queues)
        return sorted(found, key=lambda speech: (speech.language, speech.text))


def _new_pin() -> str:
    return f"{secrets.randbelow(10**6):06}"


@dataclass(frozen=True)
class Loaded:
    """`configuration` is None when there is any error among `problems`."""

    configuration: Configuration | None
    problems: Problems


@dataclass
class _Reading:
    """What has been read so far, and what was wrong with it."""

    sources: Mapping[str, str]
    problems: Problems = field(default_factory=Problems)

    def one(self, name: str, model: type[D], default: Callable[[], D]) -> D:
        text = self.sources.get(name)
        if text is None:
            return default()
        found = load_definition(model, text, name)
        if isinstance(found, Problems):
            self.problems.extend(found)
            return default()
        return found

    def folder(self, folder: str) -> Iterable[tuple[str, str]]:
        """(file, tenant) of each file in `config/<folder>/`, of every tenant."""
        for name in self.sources:
            if within_tenant(name).startswith(f"config/{folder}/"):
                yield name, tenant_of(name)

    def error(self, file: str, what: str, hint: str, *path: str | int) -> None:
        """At the value of `path`; without one, at the file's beginning."""
        self.problems.add(problem_at(self.sources.get(file, ""), file, path, what, hint))


def load(
    sources: Mapping[str, str],
    sounds: Mapping[str, frozenset[str]] | None = None,
    music: frozenset[str] | None = None,
) -> Loaded:
    """Checks everything together.

    Args:
        sources: relative path -> text, as `read_sources` gives it.
        sounds: language -> names of recorded sounds; None when nobody knows (then they are not checked).
        music: classes of music on hold; None as above.
    """
    reading = _Reading(sources)
    if "config/site.yaml" not in sources:
        reading.error("config/site.yaml", "the file is missing", "write at least `site: a-name`")
    site = reading.one("config/site.yaml", models.Site, lambda: models.Site(site="site"))
    outbound = reading.one("config/outbound.yaml", models.Outbound, models.Outbound)
    http = reading.one("config/http.yaml", models.Http, models.Http)
    _check_tenants(reading)
    dialing = read_packs(sources)
    reading.problems.extend(dialing.problems)
    things = {folder: _things(reading, folder, dialing.files) for folder in _FOLDERS}
    devices = {asterisk_name(*key): d for key, d in things["devices"].items() if isinstance(d, models.Device)}
    trunks = {asterisk_name(*key): t for key, t in things["trunks"].items() if isinstance(t, models.Trunk)}
    packs = {
        name: (f"config/compliance/{name}.yaml", pack)
        for (_, name), pack in things["compliance"].items()
        if isinstance(pack, Pack)
    }
    phones = frozenset(things["devices"])
    queues = read_routing(sources, site.languages, phones, sounds, site.routing, music)
    reading.problems.extend(queues.found.problems)
    flows = ivr_loader.load(
        sources,
        ivr_loader.Context(
            languages=site.languages,
            time_zone=site.time_zone,
            country=site.country,
            queues=queues.found.queue_names,
            devices=phones,
            hosts=frozenset(host.host.lower() for host in http.hosts),
            sounds=sounds,
            variables=CALL_VARIABLES,
        ),
    )
    reading.problems.extend(flows.problems)
    hosts = frozenset(host.host.lower() for host in http.hosts)
    campaigns = read_dialer(sources, dialing, queues.found, flows.release, site.languages, site.time_zone, hosts)
    reading.problems.extend(campaigns.found.problems)
    numbers = _number_plan(reading, flows.release)
    if flows.release is not None:
        queues.check_flows(flows.release.flows.values(), sources, reading.problems)
        listed = tuple(_numbers(reading))
        files = {file for file, _ in reading.folder("compliance")} - dialing.files
        broken = frozenset(map(stem_of, files)) - packs.keys()
        check_compliance(site, packs, listed, flows.release, queues.queues, broken, reading.error, reading.problems)
    rules = _outbound_rules(reading, site, outbound, devices, trunks)
    _check_homes(reading, site, things)
    if not reading.problems.errors:
        _check_node(reading, misfits(site, outbound.emergency, devices, trunks), things)
    if reading.problems.errors or flows.release is None:
        return Loaded(None, reading.problems)
    configuration = Configuration(
        release_id=flows.release.id,
        sources=dict(sources),
        site=site,
        numbers=numbers,
        outbound=rules,
        emergency=outbound.emergency,
        devices=devices,
        trunks=trunks,
        queues=queues.queues,
        hosts=http.hosts,
        release=flows.release,
        routing=queues.setup(flows.release, site.languages, site.routing, map(tenant_of, sources), site.time_zone),
        queue_prompts=queues.prompts(),
        packs=packs,
        dialing=dialing.filed,
        campaigns=campaigns.setup(flows.release),
    )
    return Loaded(configuration, reading.problems)


def _things(reading: _Reading, folder: str, others: Collection[str]) -> dict[tuple[str, str], Definition]:
    """`others`: files of the folder that are of another kind."""
    model, key = _FOLDERS[folder]
    found: dict[tuple[str, str], Definition] = {}
    for file, tenant in reading.folder(folder):
        if file in others:
            continue
        thing = load_definition(model, reading.sources[file], file)
        if isinstance(thing, Problems):
            reading.problems.extend(thing)
            continue
        name = getattr(thing, key)
        stem = file.rpartition("/")[2].removesuffix(".yaml")
        if stem != name:
            what = f"the file is called {stem} and defines {key} '{name}'"
            reading.error(file, what, f"rename it to {name}.yaml", key)
        found[tenant, name] = thing
    return found


def _check_tenants(reading: _Reading) -> None:
    for tenant in sorted({tenant_of(name) for name in reading.sources}):
        try:
            _tenant_names.validate_python(tenant)
        except ValidationError:
            hint = (
                "use a-z, 0-9 and _, at most 20 characters, a letter first: names inside Asterisk are <tenant>-<name>"
            )
            reading.error(f"tenants/{tenant[:40]}", f"'{tenant[:40]}' cannot be a tenant's name", hint)


def _check_node(
    reading: _Reading, wrong: Iterable[tuple[str, str]], things: Mapping[str, Mapping[tuple[str, str], Definition]]
) -> None:
    """What YAML allows and Asterisk's own files cannot hold."""
    files = {
        asterisk_name(tenant, name): f"{'' if tenant == 'main' else f'tenants/{tenant}/'}config/{folder}/{name}.yaml"
        for folder in ("devices", "trunks")
        for tenant, name in things[folder]
    }
    for name, what in wrong:
        reading.error(files.get(name, "config/site.yaml"), what, "Asterisk cannot be given this: change it")


def _check_homes(
    reading: _Reading, site: models.Site, things: Mapping[str, Mapping[tuple[str, str], Definition]]
) -> None:
    """Whether phones and trunks are at a node that there is, and that the others reach."""
    hosts = {site.site: site.sip.relay_host} | {remote.node: remote.relay_host for remote in site.nodes}
    for kind in ("devices", "trunks"):
        for (tenant, name), thing in things[kind].items():
            node = getattr(thing, "node", None)
            file = f"{'' if tenant == 'main' else f'tenants/{tenant}/'}config/{kind}/{name}.yaml"
            if node is not None and node not in hosts:
                reading.error(
                    file, f"there is no node '{node}'", f"nodes: {', '.join(hosts)} (config/site.yaml)", "node"
                )
            elif node is not None and node != site.site and kind == "devices":
                for each in (site.site, node):
                    if not hosts[each]:
                        key = "sip.relay_host" if each == site.site else f"relay_host of {each}"
                        what = f"calls cannot cross to its node: nobody knows where {each} is reached"
                        reading.error(file, what, f"set {key} in config/site.yaml", "node")


def _numbers(reading: _Reading) -> Iterable[tuple[str, str, models.Number]]:
    """(file, tenant, number) of every number that can be read."""
    for file, tenant in reading.folder("numbers"):
        number = load_definition(models.Number, reading.sources[file], file)
        if not isinstance(number, Problems):
            yield file, tenant, number


def _number_plan(reading: _Reading, release: Release | None) -> NumberPlan:
    exact: dict[str, Route] = {}
    ranges: list[NumberRange] = []
    defaults: dict[str, Route] = {}
    files: dict[str, str] = {}
    for file, tenant in reading.folder("numbers"):
        number = load_definition(models.Number, reading.sources[file], file)
        if isinstance(number, Problems):
            reading.problems.extend(number)
            continue
        for key in ("flow", "closed_flow"):
            flow = getattr(number, key)
            if flow is not None and release is not None and (tenant, flow) not in release.flows:
                known = sorted(name for owner, name in release.flows if owner == tenant)
                close = did_you_mean(flow, known, what="flows")
                hint = close if close.startswith("did") else f"flows of tenant {tenant}: {', '.join(known)}"
                reading.error(file, f"there is no flow '{flow}'", hint, key)
        if number.calendar and release is not None and (tenant, number.calendar) not in release.calendars:
            what = f"there is no calendar '{number.calendar}'"
            reading.error(file, what, "add it under config/calendars/", "calendar")
        rule = f"number {number.number}" if number.number else "default"
        if number.range:
            rule = f"range {number.range[0]}-{number.range[1]}"
        route = Route(
            tenant=tenant,
            flow=number.flow,
            language=number.language or "",
            rule=rule,
            calendar=number.calendar or "",
            closed_flow=number.closed_flow or "",
            identity=number.identity or "",
            is_default=number.default,
        )
        if number.number is not None:
            digits = number.number.lstrip("+")
            if digits in exact:
                reading.error(file, f"{number.number} is defined twice", f"the other is {files[digits]}", "number")
            exact[digits], files[digits] = route, file
        elif number.range is not None:
            ranges.append(NumberRange(*number.range, route))
        elif tenant in defaults:
            reading.error(file, f"tenant {tenant} has two defaults", "keep one `default: yes`", "default")
        else:
            defaults[tenant] = route
    if "main" not in defaults:
        reading.error(
            "config/numbers", "nothing answers a number nobody listed", "add a file with `default: yes` and a flow"
        )
        defaults["main"] = Route("main", "", "", "default")
    entries = {
        asterisk_name(tenant, file.rpartition("/")[2].removesuffix(".yaml")): tenant
        for folder in ("devices", "trunks")
        for file, tenant in reading.folder(folder)
    }
    return NumberPlan(exact, tuple(ranges), defaults, entries)


def _outbound_rules(
    reading: _Reading,
    site: models.Site,
    outbound: models.Outbound,
    devices: Mapping[str, models.Device],
    trunks: Mapping[str, models.Trunk],
) -> OutboundRules:
    file = "config/outbound.yaml"
    names = [rule.name for rule in outbound.rules]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reading.error(file, f"two rules are called '{name}'", "give each its own name: caps are counted by it")
    named: list[tuple[tuple[str | int, ...], str | None]] = [(("emergency", "trunk"), outbound.emergency.trunk)]
    named += [(("rules", index, "trunk"), rule.trunk) for index, rule in enumerate(outbound.rules)]
    for path, trunk in named:
        if trunk is not None and asterisk_name("main", trunk) not in trunks:
            reading.error(file, f"there is no trunk '{trunk}'", "add it under config/trunks/", *path)
    return OutboundRules(
        country=site.country,
        rules=tuple(
            OutboundRule(
                rule.name,
                rule.prefixes,
                asterisk_name("main", rule.trunk) if rule.trunk else "",
                rule.caller or "",
                rule.hourly,
            )
            for rule in outbound.rules
        ),
        emergency_numbers=frozenset(outbound.emergency.numbers),
        emergency_trunk=asterisk_name("main", outbound.emergency.trunk) if outbound.emergency.trunk else "",
        devices=frozenset(devices),
        limit_s=float(site.leg_limit_s),
        homes={name: device.node or site.site for name, device in devices.items()} if site.nodes else {},
    )
