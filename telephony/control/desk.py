"""What call control and media control share: nodes, legs, and the way a request is asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from core.errors import CommandFailed, CommandRefused, DeadlineExceeded, LegGone
from core.events import LegArrived
from core.ports import EventSink
from telephony.ari.messages import Event, RestResponse
from telephony.ari.node_client import GapListener, NodeClient
from telephony.ari.settings import AriSettings
from telephony.control.legs import BridgeMemory, LegBook, LegMemory, Running
from telephony.control.names import file_name
from telephony.control.recordings import RecordingFiles
from telephony.control.sounds import Sounds
from telephony.control.translate import Translator

log = logging.getLogger(__name__)

Admission = Callable[[LegArrived], bool]

AWAY_S = 8.0
"""No leg is in the dialplan for longer, be it heard by AMD() or offered to an engine."""
_GONE = frozenset({404, 409, 412, 422})
"""Statuses about a channel that is not there, hung up, or not in our application any more."""
_ENDED = frozenset({204, 404, 409})
"""Statuses after which it is over: by us, long ago, or just now."""
_PAUSES_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)


@lru_cache(maxsize=4096)
def q(text: str) -> str:
    """One segment of a URI."""
    return quote(text, safe="")


def why(response: RestResponse) -> str:
    """A refusal in words: Asterisk's status and what it added."""
    return f"{response.status_code} {response.reason_phrase} {response.message_body}".strip()


