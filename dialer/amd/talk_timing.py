"""Person or recording, by nothing but when it was loud: what Asterisk's TALK_DETECT tells. Pure.

    waits --loud--> talks --silent for pause_s--> rests --loud--> talks
      |               |                             |
      silence         machine: longer than a        human: it waits for an answer
                      person's greeting

A `core.live_audio.TalkJudge`. It cannot tell a voice from music, a fax or a busy tone, and hears no beep: who waits for
one (`until_quiet`) is told when a machine has fallen silent for good. Nor does it notice that the line sends nothing
more, as those with silence suppression do: then whoever was talking goes on talking.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf

from core.live_audio import Verdict
from dialer.amd.labels import HUMAN, MACHINE, NOT_SURE, QUIET, QUIET_S, SILENCE
from dialer.amd.limits import LIMIT_S
from dialer.amd.profiles import USUAL, Profile, profile_of, seconds_of

PAUSE_S = 0.2
"""Asterisk calls it silence after so long: people pause for less between words."""
QUIET_WITHIN_S = 45.0
"""After the answer: a machine's greeting is longer than nobody's patience."""
_SURE = 0.7


class TalkTiming:
    """`limit_s`: no verdict comes later, unless somebody is talking then: none later than `speaks_on_s`. `rest_s`: nor
    later than so long after somebody talked, or after the answer while nobody has; 0: however long she waits."""

    pause_s = PAUSE_S

    def __init__(
        self,
        profile: Profile,
        name: str = USUAL,
        limit_s: float = LIMIT_S,
        speaks_on_s: float = LIMIT_S,
        rest_s: float = 0.0,
        until_quiet: bool = False,
    ) -> None:
        self.loudness = profile.loudness
        self._profile, self._name = profile, name
        self._limit_s = min(limit_s, profile.total_s)
        self._speaks_on_s = max(speaks_on_s, self._limit_s)
        self._rest_s = rest_s or inf
        self._silence_s = min(profile.silence_s, self._rest_s)
        self._until_quiet = until_quiet
        self._machine = ""
        self._talks_since_s: float | None = None
        self._rests_since_s: float | None = None
        self._spoken_s = 0.0

    # -- news
    def talks(self, since_s: float) -> None:
        self._talks_since_s = max(0.0, since_s)

    def silent(self, since_s: float, lasted_s: float) -> None:
        self._talks_since_s = None
        if lasted_s >= self._profile.word_s:
            self._spoken_s += lasted_s
            self._rests_since_s = since_s

    # -- judgement
    @property
    def due_s(self) -> float:
        """Or when there is news, whichever comes first."""
        if self._machine:
            return min(QUIET_WITHIN_S, self._quiet_from_s)
        if self._talks_since_s is not None:
            return min(self._speaks_on_s, self._too_long_from_s)
        if self._rests_since_s is not None:
            if self._spoken_s >= self._profile.greeting_s:
                return self._rests_since_s
            return min(self._limit_s, self._waits_from_s, self._rests_since_s + self._rest_s)
        return min(self._limit_s, self._silence_s)

    @property
    def _too_long_from_s(self) -> float:
        """The last `pause_s` may have been silence already."""
        since_s = (self._talks_since_s or 0.0) + self.pause_s
        return since_s + max(self._profile.greeting_s - self._spoken_s, self._profile.word_s)

    @property
    def _waits_from_s(self) -> float:
        return (self._rests_since_s or 0.0) + self._profile.after_greeting_s

    @property
    def _quiet_from_s(self) -> float:
        rests = self._talks_since_s is None and self._rests_since_s is not None
        return (self._rests_since_s or 0.0) + QUIET_S if rests else inf

    def look(self, at_s: float) -> Verdict | None:
        """None: it is too early to say."""
        if at_s < self.due_s:
            return None
        if self._machine:
            return self._quiet(at_s) if at_s >= self._quiet_from_s else self.end(at_s)
        if self._talks_since_s is not None:
            return self._recording(at_s) if at_s >= self._too_long_from_s else self.end(at_s)
        if self._rests_since_s is not None:
            if self._spoken_s >= self._profile.greeting_s:
                return self._recording(at_s)
            return self._person(at_s) if at_s >= self._waits_from_s else self.end(at_s)
        if at_s < self._silence_s:
            return self.end(at_s)
        return Verdict(SILENCE, _SURE, f"nobody was loud for {at_s:.1f} s")

    def _recording(self, at_s: float) -> Verdict:
        talks_s = at_s - self._talks_since_s if self._talks_since_s is not None else 0.0
        spoken_s = self._spoken_s + talks_s
        told = f"it has talked for {spoken_s:.1f} s; {self._says(f'people do for {self._profile.greeting_s:g} s')}"
        self._machine = told if self._until_quiet else ""
        return Verdict(MACHINE, _SURE, told, final=not self._until_quiet)

    def _person(self, at_s: float) -> Verdict:
        rest_s = at_s - (self._rests_since_s or 0.0)
        told = f"it talked for {self._spoken_s:.1f} s and has been silent for {rest_s:.1f} s; "
        told += self._says(f"people wait {self._profile.after_greeting_s:g} s for an answer")
        return Verdict(HUMAN, _SURE, told, past_s=rest_s)

    def _quiet(self, at_s: float) -> Verdict:
        rest_s = at_s - (self._rests_since_s or 0.0)
        told = f"it has been silent for {rest_s:.1f} s after its greeting; beeps cannot be heard so"
        return Verdict(QUIET, _SURE, told, past_s=rest_s)

    def end(self, at_s: float) -> Verdict:
        """It is asked no more."""
        if self._machine:
            return Verdict(MACHINE, _SURE, f"{self._machine}; it did not fall silent")
        talks_s = at_s - self._talks_since_s if self._talks_since_s is not None else 0.0
        told = f"after {at_s:.1f} s with {self._spoken_s + talks_s:.1f} s of talk nothing is certain"
        resting = self._talks_since_s is None and self._rests_since_s is not None
        return Verdict(NOT_SURE, 0.5, told, past_s=at_s - (self._rests_since_s or 0.0) if resting else 0.0)

    def _says(self, what: str) -> str:
        return f"by profile {self._name} {what}"


def make(options: Mapping[str, str]) -> TalkTiming:
    """Options: `profile`, `limit_s`, `speaks_on_s`, `rest_s`, `until_quiet` (yes).

    Raises:
        ValueError: an option makes no sense.
    """
    limit_s = seconds_of(options, "limit_s", LIMIT_S, 1.0)
    return TalkTiming(
        profile_of(options),
        options.get("profile", USUAL),
        limit_s,
        seconds_of(options, "speaks_on_s", limit_s, 1.0),
        rest_s_of(options),
        options.get("until_quiet") == "yes",
    )


def rest_s_of(options: Mapping[str, str]) -> float:
    """0: however long she waits. Raises ValueError."""
    return 0.0 if options.get("rest_s", "0") == "0" else seconds_of(options, "rest_s", 0.0, 0.5)
