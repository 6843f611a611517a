"""The detectors together: a `core.live_audio.Listener` that says what answered as soon as it is known.

Tones are beyond doubt and speak first. A trained judge of rhythm says person or recording. What nobody knows by the
limit is `not_sure`, and goes to a person; so does dead air, which is told apart. Whoever speaks on beyond the limit
waits for nothing yet: the judge may listen until the next pause. Where a recogniser is there (`hear_with`), what was
said counts as well. Who has waited for `rest_s` after speaking, or has said nothing for so long since the answer, is
kept waiting no longer, whatever the judge thinks; a tone is no such silence. After `machine`, when asked to
(`until_beep`), it goes on listening for the beep.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from core.live_audio import BLOCK_S, AudioBlock, Ear, Verdict
from dialer.amd.beep import BeepDetector
from dialer.amd.cadence import COUNTRIES, CadenceDetector
from dialer.amd.fax import FaxDetector
from dialer.amd.frames import Analyser, Frame
from dialer.amd.labels import MACHINE, NOT_SURE, RINGBACK, SILENCE, Finding
from dialer.amd.limits import LIMIT_S, SPEAKS_ON_S
from dialer.amd.model import RESTED_S, Model
from dialer.amd.rhythm import EVERY, NOISE_S, Rhythm
from dialer.amd.sit import SitDetector
from dialer.amd.speech import SpeechDetector, Timeline
from dialer.amd.word_asks import WordAsks
from dialer.amd.words import LANGUAGES

SPEAKS_ON_PAUSE_S = RESTED_S + EVERY * BLOCK_S
"""The pause that ends it: the judge must have looked at one."""
BEEP_WITHIN_S = 45.0
SPOKEN_S = 0.5
"""A tone is a machine's beep after so much speech."""
_TONAL, _TONED_S = 0.8, 0.2
"""So plain a frame is a tone, also in noise; where one has sounded for so long, nobody is there to be silent."""


