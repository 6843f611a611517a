"""Network ports: whether a node's are free before it starts, and a set of free ones for tests, demo and bench."""

from __future__ import annotations

import errno
import random
import socket
import time
from pathlib import Path
from typing import Any

from telephony.node.errors import PortTaken
from telephony.node.settings import NodeSettings

# Below the kernel's own range for outgoing connections (32768 on), so that nothing drifts in meanwhile.
_LOW, _HIGH = 10_100, 14_900
_RTP_LOW, _RTP_HIGH, _RTP_BLOCK = 21_100, 29_900, 500
_LINGERS_S, _POLL_S = 1.0, 0.05
"""An Asterisk that was just killed holds its ports until the kernel has cleared it away."""


def require_free(settings: NodeSettings) -> None:
    """Tries every port the node will listen on; waits a second for one that is in use.

    Raises:
        PortTaken: naming the first that cannot be bound, and why.
    """
    host = str(settings.bind)
    wanted = [(name, host, port, tcp) for name, port in _sip(settings) for tcp in (False, True)]
    wanted += [(name, "127.0.0.1", getattr(settings, name), True) for name in ("http_port", "ami_port")]
    until = time.monotonic() + _LINGERS_S
    for name, address, port, tcp in wanted:
        while (error := _refused(address, port, tcp)) is not None:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                kind = "TCP" if tcp else "UDP"
                raise PortTaken(name, f"{kind} port {port} on {address} cannot be used ({error.strerror})") from error
            time.sleep(_POLL_S)


def free_settings(state_dir: Path, **overrides: Any) -> NodeSettings:
    """Settings on loopback with ports nobody uses now; `overrides` are `NodeSettings` fields."""
    ports = {"sip_port": free_port(), "http_port": free_port(), "ami_port": free_port()}
    start = _free_rtp_block()
    chosen = {"state_dir": state_dir, **ports, "rtp_start": start, "rtp_end": start + _RTP_BLOCK - 1}
    return NodeSettings.model_validate(chosen | overrides)


def _sip(settings: NodeSettings) -> list[tuple[str, int]]:
    return [("sip_port", settings.sip_port), *([("tls_port", settings.tls_port)] if settings.tls_port else [])]


def _refused(address: str, port: int, tcp: bool) -> OSError | None:
    try:
        _bind(address, port, tcp)
    except OSError as error:
        return error
    return None


def _bind(address: str, port: int, tcp: bool) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as probe:
        if tcp:  # as Asterisk does: a connection that lingers after the last run is no obstacle
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def free_port() -> int:
    """Free for TCP and UDP on loopback at this moment."""
    while True:
        port = random.randrange(_LOW, _HIGH)  # noqa: S311
        if not any(_refused("127.0.0.1", port, tcp) for tcp in (True, False)):
            return port


def _free_rtp_block() -> int:
    """A random block, so that nodes started at the same time seldom share one; sharing costs a retry per call."""
    return random.randrange(_RTP_LOW, _RTP_HIGH - _RTP_BLOCK, 2)  # noqa: S311
