"""Network ports: whether a node's are free before it starts, and a set of free ones for tests, demo and bench."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import random
import socket
import tempfile
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from telephony.node.errors import PortTaken
from telephony.node.settings import NodeSettings

# Below the kernel's own range for outgoing connections (32768 on), so that nothing drifts in meanwhile, and outside the
# range a site's audio has by default. Each process has a share of its own: who starts Asterisk again finds its ports
# free, and no audio of one process's calls reaches another's.
_SHARES = 8
_LOW, _PORTS = 6_200, 450
_RTP_LOW, _RTP_PORTS, _RTP_BLOCK = 21_100, 1_100, 500
_LINGERS_S, _POLL_S = 1.0, 0.05
"""An Asterisk that was just killed holds its ports until the kernel has cleared it away."""
_given: set[int] = set()


def require_free(settings: NodeSettings, others: Mapping[str, tuple[str, int]] | None = None) -> None:
    """Tries every port the node will listen on; waits a second for those in use. `others`: TCP ports of its companions,
    by what they are called.

    Raises:
        PortTaken: naming all that cannot be bound, and why.
    """
    host = str(settings.bind)
    wanted = [(name, host, port, tcp) for name, port in _sip(settings) for tcp in (False, True)]
    wanted += [(name, "127.0.0.1", getattr(settings, name), True) for name in ("http_port", "ami_port")]
    wanted += [(name, address, port, True) for name, (address, port) in (others or {}).items()]
    until = time.monotonic() + _LINGERS_S
    taken: list[tuple[str, str]] = []
    for name, address, port, tcp in wanted:
        while (error := _refused(address, port, tcp)) is not None:
            if error.errno != errno.EADDRINUSE or time.monotonic() > until:
                kind = "TCP" if tcp else "UDP"
                taken.append((name, f"{kind} port {port} on {address} cannot be used ({error.strerror})"))
                break
            time.sleep(_POLL_S)
    if taken:
        raise PortTaken(taken)


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
    """Free for TCP and UDP on loopback at this moment, and not given by this process before unless all were."""
    low = _LOW + _share() * _PORTS
    while True:
        if len(_given) >= _PORTS // 2:
            _given.clear()
        port = random.randrange(low, low + _PORTS)  # noqa: S311
        if port not in _given and not any(_refused("127.0.0.1", port, tcp) for tcp in (True, False)):
            _given.add(port)
            return port


def _free_rtp_block() -> int:
    """A random block of this process's share: sharing with its other nodes costs a retry per call."""
    low = _RTP_LOW + _share() * _RTP_PORTS
    return random.randrange(low, low + _RTP_PORTS - _RTP_BLOCK, 2)  # noqa: S311


@cache
def _share() -> int:
    """This process's, until it ends. When all are taken, one that somebody else has too."""
    for share in range(_SHARES):
        path = Path(tempfile.gettempdir()) / f"centralita-ports-{os.getuid()}-{share}.lock"
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(handle)
                raise
            return share
    return random.randrange(_SHARES)  # noqa: S311
