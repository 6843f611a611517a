"""The engine stays away: whoever waits for it leaves it for the dialplan, which speaks to callers without an engine.

Two people who talk to each other wait for nobody and are left alone.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

import httpx

from core.dialing import CALLED
from core.live_audio import MEDIA_LEG
from engine.commanded import SUPERVISOR, Commanded
from telephony.node.settings import STASIS_APP

OVERFLOW, SAFE_HARBOUR = "overflow", "safe_harbour"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""All of it is loopback and plain: reading every certificate of the system would cost 40 ms each time."""
_WITHIN_S = 3.0
_ASK_EVERY = 10
"""How many legs are sent between two looks at whether the engine is back."""


def _talking(bridges: Iterable[Mapping[str, Any]]) -> set[str]:
    """A leg with nobody but what listens to it talks with nobody."""
    return {
        leg
        for bridge in bridges
        if len(legs := [leg for leg in bridge.get("channels", ()) if not leg.startswith(MEDIA_LEG)]) > 1
        for leg in legs
    }


def waiting(
    leg_ids: Iterable[str], bridges: Iterable[Mapping[str, Any]], up: Collection[str] = ()
) -> list[tuple[str, str]]:
    """(leg, dialplan context) of each leg that hears nobody: callers to overflow, others to the safe harbour. Whom a
    campaign calls is left to ring until she answers (`up`)."""
    left = (leg for leg in leg_ids if not leg.startswith(MEDIA_LEG) and (leg in up or not leg.endswith(CALLED)))
    talking = _talking(bridges)
    return [(leg, SAFE_HARBOUR if _is_called(leg) else OVERFLOW) for leg in left if leg not in talking]


def _is_called(leg_id: str) -> bool:
    """Whether we dialed it."""
    return ".x" in leg_id or leg_id.endswith(CALLED)


def reached(node: Commanded, within_s: float = _WITHIN_S) -> httpx.AsyncClient:
    """ARI of a node. It is on loopback, or a tunnel ends there."""
    auth = (SUPERVISOR, node.password)
    return httpx.AsyncClient(base_url=node.url, auth=auth, timeout=within_s, trust_env=False, verify=NO_TLS)


async def send_everywhere(
    nodes: Collection[Commanded],
    is_back: Callable[[], Awaitable[bool]],
    playing: Mapping[str, str],
    only_called: bool = False,
) -> dict[str, int | None]:
    """How many legs were sent at each node, all nodes at once; None where nobody answers. See `send_to_overflow`."""

    async def at(node: Commanded) -> int | None:
        async with reached(node) as ari:
            return await send_to_overflow(ari, is_back, playing, only_called)

    return dict(zip((node.node for node in nodes), await asyncio.gather(*map(at, nodes)), strict=True))


def in_words(sent: Mapping[str, int | None], only_called: bool = False) -> str:
    """For who runs the site; empty when nobody was sent."""
    where = "the safe harbour" if only_called else "overflow"
    at = [f"{number} at {node}" for node, number in sent.items() if number]
    total = sum(number or 0 for number in sent.values())
    more = f" ({', '.join(at)})" if len(sent) > 1 else ""
    who = "1 waiting caller was" if total == 1 else f"{total} waiting callers were"
    return f"the engine is still away: {who} sent to {where}{more}" if total else ""


async def send_to_overflow(
    ari: httpx.AsyncClient,
    is_back: Callable[[], Awaitable[bool]],
    playing: Mapping[str, str],
    only_called: bool = False,
) -> int | None:
    """How many legs were sent; None: the node does not answer. `is_back`: the engine commands again, so the rest is its
    own. `playing`: leg -> the playback that holds it here, which is stopped first: a ringback has no end, and one who
    left at the end of a long prompt might leave an engine that is back by then. `only_called`: those whom a campaign
    called and who answered; they did not ask to wait.

    A leg that cannot be sent holds up none of the others.
    """
    try:
        application = (await ari.get(f"/applications/{STASIS_APP}")).raise_for_status().json()
        bridges = (await ari.get("/bridges")).raise_for_status().json()
        channels = (await ari.get("/channels")).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return None
    up = {str(channel["id"]) for channel in channels if _may_be_sent(channel)}
    left = waiting(application.get("channel_ids", []), bridges, up)
    if only_called:
        left = [(leg_id, context) for leg_id, context in left if leg_id.endswith(CALLED)]
    sent = 0
    for number, (leg_id, context) in enumerate(left):
        if number % _ASK_EVERY == 0 and await is_back():
            break
        try:
            if playback_id := playing.get(leg_id):
                await ari.delete(f"/playbacks/{playback_id}")
            where = {"context": context, "extension": "s", "priority": "1"}
            answer = await ari.post(f"/channels/{leg_id}/continue", params=where)
        except httpx.HTTPError:
            continue
        sent += answer.is_success
    return sent


def _may_be_sent(channel: Mapping[str, Any]) -> bool:
    """Answered, and not there already."""
    return channel.get("state") == "Up" and channel.get("dialplan", {}).get("context") != SAFE_HARBOUR
