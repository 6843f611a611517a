"""Which phones can be reached, as Asterisk's manager interface tells it, for the router.

A phone may have several contacts: that one of them is gone says nothing, so then all are asked for. What was told last
stays true while nobody answers.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from core.agent_facts import DeviceChanged
from core.errors import CommandFailed
from telephony.ami.facts import AmiFact, Contact, ContactChanged, ContactStatus, NodeBooted

log = logging.getLogger("centralita.devices")

REACHABLE: frozenset[ContactStatus] = frozenset({"reachable", "created", "updated", "unknown"})
"""`unknown`: registered, and not asked yet whether it answers."""
GATHER_S = 0.2
AGAIN_S = 5.0


class Devices:
    """`tell` gets each change; `known()` names the phones that matter (`main-1001`). `heard` is to be told what the
    manager interface tells, `contacts` asks it where each phone is."""

    def __init__(
        self,
        contacts: Callable[[], Awaitable[Sequence[Contact]]],
        tell: Callable[[DeviceChanged], object],
        known: Callable[[], Collection[str]],
    ) -> None:
        self._contacts = contacts
        self._tell = tell
        self._known = known
        self._reachable: dict[str, bool] = {}
        self._wanted = asyncio.Event()

    async def keep(self) -> None:
        """Asks whenever it must, until cancelled."""
        self._wanted.set()
        while True:
            await self._wanted.wait()
            await asyncio.sleep(GATHER_S)
            self._wanted.clear()
            await self._survey()

    def heard(self, fact: AmiFact) -> None:
        match fact:
            case ContactChanged() if fact.status in REACHABLE:
                self._is(fact.device, True)
            case ContactChanged() | NodeBooted():
                self._wanted.set()
            case _:
                pass

    def look_again(self) -> None:
        """Phones were added or taken away."""
        self._wanted.set()

    async def _survey(self) -> None:
        try:
            contacts = await self._contacts()
        except CommandFailed as failure:
            log.debug("phones are asked for again in %s s: %s", AGAIN_S, failure)
            asyncio.get_running_loop().call_later(AGAIN_S, self._wanted.set)
            return
        there = {contact.device for contact in contacts if contact.status in REACHABLE}
        for device in sorted({*self._known(), *self._reachable}):
            self._is(device, device in there)

    def _is(self, device: str, reachable: bool) -> None:
        if device and self._reachable.get(device) is not reachable:
            self._reachable[device] = reachable
            self._tell(DeviceChanged(device, reachable))
