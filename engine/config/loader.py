"""All of a configuration, or none of it and every problem it has. Pure: texts in, values out."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from definitions.fields import TenantName
from dialer.compliance.loader import read_packs
from engine.config import models
from engine.config.campaigns import read_dialer
from engine.config.compliance import Pack, check_compliance
from engine.config.configuration import Configuration, Loaded
from engine.config.homes import SITE, check_absence, check_homes, check_node
from engine.config.http_urls import check_hosts, check_urls
from engine.config.number_files import number_plan, read_numbers
from engine.config.outbound_file import outbound_rules
from engine.config.reading import Reading
from engine.config.routing import read_routing
from engine.config.sources import asterisk_name, tenant_of
from engine.config.strangers import strangers
from engine.config.transfer_targets import check_targets
from engine.node_settings import misfits
from ivr import loader as ivr_loader

__all__ = ["CALL_VARIABLES", "Configuration", "Loaded", "load"]

CALL_VARIABLES = frozenset({"caller_name"})
"""What every call brings with it beside what the flow language itself knows."""

_tenant_names: TypeAdapter[str] = TypeAdapter(TenantName)


def load(
    sources: Mapping[str, str],
    sounds: Mapping[str, frozenset[str]] | None = None,
    music: frozenset[str] | None = None,
) -> Loaded:
    """Checks everything together. What is wrong in itself is left out and the rest is checked all the same, so that
    nobody mends one thing only to be told the next.

    Args:
        sources: relative path -> text, as `read_sources` gives it. What nothing reads is warned of.
        sounds: language -> names of recorded sounds; None when nobody knows (then they are not checked).
        music: classes of music on hold; None as above.
    """
    unread = list(strangers(sources))
    sources = {file: text for file, text in sources.items() if file not in {problem.file for problem in unread}}
    reading = Reading(sources)
    reading.problems.extend(unread)
    if SITE not in sources:
        reading.error(SITE, "the file is missing", "write at least `site: a-name`")
    site = reading.one(SITE, models.Site, lambda: models.Site(site="site"), {"site": "site"})
    outbound = reading.one("config/outbound.yaml", models.Outbound, models.Outbound)
    http = reading.one("config/http.yaml", models.Http, models.Http)
    _check_tenants(reading)
    dialing = read_packs(sources)
    reading.problems.extend(dialing.problems)
    phones = reading.things("devices", models.Device, "device")
    carriers = reading.things("trunks", models.Trunk, "trunk", {"host": "-"})
    laws = reading.things("compliance", Pack, "pack", others=dialing.files)
    devices = {asterisk_name(*key): device for key, device in phones.found.items()}
    trunks = {asterisk_name(*key): trunk for key, trunk in carriers.found.items()}
    packs = {name: (f"config/compliance/{name}.yaml", pack) for (_, name), pack in laws.found.items()}
    numbers = read_numbers(reading)
    hosts = {host.host.lower(): frozenset(host.tenants) for host in http.hosts}
    known_hosts = None if reading.is_lost("config/http.yaml", "hosts") else hosts
    queues = read_routing(sources, site.languages, phones.names, sounds, site.routing, music)
    reading.problems.extend(queues.found.problems)
    flows = ivr_loader.load(
        sources,
        ivr_loader.Context(
            languages=site.languages,
            time_zone=site.time_zone,
            country=site.country,
            queues=queues.found.queue_names,
            devices=phones.names,
            hosts=None if known_hosts is None else frozenset(known_hosts),
            sounds=sounds,
            variables=CALL_VARIABLES,
        ),
    )
    reading.problems.extend(flows.problems)
    campaigns = read_dialer(
        *(sources, dialing, queues.found, flows.release, site.languages, site.time_zone, known_hosts),
        site.detection.by,
    )
    reading.problems.extend(campaigns.found.problems)
    plan = number_plan(reading, numbers, flows.release, site.country)
    check_hosts(http.hosts, {tenant_of(name) for name in sources}, reading.warning, reading.error)
    whole = flows.whole.flows.values()
    check_urls(whole, http.hosts, reading.error)
    queues.check_flows(whole, sources, reading.problems)
    served = [(filed.file, filed.tenant, filed.value) for filed in numbers if filed.has_flow]
    broken = frozenset(name for _, name in laws.broken)
    check_compliance(site, packs, served, flows.whole, queues.queues, broken, reading.error, reading.problems)
    known_trunks = {asterisk_name(*key) for key in carriers.names}
    rules = outbound_rules(reading, site, outbound, devices, trunks, known_trunks)
    if not phones.broken and not reading.is_lost("config/outbound.yaml", "rules"):
        check_targets(whole, rules, reading)
    queues.check_callbacks({rule.name for rule in rules.rules}, reading.problems)
    at_nodes = {"devices": phones.found, "trunks": carriers.found}
    check_homes(reading, site, at_nodes)
    check_absence(reading, site, at_nodes)
    if not reading.problems.errors:
        check_node(reading, misfits(site, outbound.emergency, devices, trunks), at_nodes)
    if reading.problems.errors or flows.release is None:
        return Loaded(None, reading.problems, flows.whole, site.time_zone)
    configuration = Configuration(
        release_id=flows.release.id,
        sources=dict(sources),
        site=site,
        numbers=plan,
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
    return Loaded(configuration, reading.problems, flows.release, site.time_zone)


def _check_tenants(reading: Reading) -> None:
    for tenant in sorted({tenant_of(name) for name in reading.sources}):
        try:
            _tenant_names.validate_python(tenant)
        except ValidationError:
            hint = (
                "use a-z, 0-9 and _, at most 20 characters, a letter first: names inside Asterisk are <tenant>-<name>"
            )
            reading.error(f"tenants/{tenant[:40]}", f"'{tenant[:40]}' cannot be a tenant's name", hint)
