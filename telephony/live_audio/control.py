"""`LiveAudio` on Asterisk: a leg meets a media leg in a bridge, and a worker hears it.

    listen:     media leg made -> worker connected -> both in the bridge
    originate:  leg created, not dialed -> listen -> dialed: so what the network says while it rings is heard too

It ends with the final verdict, the worker's death, the leg's end, its next bridge (unless it listens beside it), or the
listener's limit, whichever comes first; then the media leg and the bridge are deleted. The leg goes on in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
from typing import Any

from core.errors import CommandFailed, CommandRefused, LegGone
from core.events import AudioVerdict, LegFact, LegUp, ListenerLost
from core.leg_commands import ListenToLeg, OriginateLeg
from core.live_audio import MEDIA_LEG
from core.ports import EventSink, Survey
from telephony.ari.messages import ChannelDestroyed, Event, PlaybackFinished, RecordingFinished
from telephony.ari.node_client import NodeClient
from telephony.control.calls import ring_s, variables
from telephony.control.desk import q, why
from telephony.control.legs import LegMemory
from telephony.control.names import caller_id
from telephony.control.surveying import Eavesdropping
from telephony.live_audio.media_leg import Tap, new_tap
from telephony.live_audio.messages import Found
from telephony.live_audio.set_up import SettingUp

log = logging.getLogger("centralita.live_audio")

SET_UP_WITHIN_S = 1.5
"""A leg's other commands wait no longer than this until it is heard."""
_LAST_WORD_S = 1.0


