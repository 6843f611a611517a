"""Whether what flows ask over HTTP would be sent: scheme and port as `config/http.yaml` allows them for the host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from engine.config.models import HttpHost
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


def _misfits(url: str, entries: dict[str, HttpHost]) -> Iterable[tuple[str, str]]:
    try:
        parts = urlsplit(url.partition("{{")[0])
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return
    entry = entries.get(host)
    if entry is None:
        return
    if parts.scheme == "http" and not entry.http:
        yield f"'{host}' is asked over https only", "write https://, or `http: yes` for this host in config/http.yaml"
    if parts.netloc.endswith(":") and not parts.path:
        return  # a variable says which port
    port = port or (443 if parts.scheme == "https" else 80)
    if entry.port is not None and port != entry.port:
        yield f"port {port} is not allowed for '{host}'", f"config/http.yaml says {entry.port}: change one of them"
