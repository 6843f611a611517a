"""Legs that meet: bridges of every node."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Collection, Sequence

from core.errors import CommandFailed, CommandRefused, LegGone
from telephony.control import names
from telephony.control.desk import Desk, q, why
from telephony.control.legs import BridgeMemory, LegMemory
from telephony.control.surveying import BRIDGE_NAME

log = logging.getLogger(__name__)


class Bridges(Desk):
    async def bridge(self, bridge_id: str, leg_ids: Sequence[str], keyed: Collection[str] = ()) -> None:
        """Creates the bridge when missing; what plays to or records a leg is stopped first. A leg that is in it
        already stays as it is.

        Raises:
            CommandRefused: no legs, or legs of several nodes.
        """
        bridge = q(names.identifier(bridge_id))
        legs = [self._book.get(leg_id) for leg_id in leg_ids]
        if not legs:
            raise CommandRefused(f"bridge {bridge_id} was asked for without legs")
        node = legs[0].node
        if far := [leg.leg_id for leg in legs if leg.node is not node]:
            raise CommandRefused(
                f"bridge {bridge_id}: {', '.join(far)} not on {node.name}; legs of two nodes need a relay"
            )
        memory = self._bridges.get(bridge_id)
        if memory is None:
            # `dtmf_events` keeps the media in Asterisk: two phones sending to each other directly hide their digits.
            created = await node.send(
                legs[0].leg_id, "POST", f"bridges/{bridge}?type=mixing,dtmf_events&name={BRIDGE_NAME}"
            )
            if created.status_code not in (200, 409):
                raise CommandRefused(f"bridge {bridge_id} cannot be made on {node.name}: {why(created)}")
            memory = self._bridges[bridge_id] = BridgeMemory(node, [])
        for leg in filter(None, map(self._book.find, {*leg_ids, *keyed})):
            leg.keyed = leg.leg_id in keyed
        await self._refresh_waiting(bridge_id, memory, leg_ids)
        for leg in legs:
            if leg.leg_id not in memory.leg_ids:
                await self._quiet(leg)
                await self._end_background(leg)
                await self._put_in(bridge_id, memory, leg)
                await self._end_background(leg)  # what somebody began who did not know of this yet

    async def _put_in(self, bridge_id: str, memory: BridgeMemory, leg: LegMemory) -> None:
        uri = f"bridges/{q(bridge_id)}/addChannel?channel={q(leg.leg_id)}"
        if leg.keyed:
            uri += "&absorbDTMF=true"
        added = await leg.node.send(leg.leg_id, "POST", uri)
        if added.status_code in (404, 409):
            self._bridges.pop(bridge_id, None)
            raise CommandRefused(f"bridge {bridge_id} does not take {leg.leg_id} ({why(added)}): make a new one")
        if added.status_code == 400:
            raise LegGone(f"leg {leg.leg_id} on {leg.node.name} is gone: {why(added)}")
        if added.status_code >= 300:
            self._refuse(leg, added, "addChannel")
        self._leave_bridges(leg)
        memory.leg_ids.append(leg.leg_id)

    async def _refresh_waiting(self, bridge_id: str, memory: BridgeMemory, joining: Sequence[str]) -> None:
        """Who was left alone in a bridge goes out and in again before somebody new comes.

        Where codecs differ, Asterisk keeps the translation of the partner who has gone, and in half of the cases lets
        nothing through from the next one.
        """
        inside = [leg for leg in map(self._book.find, memory.leg_ids) if leg is not None]
        if len(inside) != 1 or not set(joining) - set(memory.leg_ids):
            return
        (waiting,) = inside
        await self._take_out(q(bridge_id), waiting)
        memory.leg_ids.remove(waiting.leg_id)
        with contextlib.suppress(LegGone):
            await self._put_in(bridge_id, memory, waiting)

    def _leave_bridges(self, leg: LegMemory) -> None:
        """It is in another one now."""
        for other in self._bridges.values():
            if leg.leg_id in other.leg_ids:
                other.leg_ids.remove(leg.leg_id)

    async def _end_background(self, leg: LegMemory) -> None:
        """Asterisk would go on with music inside the bridge, and nobody would hear the others."""
        for what in sorted(leg.background):
            leg.background.discard(what)
            await leg.node.send(leg.leg_id, "DELETE", f"channels/{q(leg.leg_id)}/{what}")

    async def unbridge(self, bridge_id: str, leg_id: str) -> None:
        """The leg stays up, alone; what plays to it inside the bridge is stopped first."""
        bridge = q(names.identifier(bridge_id))
        leg = self._book.get(leg_id)
        await self._quiet(leg)
        removed = await leg.node.send(leg_id, "POST", f"bridges/{bridge}/removeChannel?channel={q(leg_id)}")
        memory = self._bridges.get(bridge_id)
        if memory is not None and leg_id in memory.leg_ids:
            memory.leg_ids.remove(leg_id)
        if removed.status_code == 400:
            raise LegGone(f"leg {leg_id} on {leg.node.name} is gone: {why(removed)}")
        # 404: no such bridge; 422: the leg is not in it; 409: one of the two is on its way out.
        if removed.status_code not in (204, 404, 409, 422):
            raise CommandRefused(f"bridge {bridge_id} does not let {leg_id} go: {why(removed)}")

    async def destroy_bridge(self, bridge_id: str) -> None:
        """Its legs stay up, each alone. Destroying what is not there is not an error.

        The legs are taken out first, one by one: Asterisk dissolves a bridge in the background, and what is asked of a
        leg in that moment (a prompt, to be answered) may hang for minutes.
        """
        bridge = q(names.identifier(bridge_id))
        known = self._bridges.pop(bridge_id, None)
        legs = [self._book.find(leg_id) for leg_id in known.leg_ids] if known is not None else []
        for leg in legs:
            if leg is not None:
                await self._take_out(bridge, leg)
        nodes = [known.node] if known is not None else [node for node in self._nodes.values() if node.is_back]
        for node in nodes:
            response = await node.ask("DELETE", f"bridges/{bridge}")
            if response.status_code not in (204, 404, 409):  # 409: it is dissolving
                raise CommandRefused(f"bridge {bridge_id} cannot be destroyed on {node.name}: {why(response)}")

    async def _take_out(self, bridge: str, leg: LegMemory) -> None:
        try:
            await self._quiet(leg)
            leg.parting = asyncio.Event()
            await leg.node.send(leg.leg_id, "POST", f"bridges/{bridge}/removeChannel?channel={q(leg.leg_id)}")
        except CommandFailed as problem:
            log.info("leg %s was not taken out of bridge %s first: %s", leg.leg_id, bridge, problem)
        finally:
            if leg.parting is not None:
                leg.parting.set()
                leg.parting = None
