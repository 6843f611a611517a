"""Whether events still come over a connection: Asterisk is asked for one, time and again.

It takes an application away when its connection ends. Does another one of that name come in the same moment, it may be
left without (`app_update` of res_stasis): it is connected, its requests are answered, and no event ever comes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from telephony.ari.messages import ChannelUserevent, RestRequest

_NAME = "centralita-echo"


class Echo:
    """`app`: the connection's application. `ping_s`: how long an event may take once Asterisk has said that it is sent;
    twice that without its answer, for an Asterisk that stood still for some seconds hears as well as before.
    `on_heard` is called whenever an event that was asked for has come.
    """

    def __init__(self, app: str, ping_s: float, on_heard: Callable[[], None]) -> None:
        self._app = app
        self._ping_s = ping_s
        self._on_heard = on_heard
        self._request_id = ""
        self._deaf_at = math.inf

    @property
    def is_awaited(self) -> bool:
        return self._deaf_at < math.inf

    def is_deaf(self, now: float) -> bool:
        """`now`: the loop's seconds."""
        return now >= self._deaf_at

    def forget(self) -> None:
        """Another connection begins."""
        self._request_id, self._deaf_at = "", math.inf

    def request(self, request_id: str, now: float) -> RestRequest:
        """What asks for the event, to be sent now."""
        self._request_id, self._deaf_at = request_id, now + 2 * self._ping_s
        return RestRequest(request_id, "POST", f"events/user/{_NAME}?application={self._app}")

    def answered(self, request_id: str, now: float) -> bool:
        """Whether it was this that Asterisk answered. The event may have been quicker."""
        if request_id != self._request_id:
            return False
        if self.is_awaited:
            self._deaf_at = now + self._ping_s
        return True

    def hear(self, event: ChannelUserevent) -> None:
        if event.eventname == _NAME:
            self._deaf_at = math.inf
            self._on_heard()
