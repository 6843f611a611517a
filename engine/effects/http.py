"""Flows ask other systems over HTTP: only hosts on the list, only so long, only so much.

The host is resolved here, once, and the connection goes to that very address, so a name cannot point inside
after it was checked. Loopback, link-local and private addresses are refused unless the host's entry says
`private: true`. A redirect is an answer like any other and is never followed. Replies are taken as they are: what
unpacks to a thousand times its size is unpacked nowhere. Each host has its own places, so one that hangs keeps only
its own callers waiting.
"""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx
import stamina

from core.commands import SendHttp
from core.events import Event, HttpReplied
from engine.effects.http_failures import in_words
from engine.http_rules import is_public, misfits, port_of
from ivr.replies import value_at

log = logging.getLogger("centralita.http")

MAX_REPLY_BYTES = 256 * 1024
MAX_VALUE_CHARS = 2_000
MAX_CONCURRENT = 100
"""Requests to one host at a time; further ones wait, within their own timeout."""


class HttpRefused(Exception):
    """The request may not be sent, or its reply may not be used; the message says why."""


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """`host`: exact name; `private`: it may live at a private or loopback address; `http`: unencrypted allowed."""

    host: str
    port: int | None = None
    private: bool = False
    http: bool = False
    headers: Mapping[str, str] | None = None
    """Sent with each request to it (tokens); never shown in flows or logs."""


