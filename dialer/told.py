"""What became of an attempt made for one agent, when she talked with nobody: told to her, in words.

A value per agent: the last one. It is not saved; who asked before a restart sees the lead's history.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.attempt import AttemptState
from dialer.records import Attempt

KEPT_S = 300.0
"""So long it is told; her next attempt or conversation ends it before."""
_S = AttemptState
_WORDS = {
    _S.BUSY: "the number is busy",
    _S.FAX: "a fax answered",
    _S.MACHINE: "a machine answered",
    _S.CUSTOMER_HUNG_UP: "whoever answered hung up before you were put through",
    _S.ABANDONED: "somebody answered and could not be put through to you",
}
_FAILED = {
    "rejected": "the other side refused the call",
    "congestion": "the network has no room for the call: try again in a moment",
    "unreachable": "the number cannot be reached, or the trunk is away",
    "failed": "the network refused the call",
    "lost": "the connection was lost",
}


@dataclass(frozen=True, slots=True)
class Told:
    """`outcome`: an `AttemptState` value; `cause`: Q.850, 0 when unknown; `at_s`: when it ended."""

    attempt_id: str
    tenant: str
    campaign: str
    agent_id: str
    lead_id: str
    name: str
    number: str
    outcome: str
    cause: int
    why: str
    at_s: float


def concerns(attempt: Attempt) -> bool:
    """Whether its agent waits to hear of it: it was dialed for her, or her phone rang, and she talked with nobody."""
    wanted = attempt.why != "skipped" and (attempt.was_dialed or attempt.own_line)
    return bool(attempt.for_agent) and wanted and attempt.connected_s is None


def in_words(attempt: Attempt) -> str:
    """Why she talks with nobody."""
    state, why = attempt.state, attempt.why
    if state is _S.NO_ANSWER:
        return why if " " in why else "nobody answered"
    if state is _S.INVALID:
        return "the network does not know this number"
    if state is _S.FAILED:
        return f"the call failed: {_FAILED.get(why.partition(' (')[0], why or 'nobody knows why')}"
    if state is _S.CANCELLED:
        return why or "it was cancelled"
    return _WORDS.get(state, why or state.value)
