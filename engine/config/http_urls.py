"""Whether what flows ask over HTTP would be sent: scheme, port and address as `config/http.yaml` allows them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from urllib.parse import urlsplit

from definitions.faults import did_you_mean
from engine.config.models import HttpHost
from engine.http_rules import is_public, misfits, port_of
from ivr.model import Flow
from ivr.nodes import http

Say = Callable[..., None]
"""(file, what, hint, *path in the file)."""


def check_urls(flows: Iterable[Flow], hosts: Iterable[HttpHost], say: Say) -> None:
    """Says what would otherwise be found out by a caller, who takes the error exit. A host that is not allowed at all
    is said by the flow's own checks, and so are addresses that are no URL."""
    entries = {host.host.lower(): host for host in hosts}
    for flow in flows:
        for name, node in flow.nodes.items():
            if isinstance(node, http.Model):
                for what, hint in _misfits(node.url.source, flow.tenant, entries):
                    say(flow.file, what, hint, "nodes", name, "url")


def check_hosts(hosts: Sequence[HttpHost], tenants: Collection[str], warn: Say, say: Say) -> None:
    """Warns of addresses that are private and not said to be, which are never asked, and of hosts that stand there
    twice. Says which tenants there are not."""
    last = {host.host.lower(): index for index, host in enumerate(hosts)}
    for index, host in enumerate(hosts):
        if last[host.host.lower()] != index:
            what = f"'{host.host}' stands here again further down: nothing of this entry counts"
            warn("config/http.yaml", what, "keep one entry for each host", "hosts", index, "host")
        if not host.private and _is_private(host.host):
            what = f"'{host.host}' is a private address: it is never asked"
            warn("config/http.yaml", what, "add `private: yes` if that is intended", "hosts", index, "host")
        for place, tenant in enumerate(host.tenants):
            if tenant not in tenants:
                hint = did_you_mean(tenant, tenants, what="tenants")
                say("config/http.yaml", f"there is no tenant '{tenant}'", hint, "hosts", index, "tenants", place)


def _is_private(host: str) -> bool:
    try:
        return not is_public(host)
    except ValueError:  # a name: where it leads is known when it is asked
        return host.lower() == "localhost"


def _misfits(url: str, tenant: str, entries: dict[str, HttpHost]) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(url.partition("{{")[0])
        host, port = (parts.hostname or "").lower(), port_of(parts)
    except ValueError:
        return
    if host in entries:
        if entries[host].tenants and tenant not in entries[host].tenants:
            yield f"'{host}' is other tenants'", f"add {tenant} to its `tenants` in config/http.yaml"
        is_said_later = parts.netloc.endswith(":") and not parts.path
        yield from misfits(host, parts.scheme, None if is_said_later else port, entries[host])
