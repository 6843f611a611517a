"""Scheme, port and address of what flows ask over HTTP, as `config/http.yaml` allows them for the host: the same when
the files are checked and when a caller gets there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Protocol
from urllib.parse import SplitResult


class Entry(Protocol):
    """What `config/http.yaml` says of a host."""

    @property
    def http(self) -> bool: ...

    @property
    def port(self) -> int | None: ...


def port_of(parts: SplitResult) -> int:
    """Raises ValueError: it is no number."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def misfits(host: str, scheme: str, port: int | None, entry: Entry) -> Iterator[tuple[str, str]]:
    """(what, hint) of all that keeps a URL from being asked. `port` None: a variable will say it."""
    if scheme != "https" and not (scheme == "http" and entry.http):
        yield f"'{scheme}' is not allowed for '{host}'", "use https, or `http: yes` for this host in config/http.yaml"
    if entry.port is not None and port not in (None, entry.port):
        yield f"port {port} is not allowed for '{host}'", f"its entry in config/http.yaml says {entry.port}"


def is_public(address: str) -> bool:
    """Whether it leads out to the internet, an IPv4 address in IPv6 clothes included."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and any(ip in network for network in _HOLD_IPV4):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast


_HOLD_IPV4 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))
