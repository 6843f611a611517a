"""Asking the running engine over its Unix socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from engine.cli.belongings import closed
from engine.cli.common import NOT_RUNNING, fail
from engine.home import Home


def ask(home: Home, method: str, path: str, timeout_s: float = 30.0) -> dict[str, Any]:
    """The engine's answer; ends the command when none runs."""
    return _asked(home, method, path, timeout_s, None)


def _asked(home: Home, method: str, path: str, timeout_s: float, body: Mapping[str, Any] | None) -> dict[str, Any]:
    transport = httpx.HTTPTransport(uds=str(home.control_socket))
    try:
        with httpx.Client(transport=transport, base_url="http://engine", timeout=timeout_s) as client:
            answer: dict[str, Any] = client.request(method, path, json=body).json()
            return answer
    except httpx.ReadTimeout:
        fail(f"the engine is still at it after {timeout_s:g} s: `centralita status` says when it is done")
    except (httpx.HTTPError, OSError, ValueError):
        if why := closed(home):
            fail(why)
        fail(f"no engine answers in {home.state}: start it with `centralita up`", NOT_RUNNING)


def post(home: Home, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's answer; ends the command when none runs."""
    return _asked(home, "POST", path, 60.0, body)


def if_running(home: Home, path: str) -> dict[str, Any] | None:
    """The engine's answer; None when none runs, or it knows nothing of this."""
    transport = httpx.HTTPTransport(uds=str(home.control_socket))
    try:
        with httpx.Client(transport=transport, base_url="http://engine", timeout=5.0) as client:
            answer = client.get(path)
            body: dict[str, Any] | None = answer.json() if answer.status_code == 200 else None
            return body
    except (httpx.HTTPError, OSError, ValueError):
        return None


def do(home: Home, fact: str, fields: Mapping[str, Any], path: str = "/acd/do") -> dict[str, Any]:
    """Has the engine do what a person wants; ends the command with its words when it refuses. `path`: whom it asks:
    routing, or campaigns (`/dialer/do`). Returns its answer."""
    body = _asked(home, "POST", path, 30.0, {"fact": fact, "fields": dict(fields)})
    if not body.get("ok"):
        fail(_why(body))
    return body


def refusal(home: Home, fact: str, fields: Mapping[str, Any], path: str = "/acd/do") -> str:
    """The same, where one refusal is not the end of it: why it was not done, in words; empty when it was."""
    body = _asked(home, "POST", path, 30.0, {"fact": fact, "fields": dict(fields)})
    return "" if body.get("ok") else _why(body)


def _why(body: Mapping[str, Any]) -> str:
    return str(body.get("why") or "the engine refused")


def stream(home: Home, path: str) -> Iterator[str]:
    """The lines of an answer that goes on. Raises httpx.HTTPError when it breaks, or is silent for 15 s."""
    transport = httpx.HTTPTransport(uds=str(home.control_socket))
    with (
        httpx.Client(transport=transport, base_url="http://engine", timeout=httpx.Timeout(5.0, read=15.0)) as client,
        client.stream("GET", path) as answer,
    ):
        yield from (line for line in answer.iter_lines() if line)
