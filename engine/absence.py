"""The engine stays away: whoever waits for it leaves it for the dialplan, which speaks to callers without an engine.

Two people who talk to each other wait for nobody and are left alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

import httpx

from core.dialing import CALLED
from core.live_audio import MEDIA_LEG
from telephony.node.settings import STASIS_APP

OVERFLOW, SAFE_HARBOUR = "overflow", "safe_harbour"
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


async def send_to_overflow(
    ari: httpx.AsyncClient, is_back: Callable[[], Awaitable[bool]], only_called: bool = False
) -> int:
    """How many legs were sent. `is_back`: the engine commands again, so the rest is its own. `only_called`: those whom
    a campaign called and who answered; they did not ask to wait.

    A leg that cannot be sent holds up none of the others.
    """
    try:
        application = (await ari.get(f"/applications/{STASIS_APP}")).raise_for_status().json()
        bridges = (await ari.get("/bridges")).raise_for_status().json()
        channels = (await ari.get("/channels")).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return 0
    up = {str(channel["id"]) for channel in channels if _may_be_sent(channel)}
    left = waiting(application.get("channel_ids", []), bridges, up)
    if only_called:
        left = [(leg_id, context) for leg_id, context in left if leg_id.endswith(CALLED)]
    sent = 0
    for number, (leg_id, context) in enumerate(left):
        if number % _ASK_EVERY == 0 and await is_back():
            break
        try:
            where = {"context": context, "extension": "s", "priority": "1"}
            answer = await ari.post(f"/channels/{leg_id}/continue", params=where)
        except httpx.HTTPError:
            continue
        sent += answer.is_success
    return sent


def _may_be_sent(channel: Mapping[str, Any]) -> bool:
    """Answered, and not there already."""
    return channel.get("state") == "Up" and channel.get("dialplan", {}).get("context") != SAFE_HARBOUR
