"""The media leg: a channel of Asterisk's own through which a worker hears a leg, and how it is asked for.

It meets the leg in a bridge of its own. It has an absolute limit, so that nothing can make it outlive its use.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from core.errors import CommandRefused
from core.leg_commands import ListenToLeg
from core.live_audio import MEDIA_LEG
from telephony.ari.messages import MediaChannel, media_decoder
from telephony.ari.node_client import NodeClient
from telephony.control.desk import why
from telephony.control.legs import LegMemory
from telephony.live_audio.workers import Stream

BEYOND_LIMIT_S = 10.0
"""So much longer than its listener's limit a media leg may live."""
_FORMATS = {8000: "ulaw", 16000: "slin16"}


@dataclass(slots=True, eq=False)
class Tap:
    """One listening. `stream`: None until a worker was asked; `over`: its end has been told."""

    leg: LegMemory
    command: ListenToLeg
    media_id: str
    bridge_id: str
    stream: Stream | None = None
    snoop_id: str = ""
    """The channel that stands in the leg's place, when it listens beside a talk."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    is_made: bool = False
    """Whether the media leg may be there."""
    is_joined: bool = False
    """Whether both have met."""
    backstop: asyncio.TimerHandle | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The channels and the bridge it may have."""
        return (self.media_id, self.bridge_id, *((self.snoop_id,) if self.snoop_id else ()))

    @property
    def is_over(self) -> bool:
        return self.over.is_set()


def new_tap(leg: LegMemory, command: ListenToLeg) -> Tap:
    one = secrets.token_hex(4)  # no other engine's: what the one before left may be going just now
    return Tap(leg, command, f"{MEDIA_LEG}{leg.leg_id}.{one}", f"hear-{leg.leg_id}.{one}")


async def make_websocket(node: NodeClient, tap: Tap, rate_hz: int) -> str:
    """The path at which a worker has to connect. Raises CommandRefused when the node cannot do it."""
    made = await _make(
        node,
        tap,
        external_host="INCOMING",
        transport="websocket",
        encapsulation="none",
        connection_type="server",
        format=_FORMATS[rate_hz],
    )
    connection = made.channelvars.get("MEDIA_WEBSOCKET_CONNECTION_ID", "")
    if not connection:
        raise CommandRefused(f"{node.name} does not say where its media leg waits: is this Asterisk older than 22.6?")
    return f"/media/{connection}"


async def make_rtp(node: NodeClient, tap: Tap, rate_hz: int, host: str, port: int) -> tuple[str, int]:
    """Where the media leg listens that sends to `host` and `port`. Raises CommandRefused."""
    made = await _make(
        node, tap, external_host=f"{host}:{port}", transport="udp", encapsulation="rtp", format=_FORMATS[rate_hz]
    )
    try:
        return made.channelvars["UNICASTRTP_LOCAL_ADDRESS"], int(made.channelvars["UNICASTRTP_LOCAL_PORT"])
    except (KeyError, ValueError):
        raise CommandRefused(f"{node.name} does not say where its media leg listens") from None


async def _make(node: NodeClient, tap: Tap, **how: str) -> MediaChannel:
    query = urlencode({"channelId": tap.media_id, "app": node.settings.app, **how})
    limit_s = tap.command.limit_s + BEYOND_LIMIT_S
    # While a leg rings, Asterisk would play its own ringback to the media leg, and the listener take it for hers.
    variables = {"TIMEOUT(absolute)": f"{limit_s:.1f}", "CHANNEL(tonezone)": "silent"}
    body = msgspec.json.encode({"variables": variables})
    tap.is_made = True
    response = await node.send(tap.leg.leg_id, "POST", f"channels/externalMedia?{query}", body)
    if response.status_code != 200:
        tap.is_made = False
        raise CommandRefused(f"{node.name} makes no media leg: {why(response)}")
    return media_decoder.decode(response.message_body)
