"""The least of an engine, for tests of the node alone: it holds the event socket and writes down what is told."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import httpx
from websockets.sync.client import ClientConnection, connect

from telephony.node.settings import STASIS_APP
from tests.asterisk_fixture import AsteriskNode


class AriListener:
    """`with AriListener(node) as engine:` the node's application has an engine while the block lasts."""

    def __init__(self, node: AsteriskNode, app: str = STASIS_APP) -> None:
        key = f"engine:{node.settings.secrets.ari_engine}"
        self._url = f"ws://127.0.0.1:{node.settings.http_port}/ari/events?app={app}&api_key={key}"
        self._context: AbstractContextManager[ClientConnection] | None = None
        self._connection: ClientConnection | None = None
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._context = connect(self._url)
        self._connection = self._context.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._context is not None
        self._context.__exit__(kind, error, trace)

    def next(self, kind: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """The next event of that type. Raises TimeoutError."""
        assert self._connection is not None
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            event: dict[str, Any] = json.loads(self._connection.recv(timeout=left_s))
            self.events.append(event)
            if event["type"] == kind:
                return event
        raise TimeoutError(f"no {kind} within {timeout_s:g} s; heard {[event['type'] for event in self.events]}")


def ari(node: AsteriskNode, method: str, path: str, *, user: str = "engine", **params: str) -> httpx.Response:
    """One ARI request over HTTP as `engine` or `supervisor`."""
    password = node.settings.secrets.ari_engine if user == "engine" else node.settings.secrets.ari_supervisor
    return httpx.request(
        method, f"{node.settings.ari_url}/{path}", auth=(user, password), params=params, timeout=30, verify=False
    )
