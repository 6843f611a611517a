"""One Asterisk node: a socket for events, a few for requests, one for rescue.

Requests of a leg keep to one lane, chosen by its id, so they stay in order. A request may freeze its lane
(Asterisk answers `answer`, `addChannel` or set-variable only when the leg's playback lets go); then the leg's
playbacks are stopped over the rescue socket, which carries nothing that waits.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterable
from typing import Literal
from urllib.parse import quote

import msgspec

from core.errors import CommandFailed, NodeUnavailable
from telephony.ari.connection import AriConnection
from telephony.ari.connection_state import ConnectionState
from telephony.ari.messages import EVENT_NAMES, Event, RestResponse
from telephony.ari.settings import AriSettings

log = logging.getLogger(__name__)

GapListener = Callable[[str, Literal["lost", "back"]], None]

# Responses pass through the filter of their socket's application too.
_FILTER = msgspec.json.encode({"allowed": [{"type": name} for name in (*EVENT_NAMES, "RESTResponse")]})


class NodeClient:
    """`on_event` gets every event at once; `on_gap(node, ...)` says when they stop and flow again, `on_stolen`
    that another engine took the node's application. `playing(leg_id)` names a leg's unfinished playbacks.
    """

    def __init__(
        self,
        settings: AriSettings,
        on_event: Callable[[Event], None],
        on_gap: GapListener,
        on_stolen: Callable[[str], None],
        playing: Callable[[str], Iterable[str]],
    ) -> None:
        self.settings = settings
        self.name = settings.node
        self._on_gap = on_gap
        self._on_stolen = on_stolen
        self._playing = playing
        self._events = AriConnection(settings, settings.app, on_event, self._events_moved, on_heard=self._heard)
        self._rescue = AriConnection(settings, f"{settings.app}-rescue", _ignore, self._request_socket_moved)
        self._lanes = [
            AriConnection(settings, f"{settings.app}-rq{n}", _ignore, self._request_socket_moved, self._free)
            for n in range(settings.request_sockets)
        ]
        self._hears = False
        self.is_back = False
        self.back = asyncio.Event()

    def start(self) -> None:
        for connection in self._all():
            connection.start()

    async def close(self) -> None:
        await asyncio.gather(*(connection.close() for connection in self._all()))

    def send(self, leg_id: str, method: str, uri: str, body: bytes = b"") -> asyncio.Future[RestResponse]:
        """Sends over the leg's lane at once; when that is down, over another.

        Raises:
            NodeUnavailable: no lane is connected.
        """
        lanes = self._lanes
        first = zlib.crc32(leg_id.encode()) % len(lanes)
        lane = lanes[first]
        if not lane.is_open:
            lane = next((other for other in lanes if other.is_open), lane)
        return lane.request(method, uri, leg_id, body)

    async def ask(self, method: str, uri: str) -> RestResponse:
        """A question about the whole node; it waits for nobody's channel."""
        return await self.send("", method, uri)

    # -- connections coming and going
    def _all(self) -> list[AriConnection]:
        return [*self._lanes, self._rescue, self._events]

    def _events_moved(self, state: ConnectionState) -> None:
        if state is ConnectionState.OPEN:
            # No command runs on the event socket, so nothing can hold it up.
            app = quote(self.settings.app, safe="")
            try:
                answer = self._events.request("PUT", f"applications/{app}/eventFilter", body=_FILTER)
            except NodeUnavailable:
                return
            answer.add_done_callback(self._filter_set)
        elif self.is_back:
            self.is_back = False
            self.back.clear()
            if state is not ConnectionState.CLOSED:
                self._on_gap(self.name, "lost")
        self._hears = self._hears and state is ConnectionState.OPEN
        if state is ConnectionState.STOLEN:
            self._on_stolen(self.name)

    def _filter_set(self, answer: asyncio.Future[RestResponse]) -> None:
        problem = answer.exception()
        if problem is not None:
            return  # the connection is gone; the next one tries again
        if answer.result().status_code != 200:
            log.warning("%s: Asterisk does not filter events (%s): it will cost more", self.name, answer.result())
        self._events.listen()

    def _heard(self) -> None:
        self._hears = True
        self._look_whether_back()

    def _request_socket_moved(self, state: ConnectionState) -> None:
        if state is ConnectionState.OPEN:
            self._look_whether_back()

    def _look_whether_back(self) -> None:
        if self.is_back or not self._hears:
            return
        if self._rescue.is_open and all(lane.is_open for lane in self._lanes):
            self.is_back = True
            self.back.set()
            self._on_gap(self.name, "back")

    # -- freeing a frozen lane
    def _free(self, leg_id: str) -> None:
        playbacks = list(self._playing(leg_id)) if leg_id else []
        log.warning("%s: leg %s holds up its lane; stopping %d playback(s)", self.name, leg_id, len(playbacks))
        for playback_id in playbacks:
            try:
                self._rescue.request("DELETE", f"playbacks/{quote(playback_id, safe='')}", leg_id)
            except CommandFailed as problem:
                log.warning("%s: playback %s not stopped: %s", self.name, playback_id, problem)


def _ignore(event: Event) -> None:
    """Request sockets are subscribed to nothing."""
