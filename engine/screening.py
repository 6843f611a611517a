"""Whether a person answered: a detector (dialer/amd) listens to her leg from the moment it is dialed, or is told by the
node when she talks, or the node's own judges her (`detection` in config/site.yaml). Pure.

A detector that is lost, or does not exist, or says nothing in time, leaves her to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from core.dialing import AttemptWanted
from core.events import AudioVerdict, CommandRejected, Event, ListenerLost
from core.leg_commands import DismissListener, ListenToLeg
from dialer.amd.limits import LIMIT_S, SPEAKS_ON_S
from engine.config.models import Detection
from engine.contact import Attempt
from engine.interaction import Turn

LISTENER, MAILBOX = "amd", "mailbox"
"""The second also waits for a machine's beep."""
BY_AUDIO = Detection()
LATE_S = 1.0
"""A verdict that is later than its limit by so much, for whatever reason, is not waited for."""
LONGEST_S = SPEAKS_ON_S + LATE_S
HAND_OVER_S = 0.4
"""Listening ends so long before the agent must be there, be it counted from the answer or from her greeting's end."""
LEAST_REST_S = 0.5
"""People pause for so long within what they say."""
TOLD_S = 0.2
"""And the detector is asked so long before that, for its word to arrive."""
LEAST_S = 1.0
"""No verdict comes sooner than this is asked for."""

Verdict = Literal["human", "machine", "fax", "busy", "failed", "invalid", "unknown"]
"""`busy`, `failed`, `invalid`: the network says so in the line. `unknown` is taken for a person."""


@dataclass(frozen=True, slots=True)
class Screened:
    """Who or what answered. `greeted_s`: when her greeting ended, 0 when nobody knows: then the answer counts. `ready`:
    a machine has beeped, or waits in silence. `final`: no more will be said; only of a machine there may be more."""

    verdict: Verdict
    why: str
    greeted_s: float = 0.0
    ready: bool = False
    final: bool = True


_MEANS: Mapping[str, Verdict] = {
    "human": "human",
    "machine": "machine",
    "beep": "machine",
    "quiet": "machine",
    "fax": "fax",
    "busy": "busy",
    "congestion": "failed",
    "sit": "invalid",
}
_READY = ("beep", "quiet")
_GREETED = ("human", "not_sure")
"""Who is heard to speak: the time for an agent counts from the end of that."""


def listening(wanted: AttemptWanted, answer_within_s: float, detection: Detection = BY_AUDIO) -> ListenToLeg | None:
    """What her leg is dialed with; None when nobody is to listen."""
    if not wanted.screen:
        return None
    most_s = max(LEAST_S, min(longest_s(wanted) - TOLD_S, LIMIT_S if wanted.bridge_first else SPEAKS_ON_S))
    options = {"limit_s": f"{min(LIMIT_S, most_s):g}", "speaks_on_s": f"{most_s:g}"}
    if wanted.within_s and not wanted.bridge_first:
        options["rest_s"] = f"{max(LEAST_REST_S, wanted.within_s - HAND_OVER_S):g}"
    limit_s = answer_within_s + LONGEST_S
    listener = LISTENER if detection.by == "audio" else detection.by
    if detection.by != "audio":
        options["profile"] = detection.profile
    elif detection.words and wanted.language:
        options["words"] = wanted.language
    if wanted.on_machine == "message":
        limit_s += wanted.beep_within_s
        if detection.by == "audio":
            listener = MAILBOX
        else:
            options["until_quiet"] = "yes"
    which = (wanted.leg_id, _listening_id(wanted), listener, options)
    return ListenToLeg(*which, limit_s=limit_s, beside=wanted.bridge_first)


def anew(turn: Turn, listen: ListenToLeg) -> ListenToLeg | None:
    """For the same leg, dialed once more: that whoever listened before is gone is no news of this one. None: nobody
    wants to know any more."""
    attempt = turn.interaction.attempt
    if attempt is None or not attempt.wanted.screen:
        return None
    attempt = attempt.but(redialed=attempt.redialed + 1)
    turn.interaction = turn.interaction.but(attempt=attempt)
    return replace(listen, listening_id=_listening_id(attempt.wanted, attempt.redialed))


def dismissed(attempt: Attempt) -> DismissListener:
    """Nobody wants to know any more."""
    return DismissListener(attempt.wanted.leg_id, _listening_id(attempt.wanted, attempt.redialed))


def heard(turn: Turn, event: Event) -> Screened | None:
    """What the detector's word, or its loss, means; None when it is no news of it."""
    attempt = turn.interaction.attempt
    assert attempt is not None
    listening_id = _listening_id(attempt.wanted, attempt.redialed)
    match event:
        case AudioVerdict() if event.listening_id == listening_id:
            verdict = _MEANS.get(event.label, "unknown")
            if not event.final and verdict != "machine":
                return None
            greeted_s = event.at_s if event.label in _GREETED else 0.0
            return Screened(verdict, event.evidence, greeted_s, event.label in _READY, event.final)
        case ListenerLost() if event.listening_id == listening_id:
            return Screened("unknown", event.why)
        case CommandRejected(what="ListenToLeg") if event.subject_id == listening_id:
            return Screened("unknown", event.why)
        case _:
            return None


def longest_s(wanted: AttemptWanted) -> float:
    """After the answer: a verdict that has not come by then is not waited for. An agent who talks with her already must
    not lose her late."""
    if wanted.bridge_first:
        return LIMIT_S + LATE_S
    if wanted.after_answer_s <= 0:
        return LONGEST_S
    return max(0.0, min(LONGEST_S, wanted.after_answer_s - HAND_OVER_S))


def overdue(wanted: AttemptWanted) -> Screened:
    """It said nothing in time."""
    return Screened("unknown", f"no verdict within {longest_s(wanted):g} s")


def _listening_id(wanted: AttemptWanted, redialed: int = 0) -> str:
    return f"{wanted.attempt_id}.amd{redialed or ''}"
