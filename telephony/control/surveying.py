"""What a node holds of ours, from its own lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.errors import CommandRefused
from core.ports import FoundLeg, Survey
from telephony.ari.messages import (
    Application,
    Channel,
    RestResponse,
    application_decoder,
    bridges_decoder,
    channels_decoder,
    seconds,
    variable_decoder,
)
from telephony.ari.node_client import NodeClient
from telephony.control.translate import ARRIVED, arrival
from telephony.node.settings import AMD_CONTEXT, CALLED_CONTEXT

SAFE_HARBOUR, HARBOURED = "safe_harbour", "HARBOURED"
"""Where the node looks after whom nobody commands, and the variable with their ids."""
BRIDGE_NAME = "centralita"
"""Every bridge of ours carries this name, so that others' are left alone."""
EAVESDROPPERS = ("Snoop/", "WebSocket/", "UnicastRTP/")
"""How Asterisk's names of channels begin through which a supervisor, or a worker, hears a leg: nobody's legs."""


LISTENING_NAME = "centralita-listening"
"""Not that of conversations: no engine but the one that made such a bridge knows it."""
MEDIA_NAME = "centralita-media"
"""Where a leg meets what listens to it."""


@dataclass(frozen=True, slots=True)
class Eavesdropping:
    """Through what supervisors and workers hear legs on a node: Asterisk's channels, and the bridges where they meet,
    with who is in them."""

    channels: tuple[str, ...]
    bridges: Mapping[str, tuple[str, ...]]


async def survey_node(node: NodeClient) -> tuple[Survey, Eavesdropping]:
    """Raises NodeUnavailable, DeadlineExceeded, or CommandRefused when the lists cannot be read."""
    app = node.settings.app
    listed = await node.ask("GET", "channels")
    application = await node.ask("GET", f"applications/{app}")
    bridged = await node.ask("GET", "bridges")
    harboured = await node.ask("GET", f"asterisk/variable?variable={HARBOURED}")
    try:
        ours = application_decoder.decode(_body(application)) if application.status_code == 200 else Application()
        channels = channels_decoder.decode(_body(listed))
        bridges = bridges_decoder.decode(_body(bridged))
        gone = variable_decoder.decode(_body(harboured)).value if harboured.status_code == 200 else ""
    except ValueError as problem:
        raise CommandRefused(f"{node.name}: Asterisk's lists of channels cannot be read: {problem}") from problem
    ids = frozenset(ours.channel_ids)
    survey = Survey(
        node.name,
        tuple(_found(node.name, app, channel) for channel in channels if _is_ours(channel, app, ids)),
        {bridge.id: tuple(bridge.channels) for bridge in bridges if bridge.name == BRIDGE_NAME},
        frozenset(gone.split(",")) - {""},
    )
    return survey, Eavesdropping(
        tuple(channel.id for channel in channels if channel.name.startswith(EAVESDROPPERS)),
        {bridge.id: tuple(bridge.channels) for bridge in bridges if bridge.name in (LISTENING_NAME, MEDIA_NAME)},
    )


def _body(response: RestResponse) -> str:
    if response.status_code != 200:
        raise ValueError(f"{response.status_code} {response.reason_phrase}")
    return response.message_body


def _is_ours(channel: Channel, app: str, ids: frozenset[str]) -> bool:
    dialplan = channel.dialplan
    if channel.name.startswith(EAVESDROPPERS) or dialplan.context == SAFE_HARBOUR:
        return False
    if dialplan.app_name == "Stasis":
        return dialplan.app_data == app or dialplan.app_data.startswith(f"{app},")
    return channel.id in ids


def _found(node: str, app: str, channel: Channel) -> FoundLeg:
    args = channel.dialplan.app_data.split(",")[1:] if channel.dialplan.app_name == "Stasis" else []
    inbound = bool(args) and args[0] == ARRIVED
    # Who waits for an engine in the dialplan comes to us by herself.
    away = channel.state == "Up" and channel.dialplan.context in (CALLED_CONTEXT, AMD_CONTEXT) and not args
    arrived = arrival(node, channel, args if inbound else [])
    return FoundLeg(
        leg_id=channel.id,
        node=node,
        up=channel.state == "Up" and not away,
        inbound=inbound,
        called=arrived.called,
        caller=arrived.caller,
        caller_name=arrived.caller_name,
        entry=arrived.entry,
        created_s=seconds(channel.creationtime),
        ringing=not inbound and channel.state == "Ringing",
        away=away,
    )