class LiveLegs(SettingUp):
    """Every leg of every node, and who listens to it."""

    def __init__(self, *arguments: Any) -> None:
        nodes, sink, *others = arguments
        super().__init__(nodes, self._noticing(sink), *others)
        self._taps: dict[str, Tap] = {}
        self._staying: dict[str, Tap] = {}
        """Legs that are still in the bridge of a listening that is over: they are being spoken to."""
        self._seen: dict[str, frozenset[str]] = {}
        self._transports |= {settings.node: settings.live_audio for settings in nodes}

    # -- the port
    async def listen(self, command: ListenToLeg) -> None:
        """Whoever listens to the leg already is dismissed."""
        leg = self._book.get(command.leg_id)
        if (before := self._taps.get(leg.leg_id)) is not None:
            await self._dismiss(before)
        await self._hear(leg, command)

    async def dismiss(self, leg_id: str, listening_id: str) -> None:
        tap = self._taps.get(leg_id)
        if tap is not None and tap.command.listening_id == listening_id:
            await self._dismiss(tap)

    async def originate(self, command: OriginateLeg) -> None:
        """As `Calls.originate`; with a listener, the leg is made first, heard, and then dialed."""
        if command.listen is None:
            await super().originate(command)
            return
        leg = self._new_leg(command)
        leg.created = True
        who = caller_id(command.caller, command.caller_name, command.endpoint)
        part = "all" if "<" in who else "num"
        # Asterisk tells the phone the one, and everybody else the other.
        shown = {f"CONNECTEDLINE({part},i)": who, f"CALLERID({part})": who}
        body = {"variables": variables(command) | shown}
        await self._make(leg, command, f"channels/create?channelId={q(leg.leg_id)}", body)
        await self._hear(leg, command.listen)
        dialed = await leg.node.send(leg.leg_id, "POST", f"channels/{q(leg.leg_id)}/dial?timeout={ring_s(command)}")
        if dialed.status_code < 300 or self._book.find(leg.leg_id) is not leg:
            return
        self._book.forget(leg.leg_id)
        await self._delete(leg.node, f"channels/{q(leg.leg_id)}")
        raise CommandRefused(f"{leg.node.name} cannot dial leg {leg.leg_id}: {why(dialed)}")

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str], keyed: Collection[str] = ()) -> None:
        """As `Listening.bridge`; whoever listened to the legs says what they think, or goes on beside the talk."""
        await super().bridge(bridge_id, leg_ids, keyed)
        for leg_id in leg_ids:
            if (tap := self._taps.get(leg_id)) is not None and not tap.snoop_id:
                self._later(self._step_aside(tap) if tap.command.beside else self._dismiss(tap))

    async def _step_aside(self, tap: Tap) -> None:
        """The media leg stays where it is, and hears the leg from there; what is missed is a few ms."""
        try:
            await self._spy(tap)
        except LegGone:
            pass  # whoever listened says so when the leg's end is told
        except CommandFailed as problem:
            self._lost(tap, f"it could not go on beside the talk: {problem}")

    async def close(self) -> None:
        """Media legs end at once: the next engine would not know what for they are."""
        for tap in list(self._taps.values()):
            self._over(tap)
        await super().close()

    # -- beginning
    async def _hear(self, leg: LegMemory, command: ListenToLeg) -> None:
        tap = new_tap(leg, command)
        self._taps[leg.leg_id] = tap
        try:
            async with asyncio.timeout(SET_UP_WITHIN_S):
                await self._begin(tap)
        except LegGone:
            self._lost(tap, "the leg has ended")
            raise
        except CommandFailed as problem:
            self._lost(tap, str(problem))
        except TimeoutError:
            self._lost(tap, f"nobody listened within {SET_UP_WITHIN_S:g} s: the node or the media worker is too slow")
        self._book.get(leg.leg_id)

    # -- what comes of it
    def _noticing(self, sink: EventSink) -> Callable[[LegFact], None]:
        def take(fact: LegFact) -> None:
            if type(fact) is LegUp:
                tap = self._taps.get(fact.leg_id)
                if tap is not None and tap.stream is not None:
                    tap.stream.answered()
            sink(fact)

        return take

    def _found(self, tap: Tap, found: Found) -> None:
        if tap.is_over:
            return
        if found.final:
            self._over(tap)
        command = tap.command
        self._sink(
            AudioVerdict(
                command.leg_id,
                command.listening_id,
                command.listener,
                found.label,
                found.confidence,
                found.evidence,
                found.final,
                found.at_s,
                found.heard_s,
                found.answered_s,
            )
        )

    def _lost(self, tap: Tap, why_: str) -> None:
        if tap.is_over:
            return
        self._over(tap)
        log.warning("leg %s: %s lost: %s", tap.leg.leg_id, tap.command.listener, why_)
        self._sink(ListenerLost(tap.command.leg_id, tap.command.listening_id, why_))

    async def _dismiss(self, tap: Tap) -> None:
        """Returns when its last word has been told."""
        if tap.stream is not None and not tap.is_over:
            tap.stream.end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(tap.over.wait(), _LAST_WORD_S)
        self._lost(tap, "it was dismissed and said nothing")

    # -- ending
    def _over(self, tap: Tap) -> None:
        """Nothing is told of it any more; what is left on the node is cleared away."""
        tap.over.set()
        if tap.backstop is not None:
            tap.backstop.cancel()
        if tap.stream is not None:
            tap.stream.end()
        if self._taps.get(tap.leg.leg_id) is tap:
            del self._taps[tap.leg.leg_id]
        leg = tap.leg
        is_inside = self._book.find(leg.leg_id) is leg and not tap.snoop_id
        if is_inside and leg.is_busy:
            self._staying[leg.leg_id] = tap  # to leave now would cut the speech off
            self._later(self._end_media_leg(tap))
        else:
            self._clear_later(tap, is_inside and leg.parting is None)

    def _speech_is_over(self) -> None:
        for leg_id, tap in list(self._staying.items()):
            if not tap.leg.is_busy:
                del self._staying[leg_id]
                self._clear_later(tap, self._book.find(leg_id) is tap.leg and tap.leg.parting is None)

    def _clear_later(self, tap: Tap, leaves: bool) -> None:
        if leaves:
            tap.leg.parting = asyncio.Event()  # before anything else is asked of the leg
        self._later(self._clear_away(tap, leaves))

    async def _clear_away(self, tap: Tap, leaves: bool) -> None:
        leg, node, room = tap.leg, tap.leg.node, f"bridges/{q(tap.bridge_id)}"
        try:
            if leaves:
                await node.send(leg.leg_id, "POST", f"{room}/removeChannel?channel={q(leg.leg_id)}")
        except CommandFailed as problem:
            log.info("leg %s did not leave its media leg's bridge: %s", leg.leg_id, problem)
        finally:
            if leaves and leg.parting is not None:
                leg.parting.set()
                leg.parting = None
        await self._end_media_leg(tap)
        await self._delete(node, room)

    async def _end_media_leg(self, tap: Tap) -> None:
        left = [tap.snoop_id] if tap.snoop_id else []
        if tap.media_id in self._media:
            left.append(tap.media_id)
        await self._delete(tap.leg.node, *(f"channels/{q(name)}" for name in left))
        self._media.pop(tap.media_id, None)

    def _leg_ended(self, leg: LegMemory) -> None:
        super()._leg_ended(leg)
        self._speech_is_over()
        if (tap := self._taps.get(leg.leg_id)) is not None:
            self._later(self._dismiss(tap))

    async def _survey(self, node: NodeClient) -> Survey:
        """Also sees which media legs ended while nobody could tell."""
        before = [tap for tap in self._media.values() if tap.leg.node is node and tap.is_joined]
        survey = await super()._survey(node)
        for tap in before:
            if tap.media_id not in self._seen.get(node.name, ()):
                self._media_ended(tap.media_id)
        return survey

    def _end_eavesdropping(self, node: NodeClient, found: Eavesdropping) -> None:
        self._seen[node.name] = frozenset(found.channels)
        super()._end_eavesdropping(node, found)

    def _ours(self) -> set[str]:
        return super()._ours() | {
            name for tap in (*self._media.values(), *self._staying.values()) for name in tap.names
        }

    def _listener(self, name: str) -> Callable[[Event], None]:
        take = super()._listener(name)

        def noticing(event: Event) -> None:
            if type(event) is ChannelDestroyed and event.channel.id.startswith(MEDIA_LEG):
                self._media_ended(event.channel.id)
            else:
                take(event)
                if self._staying and type(event) in (PlaybackFinished, RecordingFinished):
                    self._speech_is_over()

        return noticing

    def _media_ended(self, media_id: str) -> None:
        """By itself, or with its worker; then its verdict, if there is one, has been on its way for some time."""
        tap = self._media.pop(media_id, None)
        if tap is not None and not tap.is_over:
            self._later(self._dismiss(tap))
