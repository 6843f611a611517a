"""Asterisk's own AMD() as a detector: how it is asked, and what its AMDSTATUS and AMDCAUSE mean. Pure.

A `core.live_audio.NodeJudge`. It hears the leg after the answer and nothing before, says one word at its end, and
counts who says nothing as a machine: here that is dead air, and goes to a person as it does everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.live_audio import Verdict
from dialer.amd.labels import HUMAN, MACHINE, NOT_SURE, SILENCE
from dialer.amd.limits import LIMIT_S
from dialer.amd.profiles import Profile, profile_of, seconds_of
from dialer.amd.talk_timing import rest_s_of

_LABELS = {"HUMAN": HUMAN, "MACHINE": MACHINE, "NOTSURE": NOT_SURE}
_DEAD_AIR = ("INITIALSILENCE", "NOAUDIODATA")
_SURE = 0.7


class AppAmd:
    """`limit_s`, `rest_s`: as the other detectors have them; the profile's own limits hold besides."""

    def __init__(self, profile: Profile, limit_s: float = LIMIT_S, rest_s: float = 0.0) -> None:
        before_s, after_s = profile.silence_s, profile.after_greeting_s
        if rest_s:
            before_s, after_s = min(before_s, rest_s), min(after_s, rest_s)
        total_s = min(profile.total_s, limit_s)
        times_s = (before_s, profile.greeting_s, after_s, total_s, profile.word_s, profile.between_words_s)
        self.arguments = ",".join(str(round(1000 * each)) for each in times_s) + f",{profile.words},{profile.loudness}"

    def told(self, status: str, cause: str) -> Verdict:
        """What AMD() left in the channel's variables."""
        why, _, measured = cause.partition("-")
        label = SILENCE if why in _DEAD_AIR else _LABELS.get(status, NOT_SURE)
        # HUMAN-1000-1000: silent for so many ms, of so many.
        rest_ms = measured.partition("-")[0]
        past_s = int(rest_ms) / 1000 if label == HUMAN and rest_ms.isdecimal() else 0.0
        sure = 0.5 if label == NOT_SURE else _SURE
        return Verdict(label, sure, f"Asterisk's AMD says {status or 'nothing'} ({cause or 'no cause'})", past_s=past_s)


def make(options: Mapping[str, str]) -> AppAmd:
    """Options: `profile`, `limit_s`, `rest_s`; others are none of its.

    Raises:
        ValueError: an option makes no sense.
    """
    return AppAmd(profile_of(options), seconds_of(options, "limit_s", LIMIT_S, 1.0), rest_s_of(options))
