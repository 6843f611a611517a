"""The local Asterisk takes new phones, trunks and dialplan; calls go on."""

from __future__ import annotations

import asyncio

from engine import lost_phones, running_node, trunk_watch
from engine.home import Home
from telephony.ami.client import AmiClient
from telephony.node.installation import Installation
from telephony.node.render import RELOADED_MODULES, render
from telephony.node.settings import NodeSettings


async def reload_node(
    home: Home, client: AmiClient, installation: Installation, before: NodeSettings, node: NodeSettings
) -> None:
    """`node` is what it runs on now, and what whoever starts later goes by, only when all of it is done: what failed
    is done again the next time.

    Raises:
        CommandFailed: AMI is away, or would not.
        NodeError, OSError: what it reads cannot be written.
    """
    await asyncio.to_thread(render, node, installation)
    await client.start()
    for module in RELOADED_MODULES:
        await client.reload(module)
    await lost_phones.forget(client, lost_phones.lost(before.devices, node.devices))
    await trunk_watch.register_again(client, before.trunks, node.trunks)
    running_node.save(home, node)
