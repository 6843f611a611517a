"""A web server on loopback that behaves as a test wants, badly if need be.

async with HttpHost() as host:
    host.answers["/ok"] = json_reply({"balance": "12"}, after_s=0.5)
    ... http://127.0.0.1:{host.port}/ok ...
    host.asked      # [("GET", "/ok?x=1", headers, body), ...]
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes, status: str = "200 OK", after_s: float = 0.0, **headers: str) -> Answer:
    """Headers are written with `_` for `-`."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(after_s)
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{lines}\r\n"
        writer.write(head.encode() + body)
        await writer.drain()

    return answer


def json_reply(value: Any, after_s: float = 0.0) -> Answer:
    return reply(json.dumps(value).encode(), after_s=after_s, Content_Type="application/json")


def html() -> Answer:
    return reply(b"<!DOCTYPE html><title>Login</title>" + b"<p>please log in</p>" * 50, Content_Type="text/html")


def redirect(to: str) -> Answer:
    return reply(b"", "302 Found", Location=to)


def drip(pause_s: float = 0.3) -> Answer:
    """A byte now and then: no single read ever waits long."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"1\r\n{\r\n")
            await writer.drain()
            await asyncio.sleep(pause_s)

    return answer


def endless() -> Answer:
    """As much as the other side takes."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        while True:
            writer.write(block)
            await writer.drain()

    return answer


def bomb(megabytes: int = 50) -> Answer:
    """Fifty kilobytes that unpack to a thousand times as much."""
    packed = gzip.compress(bytes(megabytes * 1_000_000), 9)
    return reply(packed, Content_Type="application/json", Content_Encoding="gzip")


class HttpHost:
    def __init__(self) -> None:
        self.port = 0
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._one(reader, writer)
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method, target, _ = (await reader.readline()).decode().split(" ", 2)
        headers: dict[str, str] = {}
        while (line := (await reader.readline()).decode().strip()) != "":
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.asked.append((method, target, headers, body))
        answer = self.answers.get(target.partition("?")[0], reply(b"not here", "404 Not Found"))
        await answer(writer)
