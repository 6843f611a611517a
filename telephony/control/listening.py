"""A supervisor listens to an agent's conversation, or whispers to the agent.

Asterisk snoops on the agent's channel: a channel of its own carries what the agent says and hears, and what is said
into it reaches the agent alone. It meets the supervisor's leg in a bridge; she whispers, or is muted and only listens.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import defaultdict
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any

from core.errors import CommandFailed, CommandRefused, LegGone
from telephony.ari.node_client import NodeClient
from telephony.control.calls import Calls
from telephony.control.desk import q, why
from telephony.control.legs import EarMemory, LegMemory
from telephony.control.surveying import LISTENING_NAME, Eavesdropping

log = logging.getLogger(__name__)

_SNOOP = "snoop"
_ENDS_ITSELF_S = 0.3
"""A snoop ends with the channel it listens to. Asterisk may answer nobody who hangs it up in that moment."""
_PAUSES_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class Listening(Calls):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._listeners: dict[str, list[LegMemory]] = defaultdict(list)
        self._chores: set[asyncio.Task[None]] = set()
        self._book.on_forget = self._leg_ended

    async def close(self) -> None:
        await asyncio.gather(*self._chores)
        await super().close()

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str], keyed: Collection[str] = ()) -> None:
        """As `Calls.bridge`; whoever listened does so no more, and is heard."""
        for leg in [self._book.find(leg_id) for leg_id in leg_ids]:
            if leg is not None and leg.ear is not None:
                await self._part(leg, leg.ear)
                await self.mute(leg.leg_id, False)
        await super().bridge(bridge_id, leg_ids, keyed)

    async def listen_in(self, leg_id: str, to_leg_id: str, whisper: bool) -> None:
        """Another mode of what goes on already is one request.

        Raises:
            CommandRefused: the legs are on two nodes, or Asterisk cannot do it.
            LegGone: either has ended.
        """
        leg, agent = self._book.get(leg_id), self._book.get(to_leg_id)
        if leg.node is not agent.node:
            raise CommandRefused(f"leg {leg_id} is not on {agent.node.name}: listening needs both on one node")
        await self.mute(leg_id, not whisper)
        if leg.ear is not None:
            if leg.ear.to_leg_id == to_leg_id:
                return
            await self._part(leg, leg.ear)
        one = secrets.token_hex(4)  # no other engine's: what the one before left may be going just now
        ear = EarMemory(to_leg_id, f"snoop-{leg_id}.{one}", f"listen-{leg_id}.{one}")
        leg.ear = ear
        self._listeners[to_leg_id].append(leg)
        app = q(leg.node.settings.app)
        uri = f"channels/{q(to_leg_id)}/snoop/{q(ear.channel_id)}?spy=both&whisper=out&app={app}&appArgs={_SNOOP}"
        try:
            await self._ask(agent, "POST", uri)
            await self._meet(leg, ear)
        except CommandFailed:
            await self._part(leg, ear)
            raise

    async def stop_listening(self, leg_id: str) -> None:
        leg = self._book.get(leg_id)
        if leg.ear is not None:
            await self._part(leg, leg.ear)
            await self.mute(leg_id, False)

    async def _meet(self, leg: LegMemory, ear: EarMemory) -> None:
        bridge = q(ear.bridge_id)
        made = await leg.node.send(leg.leg_id, "POST", f"bridges/{bridge}?type=mixing&name={LISTENING_NAME}")
        if made.status_code >= 300:
            raise CommandRefused(f"leg {leg.leg_id} cannot listen on {leg.node.name}: {why(made)}")
        await self._quiet(leg)
        await self._end_background(leg)
        self._leave_bridges(leg)
        for channel in (ear.channel_id, leg.leg_id):
            await self._join(leg, bridge, channel)
        self._book.get(leg.leg_id)
        self._book.get(ear.to_leg_id)

    async def _join(self, leg: LegMemory, bridge: str, channel: str, how: str = "") -> None:
        """Asterisk's channel needs a moment until it may be bridged."""
        for pause_s in (*_PAUSES_S, None):
            joined = await leg.node.send(leg.leg_id, "POST", f"bridges/{bridge}/addChannel?channel={q(channel)}{how}")
            if joined.status_code < 300:
                return
            if joined.status_code != 422 or pause_s is None:
                break
            await asyncio.sleep(pause_s)
        raise LegGone(f"leg {leg.leg_id} cannot listen: it has ended, or whom it listens to: {why(joined)}")

    async def _part(self, leg: LegMemory, ear: EarMemory) -> None:
        """The leg is taken out before its bridge is dissolved; see `destroy_bridge`."""
        if leg.ear is not ear:
            return
        leg.ear = None
        self._listeners[ear.to_leg_id].remove(leg)
        if not self._listeners[ear.to_leg_id]:
            del self._listeners[ear.to_leg_id]
        if self._book.find(leg.leg_id) is leg:
            await self._take_out(q(ear.bridge_id), leg)
        if self._book.find(ear.to_leg_id) is None:
            await asyncio.sleep(_ENDS_ITSELF_S)
        await self._delete(leg.node, f"channels/{q(ear.channel_id)}", f"bridges/{q(ear.bridge_id)}")

    async def _delete(self, node: NodeClient, *uris: str) -> None:
        for uri in uris:
            try:
                # Not in the lane of questions about the whole node: if it freezes, it holds up others of its own.
                await node.send(uri, "DELETE", uri)
            except CommandFailed as problem:
                log.warning("%s: what a supervisor listened through stays, %s: %s", node.name, uri, problem)

    def _end_eavesdropping(self, node: NodeClient, found: Eavesdropping) -> None:
        """An engine before this one left it; whoever listened is asked to again."""
        channels, bridges = sorted(set(found.channels) - self._ours()), sorted(set(found.bridges) - self._ours())
        if channels or bridges:
            self._later(self._clear(node, channels, {name: found.bridges[name] for name in bridges}))

    def _ours(self) -> set[str]:
        """The channels and bridges through which this engine hears legs."""
        ears = [leg.ear for listeners in self._listeners.values() for leg in listeners if leg.ear is not None]
        return {name for ear in ears for name in (ear.channel_id, ear.bridge_id)}

    async def _clear(self, node: NodeClient, channels: Sequence[str], bridges: Mapping[str, Sequence[str]]) -> None:
        for name, inside in bridges.items():
            for leg in map(self._book.find, inside):
                if leg is not None:
                    await self._take_out(q(name), leg)
        await self._delete(node, *(f"channels/{q(name)}" for name in channels))
        await self._delete(node, *(f"bridges/{q(name)}" for name in bridges))

    def _leg_ended(self, leg: LegMemory) -> None:
        """Whoever listens to it, and what it listened through, need it no more."""
        for listener in self._listeners.get(leg.leg_id, ()):
            if listener.ear is not None:
                self._later(self._part(listener, listener.ear))
        if leg.ear is not None:
            self._later(self._part(leg, leg.ear))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        chore = asyncio.get_running_loop().create_task(work, name="end of listening")
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)
