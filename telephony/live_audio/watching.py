"""Legs that are judged without their audio: Asterisk's TALK_DETECT tells when they are loud, and a pure judge the rest.

    up --TALK_DETECT(set)--> loud, silent, loud ... --the judge's final verdict, or whatever else ends it--> (remove)

No channel, no bridge and no worker is needed for it. It is set when the leg is up, not when it is dialed: Asterisk
counts by the rate that the codec had by then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from core.errors import CommandFailed
from core.events import AudioVerdict, LegFact, LegUp, ListenerLost
from core.leg_commands import ListenToLeg, OriginateLeg
from core.live_audio import NOT_SURE, NodeJudge, TalkJudge, Verdict, WatchKind
from core.ports import EventSink
from telephony.ari.messages import ChannelTalkingFinished, ChannelTalkingStarted, Event, RestResponse
from telephony.control.desk import q, why
from telephony.control.legs import LegMemory
from telephony.live_audio.control import LiveLegs

log = logging.getLogger("centralita.live_audio")

_LEAST_S = 0.01
"""Between two looks."""


@dataclass(slots=True, eq=False)
class Watch:
    """One leg, and who judges it: by when it talks, or by what the node's application says (`by_node`). `began_s`: loop
    seconds of the answer, or of its own beginning; None before."""

    command: ListenToLeg
    judge: TalkJudge | None = None
    by_node: NodeJudge | None = None
    began_s: float | None = None
    is_set: bool = False
    """Whether the node tells of it."""
    timer: asyncio.TimerHandle | None = None
    backstop: asyncio.TimerHandle | None = None


class Watching(LiveLegs):
    """`watches`: the listeners that need no audio, by name."""

    watches: Mapping[str, WatchKind] = MappingProxyType({})

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._watched: dict[str, Watch] = {}

    # -- the port
    async def listen(self, command: ListenToLeg) -> None:
        """Whoever listens to the leg already is dismissed."""
        leg = self._book.get(command.leg_id)
        self._end_watch(leg.leg_id)
        if command.listener not in self.watches:
            await super().listen(command)
            return
        if (before := self._taps.get(leg.leg_id)) is not None:
            await self._dismiss(before)
        watch = self._watch_for(command)
        if watch is None:
            return
        if watch.judge is None:
            self._lose(watch, f"{command.listener} hears those alone who are dialed with it")
        elif self._talks(leg) and not command.beside:
            self._lose(watch, f"leg {leg.leg_id} talks with somebody: ask to listen beside that")
        elif leg.up:
            if not self._talks(leg):
                try:
                    await self._quiet(leg)  # or setting it would wait for what is played to the leg
                except CommandFailed as problem:
                    self._lose(watch, str(problem))
            self._begin_watch(leg, watch)
        self._book.get(leg.leg_id)

    async def dismiss(self, leg_id: str, listening_id: str) -> None:
        watch = self._watched.get(leg_id)
        if watch is not None and watch.command.listening_id == listening_id:
            self._end_watch(leg_id)
        await super().dismiss(leg_id, listening_id)

    async def originate(self, command: OriginateLeg) -> None:
        """As `LiveLegs.originate`. Who needs no audio needs no leg that is made before it is dialed."""
        if command.listen is None or command.listen.listener not in self.watches:
            await super().originate(command)
            return
        watch = self._watch_for(command.listen)
        try:
            await super().originate(replace(command, listen=None))
        except CommandFailed:
            if watch is not None:
                self._forget_watch(watch)
            raise

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str], keyed: Collection[str] = ()) -> None:
        await super().bridge(bridge_id, leg_ids, keyed)
        for leg_id in leg_ids:
            watch = self._watched.get(leg_id)
            if watch is not None and not watch.command.beside:
                self._end_watch(leg_id)

    async def close(self) -> None:
        for watch in list(self._watched.values()):
            self._forget_watch(watch)
        await super().close()

    # -- beginning
    def _watch_for(self, command: ListenToLeg) -> Watch | None:
        """None, and told, when its options make no sense."""
        kind = self.watches[command.listener]
        try:
            judge = kind.by_talk(command.options) if kind.by_talk is not None else None
            by_node = kind.by_node(command.options) if kind.by_node is not None else None
        except ValueError as wrong:
            self._sink(ListenerLost(command.leg_id, command.listening_id, str(wrong)))
            return None
        watch = Watch(command, judge, by_node)
        watch.backstop = asyncio.get_running_loop().call_later(command.limit_s, self._end_watch, command.leg_id)
        self._watched[command.leg_id] = watch
        return watch

    def _noticing(self, sink: EventSink) -> Callable[[LegFact], None]:
        hand_on = super()._noticing(sink)

        def take(fact: LegFact) -> None:
            hand_on(fact)
            if type(fact) is LegUp and (watch := self._watched.get(fact.leg_id)) is not None:
                leg = self._book.find(fact.leg_id)
                if leg is not None:
                    self._begin_watch(leg, watch)

        return take

    def _begin_watch(self, leg: LegMemory, watch: Watch) -> None:
        """At once, before anything else is asked of the leg: what is played to it would hold this up."""
        if watch.began_s is not None or self._watched.get(leg.leg_id) is not watch:
            return
        watch.began_s = asyncio.get_running_loop().time()
        if (judge := watch.judge) is None:
            return
        how = {"variable": "TALK_DETECT(set)", "value": f"{round(1000 * judge.pause_s)},{judge.loudness}"}
        try:
            asked = leg.node.send(leg.leg_id, "POST", f"channels/{q(leg.leg_id)}/variable?{urlencode(how)}")
        except CommandFailed as problem:
            self._lose(watch, str(problem))
            return
        watch.is_set = True
        asked.add_done_callback(partial(self._was_set, watch))
        self._look(watch)

    def _was_set(self, watch: Watch, asked: asyncio.Future[RestResponse]) -> None:
        if asked.cancelled() or self._watched.get(watch.command.leg_id) is not watch:
            return
        if (failure := asked.exception()) is not None:
            self._lose(watch, str(failure))
        elif asked.result().status_code >= 300:
            self._lose(watch, f"this Asterisk does not do TALK_DETECT: {why(asked.result())}")

    # -- news
    def _listener(self, name: str) -> Callable[[Event], None]:
        take = super()._listener(name)

        def noticing(event: Event) -> None:
            if type(event) is ChannelTalkingStarted:
                self._talk(event.channel.id, None)
            elif type(event) is ChannelTalkingFinished:
                self._talk(event.channel.id, event.duration / 1000)
            else:
                take(event)

        return noticing

    def _talk(self, leg_id: str, lasted_s: float | None) -> None:
        """`lasted_s` None: it begins. How long it lasted Asterisk measures: events may come late, and together."""
        watch = self._watched.get(leg_id)
        if watch is None or watch.began_s is None or watch.judge is None:
            return
        if lasted_s is None:
            watch.judge.talks(self._since_s(watch))
        else:
            watch.judge.silent(max(0.0, self._since_s(watch) - watch.judge.pause_s), lasted_s)
        self._look(watch)

    def _look(self, watch: Watch) -> None:
        """What the judge thinks now, and when it wants to be asked again."""
        judge = watch.judge
        if judge is None or self._watched.get(watch.command.leg_id) is not watch:
            return
        if watch.timer is not None:
            watch.timer.cancel()
        now_s = self._since_s(watch)
        if (verdict := judge.look(now_s)) is not None:
            self._tell(watch, verdict)
        if self._watched.get(watch.command.leg_id) is watch:
            wait_s = min(max(_LEAST_S, judge.due_s - now_s), watch.command.limit_s)
            watch.timer = asyncio.get_running_loop().call_later(wait_s, self._look, watch)

    def _since_s(self, watch: Watch) -> float:
        return asyncio.get_running_loop().time() - watch.began_s if watch.began_s is not None else 0.0

    # -- what comes of it
    def _tell(self, watch: Watch, verdict: Verdict) -> None:
        if verdict.final:
            self._forget_watch(watch)
        command, heard_s = watch.command, self._since_s(watch)
        self._sink(
            AudioVerdict(
                command.leg_id,
                command.listening_id,
                command.listener,
                verdict.label,
                verdict.confidence,
                verdict.evidence,
                verdict.final,
                time.time() - verdict.past_s,
                heard_s,
                heard_s,
            )
        )

    def _lose(self, watch: Watch, why_: str) -> None:
        if self._watched.get(watch.command.leg_id) is not watch:
            return
        self._forget_watch(watch)
        log.warning("leg %s: %s lost: %s", watch.command.leg_id, watch.command.listener, why_)
        self._sink(ListenerLost(watch.command.leg_id, watch.command.listening_id, why_))

    def _end_watch(self, leg_id: str) -> None:
        """The judge says what it thinks by now."""
        watch = self._watched.get(leg_id)
        if watch is None:
            return
        if watch.judge is None:
            self._tell(watch, Verdict(NOT_SURE, 0.0, "it was over before there was a verdict"))
        else:
            self._tell(watch, replace(watch.judge.end(self._since_s(watch)), final=True))

    def _forget_watch(self, watch: Watch) -> None:
        for handle in (watch.timer, watch.backstop):
            if handle is not None:
                handle.cancel()
        self._watched.pop(watch.command.leg_id, None)
        leg = self._book.find(watch.command.leg_id)
        if leg is None or not watch.is_set or leg.is_busy:
            return  # what is played to it would hold this up, and a node that tells too much does no harm
        asked = urlencode({"variable": "TALK_DETECT(remove)", "value": "yes"})
        try:
            answer = leg.node.send(leg.leg_id, "POST", f"channels/{q(leg.leg_id)}/variable?{asked}")
        except CommandFailed as problem:
            log.info("leg %s: TALK_DETECT stays: %s", leg.leg_id, problem)
        else:
            answer.add_done_callback(lambda over: over.cancelled() or over.exception())

    def _leg_ended(self, leg: LegMemory) -> None:
        super()._leg_ended(leg)
        # After its end has been told: nobody is to serve, on this verdict, who has gone.
        asyncio.get_running_loop().call_soon(self._end_watch, leg.leg_id)