class Screener:
    """`limit_s`: after the answer, no verdict comes later, unless somebody speaks on: then none later than
    `speaks_on_s`. `rest_s`: nor later than so long after somebody spoke, or after the answer while nobody has; 0:
    however long she waits. `countries`: whose progress tones may be heard. `model`: the shipped one unless told.
    `language`: of the words; empty: nobody listens to words."""

    def __init__(
        self,
        limit_s: float = LIMIT_S,
        speaks_on_s: float = SPEAKS_ON_S,
        until_beep: bool = False,
        countries: tuple[str, ...] = COUNTRIES,
        model: Model | None = None,
        rest_s: float = 0.0,
        language: str = "",
    ) -> None:
        self.limit_s = limit_s
        self.rest_s = rest_s
        self.speaks_on_s = speaks_on_s
        self.until_beep = until_beep
        self.frame: Frame | None = None
        """The last one heard."""
        self._countries, self._model = countries, model
        self._language = language
        self._ear: Ear | None = None
        self._machine: Finding | None = None
        self._answered = False
        self._begin()

    def _begin(self) -> None:
        """From here on time is counted."""
        self._analyser, self._speech, self._rhythm = Analyser(), SpeechDetector(), Rhythm(self._model)
        self._mute_s = self._toned_s = 0.0
        self._sit, self._fax, self._beep = SitDetector(), FaxDetector(), BeepDetector()
        self._cadence = CadenceDetector(self._countries)
        self.words = WordAsks(self._ear, self._language)
        """What was asked of the recogniser, and what it said."""

    def hear_with(self, ear: Ear) -> None:
        """Words count from now on, if phrases of the language are known."""
        if self._language.partition("-")[0].lower() in LANGUAGES:
            self._ear = ear
            self.words = WordAsks(ear, self._language)

    @property
    def person(self) -> float:
        """How likely it is a person, by rhythm; nan before anybody spoke."""
        return self._rhythm.person

    @property
    def timeline(self) -> Timeline:
        """Who spoke when, since the answer."""
        return self._speech.timeline

    def feed(self, block: AudioBlock) -> Verdict | None:
        """Before the answer tones alone are listened to: what speaks then is the network."""
        if block.answered and not self._answered:
            self._answered = True
            self._begin()
        self.frame = frame = self._analyser.feed(np.frombuffer(block.pcm, np.int16))
        found = self._sit.feed(frame) or self._fax.feed(frame) or self._cadence.feed(frame)
        if found is None and block.answered:
            found = self._heard(block, frame)
        if found is not None and found.label == RINGBACK:
            found = None  # it goes on ringing, at this phone or at the one it is forwarded to
        if found is None and block.answered and self._is_late(frame):
            found = self._rhythm.at_limit(self.timeline) if self._machine is None else None
            if found is None:
                return self.end()
        if found is None:
            return None
        if found.label == MACHINE and self.until_beep:
            self._machine = found
            return Verdict(found.label, found.confidence, found.evidence, final=False)
        return Verdict(found.label, found.confidence, found.evidence, past_s=found.past_s)

    def overhear(self, block: AudioBlock) -> None:
        """Words and who speaks when, without a verdict: for whoever gathers them."""
        frame = self._analyser.feed(np.frombuffer(block.pcm, np.int16))
        self.words.feed(block.pcm, self._speech.feed(block.pcm, frame))

    def _is_late(self, frame: Frame) -> bool:
        """Whether the time is over, for a verdict or for the beep."""
        if self._machine is not None:
            return frame.at_s >= BEEP_WITHIN_S
        spoken, rest_s = self.timeline.spoken_s >= SPOKEN_S, self.timeline.rest_s
        speaks_on = spoken and rest_s < SPEAKS_ON_PAUSE_S and frame.at_s < self.speaks_on_s
        return self._waits or (frame.at_s >= self.limit_s and not speaks_on)

    @property
    def _waits(self) -> bool:
        """Whether she has waited for as long as she may be kept waiting."""
        line = self.timeline
        if line.spoken_s >= NOISE_S:
            return 0.0 < self.rest_s <= line.rest_s
        return 0.0 < self.rest_s <= self._mute_s and not line.speaking

    def _heard(self, block: AudioBlock, frame: Frame) -> Finding | None:
        line = self._speech.feed(block.pcm, frame)
        tone = not frame.is_quiet and frame.tonality >= _TONAL
        self._toned_s += BLOCK_S if tone else 0.0
        self._mute_s = 0.0 if tone or self._toned_s >= _TONED_S else self._mute_s + BLOCK_S
        beep = self._beep.feed(frame, line, line.spoken_s >= SPOKEN_S)
        if beep is not None or self._machine is not None:
            return beep
        self.words.feed(block.pcm, line)
        return self._rhythm.feed(frame, line, self.words.said, self.words.waits)

    def end(self) -> Verdict:
        if self._machine is not None:
            return Verdict(MACHINE, self._machine.confidence, f"{self._machine.evidence}; no beep came")
        heard_s = self.frame.at_s if self.frame is not None else 0.0
        line = self.timeline
        if line.spoken_s < NOISE_S and self._waits:
            return Verdict(SILENCE, 0.5, f"in the {heard_s:.1f} s since the answer nobody has said anything")
        told = f"after {heard_s:.1f} s with {line.spoken_s:.1f} s of speech nothing is certain"
        return Verdict(NOT_SURE, 0.5, told, past_s=line.rest_s)


def make(options: Mapping[str, str]) -> Screener:
    """A `ListenerFactory`. Options: `limit_s`, `speaks_on_s`, `rest_s`, `until_beep` (yes), `countries` (ES,US),
    `words` (the language of the words that count, where somebody recognises them).

    Raises:
        ValueError: an option makes no sense.
    """
    countries = tuple(filter(None, options.get("countries", "").split(","))) or COUNTRIES
    if unknown := sorted(set(countries) - set(COUNTRIES)):
        raise ValueError(f"nobody knows the tones of {', '.join(unknown)}: choose from {', '.join(COUNTRIES)}")
    limits = {"limit_s": float(options.get("limit_s", LIMIT_S))}
    limits["speaks_on_s"] = float(options.get("speaks_on_s", max(SPEAKS_ON_S, limits["limit_s"])))
    for name, value in limits.items():
        if not 1.0 <= value <= 30.0:
            raise ValueError(f"{name} {value:g}: between 1 and 30")
    rest_s = float(options.get("rest_s", 0.0))
    if rest_s and not 0.5 <= rest_s <= 30.0:
        raise ValueError(f"rest_s {rest_s:g}: between 0.5 and 30, or 0")
    until_beep = options.get("until_beep") == "yes"
    words = options.get("words", "")
    return Screener(limits["limit_s"], limits["speaks_on_s"], until_beep, countries, rest_s=rest_s, language=words)
