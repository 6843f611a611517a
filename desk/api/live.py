"""The WebSocket `/v1/live`: a snapshot, then every change in order, of what the asker may see.

    <- {"type": "snapshot", "epoch", "seq", "now_s", "engine", "agents", "queues", "stays",
        "talks", "campaigns"}
    <- {"type": "event", "seq", "kind": "agent|queue|stay|talk|campaign", "id", "tenant", "value"}  null: it is gone
    <- {"type": "engine", "up"}     away: what was shown stands still until it is back
    <- {"type": "ping", "now_s", "seq"}   each 5 s

`?epoch=&after=` of what one had last: only what came since, if it is still here. Numbers rise and may skip.
Closed with 4401 when the login or its access token ends (refresh it, come back), 4403 not allowed, 4408 too slow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from desk.access import Admitted, admit
from desk.live.board import Board, Json
from desk.live.hub import TooSlow
from desk.problems import Problem, Unauthenticated
from desk.roles import Permission
from desk.services import Services

router = APIRouter()

PING_S = 5.0
SENT_WITHIN_S = 10.0
LOGIN_ENDED, NOT_ALLOWED, TOO_SLOW = 4401, 4403, 4408
_TOLD = ("type", "seq", "kind", "id", "tenant")
_SEEN_BY: Mapping[str, Permission] = {
    "agent": Permission.SEE_AGENTS,
    "queue": Permission.SEE_QUEUES,
    "stay": Permission.SEE_STAYS,
    "talk": Permission.SEE_STAYS,
    "campaign": Permission.SEE_CAMPAIGNS,
}
_HERS = ("previews", "in_person")
"""What of a campaign is about leads of one agent each."""


class Sight:
    """What one person may see of the board."""

    def __init__(self, admitted: Admitted, board: Board) -> None:
        assert admitted.principal is not None
        self._who = admitted.principal
        self._tenant = admitted.tenant
        self._board = board

    def sees(self, kind: str, tenant: str, id_: str) -> bool:
        if self._tenant is not None and tenant != self._tenant:
            return False
        if self._who.may(_SEEN_BY.get(kind, Permission.NOBODY)):
            return True
        if not self._who.agent_id or not self._who.may(Permission.WORK):
            return False
        if kind == "talk":
            return self._board.has(tenant, self._who.agent_id, id_)
        if kind == "campaign":
            view = self._board.campaign(tenant, id_) or {}
            return any(each["agent_id"] == self._who.agent_id for kind in _HERS for each in view.get(kind, ()))
        return kind == "agent" and id_ == self._who.agent_id

    def sees_event(self, event: Json) -> bool:
        """Of a campaign an agent is told what concerns her: a lead is shown to her, or is no longer."""
        kind, tenant = event["kind"], event["tenant"]
        if kind != "campaign" or self._who.may(Permission.SEE_CAMPAIGNS):
            return self.sees(kind, tenant, event["id"])
        mine = self._tenant in (None, tenant) and self._who.may(Permission.WORK)
        return mine and self._who.agent_id in event.get("concerns", ())

    def shown(self, kind: str, value: Json | None) -> Json | None:
        """An agent is not told who listens to her; a lead shown to an agent is for her, and who may see leads."""
        if kind == "campaign" and value and not self._who.may(Permission.SEE_LEADS):
            mine = self._who.agent_id
            own = {part: [each for each in value.get(part, ()) if mine and each["agent_id"] == mine] for part in _HERS}
            return {**value, **own}
        if kind != "talk" or not value or self._who.may(Permission.SEE_AGENTS):
            return value
        return {**value, "supervisor": None}

    def snapshot(self, engine_up: bool, now_s: float) -> Json:
        board = self._board
        return {
            "type": "snapshot",
            "epoch": board.epoch,
            "seq": board.seq,
            "now_s": now_s,
            "engine": engine_up,
            **{
                f"{kind}s": [
                    self.shown(kind, value)
                    for (tenant, id_), value in board.things[kind].items()
                    if self.sees(kind, tenant, id_)
                ]
                for kind in board.things
            },
        }


@router.websocket("/v1/live")
async def live(
    socket: WebSocket,
    epoch: Annotated[str, Query(max_length=100)] = "",
    after: Annotated[int, Query(ge=-1)] = -1,
) -> None:
    services: Services = socket.app.state.services
    try:
        admitted = admit(socket, "WS", "/v1/live", services)
    except Problem as problem:
        # Accepted first: a browser is not told why a socket was never opened.
        await socket.accept()
        code = LOGIN_ENDED if isinstance(problem, Unauthenticated) else NOT_ALLOWED
        await socket.close(code, problem.detail[:120])
        return
    await socket.accept()
    sender = asyncio.create_task(_send(socket, services, admitted, epoch, after))
    listener = asyncio.create_task(_until_gone(socket))
    _, pending = await asyncio.wait({sender, listener}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for outcome in await asyncio.gather(sender, listener, return_exceptions=True):
        if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | RuntimeError):
            raise outcome


async def _send(socket: WebSocket, services: Services, admitted: Admitted, epoch: str, after: int) -> None:
    who, hub = admitted.principal, services.hub
    assert who is not None
    sight = Sight(admitted, hub.board)
    put: Callable[[Any], Any] = socket.send_json
    try:
        with hub.subscribe(sight.sees_event, epoch, after) as subscription:
            async with asyncio.timeout(SENT_WITHIN_S):
                await put({"type": "engine", "up": hub.engine_up})
            shown = -1
            while True:
                if not services.tokens.good(who, services.clock.now_s()):
                    await _close(socket, LOGIN_ENDED, "the access token has expired: refresh it")
                    return
                message = None
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(PING_S):
                        message = await subscription.next()
                if message is None:
                    message = {"type": "ping", "now_s": hub.engine_now_s(), "seq": hub.board.seq}
                elif message["type"] == "snapshot":
                    message = sight.snapshot(hub.engine_up, hub.engine_now_s())
                    shown = message["seq"]
                elif message["type"] == "event" and message["seq"] <= shown:
                    continue
                elif message["type"] == "event":
                    kind, value = message["kind"], message["value"]
                    message = {name: message[name] for name in _TOLD} | {"value": sight.shown(kind, value)}
                async with asyncio.timeout(SENT_WITHIN_S):
                    await put(message)
    except (TooSlow, TimeoutError):
        await _close(socket, TOO_SLOW, "too slow: come back with the last number you had")


async def _until_gone(socket: WebSocket) -> None:
    """Nothing is expected from the other side; what comes is not read into anything."""
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return


async def _close(socket: WebSocket, code: int, why: str) -> None:
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
        async with asyncio.timeout(1.0):
            await socket.close(code, why)
