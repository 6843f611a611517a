"""Live audio in memory: what parties say reaches real listeners, in this process, or verdicts come as a test says.

fake.live.say(leg_id, pcm)                               from now on, 8 kHz (or `rate_hz`)
fake.live.script["amd"] = ((1.2, Verdict("human")),)     no listener is made: seconds after it began -> its verdict
fake.live.lose_workers()                                 every listener is lost, and new ones until `workers` is set
fake.live.said[leg_id]                                   what the leg has heard of its listener, as samples
"""

from __future__ import annotations

import importlib
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.errors import CommandRefused
from core.events import AudioVerdict, LegFact, ListenerLost
from core.leg_commands import ListenToLeg
from core.live_audio import BLOCK_S, Listener, ListenerKind, Verdict
from core.ports import EventSink
from telephony.fake.agenda import Agenda, Appointment
from telephony.live_audio.hearing import Hearing
from telephony.live_audio.messages import Found, Message
from telephony.live_audio.mouth import Frames

SHIPPED = {"level": ListenerKind("telephony.live_audio.level:Level")}
_WIDTH = 2


class FakeMouth:
    """Heard at the pace of speech: `next_frame` is asked every 20 ms."""

    def __init__(self, frame_bytes: int, agenda: Agenda) -> None:
        self._frames = Frames(frame_bytes, agenda.clock.now_s)
        self._queue: list[bytes] = []

    def say(self, pcm: bytes) -> None:
        self._queue.extend(self._frames.cut(pcm))

    def flush(self) -> None:
        self._frames.flush()
        self._queue.clear()

    @property
    def queued_s(self) -> float:
        return len(self._queue) * BLOCK_S

    def next_frame(self) -> bytes:
        if not self._queue and (rest := self._frames.rest()):
            return rest
        return self._queue.pop(0) if self._queue else b""


class FakeStream:
    def __init__(self, mouth: FakeMouth) -> None:
        self.mouth = mouth

    def close(self) -> None:
        """Nothing is open."""

    def tick(self, now_s: float) -> None:
        """Its mouth is asked instead."""


@dataclass(slots=True, eq=False)
class _Listening:
    command: ListenToLeg
    kind: ListenerKind
    hearing: Hearing | None = None
    appointments: list[Appointment] = field(default_factory=list)
    blocks: int = 0


