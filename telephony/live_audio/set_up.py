"""How a leg comes to be heard: a media leg is made, a worker connects to it, and they meet.

alone    the leg and the media leg are in a bridge of their own: nothing is late, one channel more
beside   the leg talks with others: a channel of Asterisk's that spies on it stands in its place. What the network
         delivers late in a burst stays late from then on, so this is for those who ask for it
"""

from __future__ import annotations

import asyncio
import logging
from abc import abstractmethod
from functools import partial
from typing import Any, Literal

from core.errors import CommandRefused
from telephony.control.desk import q, why
from telephony.control.legs import LegMemory
from telephony.control.listening import Listening
from telephony.control.surveying import MEDIA_NAME
from telephony.live_audio.media_leg import Tap, make_rtp, make_websocket
from telephony.live_audio.messages import Found
from telephony.live_audio.workers import MediaWorkers, Stream

log = logging.getLogger("centralita.live_audio")

_BACKSTOP_S = 2.0
_RTP_HOST = "127.0.0.1"


class SettingUp(Listening):
    """`workers`: None on an engine without media workers; then every listener is lost at once."""

    workers: MediaWorkers | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._media: dict[str, Tap] = {}
        """By the media leg, for as long as it may be there."""
        self._transports: dict[str, Literal["websocket", "rtp"]] = {}

    @abstractmethod
    def _found(self, tap: Tap, found: Found) -> None: ...

    @abstractmethod
    def _lost(self, tap: Tap, why_: str) -> None: ...

    async def _begin(self, tap: Tap) -> None:
        """Raises CommandRefused, DeadlineExceeded, NodeUnavailable, LegGone."""
        leg, node = tap.leg, tap.leg.node
        if self.workers is None or not self.workers.pids:
            raise CommandRefused("no media worker is there: look into its log, or wait until it is started again")
        rate_hz = self.workers.kind(tap.command.listener).rate_hz
        talks = self._talks(leg)
        if talks and not tap.command.beside:
            raise CommandRefused(f"leg {leg.leg_id} talks with somebody: ask to listen beside that")
        if not talks:
            await self._quiet(leg)
        room = node.send(leg.leg_id, "POST", f"bridges/{q(tap.bridge_id)}?type=mixing,dtmf_events&name={MEDIA_NAME}")
        self._media[tap.media_id] = tap
        await self._make_media_leg(self.workers, tap, rate_hz)
        made = await room
        if made.status_code >= 300:
            raise CommandRefused(f"{node.name} has no room for a media leg: {why(made)}")
        if talks:
            await self._spy(tap)
        else:
            await self._end_background(leg)
            await self._join(leg, q(tap.bridge_id), leg.leg_id)
        assert tap.stream is not None
        await tap.stream.connected
        if tap.is_over:
            return
        # Or she would be told that she talks with nobody, and her phone that nobody calls.
        await self._join(leg, q(tap.bridge_id), tap.media_id, "&inhibitConnectedLineUpdates=true")
        tap.is_joined = True
        if leg.up:
            tap.stream.answered()

    def _talks(self, leg: LegMemory) -> bool:
        return any(leg.leg_id in bridge.leg_ids for bridge in self._bridges.values())

    async def _spy(self, tap: Tap) -> None:
        """What the listener says, the leg alone hears. Raises as requests do."""
        leg = tap.leg
        tap.snoop_id = f"{tap.media_id}.snoop"
        app = q(leg.node.settings.app)
        uri = f"channels/{q(leg.leg_id)}/snoop/{q(tap.snoop_id)}?spy=in&whisper=out&app={app}&appArgs=snoop"
        await self._ask(leg, "POST", uri)
        await self._join(leg, q(tap.bridge_id), tap.snoop_id)
        if tap.is_over:
            await self._delete(leg.node, f"channels/{q(tap.snoop_id)}")

    async def _make_media_leg(self, workers: MediaWorkers, tap: Tap, rate_hz: int) -> None:
        """A node that does not know WebSocket media is asked for RTP from then on."""
        node = tap.leg.node
        if self._transports[node.name] == "websocket":
            try:
                path = await make_websocket(node, tap, rate_hz)
                self._ask_worker(workers, tap, "websocket", (node.settings.host, node.settings.port, path))
            except CommandRefused as problem:
                if tap.is_made:
                    raise
                log.warning("%s: live audio goes over RTP from now on: %s", node.name, problem)
                self._transports[node.name] = "rtp"
            else:
                return
        stream = self._ask_worker(workers, tap, "rtp", ("", 0, ""))
        stream.peer(*await make_rtp(node, tap, rate_hz, _RTP_HOST, await stream.bound))

    def _ask_worker(
        self,
        workers: MediaWorkers,
        tap: Tap,
        transport: Literal["websocket", "rtp"],
        where: tuple[str, int, str],
    ) -> Stream:
        command = tap.command
        stream = tap.stream = workers.begin(
            command.leg_id,
            command.listener,
            command.options,
            transport=transport,
            limit_s=command.limit_s,
            answered=tap.leg.up,
            on_found=partial(self._found, tap),
            where=where,
        )
        stream.on_lost = partial(self._lost, tap)
        tap.backstop = asyncio.get_running_loop().call_later(
            command.limit_s + _BACKSTOP_S, self._lost, tap, "its worker did not end in time"
        )
        return stream
