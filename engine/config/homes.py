"""Whether what was configured suits the Asterisks it is for: where phones are, what Asterisk can be given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from definitions.models import Definition
from engine.config import models
from engine.config.reading import Key, Reading
from engine.config.sources import asterisk_name

SITE = "config/site.yaml"
Kinds = Mapping[str, Mapping[Key, Definition]]
"""`devices` and `trunks`, each by (tenant, name)."""


def check_node(reading: Reading, wrong: Iterable[tuple[str, str]], things: Kinds) -> None:
    """What YAML allows and Asterisk's own files cannot hold. `wrong`: see `misfits`."""
    files = {asterisk_name(*key): _file(kind, *key) for kind, found in things.items() for key in found}
    for name, what in wrong:
        reading.error(files.get(name, SITE), what, "Asterisk cannot be given this: change it")


def check_homes(reading: Reading, site: models.Site, things: Kinds) -> None:
    """Whether phones and trunks are at a node that there is, and that the others reach."""
    if reading.is_lost(SITE, "nodes") or reading.is_lost(SITE, "site"):
        return
    hosts = {site.site: site.sip.relay_host} | {remote.node: remote.relay_host for remote in site.nodes}
    for kind, found in things.items():
        for key, thing in found.items():
            node, file = getattr(thing, "node", None), _file(kind, *key)
            if node is not None and node not in hosts:
                reading.error(file, f"there is no node '{node}'", f"nodes: {', '.join(hosts)} ({SITE})", "node")
            elif node is not None and node != site.site and kind == "devices":
                for each in (site.site, node):
                    if not hosts[each]:
                        place = "sip.relay_host" if each == site.site else f"relay_host of {each}"
                        what = f"calls cannot cross to its node: nobody knows where {each} is reached"
                        reading.error(file, what, f"set {place} in {SITE}", "node")


def _file(kind: str, tenant: str, name: str) -> str:
    return f"{'' if tenant == 'main' else f'tenants/{tenant}/'}config/{kind}/{name}.yaml"
