"""The WebSocket `/ws`: a browser's phone speaks SIP to its Asterisk through the host that serves the desk's pages.

    browser --wss, `sip`--> TLS front --> desk, which asks who it is --ws, loopback--> Asterisk's own /ws

ARI is on the same port of Asterisk: of all its paths this one alone can be reached from here. A login opens the
socket; who registers as which phone is between the phone and Asterisk, by the device's secret. It outlives the access
token, for a call must not lose its signalling each ten minutes, and ends with the login, after `REFRESH_S` at most.

`?node=`: the Asterisk where the phone is at home; the site's own unless given.
Closed with 4400 without the subprotocol, 4401 login ended (log in, come back), 4403 not allowed, 4404 no such node,
4408 too slow, 4429 too many for one person, 1009 too large, 1013 Asterisk is away (come back later), 1012 it has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from desk.access import admit
from desk.problems import Problem, Unauthenticated
from desk.roles import Principal
from desk.services import Services
from desk.tokens import REFRESH_S

router = APIRouter()

SIP = Subprotocol("sip")
MOST_BYTES = 16_384
"""Of one message from a browser; an offer with every codec and candidate has a third of it."""
MOST_BYTES_BACK = 65_536
MOST_PER_PERSON = 8
"""Sockets at once: one a tab, and some that nobody closed."""
OPENS_WITHIN_S, SENT_WITHIN_S, LOOK_EVERY_S = 5.0, 10.0, 2.0
NO_SIP, LOGIN_ENDED, NOT_ALLOWED, NO_NODE, TOO_SLOW, TOO_MANY = 4400, 4401, 4403, 4404, 4408, 4429
GONE, TOO_LARGE, RESTARTED, AWAY = 1000, 1009, 1012, 1013
_AGAIN = "Asterisk does not answer: come back in a moment"
Ending = tuple[int, str]
"""The close code and why; `GONE`: the browser has left."""


@router.websocket("/ws")
async def phone(socket: WebSocket, node: Annotated[str, Query(max_length=80)] = "") -> None:
    services: Services = socket.app.state.services
    # Accepted first: a browser is not told why a socket was never opened.
    asked = SIP in socket.scope.get("subprotocols", ())
    await socket.accept(SIP if asked else None)
    ending = await _let_in(socket, services, node) if asked else (NO_SIP, "ask for the subprotocol `sip`")
    if ending[0] != GONE:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect, TimeoutError):
            async with asyncio.timeout(1.0):
                await socket.close(ending[0], ending[1][:120])


async def _let_in(socket: WebSocket, services: Services, node: str) -> Ending:
    try:
        who = admit(socket, "WS", "/ws", services).principal
    except Problem as problem:
        return LOGIN_ENDED if isinstance(problem, Unauthenticated) else NOT_ALLOWED, problem.detail
    assert who is not None
    phones = services.settings.phones
    place = phones.get(node) if node else next(iter(phones.values()), None)
    if place is None:
        return NO_NODE, f"no Asterisk of that name is known here; there: {', '.join(phones) or 'none'}"
    with _counted(services, who) as number:
        if number > MOST_PER_PERSON:
            return TOO_MANY, f"{MOST_PER_PERSON} phones are open already: close one"
        try:
            upstream = await connect(
                f"ws://{place}/ws",
                subprotocols=[SIP],
                compression=None,
                proxy=None,
                max_size=MOST_BYTES_BACK,
                open_timeout=OPENS_WITHIN_S,
                close_timeout=1.0,
            )
        except (OSError, TimeoutError, WebSocketException):
            return AWAY, _AGAIN
        async with upstream:
            return await _pass_on(socket, upstream, services, who)


@contextlib.contextmanager
def _counted(services: Services, who: Principal) -> Iterator[int]:
    services.open_phones[who.account_id] += 1
    try:
        yield services.open_phones[who.account_id]
    finally:
        services.open_phones[who.account_id] -= 1
        if not services.open_phones[who.account_id]:
            del services.open_phones[who.account_id]


async def _pass_on(socket: WebSocket, upstream: ClientConnection, services: Services, who: Principal) -> Ending:
    """Until one of the three ends; then so do the others."""
    work = [
        asyncio.create_task(_to_asterisk(socket, upstream)),
        asyncio.create_task(_to_browser(upstream, socket)),
        asyncio.create_task(_until_login_ends(services, who)),
    ]
    try:
        done, _ = await asyncio.wait(work, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
    return next(iter(done)).result()


async def _to_asterisk(socket: WebSocket, upstream: ClientConnection) -> Ending:
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return GONE, ""
            said: str | bytes = message.get("text") or message.get("bytes") or ""
            if len(said if isinstance(said, bytes) else said.encode()) > MOST_BYTES:
                return TOO_LARGE, f"a message has at most {MOST_BYTES} bytes"
            async with asyncio.timeout(SENT_WITHIN_S):
                await upstream.send(said)
    except ConnectionClosed:
        return RESTARTED, _AGAIN
    except TimeoutError:
        return TOO_SLOW, "Asterisk does not take what is sent"


async def _to_browser(upstream: ClientConnection, socket: WebSocket) -> Ending:
    try:
        async for said in upstream:
            async with asyncio.timeout(SENT_WITHIN_S):
                await (socket.send_text(said) if isinstance(said, str) else socket.send_bytes(said))
    except ConnectionClosed:
        return RESTARTED, _AGAIN
    except TimeoutError:
        return TOO_SLOW, "too slow: what Asterisk says is not taken"
    except (WebSocketDisconnect, RuntimeError):
        return GONE, ""
    return RESTARTED, _AGAIN


async def _until_login_ends(services: Services, who: Principal) -> Ending:
    while True:
        await asyncio.sleep(LOOK_EVERY_S)
        if not services.tokens.login_holds(who) or services.clock.now_s() >= who.issued_s + REFRESH_S:
            return LOGIN_ENDED, "this login has ended: log in again"
