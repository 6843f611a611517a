"""The engine over HTTP: health and metrics for machines on loopback, control for the command line on a Unix
socket that only the owner may open."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

log = logging.getLogger("centralita.api")

CLOSE_WITHIN_S = 2
"""How long whoever still asks something may hold up the end."""

Answer = Callable[[], Awaitable[dict[str, Any]]]


def _json(answer: Answer, *, ok: Callable[[dict[str, Any]], bool] = lambda body: True) -> Any:
    async def endpoint(request: Request) -> Response:
        body = await answer()
        return JSONResponse(body, status_code=200 if ok(body) else 503)

    return endpoint


def posted(path: str, answer: Answer) -> Route:
    return Route(path, _json(answer), methods=["POST"])


def public_app(health: Answer, ready: Answer, registry: CollectorRegistry) -> Starlette:
    """`/health` (200 while it works), `/ready` (200 while it takes calls), `/metrics`."""

    async def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(
        routes=[
            Route("/health", _json(health, ok=lambda body: bool(body["healthy"]))),
            Route("/ready", _json(ready, ok=lambda body: bool(body["ready"]))),
            Route("/metrics", metrics),
        ]
    )


def control_app(
    public: Starlette, status: Answer, reload: Answer, drain: Answer, more: Sequence[Route] = ()
) -> Starlette:
    """What the command line asks: everything public, and `/status`, `/reload`, `/drain`; `more` for the desk."""
    return Starlette(
        routes=[
            *public.routes,
            Route("/status", _json(status)),
            Route("/reload", _json(reload), methods=["POST"]),
            Route("/drain", _json(drain), methods=["POST"]),
            *more,
        ]
    )


class Served:
    """Both faces, served on the engine's own loop."""

    def __init__(self, public: Starlette, control: Starlette, host: str, port: int, unix_socket: Path) -> None:
        self._listening = [_tcp(host, port), _unix(unix_socket)]
        self._unix_socket = unix_socket
        self._servers = [
            _Server(
                uvicorn.Config(
                    app, log_config=None, lifespan="off", access_log=False, timeout_graceful_shutdown=CLOSE_WITHIN_S
                )
            )
            for app in (public, control)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        for server, sock in zip(self._servers, self._listening, strict=True):
            self._tasks.append(asyncio.get_running_loop().create_task(server.serve(sockets=[sock])))

    async def close(self) -> None:
        for server in self._servers:
            server.should_exit = True
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for sock in self._listening:
            sock.close()
        self._unix_socket.unlink(missing_ok=True)


class _Server(uvicorn.Server):
    """Signals belong to the engine, not to the web server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


def _tcp(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as failure:
        sock.close()
        raise OSError(
            f"port {port} on {host} is taken: stop what uses it, or set `api_port` in config/site.yaml"
        ) from failure
    sock.listen(64)
    return sock


def _unix(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(str(path))
    path.chmod(0o600)
    sock.listen(16)
    return sock
