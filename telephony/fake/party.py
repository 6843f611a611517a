"""The person at the other end of a fake leg: what she does, and what she has heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from core.events import (
    DigitPressed,
    LegEarlyMedia,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    PlaybackFinished,
    RecordingFinished,
)
from core.leg import EndReason
from core.ports import EventSink
from telephony.fake.agenda import Agenda, Appointment

BEEP_S = 0.2


@dataclass(frozen=True, slots=True)
class Heard:
    """One media item and for how many seconds of it she listened; `at_s`: when it began."""

    item: str
    playback_id: str
    at_s: float
    seconds: float


@dataclass(slots=True)
class _Playback:
    playback_id: str
    media: deque[str]
    failed: bool = False


@dataclass(slots=True)
class _Recording:
    recording_id: str
    terminators: str
    silence_s: int
    began_s: float
    limit: Appointment | None
    silence: Appointment | None = None


@dataclass(slots=True)
class TalkRecording:
    """`paused`: from when until when nothing is written (UTC seconds); the last one may be open."""

    recording_id: str
    began_s: float
    paused: list[tuple[float, float | None]]


class Party:
    """One leg and who is on it. Tests use `press`, `speak`, `hang_up`, `hold`, `resume`, and for a leg that we
    dialed `ring`, `early_media`, `answer`, `decline`; and look at `heard`, `music`, `is_up`, `is_muted`, `is_parked`,
    `is_keyed` (those it is bridged with hear none of its keys), `digits_received` (those it was sent or heard there),
    `talk`, `ended`.
    """

    def __init__(
        self,
        leg_id: str,
        agenda: Agenda,
        sink: EventSink,
        seconds_of: Callable[[str], float | None],
        on_end: Callable[[Party], None],
        inbound: bool,
        arrival: Mapping[str, str],
    ) -> None:
        self.leg_id = leg_id
        self.inbound = inbound
        self.arrival = dict(arrival)
        self.created_s = agenda.clock.now_s()
        self.is_up = False
        self.is_held = False
        self.is_muted = False
        self.is_parked = False
        self.is_keyed = False
        self.talk: TalkRecording | None = None
        self.ended: EndReason | None = None
        self.music = ""
        self.digits_received = ""
        self.heard: list[Heard] = []
        self._agenda = agenda
        self._sink = sink
        self._seconds_of = seconds_of
        self._on_end = on_end
        self._queue: deque[_Playback] = deque()
        self._item_began_s = 0.0
        self._item_end: Appointment | None = None
        self._recording: _Recording | None = None
        self._left: tuple[str, ...] = ()
        self._speaks_until_s = 0.0
        self._appointments: list[Appointment] = []

    # -- what she does
    def press(self, digits: str) -> None:
        """Each key at once, in this order."""
        for digit in digits:
            if self.ended is not None:
                return
            recording = self._recording
            self._sink(DigitPressed(self.leg_id, digit))
            if recording is not None and recording.terminators in ("any", digit):
                self._end_recording("digit")

    def speak(self, seconds: float) -> None:
        """From now on, for so long."""
        self._speaks_until_s = self._agenda.clock.now_s() + seconds
        self._watch_silence()

    def hang_up(self, reason: EndReason = EndReason.HUNG_UP, cause: int = 16) -> None:
        self.end(reason, cause)

    def hold(self) -> None:
        if self.is_up and not self.is_held:
            self.is_held = True
            self._sink(LegHeld(self.leg_id))

    def resume(self) -> None:
        if self.is_held:
            self.is_held = False
            self._sink(LegResumed(self.leg_id))

    def ring(self) -> None:
        if not self.is_up and self.ended is None:
            self._sink(LegRinging(self.leg_id))

    def early_media(self) -> None:
        if not self.is_up and self.ended is None:
            self._sink(LegEarlyMedia(self.leg_id))

    def answer(self) -> None:
        """She picks up (or we do, for one who called us)."""
        if not self.is_up and self.ended is None:
            self.is_up = True
            self._sink(LegUp(self.leg_id))

    def decline(self, reason: EndReason = EndReason.BUSY, cause: int = 17) -> None:
        if not self.is_up:
            self.end(reason, cause)

    # -- what is done to her
    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """As long as the leg lives."""
        self._appointments.append(self._agenda.after(seconds, action))

    def leave_running(self) -> None:
        """The events stopped flowing. Work starts over later: what runs from before ends when the next begins."""
        self._left = (*self.playing, self.recording_id)

    def end_left(self) -> None:
        left, self._left = self._left, ()
        for running in left:
            self.stop(running)
            if running:
                self.stop_recording(running, told=False)

    def play(self, playback_id: str, media: Sequence[str]) -> None:
        self.end_left()
        self._queue.append(_Playback(playback_id, deque(media)))
        if len(self._queue) == 1:
            self._next_item()

    def stop(self, playback_id: str) -> None:
        for playback in list(self._queue):
            if playback.playback_id != playback_id:
                continue
            running = self._queue[0] is playback
            if running:
                self._listened(playback, playback.media[0])
            self._queue.remove(playback)
            self._sink(PlaybackFinished(self.leg_id, playback_id, "stopped"))
            if running and self._queue and self.ended is None:
                self._next_item()

    @property
    def playing(self) -> tuple[str, ...]:
        """Unfinished playbacks, the one she hears first."""
        return tuple(playback.playback_id for playback in self._queue)

    @property
    def recording_id(self) -> str:
        """The running recording, empty when there is none."""
        return self._recording.recording_id if self._recording is not None else ""

    def record(self, recording_id: str, max_s: int, silence_s: int, terminators: str) -> None:
        self.end_left()
        limit = self._agenda.after(max_s, lambda: self._end_recording("limit")) if max_s else None
        now_s = self._agenda.clock.now_s()
        self._recording = _Recording(recording_id, terminators, silence_s, now_s, limit)
        self._watch_silence()

    def stop_recording(self, recording_id: str, told: bool = True) -> None:
        if self.recording_id == recording_id:
            self._end_recording("stopped", told)

    def record_talk(self, recording_id: str) -> TalkRecording:
        self.talk = TalkRecording(recording_id, self._agenda.clock.now_s(), [])
        return self.talk

    def pause_talk(self, recording_id: str, paused: bool) -> None:
        talk = self.talk
        if talk is None or talk.recording_id != recording_id:
            return
        now_s = self._agenda.clock.now_s()
        is_paused = bool(talk.paused) and talk.paused[-1][1] is None
        if paused and not is_paused:
            talk.paused.append((now_s, None))
        elif is_paused and not paused:
            talk.paused[-1] = (talk.paused[-1][0], now_s)

    def stop_talk(self, recording_id: str, told: bool = True) -> None:
        if self.talk is not None and self.talk.recording_id == recording_id:
            self._end_talk("stopped", told)

    def silence_for_bridge(self) -> None:
        """The freeze rule: what plays or records is stopped before the leg is answered or bridged."""
        for playback_id in self.playing:
            self.stop(playback_id)
        self.stop_recording(self.recording_id)

    def end(self, reason: EndReason, cause: int = 0, told: bool = True) -> None:
        """`told` False: the leg vanishes and nobody hears of it."""
        if self.ended is not None:
            return
        self.ended = reason
        for appointment in self._appointments:
            appointment.cancel()
        if self._queue and self._queue[0].media:
            self._listened(self._queue[0], self._queue[0].media[0])
        self._queue.clear()
        self._end_recording("hangup", told)
        self._end_talk("hangup", told)
        self.music = ""
        self._on_end(self)
        if told:
            self._sink(LegEnded(self.leg_id, reason, cause))

    # -- time passing
    def _next_item(self) -> None:
        playback = self._queue[0]
        if not playback.media:
            self._queue.popleft()
            self._sink(
                PlaybackFinished(self.leg_id, playback.playback_id, "failed" if playback.failed else "completed")
            )
            if self._queue and self.ended is None:
                self._next_item()
            return
        seconds = self._seconds_of(playback.media[0])
        playback.failed = seconds is None
        self._item_began_s = self._agenda.clock.now_s()
        self._item_end = self._agenda.after(seconds or 0.0, self._item_ended)

    def _item_ended(self) -> None:
        playback = self._queue[0]
        item = playback.media.popleft()
        if not playback.failed:
            self._listened(playback, item)
        self._next_item()

    def _listened(self, playback: _Playback, item: str) -> None:
        if self._item_end is not None:
            self._item_end.cancel()
        seconds = self._agenda.clock.now_s() - self._item_began_s
        self.heard.append(Heard(item, playback.playback_id, self._item_began_s, seconds))

    def _watch_silence(self) -> None:
        recording = self._recording
        if recording is None or not recording.silence_s:
            return
        if recording.silence is not None:
            recording.silence.cancel()
        quiet_from_s = max(self._agenda.clock.now_s(), self._speaks_until_s)
        recording.silence = self._agenda.at(quiet_from_s + recording.silence_s, lambda: self._end_recording("silence"))

    def _end_talk(self, ended_by: Literal["hangup", "stopped"], told: bool) -> None:
        talk, self.talk = self.talk, None
        if talk is not None and told:
            lasted_s = self._agenda.clock.now_s() - talk.began_s
            self._sink(RecordingFinished(self.leg_id, talk.recording_id, lasted_s, ended_by))

    def _end_recording(
        self, ended_by: Literal["digit", "silence", "limit", "hangup", "stopped"], told: bool = True
    ) -> None:
        recording, self._recording = self._recording, None
        if recording is None:
            return
        for appointment in (recording.limit, recording.silence):
            if appointment is not None:
                appointment.cancel()
        if told:
            lasted_s = self._agenda.clock.now_s() - recording.began_s
            self._sink(RecordingFinished(self.leg_id, recording.recording_id, lasted_s, ended_by))
