"""Legs that Asterisk's own AMD() judges, in the node's dialplan, before they come to our application.

    dialed --answered--> AMD() --AMDSTATUS, AMDCAUSE--> Stasis: the verdict      (asterisk/templates/extensions.conf.j2)

So the leg is up for us from its answer on, and away until AMD() is done: whatever else is asked of it waits until then,
and its end does not. Whether an engine lives meanwhile or not, the dialplan goes on: it offers the leg as it offers
everybody whom we called, and where nobody takes it, says who called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from core.leg import LegRole
from core.leg_commands import OriginateLeg
from telephony.ari.messages import Event, StasisStart
from telephony.control.legs import LegMemory
from telephony.control.translate import DIALED
from telephony.live_audio.watching import Watching
from telephony.node.settings import AMD_ARGUMENTS, AMD_CONTEXT

_NO_AMD = "AMD() did not run: install Asterisk's app_amd.so, or let another one listen (config/site.yaml: detection)"


class NodeAmd(Watching):
    async def originate(self, command: OriginateLeg) -> None:
        """As `Watching.originate`. Only whom a campaign calls goes through the dialplan."""
        await super().originate(command)
        watch = self._watched.get(command.leg_id)
        if watch is not None and watch.by_node is not None and command.role is not LegRole.CUSTOMER:
            self._lose(watch, f"a {command.role.value}'s leg does not go through the node's dialplan")

    def _first(self, leg: LegMemory, body: Mapping[str, Any]) -> Mapping[str, object]:
        watch = self._watched.get(leg.leg_id)
        if watch is None or watch.by_node is None:
            return super()._first(leg, body)
        leg.away = asyncio.Event()
        return {"context": AMD_CONTEXT, "variables": {**body["variables"], AMD_ARGUMENTS: watch.by_node.arguments}}

    def _listener(self, name: str) -> Callable[[Event], None]:
        take = super()._listener(name)

        def noticing(event: Event) -> None:
            take(event)
            if type(event) is StasisStart and event.args and event.args[0] == DIALED:
                self._came(event)

        return noticing

    def _came(self, event: StasisStart) -> None:
        watch = self._watched.get(event.channel.id)
        if watch is None or watch.by_node is None:
            return
        status, cause = [*event.args[2:4], "", ""][:2]
        if status:
            self._tell(watch, watch.by_node.told(status, cause))
        else:
            self._lose(watch, _NO_AMD)