class FakeLiveAudio:
    """`kinds`: the listeners there are; those in `script` need not be among them."""

    def __init__(self, agenda: Agenda, sink: EventSink, kinds: Mapping[str, ListenerKind] | None = None) -> None:
        self.kinds = dict(SHIPPED if kinds is None else kinds)
        self.script: dict[str, Sequence[tuple[float, Verdict]]] = {}
        self.said: dict[str, bytes] = defaultdict(bytes)
        self.workers = True
        self._agenda = agenda
        self._sink = sink
        self._voices: dict[str, bytes] = {}
        self._listenings: dict[str, _Listening] = {}
        self._answered: set[str] = set()
        self._numbers = itertools.count(1)

    def __len__(self) -> int:
        """Legs that are listened to."""
        return len(self._listenings)

    # -- playing
    def say(self, leg_id: str, pcm: bytes) -> None:
        """After what she is saying already."""
        self._voices[leg_id] = self._voices.get(leg_id, b"") + pcm

    def lose_workers(self) -> None:
        self.workers = False
        for listening in list(self._listenings.values()):
            self._lost(listening, "the media worker ended")

    # -- the port's half
    def listen(self, command: ListenToLeg, answered: bool, talks: bool = False) -> None:
        self.dismiss(command.leg_id)
        listening = _Listening(command, self.kinds.get(command.listener) or ListenerKind(""))
        self._listenings[command.leg_id] = listening
        if answered:
            self._answered.add(command.leg_id)
        try:
            if not self.workers:
                raise CommandRefused("no media worker is there")
            if talks and not command.beside:
                raise CommandRefused(f"leg {command.leg_id} talks with somebody: ask to listen beside that")
            if command.listener in self.script:
                self._follow_script(listening)
            else:
                self._hear(listening)
        except (CommandRefused, ValueError, ImportError, AttributeError) as problem:
            self._lost(listening, str(problem))

    def dismiss(self, leg_id: str, listening_id: str = "") -> None:
        listening = self._listenings.get(leg_id)
        if listening is None or listening_id not in ("", listening.command.listening_id):
            return
        if listening.hearing is not None:
            listening.hearing.conclude()
        else:
            verdict = Verdict("not_sure", 0.0, "dismissed before the script's last word")
            self._tell(listening, verdict, self._agenda.clock.now_s(), 0.0, 0.0)

    def bridged(self, leg_id: str) -> None:
        listening = self._listenings.get(leg_id)
        if listening is not None and not listening.command.beside:
            self.dismiss(leg_id)

    def answered(self, leg_id: str) -> None:
        self._answered.add(leg_id)
        listening = self._listenings.get(leg_id)
        if listening is not None and listening.hearing is not None:
            listening.hearing.answered = True

    def ended(self, leg_id: str) -> None:
        self.dismiss(leg_id)
        self._voices.pop(leg_id, None)
        self._answered.discard(leg_id)

    # -- inside
    def _follow_script(self, listening: _Listening) -> None:
        for after_s, verdict in self.script[listening.command.listener]:

            def tell(verdict: Verdict = verdict, after_s: float = after_s) -> None:
                answered_s = after_s if listening.command.leg_id in self._answered else 0.0
                self._tell(listening, verdict, self._agenda.clock.now_s(), after_s, answered_s)

            listening.appointments.append(self._agenda.after(after_s, tell))

    def _hear(self, listening: _Listening) -> None:
        """Raises CommandRefused, and whatever making the listener does."""
        command, rate_hz = listening.command, listening.kind.rate_hz
        module, _, attribute = listening.kind.factory.partition(":")
        if not module:
            raise CommandRefused(
                f"there is no listener {command.listener!r}: it must be one of {', '.join(self.kinds)}"
            )
        listener: Listener = getattr(importlib.import_module(module), attribute)(command.options)

        def tell(message: Message) -> None:
            if isinstance(message, Found):
                verdict = Verdict(message.label, message.confidence, message.evidence, message.final)
                self._tell(listening, verdict, message.at_s, message.heard_s, message.answered_s)
            else:
                self._lost(listening, getattr(message, "why", ""))

        hearing = listening.hearing = Hearing(
            next(self._numbers),
            command.leg_id,
            listener,
            rate_hz=rate_hz,
            answered=command.leg_id in self._answered,
            limit_s=command.limit_s,
            utc_s=0.0,
            tell=tell,
            on_over=lambda hearing: None,
        )
        mouth = FakeMouth(round(rate_hz * BLOCK_S) * _WIDTH, self._agenda)
        began_s = self._agenda.clock.now_s()
        hearing.begin(began_s, FakeStream(mouth))
        self._next_block(listening, hearing, mouth, began_s)

    def _next_block(self, listening: _Listening, hearing: Hearing, mouth: FakeMouth, began_s: float) -> None:
        if hearing.is_over:
            return
        listening.blocks += 1
        due_s = began_s + listening.blocks * BLOCK_S
        leg_id, size = listening.command.leg_id, round(listening.kind.rate_hz * BLOCK_S) * _WIDTH

        def block() -> None:
            voice = self._voices.get(leg_id, b"")
            self._voices[leg_id] = voice[size:]
            self.said[leg_id] += mouth.next_frame().ljust(size, b"\0")
            hearing.take(voice[:size].ljust(size, b"\0"), due_s)
            hearing.tick(due_s)
            self._next_block(listening, hearing, mouth, began_s)

        listening.appointments = [self._agenda.at(due_s, block)]

    def _tell(self, listening: _Listening, verdict: Verdict, at_s: float, heard_s: float, answered_s: float) -> None:
        command = listening.command
        if self._listenings.get(command.leg_id) is not listening:
            return
        if verdict.final:
            self._over(listening)
        label, confidence, evidence = verdict.label, verdict.confidence, verdict.evidence
        fact: LegFact = AudioVerdict(
            command.leg_id,
            command.listening_id,
            command.listener,
            label,
            confidence,
            evidence,
            verdict.final,
            at_s,
            heard_s,
            answered_s,
        )
        self._sink(fact)

    def _lost(self, listening: _Listening, why: str) -> None:
        if self._listenings.get(listening.command.leg_id) is listening:
            self._over(listening)
            self._sink(ListenerLost(listening.command.leg_id, listening.command.listening_id, why))

    def _over(self, listening: _Listening) -> None:
        del self._listenings[listening.command.leg_id]
        for appointment in listening.appointments:
            appointment.cancel()
        if listening.hearing is not None:
            listening.hearing.close()
