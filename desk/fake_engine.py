"""The engine's control socket in memory, for tests and for trying the pages: agents, queues, offers, campaigns, no
telephony.

    fake = FakeEngine(); fake.add_queue("sales"); fake.add_agent("ana", queues=["sales"])
    async with serving(fake, socket_path): ... fake.arrive("sales", caller="+34600112233"); fake.accept("ana")

It speaks what `desk/engine_client.py` says, and refuses as the engine does, in words. `cut()` breaks the streams.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket as sockets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from desk import fake_views as views
from desk.fake_agents import FakeAgents
from desk.fake_dialer import FakeDialer, Refusal
from desk.fake_floor import Floor, RefusedByFake

Json = dict[str, Any]
PING_S = 5.0


class FakeEngine(Floor):
    """The floor, with the socket's faces. `epoch` changes with each `restart()`."""

    def __init__(self, kept: int = 1000) -> None:
        super().__init__()
        self.dialer = FakeDialer(self._tell, self.now_s)
        self.people = FakeAgents(self)
        self.epoch = "e1"
        self.kept = kept
        self.done: list[tuple[str, Json]] = []
        """Every request that was taken, in order."""
        self.files: dict[str, str] = {}
        """What was written into the configuration."""
        self.fails = False
        """Answers 503 to requests, as an engine that is not ready."""
        self._news = asyncio.Event()
        self._streams = 0

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/acd/snapshot", self._snapshot),
                Route("/acd/setup", self._setup),
                Route("/acd/events", self._events),
                Route("/acd/do", self._do, methods=["POST"]),
                Route("/acd/agents", self._agents, methods=["GET"]),
                Route("/acd/agents", self._enrol, methods=["POST"]),
                Route("/acd/explain/{interaction_id}", self._explain),
                Route("/acd/contact/{interaction_id}", self._contact),
                Route("/dialer/snapshot", self._campaigns),
                Route("/dialer/campaign/{tenant}/{campaign}", self._campaign),
                Route("/dialer/why/{tenant}/{lead_id}", self._why),
                Route("/dialer/do", self._dial, methods=["POST"]),
                Route("/dialer/files", self._files, methods=["POST"]),
            ]
        )

    async def _agents(self, request: Request) -> Response:
        return self._answer(None) if self.fails else self.people.known(request)

    async def _enrol(self, request: Request) -> Response:
        return self._answer(None) if self.fails else await self.people.put(request)

    async def _files(self, request: Request) -> Response:
        asked = await request.json()
        name = f"config/campaigns/{asked['campaign']}.yaml"
        if name in self.files and not asked["replace"]:
            return JSONResponse({"ok": False, "why": f"{name} is there already"}, status_code=409)
        self.files[name] = asked["text"]
        return JSONResponse({"ok": True, "file": name, "problems": []})

    def restart(self) -> None:
        """Another engine took over: same state, numbers from the start, streams broken."""
        self.epoch = f"e{int(self.epoch[1:]) + 1}"
        self.seq = 0
        self.events.clear()
        self.cut()

    def cut(self) -> None:
        self._streams += 1
        self._wake()

    def told(self, event: Json) -> None:
        del self.events[: max(0, len(self.events) - self.kept)]
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _snapshot(self, request: Request) -> Response:
        campaigns = self.dialer.snapshot()["campaigns"]
        return self._answer({"epoch": self.epoch, "seq": self.seq, **self.snapshot(), "campaigns": campaigns})

    async def _setup(self, request: Request) -> Response:
        return self._answer({**self.setup(), "campaigns": self.dialer.setup()})

    async def _explain(self, request: Request) -> Response:
        interaction_id = request.path_params["interaction_id"]
        stays = [stay for stay in self.stays.values() if stay["interaction_id"] == interaction_id]
        told = views.explained(stays, list(self.agents.values()), self.now_s())
        return self._answer(told if interaction_id in self.contacts else None)

    async def _contact(self, request: Request) -> Response:
        interaction_id = request.path_params["interaction_id"]
        known = self.contacts.get(interaction_id)
        return self._answer(known and {**known, "answers": self.dialer.answers.get(interaction_id, {})})

    async def _campaigns(self, request: Request) -> Response:
        return self._answer(self.dialer.snapshot())

    async def _campaign(self, request: Request) -> Response:
        return self._answer(self.dialer.detail(**request.path_params))

    async def _why(self, request: Request) -> Response:
        return self._answer(self.dialer.whys.get((request.path_params["tenant"], request.path_params["lead_id"])))

    def _answer(self, body: Json | None) -> Response:
        if self.fails:
            return JSONResponse({"why": "not ready"}, 503)
        return JSONResponse(body) if body is not None else JSONResponse({"why": "not known"}, 404)

    async def _do(self, request: Request) -> Response:
        return await self._asked(request, self.do)

    async def _dial(self, request: Request) -> Response:
        return await self._asked(request, self.dialer.do)

    async def _asked(self, request: Request, do: Callable[[str, Json], str | None]) -> Response:
        if self.fails:
            return JSONResponse({"why": "not ready"}, 503)
        body = await request.json()
        try:
            told = do(str(body["fact"]), dict(body["fields"]))
        except (RefusedByFake, Refusal) as refused:
            return JSONResponse({"ok": False, "why": str(refused)}, 409)
        except (KeyError, TypeError, ValueError) as unknown:
            return JSONResponse({"ok": False, "why": f"not understood: {unknown}"}, 422)
        self.done.append((body["fact"], body["fields"]))
        return JSONResponse({"ok": True, "told": told} if told else {"ok": True})

    async def _events(self, request: Request) -> Response:
        if self.fails:
            return self._answer(None)
        epoch, after = request.query_params.get("epoch", ""), int(request.query_params.get("after", -1))
        return StreamingResponse(self._lines(epoch, after), media_type="application/x-ndjson")

    async def _lines(self, epoch: str, after: int) -> AsyncIterator[str]:
        oldest = self.events[0]["seq"] if self.events else self.seq + 1
        if epoch != self.epoch or after > self.seq or after + 1 < oldest:
            yield json.dumps({"reset": True}) + "\n"
            return
        stream = self._streams
        yield json.dumps({"ping": self.now_s()}) + "\n"
        while stream == self._streams:
            news = self._news
            for event in [each for each in self.events if each["seq"] > after]:
                after = event["seq"]
                yield json.dumps(event) + "\n"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PING_S):
                    await news.wait()
                    continue
            yield json.dumps({"ping": self.now_s()}) + "\n"


@contextlib.asynccontextmanager
async def serving(fake: FakeEngine, path: Path) -> AsyncIterator[FakeEngine]:
    """On a Unix socket, for as long as the block lasts."""
    async with serving_app(fake.app, path, fake.cut):
        yield fake


@contextlib.asynccontextmanager
async def serving_app(app: Starlette, path: Path, at_end: Callable[[], None] = lambda: None) -> AsyncIterator[None]:
    """Any engine's faces on a Unix socket. `at_end`: breaks streams that would go on for ever."""
    listening = _unix(path)
    server = _Quiet(uvicorn.Config(app, log_config=None, lifespan="off", access_log=False))
    work = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        # It listens already: who comes early waits in the socket's own queue.
        yield
    finally:
        server.should_exit = server.force_exit = True
        at_end()
        await asyncio.gather(work, return_exceptions=True)
        listening.close()


def _unix(path: Path) -> sockets.socket:
    path.unlink(missing_ok=True)
    listening = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
    listening.bind(str(path))
    listening.listen(16)
    return listening


class _Quiet(uvicorn.Server):
    """Signals belong to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield
