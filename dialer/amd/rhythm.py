"""Person or recording, by how it is spoken: people answer with something short and wait; greetings go on.

A trained judge (model.py) says how likely a person is, at every moment, from lengths, pauses, loudness, melody and
sound. A person is believed in a pause only; a recording also in the middle of its speech. Words, where they are known,
weigh as much as the judge was taught they do. Whoever says nothing at all for `DEAD_AIR_S` is told apart.
"""

from __future__ import annotations

from math import nan

from dialer.amd.features import Features
from dialer.amd.frames import Frame
from dialer.amd.labels import HUMAN, MACHINE, SILENCE, Finding
from dialer.amd.model import ONE_BREATH_S, Model, shipped
from dialer.amd.speech import Timeline
from dialer.amd.words import UNKNOWN, Said

DEAD_AIR_S = 3.5
NOISE_S = 0.12
"""What is shorter is a click or a breath."""
SAID_UNTIL = 0.3
"""A recording's phrase is enough for who is no likelier a person than that, all told."""
EVERY = 2
"""Frames between two judgements: 40 ms."""


class Rhythm:
    """`feed` takes every frame since the answer, with who has spoken when."""

    def __init__(self, model: Model | None = None) -> None:
        self.person = nan
        """How likely it is a person; nan before anybody spoke."""
        self._model = model or shipped()
        self._features = Features(self._model.net)
        self._frames = 0
        self._quiet_s = 0.0

    def feed(self, frame: Frame, line: Timeline, said: Said = UNKNOWN, waits: bool = False) -> Finding | None:
        """`said`: the words known by now; `waits`: more will be in a moment. None: it is too early to say."""
        self._features.feed(frame, line)
        self._frames += 1
        self._quiet_s = self._quiet_s + 0.02 if frame.is_quiet else 0.0
        if line.spoken_s < NOISE_S:
            if self._quiet_s >= DEAD_AIR_S:
                return Finding(SILENCE, line.now_s, 0.8, f"nothing was heard for {self._quiet_s:.1f} s")
            return None
        if self._frames % EVERY:
            return None
        person = self._model.person(self._features.vector(line))
        self.person = person = self._model.with_words(person, said.kind)
        rest_s = line.rest_s
        wanted = self._model.wanted_from(line.spoken_s, rest_s)
        if person >= wanted and not waits:
            what = "what people say" if said.kind == "person" else "something"
            told = f"it said {what} for {line.spoken_s:.1f} s and has waited for {rest_s:.1f} s"
            return Finding(HUMAN, line.now_s, person, f"{told}, as {_of_100(person)} do who are people", rest_s)
        if said.kind == "recording" and person <= SAID_UNTIL:
            return Finding(MACHINE, line.now_s, 1.0 - person, f"it said \u201c{said.phrase}\u201d")
        if self._model.is_machine(person, line.spoken_s):
            return self._machine(line)
        if line.last_s >= ONE_BREATH_S:
            return Finding(MACHINE, line.now_s, 0.8, f"it spoke for {line.last_s:.1f} s without a pause")
        return None

    def at_limit(self, line: Timeline) -> Finding | None:
        """The time is over: whoever still goes on like a recording is one. None: it cannot be said."""
        late = self.person <= self._model.limit_until and line.spoken_s >= self._model.late_spoken_s
        return self._machine(line) if late else None

    def _machine(self, line: Timeline) -> Finding:
        sure = 1.0 - self.person
        told = f"it has spoken for {line.spoken_s:.1f} s{_stretches(line)}"
        return Finding(MACHINE, line.now_s, sure, f"{told}, as {_of_100(sure)} do that are recordings")


def _of_100(share: float) -> str:
    return f"{min(99, int(100 * share))} of 100"


def _stretches(line: Timeline) -> str:
    count = len(line.utterances)
    return f" in {count} stretches" if count > 1 else " without a pause"