class HttpEffect:
    def __init__(self, hosts: Mapping[str, AllowedHost]) -> None:
        self.hosts = hosts
        self._tasks: set[asyncio.Task[None]] = set()
        # Read once and before anybody calls: it takes longer than a caller may be kept waiting.
        self._trust = httpx.create_ssl_context(trust_env=False)
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._slots: dict[str, asyncio.Semaphore] = {}

    def __len__(self) -> int:
        """Requests under way."""
        return len(self._tasks)

    def send(self, command: SendHttp, report: Callable[[Event], None], done: Callable[[str], None]) -> None:
        """Reports one `HttpReplied`, whatever happens."""

        async def work() -> None:
            reply = await self.ask(command)
            done(reply.error or str(reply.status))
            report(reply)

        task = asyncio.get_running_loop().create_task(work(), name=f"http {command.request_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, command: SendHttp) -> HttpReplied:
        """The reply with its mapped values; `error` in words when there is none worth using."""
        try:
            async with asyncio.timeout(command.timeout_s * (1 + command.retries) + 1), self._slot(command.url):
                status, body = await self._with_retries(command)
            values = _mapped(body, command.mapping) if 200 <= status < 300 else {}
            return HttpReplied(command.interaction_id, command.request_id, status, values)
        except (HttpRefused, httpx.HTTPError, OSError, TimeoutError) as failure:
            why = str(failure) if isinstance(failure, HttpRefused) else in_words(failure, *_asked(command.url))
            log.warning("http %s %s: %s", command.method, _asked(command.url)[0], why)
            return HttpReplied(command.interaction_id, command.request_id, 0, {}, why)
        except Exception as bug:  # its words may quote what was sent
            log.error("http %s: %s", command.request_id, "".join(traceback.format_tb(bug.__traceback__)))
            return HttpReplied(command.interaction_id, command.request_id, 0, {}, in_words(bug, "", None))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()

    def _client(self, host: str) -> httpx.AsyncClient:
        """One for each host: connections are kept by address, and two names at one address are two systems. No cookie
        is kept, for it would be sent with the next caller's request."""
        client = self._clients.get(host)
        if client is None:
            client = self._clients[host] = httpx.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                verify=self._trust,
                limits=httpx.Limits(max_connections=None),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
        return client

    def _slot(self, url: str) -> asyncio.Semaphore:
        host = (urlsplit(url).hostname or "").lower()
        if host not in self.hosts:
            host = ""  # refused anyway: flows must not fill memory with names
        return self._slots.setdefault(host, asyncio.Semaphore(MAX_CONCURRENT))

    async def _with_retries(self, command: SendHttp) -> tuple[int, bytes]:
        attempts = 1 + (command.retries if command.method == "GET" else 0)
        async for attempt in stamina.retry_context(
            on=(httpx.TransportError, TimeoutError), attempts=attempts, wait_initial=0.1, wait_max=1.0, timeout=None
        ):
            with attempt:
                return await asyncio.wait_for(self._once(command), command.timeout_s)
        raise HttpRefused("no attempt was made")

    async def _once(self, command: SendHttp) -> tuple[int, bytes]:
        allowed, url, headers, extensions = await self._checked(command)
        client = self._client(allowed.host)
        request = client.build_request(
            command.method,
            url,
            headers=_headers(command.headers, allowed.headers or {}, headers),
            content=command.body.encode() or None,
            timeout=command.timeout_s,
            extensions=extensions,
        )
        try:
            response = await client.send(request, stream=True)
        except httpx.LocalProtocolError:
            raise HttpRefused(
                "a header cannot be sent as it is: it may hold no line breaks or control characters"
            ) from None
        try:
            if response.is_redirect:
                raise HttpRefused(f"status {response.status_code}: redirects are not followed; use the final address")
            if response.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise HttpRefused("the reply is compressed although nobody asked for that; switch it off over there")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_REPLY_BYTES:
                    raise HttpRefused(f"the reply is larger than {MAX_REPLY_BYTES // 1024} KiB")
            return response.status_code, bytes(body)
        finally:
            await response.aclose()

    async def _checked(self, command: SendHttp) -> tuple[AllowedHost, str, dict[str, str], dict[str, Any]]:
        parts = urlsplit(command.url)
        host = (parts.hostname or "").lower()
        allowed = self.hosts.get(host)
        if allowed is None:
            raise HttpRefused(f"host '{host}' is not in config/http.yaml: add it there to allow it")
        try:
            port = port_of(parts)
        except ValueError:
            raise HttpRefused(f"the port of '{host}' is no number from 1 to 65535") from None
        for what, hint in misfits(host, parts.scheme, port, allowed):
            raise HttpRefused(f"{what}: {hint}")
        address = await self._address(host, port, allowed)
        literal = f"[{address}]" if ":" in address else address
        url = parts._replace(netloc=f"{literal}:{port}").geturl()
        return allowed, url, {"Host": parts.netloc.rpartition("@")[2]}, {"sni_hostname": host}

    async def _address(self, host: str, port: int, allowed: AllowedHost) -> str:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
        except OSError as failure:
            raise HttpRefused(in_words(failure, host, port)) from failure
        for entry in found:
            address = str(entry[4][0])
            if allowed.private or is_public(address):
                return address
        raise HttpRefused(f"'{host}' is a private address: say `private: yes` in its entry if that is intended")


def _asked(url: str) -> tuple[str, int | None]:
    """Host and port, as far as they can be read."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", None
    try:
        return host, port_of(parts)
    except ValueError:
        return host, None


_OURS = frozenset({"host", "accept-encoding", "content-length", "transfer-encoding", "connection"})
"""Headers that no flow may set."""


def _headers(flows: Mapping[str, str], houses: Mapping[str, str], ours: Mapping[str, str]) -> dict[bytes, bytes]:
    """The house's win over the flow's, ours over both, whatever their case. Accents travel as UTF-8."""
    merged = {name.lower(): value for name, value in flows.items() if name.lower() not in _OURS}
    merged |= {name.lower(): value for name, value in {**houses, **ours, "Accept-Encoding": "identity"}.items()}
    return {name.encode(): value.strip().encode() for name, value in merged.items()}


def _mapped(body: bytes, mapping: Mapping[str, str]) -> dict[str, str]:
    """Variable -> the value at its dotted path (`customer.balance`, `items.0.id`, `slots.*.start`).

    Raises:
        HttpRefused: the body is not JSON, or a path leads nowhere or to no scalar.
    """
    if not mapping:
        return {}
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as failure:
        raise HttpRefused("the reply is not JSON, as its mapping needs") from failure
    try:
        return {variable: value_at(document, path)[:MAX_VALUE_CHARS] for variable, path in mapping.items()}
    except ValueError as failure:
        raise HttpRefused(str(failure)) from failure
