"""`config/outbound.yaml`: checked against the trunks there are, made `OutboundRules`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from definitions.problems import Problems, Severity
from definitions.yaml import problem_at
from engine.config import models
from engine.config.configuration import Configuration
from engine.config.outbound import OutboundRule, OutboundRules
from engine.config.reading import Reading
from engine.config.sources import asterisk_name

FILE = "config/outbound.yaml"
NO_TRUNK = "have no trunk: who dials one at a phone here reaches no emergency service"
GIVE_ONE = "add your carrier under config/trunks/ and name it: `emergency: {numbers: [...], trunk: ITS_NAME}`"


def outbound_rules(
    reading: Reading,
    site: models.Site,
    outbound: models.Outbound,
    devices: Mapping[str, models.Device],
    trunks: Mapping[str, models.Trunk],
    named_trunks: Collection[str],
) -> OutboundRules:
    """`devices`, `trunks`: by their names inside Asterisk. `named_trunks`: those with errors in their files too."""
    file = FILE
    names = [rule.name for rule in outbound.rules]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reading.error(file, f"two rules are called '{name}'", "give each its own name: caps are counted by it")
    places: list[tuple[tuple[str | int, ...], models.OutboundRule | models.Emergency]] = [
        (("emergency",), outbound.emergency)
    ]
    places += [(("rules", index), rule) for index, rule in enumerate(outbound.rules)]
    for place, rule in places:
        named: list[tuple[tuple[str | int, ...], str]] = [(("trunk",), rule.trunk)] if rule.trunk else []
        named += [(("failover", index), name) for index, name in enumerate(rule.failover)]
        for path, trunk in named:
            if asterisk_name("main", trunk) not in named_trunks:
                reading.error(file, f"there is no trunk '{trunk}'", "add it under config/trunks/", *place, *path)
        if rule.failover and not rule.trunk:
            reading.error(file, "failover without a trunk", "name the first one: `trunk: …`", *place, "failover")
        if len({name for _, name in named}) < len(named):
            reading.error(file, "a trunk is named twice", "each is tried once: name others", *place, "failover")
    return OutboundRules(
        country=site.country,
        rules=tuple(
            OutboundRule(
                rule.name,
                rule.prefixes,
                asterisk_name("main", rule.trunk) if rule.trunk else "",
                rule.caller or "",
                rule.hourly,
                tuple(asterisk_name("main", name) for name in rule.failover),
            )
            for rule in outbound.rules
        ),
        emergency_numbers=frozenset(outbound.emergency.numbers),
        emergency_trunk=asterisk_name("main", outbound.emergency.trunk) if outbound.emergency.trunk else "",
        emergency_failover=tuple(asterisk_name("main", name) for name in outbound.emergency.failover),
        devices=frozenset(devices),
        limit_s=float(site.leg_limit_s),
        trunk_callers={name: shown for name, trunk in trunks.items() if (shown := trunk.shown)},
        homes={name: device.node or site.site for name, device in devices.items()} if site.nodes else {},
    )


def unreachable(emergency: models.Emergency, devices: Collection[str]) -> tuple[str, ...]:
    """The emergency numbers that phones could dial and no trunk would take."""
    return () if emergency.trunk or not devices else emergency.numbers


def emergency_warnings(configuration: Configuration) -> Problems:
    """That emergency numbers reach nobody; it loads all the same, for a site may begin without a carrier."""
    numbers = unreachable(configuration.emergency, configuration.devices)
    if not numbers:
        return Problems()
    what = f"the emergency numbers {', '.join(numbers)} {NO_TRUNK}"
    problem = problem_at(configuration.sources.get(FILE, ""), FILE, ("emergency",), what, GIVE_ONE)
    return Problems([replace(problem, severity=Severity.WARNING)])
