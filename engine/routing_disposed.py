"""What agents made of people whom campaigns called: told to the dialer when the last of them has finished. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from acd.router import Router
from core.decisions import Decision, WorkEnded
from core.dialing import DIALED_PREFIX, AttemptDisposed

_NEVER_TALKED = frozenset({"rejected", "rona", "unreachable", "withdrawn"})


def disposed(router: Router, decisions: Iterable[Decision]) -> Iterator[AttemptDisposed]:
    """Of interactions that are an attempt, once nobody else works on them or is waited for."""
    for decision in decisions:
        if not isinstance(decision, WorkEnded) or decision.how in _NEVER_TALKED:
            continue
        interaction_id = decision.interaction_id
        if not interaction_id.startswith(DIALED_PREFIX) or _goes_on(router, interaction_id):
            continue
        yield AttemptDisposed(
            interaction_id,
            interaction_id.removeprefix(DIALED_PREFIX),
            decision.agent_id,
            decision.disposition,
            decision.callback_at_s,
            personal=decision.callback_at_s > 0.0,
        )


def _goes_on(router: Router, interaction_id: str) -> bool:
    return any(interaction_id in router.assignments(key) for key in router.setup.agents) or any(
        stay.interaction_id == interaction_id for stay in router.stays()
    )
