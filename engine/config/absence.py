"""What callers get at each of the site's Asterisks while no engine commands it.

Everywhere they hear music and then the apology. Where they go from there is a phone or a trunk of that same node: no
other is reached without an engine. So is the trunk of emergency numbers. A node that names none has the site's, if it
is at that node, else the apology alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from definitions.problems import Problem, Problems, Severity
from definitions.yaml import problem_at
from engine.config import models
from engine.config.configuration import Configuration
from engine.config.sources import asterisk_name

_SITE, _OUTBOUND = "config/site.yaml", "config/outbound.yaml"
Homes = Mapping[str, str]
"""Phones and trunks by their names inside Asterisk -> the node where each is."""


@dataclass(frozen=True, slots=True)
class Absence:
    """`overflow` None: the apology alone. `emergency_trunks`: inside Asterisk, the first that takes the call."""

    node: str
    overflow: models.Overflow | None
    emergency_trunks: tuple[str, ...]


def absence_at(configuration: Configuration, node: str) -> Absence:
    """`node`: the site itself, or one of its others."""
    site, homes = configuration.site, _homes(configuration)
    own = next((remote for remote in site.nodes if remote.node == node), None)
    overflow, emergency = site.absence.overflow, configuration.emergency
    if overflow is not None and homes.get(asterisk_name("main", overflow.endpoint)) != node:
        overflow = None
    named = [asterisk_name("main", name) for name in (emergency.trunk, *emergency.failover) if name]
    trunks = [name for name in named if homes.get(name) == node]
    if own is not None:
        overflow = own.overflow or overflow
        first = asterisk_name("main", own.emergency_trunk) if own.emergency_trunk else ""
        trunks = [first, *(name for name in trunks if name != first)] if first else trunks
    return Absence(node, overflow, tuple(trunks))


def absence_warnings(configuration: Configuration) -> Problems:
    """Where somebody would count on what is at another node."""
    if not configuration.site.nodes:
        return Problems()
    return Problems([replace(problem, severity=Severity.WARNING) for problem in _warnings(configuration)])


def _warnings(configuration: Configuration) -> Iterator[Problem]:
    site, homes = configuration.site, _homes(configuration)
    places: list[tuple[str, tuple[str | int, ...]]] = [(site.site, ("absence",))]
    places += [(remote.node, ("nodes", index)) for index, remote in enumerate(site.nodes)]
    for node, path in places:
        at = absence_at(configuration, node)
        if site.absence.overflow is not None and at.overflow is None:
            what = f"while the engine is away, callers at {node} hear the apology alone: the overflow is not there"
            hint = "name a phone or trunk of that node: `overflow: {endpoint: …}`"
            yield problem_at(configuration.sources.get(_SITE, ""), _SITE, path, what, hint)
        phones = any(homes[name] == node for name in configuration.devices)
        if configuration.emergency.trunk is not None and phones and not at.emergency_trunks:
            numbers = ", ".join(configuration.emergency.numbers)
            what = f"while the engine is away, {numbers} cannot be dialed from phones at {node}: the trunk is not there"
            if node == site.site:
                file, path, hint = _OUTBOUND, ("emergency", "trunk"), "name a trunk of this node"
            else:
                file, hint = _SITE, "name a trunk of that node: `emergency_trunk: …`"
            yield problem_at(configuration.sources.get(file, ""), file, path, what, hint)


def _homes(configuration: Configuration) -> Homes:
    site = configuration.site.site
    phones = {name: device.node or site for name, device in configuration.devices.items()}
    return phones | {name: trunk.node or site for name, trunk in configuration.trunks.items()}