class Desk:
    """The nodes, the legs on them, and how to ask for something."""

    def __init__(
        self,
        nodes: Sequence[AriSettings],
        sink: EventSink,
        on_gap: GapListener,
        admit: Admission | None,
        on_stolen: Callable[[str], None] | None,
    ) -> None:
        self._book = LegBook()
        self._on_gap = on_gap
        self._sink = sink
        self._turned_away: set[str] = set()
        self._nodes: dict[str, NodeClient] = {}
        self._bridges: dict[str, BridgeMemory] = {}
        self._translators: dict[str, Translator] = {}
        self._files: dict[str, RecordingFiles] = {}
        self._sounds: dict[str, Sounds] = {}
        for settings in nodes:
            name = settings.node
            if name in self._nodes:
                raise ValueError(f"two nodes are called {name!r}: give each a name of its own")
            node = NodeClient(settings, self._listener(name), self._gap, on_stolen or _say_nothing, self._book.playing)
            files = RecordingFiles(settings.recordings_dir)
            self._nodes[name] = node
            self._files[name] = files
            self._sounds[name] = Sounds(settings.scratch_dir)
            self._translators[name] = Translator(node, self._book, files, sink, admit, self._turn_away)

    def _listener(self, name: str) -> Callable[[Event], None]:
        def take(event: Event) -> None:
            self._translators[name].take(event)

        return take

    def _gap(self, node: str, what: Literal["lost", "back"]) -> None:
        if what == "lost":
            for leg in self._book.of_node(node):
                leg.leave_running()
        self._on_gap(node, what)

    async def start(self, timeout_s: float = 10.0) -> None:
        """Starts connecting; returns when every node is connected, or after `timeout_s` with those that are."""
        for node in self._nodes.values():
            node.start()
        waits = [asyncio.create_task(node.back.wait()) for node in self._nodes.values()]
        if waits:
            _, late = await asyncio.wait(waits, timeout=timeout_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self) -> None:
        """Disconnects. Legs stay up: the next engine finds them with `survey`."""
        await asyncio.gather(*(node.close() for node in self._nodes.values()))

    def connected_nodes(self) -> Sequence[str]:
        return [name for name, node in self._nodes.items() if node.is_back]

    # -- asking
    async def _ask(self, leg: LegMemory, method: str, uri: str, body: bytes = b"") -> RestResponse:
        """Raises LegGone, CommandRefused, DeadlineExceeded, NodeUnavailable."""
        response = await leg.node.send(leg.leg_id, method, uri, body)
        if response.status_code >= 300:
            self._refuse(leg, response, f"{method} {uri.partition('?')[0]}")
        return response

    def _refuse(self, leg: LegMemory, response: RestResponse, what: str) -> None:
        if response.status_code in _GONE:
            raise LegGone(f"leg {leg.leg_id} on {leg.node.name} is gone: {what}: {why(response)}")
        raise CommandRefused(f"{leg.node.name} refused {what}: {why(response)}")

    async def _quiet(self, leg: LegMemory) -> None:
        """Stops what occupies the leg's thread and waits for its end.

        Raises:
            DeadlineExceeded: it would not stop.
            LegGone: the leg ended meanwhile.
        """
        await self._ready(leg)
        if not leg.is_busy:
            return
        leg.idle = asyncio.Event()
        for playback_id in list(leg.playing):
            leg.playing[playback_id] = True
            await self._end(leg, Running("playback", playback_id))
        if leg.recording is not None:
            leg.recording.stopped = True
            await self._end(leg, Running("recording", leg.recording.recording_id))
        try:
            async with asyncio.timeout(leg.node.settings.deadline_s):
                leg.tell_if_idle()
                await leg.idle.wait()
        except TimeoutError:
            raise DeadlineExceeded(
                f"leg {leg.leg_id} on {leg.node.name} would not fall silent within {leg.node.settings.deadline_s} s"
            ) from None
        finally:
            leg.idle = None
        self._book.get(leg.leg_id)

    async def _ready(self, leg: LegMemory) -> None:
        """Before anything new begins on the leg: it is here, it has left the bridge it is being taken out of, and
        nothing still runs from before a gap, after which all work starts over.
        """
        await self._here(leg)
        if leg.parting is not None:
            await leg.parting.wait()
        while leg.left:
            await self._end(leg, leg.left[0])
            del leg.left[0]

    async def _here(self, leg: LegMemory) -> None:
        """Raises DeadlineExceeded: the node's dialplan keeps it. LegGone: it ended there."""
        if leg.away is None:
            return
        try:
            async with asyncio.timeout(AWAY_S):
                await leg.away.wait()
        except TimeoutError:
            where = f"{leg.node.name}'s dialplan"
            raise DeadlineExceeded(f"leg {leg.leg_id} is still in {where} after {AWAY_S:g} s") from None
        self._book.get(leg.leg_id)

    async def _end(self, leg: LegMemory, running: Running) -> None:
        """Asks to end it; that it had ended already is fine.

        For an instant, begun and not yet heard, a playback cannot be stopped: Asterisk answers 500 and forgets that
        it was asked. So it is asked again.
        """
        if running.what == "playback":
            method, uri = "DELETE", f"playbacks/{q(running.id)}"
        else:
            method, uri = "POST", f"recordings/live/{q(file_name(running.id))}/stop"
        for pause_s in (*_PAUSES_S, None):
            response = await leg.node.send(leg.leg_id, method, uri)
            if response.status_code in _ENDED:
                return
            if response.status_code != 500 or pause_s is None or self._book.find(leg.leg_id) is not leg:
                self._refuse(leg, response, f"to end {running.what} {running.id}")
            else:
                await asyncio.sleep(pause_s)

    # -- the door
    def _turn_away(self, node: NodeClient, leg_id: str) -> None:
        self._turned_away.add(leg_id)
        context = q(node.settings.overflow_context)
        self._send_off(
            node,
            leg_id,
            "POST",
            f"channels/{q(leg_id)}/continue?context={context}&extension=s&priority=1",
            self._hang_up,
        )

    def _hang_up(self, node: NodeClient, leg_id: str) -> None:
        self._send_off(node, leg_id, "DELETE", f"channels/{q(leg_id)}?reason_code=42", None)

    def _send_off(
        self, node: NodeClient, leg_id: str, method: str, uri: str, otherwise: Callable[[NodeClient, str], None] | None
    ) -> None:
        def answered(answer: asyncio.Future[RestResponse]) -> None:
            refused = answer.exception() is not None or answer.result().status_code >= 300
            if refused and otherwise is not None:
                otherwise(node, leg_id)
            else:
                self._turned_away.discard(leg_id)

        try:
            node.send(leg_id, method, uri).add_done_callback(answered)
        except CommandFailed as problem:
            self._turned_away.discard(leg_id)
            log.warning("leg %s was not turned away: %s", leg_id, problem)


def _say_nothing(node: str) -> None:
    """Nobody wants to know; the log does."""
