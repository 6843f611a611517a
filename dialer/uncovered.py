"""Lines that ring while nobody is left for who answers them, and nobody more may be abandoned.

A line is dialed for an agent who is ready, or within the budget; then callers of the same queue take the agents, or
others use the budget up. Such lines are given up, those that rang longest first, and none before it has rung as long as
the law asks. While one more may be abandoned they ring on: somebody may be free in time.
"""

from __future__ import annotations

from dialer.compliance.abandonment import NO_LIMIT
from dialer.compliance.rules import Mode
from dialer.records import Attempt
from dialer.setup import Key
from dialer.shares import CALLING, Share, listened_to, share_out
from dialer.state import State
from dialer.turn import Turn

WHY = "no agent is left for it, and nobody more may be abandoned"


def mark(state: State, turn: Turn, tenant: str) -> None:
    """They have rung long enough: the next who hangs up what is marked does."""
    keys = [key for key in state.attempts_of if key[0] == tenant]
    if not any(has_rung(one, turn.now_s) for key in keys for one in _lines(state, key)):
        return
    shares = share_out(state, tenant, turn.now_s, turn.absent)
    free = _free(state, turn, tenant, shares)
    for key in sorted(shares, key=lambda key: (-state.of(key).priority, key)):
        share, lines = shares[key], _lines(state, key)
        answered = len(share.waiting) + sum(listened_to(one) for one in share.lines)
        hers = [name for name in free if name in share.able][: answered + len(lines)]
        free = [name for name in free if name not in hers]
        if _spare(state, key, turn.now_s) > max(0, len(share.waiting) - len(hers)):
            continue
        too_many = min(len(lines), answered + len(lines) - len(hers))
        rung = sorted(
            (one for one in lines if has_rung(one, turn.now_s)), key=lambda one: (_since_s(one), one.attempt_id)
        )
        for attempt in rung[:too_many]:
            turn.attempt(attempt)
            attempt.cancel = WHY


def has_rung(attempt: Attempt, now_s: float) -> bool:
    """As long as the law asks, from its ringing on; before that nobody knows, and it is given the time to begin."""
    return now_s - _since_s(attempt) >= attempt.least_ring_s


def _since_s(attempt: Attempt) -> float:
    return attempt.dialed_s if attempt.ringing_s is None else attempt.ringing_s


def _lines(state: State, key: Key) -> list[Attempt]:
    """Those that ring for any agent."""
    return [
        one
        for one in state.open_attempts(key)
        if one.state in CALLING and not one.cancel and not one.for_agent and one.mode is not Mode.AGENTLESS
    ]


def _free(state: State, turn: Turn, tenant: str, shares: dict[Key, Share]) -> list[str]:
    """Who could be offered to somebody now, whichever campaign she was dealt to."""
    kept = {one.for_agent for key in state.attempts_of if key[0] == tenant for one in state.open_attempts(key)}
    kept |= {agent_id for whose, agent_id in turn.absent if whose == tenant}
    ready = (agent for share in shares.values() for agent in share.pool.agents if agent.state == "ready")
    return list(dict.fromkeys(agent.agent_id for agent in ready if agent.agent_id not in kept))


def _spare(state: State, key: Key, now_s: float) -> int:
    found = state.standing(state.campaigns[key], now_s)
    return found[1] if found is not None else NO_LIMIT
