"""A caller in virtual time: she hears prompts to their end, presses keys, is silent, hangs up.

The world around her answers as she was promised (`Promises`): web replies, queues, transfers, recordings. Nothing
waits: a day of calls runs in seconds, and always the same way.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from core.commands import (
    AskAgent,
    AskQueueStatus,
    CancelTimer,
    Command,
    JoinQueue,
    LeaveQueue,
    ListNumber,
    OpenTicket,
    RequestCallback,
    SendHttp,
    SendMessage,
    SetToggle,
    StartTimer,
    Transfer,
    subject_of,
)
from core.decisions import Decision, NodeEntered
from core.events import (
    AgentAnswered,
    CallbackRequested,
    CommandRejected,
    DigitPressed,
    Event,
    HttpReplied,
    LegEnded,
    MessageSent,
    NumberKept,
    PlaybackFinished,
    QueueLeft,
    QueueStatusGiven,
    RecordingFinished,
    RecordingKept,
    TicketOpened,
    TimerFired,
    ToggleSet,
    TransferEnded,
)
from core.leg import EndReason
from core.leg_commands import (
    DiscardRecording,
    HangUpLeg,
    KeepRecording,
    Play,
    StartRecording,
    StopPlayback,
    StopRecording,
)
from core.media import Tone
from ivr import interpreter, snapshot
from ivr.run import Ended, FlowRun, Start, Step
from ivr.scenario.transcript import Decided, Did, Heard, Line, Ordered, length_s
from ivr.visit import World

KEY_GAP_S = 0.2
"""Between two keys pressed in a row."""
BEEP = Tone("beep")
"""What a recording begins with."""
FOR_EVER_S = 24 * 3600.0
MOST_FACTS = 5_000
"""In one step of a scenario; more is a flow that never comes to rest."""


C = TypeVar("C", bound=Command)
D = TypeVar("D", bound=Decision)


class Promises(Protocol):
    """What the world around the caller will answer, and after how many seconds."""

    @property
    def rejected(self) -> Collection[str]:
        """Names of commands that are not carried out."""
        ...

    def http(self, command: SendHttp) -> tuple[HttpReplied, float]: ...

    def queue(self, command: JoinQueue) -> tuple[str, float]: ...

    def queue_status(self, command: AskQueueStatus) -> QueueStatusGiven: ...

    def agent(self, command: AskAgent) -> AgentAnswered: ...

    def transfer(self, command: Transfer) -> tuple[str, float]: ...

    def recording(self, command: StartRecording) -> tuple[float, str]:
        """How long she speaks, closing silence included, and what ends it."""
        ...


@dataclass
class Caller:
    """Her call from its first moment. `transcript`: what was heard, done, decided and ordered, in order."""

    world: World
    begin: Start
    now_s: float
    promises: Promises
    transcript: list[Line] = field(default_factory=list)
    ended: Ended | None = None
    run: FlowRun = field(init=False)

    def __post_init__(self) -> None:
        self._heap: list[tuple[float, int, str, Event]] = []
        self._live: dict[str, int] = {}
        self._worldly: set[str] = set()
        self._counter = self._tickets = 0
        self._heard: dict[str, Heard] = {}
        self._recording: tuple[str, float, str] | None = None
        self._take(interpreter.start(self.world, self.begin, self.now_s))

    # -- what a caller does ------------------------------------------------------------------------------
    def listen(self) -> None:
        """Hears out what is being said, and what the flow does meanwhile, until it waits for her."""
        for _ in range(MOST_FACTS):
            if self.ended is not None or not self._worldly or not self._happens():
                return

    def press(self, keys: str) -> None:
        for index, key in enumerate(keys):
            if index:
                self.pass_time(KEY_GAP_S)
            if self.ended is not None:
                return
            self.transcript.append(Did(self.now_s, f"press {key}"))
            if self._recording is not None and self._ends_recording(key):
                continue
            self._tell(DigitPressed(self.begin.leg_id, key))

    def pass_time(self, seconds: float) -> None:
        """Time passes, and what falls due happens."""
        until_s = self.now_s + seconds
        for _ in range(MOST_FACTS):
            if self.ended is not None or not self._happens(until_s):
                break
        if self.ended is None:
            self.now_s = until_s

    def be_silent(self, seconds: float) -> None:
        self.transcript.append(Did(self.now_s, f"silence {seconds:g}"))
        self.pass_time(seconds)

    def hang_up(self) -> None:
        self.transcript.append(Did(self.now_s, "hang up"))
        self._tell(LegEnded(self.begin.leg_id, EndReason.HUNG_UP))

    def survive_restart(self) -> None:
        """The engine dies and comes back: what is not in the snapshot is lost."""
        self.transcript.append(Did(self.now_s, "the engine restarts"))
        gone = [key for _, _, key, event in self._heap if type(event) in (TimerFired, PlaybackFinished)]
        for key in gone:
            self._forget(key)
        self._take(interpreter.resume(self.world, snapshot.load(snapshot.dump(self.run)), self.now_s))

    # -- what there is to see ----------------------------------------------------------------------------
    @property
    def is_waiting_for_her(self) -> bool:
        return self.ended is None and not self._worldly

    def heard(self) -> list[str]:
        """What was said, one playback each."""
        return [line.text() for line in self.transcript if type(line) is Heard]

    def path(self) -> list[str]:
        """The nodes entered, in order."""
        decisions = (line.decision for line in self.transcript if type(line) is Decided)
        return [decision.node for decision in decisions if isinstance(decision, NodeEntered)]

    def ordered(self, kind: type[C]) -> list[C]:
        """The commands of a kind, in order; timers and the stopping of prompts are not kept."""
        commands = (line.command for line in self.transcript if type(line) is Ordered)
        return [command for command in commands if isinstance(command, kind)]

    def decided(self, kind: type[D]) -> list[D]:
        """The decisions of a kind, in order."""
        decisions = (line.decision for line in self.transcript if type(line) is Decided)
        return [decision for decision in decisions if isinstance(decision, kind)]

    def tell(self, event: Event) -> None:
        """A fact from outside: something the promises did not foresee."""
        self._tell(event)

    # -- the world ---------------------------------------------------------------------------------------
    def _happens(self, until_s: float = float("inf")) -> bool:
        """The next thing that is due by then happens, if there is one."""
        heap, live = self._heap, self._live
        while heap:
            due_s, number, key, event = heap[0]
            if live.get(key) != number:
                heapq.heappop(heap)
                continue
            if due_s > until_s:
                return False
            heapq.heappop(heap)
            self._forget(key)
            if due_s > self.now_s:
                self.now_s = due_s
            if type(event) is RecordingFinished:
                self._recording = None
            self._tell(event)
            return True
        return False

    def _expect(self, key: str, due_s: float, event: Event) -> None:
        self._counter += 1
        self._live[key] = self._counter
        if type(event) is not TimerFired or key.endswith(".over"):
            self._worldly.add(key)  # the end of a pause is no time-out either: the caller just listens on
        heapq.heappush(self._heap, (due_s, self._counter, key, event))

    def _forget(self, key: str) -> bool:
        """Whether it was still to come."""
        self._worldly.discard(key)
        return self._live.pop(key, None) is not None

    def _tell(self, event: Event) -> None:
        self._take(interpreter.handle(self.world, self.run, event, self.now_s))

    def _take(self, step: Step) -> None:
        self.run = step.run
        now_s, transcript, rejected = self.now_s, self.transcript, self.promises.rejected
        for decision in step.decisions:
            transcript.append(Decided(now_s, decision))
        for command in step.commands:
            answer = _ANSWERS.get(type(command))
            if type(command) is Play:
                heard = self._heard[command.playback_id] = Heard(now_s, command.parts)
                transcript.append(heard)
            elif type(command) not in _SILENT:
                transcript.append(Ordered(now_s, command))
            if rejected and type(command).__name__ in rejected:
                self._reject(command)
                continue
            if type(command) is StartRecording and command.beep:
                transcript.append(Heard(now_s, (BEEP,)))
            if answer is not None:
                answer(self, command)
        if step.ended is not None:
            self.ended = step.ended

    def _play(self, command: Play) -> None:
        finished = PlaybackFinished(command.leg_id, command.playback_id)
        self._expect(command.playback_id, self.now_s + length_s(command.parts), finished)

    def _stop(self, command: StopPlayback) -> None:
        if self._forget(command.playback_id):
            self._heard[command.playback_id].cut = True

    def _start_timer(self, command: StartTimer) -> None:
        due_s = max(self.now_s, command.due_s)
        self._expect(command.timer_id, due_s, TimerFired(command.interaction_id, command.timer_id))

    def _cancel_timer(self, command: CancelTimer) -> None:
        self._forget(command.timer_id)

    def _http(self, command: SendHttp) -> None:
        reply, after_s = self.promises.http(command)
        self._expect(command.request_id, self.now_s + after_s, reply)

    def _join_queue(self, command: JoinQueue) -> None:
        outcome, after_s = self.promises.queue(command)
        left = QueueLeft(command.interaction_id, command.stay_id, outcome)
        self._expect(command.stay_id, self.now_s + after_s, left)

    def _ask_queue_status(self, command: AskQueueStatus) -> None:
        self._expect(command.request_id, self.now_s, self.promises.queue_status(command))

    def _ask_agent(self, command: AskAgent) -> None:
        self._expect(command.request_id, self.now_s, self.promises.agent(command))

    def _open_ticket(self, command: OpenTicket) -> None:
        self._tickets += 1
        opened = TicketOpened(command.interaction_id, command.ticket_id, f"T-{self._tickets}")
        self._expect(command.ticket_id, self.now_s, opened)

    def _request_callback(self, command: RequestCallback) -> None:
        requested = CallbackRequested(command.interaction_id, command.callback_id)
        self._expect(command.callback_id, self.now_s, requested)

    def _list_number(self, command: ListNumber) -> None:
        self._expect(command.request_id, self.now_s, NumberKept(command.interaction_id, command.request_id))

    def _send_message(self, command: SendMessage) -> None:
        self._expect(command.message_id, self.now_s, MessageSent(command.interaction_id, command.message_id))

    def _leave_queue(self, command: LeaveQueue) -> None:
        self._forget(command.stay_id)

    def _transfer(self, command: Transfer) -> None:
        outcome, after_s = self.promises.transfer(command)
        ended = TransferEnded(command.interaction_id, command.transfer_id, outcome)  # type: ignore[arg-type]
        self._expect(command.transfer_id, self.now_s + after_s, ended)

    def _toggle(self, command: SetToggle) -> None:
        toggles = {**self.world.toggles, (command.tenant, command.toggle): command.value}
        self.world = replace(self.world, toggles=toggles)
        done = ToggleSet(command.interaction_id, command.tenant, command.toggle, command.value)
        self._expect(f"toggle {command.toggle}", self.now_s, done)

    def _record(self, command: StartRecording) -> None:
        length, ended_by = self.promises.recording(command)
        self._recording = (command.recording_id, self.now_s, command.terminators)
        finished = RecordingFinished(command.leg_id, command.recording_id, length, ended_by)  # type: ignore[arg-type]
        self._expect(command.recording_id, self.now_s + length, finished)

    def _end_recording(self, command: StopRecording | DiscardRecording) -> None:
        self._forget(command.recording_id)
        self._recording = None

    def _keep_recording(self, command: KeepRecording) -> None:
        kept = RecordingKept(command.leg_id, command.recording_id)
        self._expect(f"keep {command.recording_id}", self.now_s, kept)

    def _ends_recording(self, key: str) -> bool:
        assert self._recording is not None
        recording_id, since_s, terminators = self._recording
        if terminators != "any" and key not in terminators:
            return False
        self._forget(recording_id)
        self._recording = None
        self._tell(RecordingFinished(self.begin.leg_id, recording_id, self.now_s - since_s, "digit"))
        self._tell(DigitPressed(self.begin.leg_id, key))
        return True

    def _reject(self, command: Command) -> None:
        name = type(command).__name__
        leg_id, subject_id = getattr(command, "leg_id", ""), subject_of(command)
        rejected = CommandRejected(self.begin.interaction_id, "", name, "as the test says", leg_id, subject_id)
        self._expect(f"rejected {self._counter}", self.now_s, rejected)

    def _hung_up(self, command: HangUpLeg) -> None:
        self._live.clear()
        self._worldly.clear()


_ANSWERS: Mapping[type, Callable[[Caller, Any], None]] = {
    Play: Caller._play,
    StopPlayback: Caller._stop,
    StartTimer: Caller._start_timer,
    CancelTimer: Caller._cancel_timer,
    SendHttp: Caller._http,
    JoinQueue: Caller._join_queue,
    LeaveQueue: Caller._leave_queue,
    AskQueueStatus: Caller._ask_queue_status,
    AskAgent: Caller._ask_agent,
    OpenTicket: Caller._open_ticket,
    RequestCallback: Caller._request_callback,
    ListNumber: Caller._list_number,
    SendMessage: Caller._send_message,
    Transfer: Caller._transfer,
    SetToggle: Caller._toggle,
    StartRecording: Caller._record,
    StopRecording: Caller._end_recording,
    DiscardRecording: Caller._end_recording,
    KeepRecording: Caller._keep_recording,
    HangUpLeg: Caller._hung_up,
}
_SILENT = frozenset({StartTimer, CancelTimer, StopPlayback})
