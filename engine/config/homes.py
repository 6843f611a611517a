"""Whether what was configured suits the Asterisks it is for: where phones are, what Asterisk can be given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from definitions.layout import file_of
from definitions.models import Definition
from engine.config import models
from engine.config.reading import Key, Reading
from engine.config.sources import asterisk_name

SITE = "config/site.yaml"
Kinds = Mapping[str, Mapping[Key, Definition]]
"""`devices` and `trunks`, each by (tenant, name)."""


def check_node(reading: Reading, wrong: Iterable[tuple[str, str]], things: Kinds) -> None:
    """What YAML allows and Asterisk's own files cannot hold. `wrong`: see `misfits`."""
    files = {asterisk_name(*key): file_of(key[0], kind, key[1]) for kind, found in things.items() for key in found}
    for name, what in wrong:
        reading.error(files.get(name, SITE), what, "Asterisk cannot be given this: change it")


def check_homes(reading: Reading, site: models.Site, things: Kinds) -> None:
    """Whether phones and trunks are at a node that there is, and that the others reach."""
    if reading.is_lost(SITE, "nodes") or reading.is_lost(SITE, "site"):
        return
    hosts = {site.site: site.sip.relay_host} | {remote.node: remote.relay_host for remote in site.nodes}
    for kind, found in things.items():
        for key, thing in found.items():
            node, file = getattr(thing, "node", None), file_of(key[0], kind, key[1])
            if node is not None and node not in hosts:
                reading.error(file, f"there is no node '{node}'", f"nodes: {', '.join(hosts)} ({SITE})", "node")
            elif node is not None and node != site.site and kind == "devices":
                for each in (site.site, node):
                    if not hosts[each]:
                        place = "sip.relay_host" if each == site.site else f"relay_host of {each}"
                        what = f"calls cannot cross to its node: nobody knows where {each} is reached"
                        reading.error(file, what, f"set {place} in {SITE}", "node")


def check_absence(reading: Reading, site: models.Site, things: Kinds) -> None:
    """Whether what each further node does without the engine is at that node: nothing else is reached then."""
    at = {
        kind: {key[1]: getattr(thing, "node", None) or site.site for key, thing in found.items() if key[0] == "main"}
        for kind, found in things.items()
    }
    for index, remote in enumerate(site.nodes):
        named: list[tuple[str, str, tuple[str, ...]]] = []
        if remote.overflow is not None:
            named.append((remote.overflow.endpoint, "phone or trunk", ("overflow", "endpoint")))
            if at["trunks"].get(remote.overflow.endpoint) == remote.node and remote.overflow.number is None:
                what = f"the overflow goes over trunk '{remote.overflow.endpoint}' and has no number to dial"
                reading.error(SITE, what, "add `number:`", "nodes", index, "overflow", "endpoint")
        if remote.emergency_trunk is not None:
            named.append((remote.emergency_trunk, "trunk", ("emergency_trunk",)))
        for name, kind, path in named:
            known = at["trunks"] if kind == "trunk" else {**at["devices"], **at["trunks"]}
            if known.get(name) != remote.node:
                there = ", ".join(sorted(each for each, node in known.items() if node == remote.node)) or "none"
                what, hint = f"there is no {kind} '{name}' at node {remote.node}", "without the engine only its own are"
                reading.error(SITE, what, f"{hint} reached: {there}", "nodes", index, *path)
