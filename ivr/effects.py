"""The commands of one step, in order, and what they leave behind: what plays, which timers are armed."""

from __future__ import annotations

from collections.abc import Iterable

from core.commands import CancelTimer, Command, JoinQueue, StartTimer, Transfer
from core.leg_commands import AnswerLeg, Play, StartMusic, StartRecording, StopMusic, StopPlayback
from core.media import Part, Silence, Sound, Speech, Tone

_CALLER_HEARS = (Play, StartMusic, StartRecording, JoinQueue, Transfer)


class Effects:
    """Collects commands. What is begun and undone within one step never reaches the caller: a prompt that typed-ahead
    digits skip is not started, so it cannot be heard as a click."""

    __slots__ = (
        "_armed_before",
        "commands",
        "interaction_id",
        "leg_id",
        "leg_up",
        "music",
        "now_s",
        "playing",
        "timers",
    )

    def __init__(
        self,
        interaction_id: str,
        leg_id: str,
        now_s: float,
        leg_up: bool,
        playing: str,
        music: bool,
        timers: tuple[str, ...],
    ) -> None:
        self.interaction_id, self.leg_id, self.now_s = interaction_id, leg_id, now_s
        self.leg_up, self.playing, self.music = leg_up, playing, music
        self.timers = self._armed_before = timers
        self.commands: list[Command] = []

    def carry_out(self, commands: Iterable[Command], visit_id: str = "", early: bool = False) -> None:
        """Takes a verb's commands. The leg is answered before the caller first hears something, unless `early`."""
        for command in commands:
            kind = type(command)
            if kind is StartTimer:
                self._arm(command)  # type: ignore[arg-type]
                continue
            if kind is CancelTimer:
                self.disarm(command.timer_id)  # type: ignore[union-attr]
                continue
            if kind is StopPlayback:
                if command.playback_id == self.playing:  # type: ignore[union-attr]
                    self.hush()
                continue
            if not self.leg_up and not early and kind in _CALLER_HEARS:
                self.commands.append(AnswerLeg(self.leg_id))
                self.leg_up = True
            if kind is Play:
                self.hush()
                self.playing = command.playback_id  # type: ignore[union-attr]
                self.commands.append(command)
                self._arm(self._watchdog(command.playback_id, command.parts))  # type: ignore[union-attr]
            else:
                if kind is StartMusic:
                    self.music = True
                elif kind is StopMusic:
                    self.music = False
                self.commands.append(command)

    def settle(self) -> None:
        """A node is left: nothing plays and no timer of its fires any more."""
        self.hush()
        self.disarm_all()
        if self.music:
            self.music = False
            self.commands.append(StopMusic(self.leg_id))

    def hush(self) -> None:
        """Stops what plays; a playback of this very step is not even started."""
        playing, self.playing = self.playing, ""
        if not playing:
            return
        self.disarm(_watchdog_id(playing))
        for index, command in enumerate(self.commands):
            if type(command) is Play and command.playback_id == playing:
                del self.commands[index]
                return
        self.commands.append(StopPlayback(self.leg_id, playing))

    def heard(self) -> None:
        """What played is over."""
        playing, self.playing = self.playing, ""
        self.disarm(_watchdog_id(playing))

    def fired(self, timer_id: str) -> bool:
        """Whether this timer was armed; it is no longer."""
        if timer_id not in self.timers:
            return False
        self.timers = tuple(id_ for id_ in self.timers if id_ != timer_id)
        return True

    def disarm(self, timer_id: str) -> None:
        if timer_id not in self.timers:
            return
        self.timers = tuple(id_ for id_ in self.timers if id_ != timer_id)
        commands = self.commands
        for index, command in enumerate(commands):
            if type(command) is StartTimer and command.timer_id == timer_id:
                del commands[index]
                break
        if timer_id in self._armed_before:
            commands.append(CancelTimer(self.interaction_id, timer_id))

    def disarm_all(self) -> None:
        for timer_id in self.timers:
            self.disarm(timer_id)

    def is_watchdog(self, timer_id: str) -> bool:
        """Whether this timer says that the playback's end is overdue."""
        return bool(self.playing) and timer_id == _watchdog_id(self.playing)

    def _arm(self, timer: StartTimer) -> None:
        if timer.timer_id not in self.timers:
            self.timers = (*self.timers, timer.timer_id)
        self.commands.append(timer)

    def _watchdog(self, playback_id: str, parts: tuple[Part, ...]) -> StartTimer:
        due_s = self.now_s + longest_s(parts)
        return StartTimer(self.interaction_id, _watchdog_id(playback_id), due_s)


def _watchdog_id(playback_id: str) -> str:
    return f"{playback_id}.overdue"


def longest_s(parts: tuple[Part, ...]) -> float:
    """A length no healthy playback of these parts exceeds: nobody waits for the end of a playback for ever."""
    total_s = 10.0
    for part in parts:
        if type(part) is Speech:
            total_s += 2.0 + 0.25 * len(part.text)
        elif type(part) is Sound:
            total_s += 300.0
        elif type(part) is Silence:
            total_s += part.duration_s
        elif type(part) is Tone:
            total_s += 60.0  # some ring until they are stopped
        else:
            total_s += 3600.0  # as long as the longest message
    return total_s
