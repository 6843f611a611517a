"""Whom to offer a contact first: one strategy a file, named like it."""

from __future__ import annotations

from collections.abc import Mapping

from acd.strategies import (
    best_match,
    least_occupied,
    least_skilled,
    longest_idle,
    most_skilled,
    preferred_agent,
    ring_several,
    round_robin,
    weighted_random,
)
from acd.strategies.strategy import Strategy

STRATEGIES: Mapping[str, Strategy] = {
    module.STRATEGY.name: module.STRATEGY
    for module in (
        longest_idle,
        most_skilled,
        least_skilled,
        least_occupied,
        round_robin,
        weighted_random,
        ring_several,
        preferred_agent,
        best_match,
    )
}


def strategy_of(name: str) -> Strategy:
    """The strategy of this name; the longest idle when there is none."""
    return STRATEGIES.get(name, longest_idle.STRATEGY)
