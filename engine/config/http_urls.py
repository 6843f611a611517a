"""Whether what flows ask over HTTP would be sent: scheme and port as `config/http.yaml` allows them for the host."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import urlsplit

from engine.config.models import HttpHost
from engine.http_rules import misfits, port_of
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
                for what, hint in _misfits(node.url.source, entries):
                    say(flow.file, what, hint, "nodes", name, "url")


def _misfits(url: str, entries: dict[str, HttpHost]) -> Iterator[tuple[str, str]]:
    try:
        parts = urlsplit(url.partition("{{")[0])
        host, port = (parts.hostname or "").lower(), port_of(parts)
    except ValueError:
        return
    if host in entries:
        is_said_later = parts.netloc.endswith(":") and not parts.path
        yield from misfits(host, parts.scheme, None if is_said_later else port, entries[host])
