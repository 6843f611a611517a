"""Asking the running engine over its Unix socket."""

from __future__ import annotations

from typing import Any

import httpx

from engine.cli.common import NOT_RUNNING, fail
from engine.home import Home


def ask(home: Home, method: str, path: str, timeout_s: float = 30.0) -> dict[str, Any]:
    """The engine's answer; ends the command when none runs."""
    transport = httpx.HTTPTransport(uds=str(home.control_socket))
    try:
        with httpx.Client(transport=transport, base_url="http://engine", timeout=timeout_s) as client:
            body: dict[str, Any] = client.request(method, path).json()
            return body
    except (httpx.HTTPError, OSError, ValueError):
        fail(f"no engine answers in {home.state}: start it with `centralita up`", NOT_RUNNING)
