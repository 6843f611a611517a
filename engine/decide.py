"""One fact, one interaction, one turn, whatever happens in between. Pure: the runtime and replay both decide here.

If a handler raises, its change is discarded and that interaction takes its error exit; if that fails too, its
legs are hung up. Nobody else notices.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.dialing import AttemptWanted, LineWanted
from core.events import Event, LegArrived
from engine import arrivals, called_lines, departures, failover, interactions
from engine.interaction import Interaction, Surroundings, Turn

BEGINNINGS = (LegArrived, AttemptWanted, LineWanted)
"""What begins an interaction."""


@dataclass(frozen=True, slots=True)
class Decided:
    """`refused`: what the handler raised, and the error exit after it when that raised as well."""

    turn: Turn
    refused: tuple[Exception, ...] = ()


def decide(interaction: Interaction | None, fact: Event, around: Surroundings, now_s: float) -> Decided:
    """`interaction` is None for what begins one (`BEGINNINGS`, a `LegArrived` of a leg nobody knows), and only then."""
    try:
        if interaction is None:
            return Decided(_begin(fact, around, now_s))
        if not interaction.ways:
            return Decided(interactions.handle(interaction, fact, around, now_s))
        turn = failover.take(interaction, fact, now_s)
        if turn is None:
            turn = interactions.handle(interaction, fact, around, now_s)
            failover.settle(turn, fact)
        return Decided(turn)
    except Exception as reason:
        why = f"{type(fact).__name__}: {reason}"
        if interaction is None:
            return Decided(refuse(fact, around, why, now_s), (reason,))
        refused: tuple[Exception, ...] = (reason,)
        try:
            turn = interactions.fail(interaction, fact, why, around, now_s)
        except Exception as again:
            turn = interactions.give_up(interaction, fact, f"{why}; then {again}", now_s)
            refused = (reason, again)
        failover.settle(turn, fact)
        return Decided(turn, refused)


def _begin(fact: Event, around: Surroundings, now_s: float) -> Turn:
    if isinstance(fact, AttemptWanted):
        return departures.open_(fact, around, now_s)
    if isinstance(fact, LineWanted):
        return called_lines.open_(fact, around, now_s)
    assert isinstance(fact, LegArrived)
    return arrivals.arrive(fact, around, now_s)


def refuse(fact: Event, around: Surroundings, why: str, now_s: float) -> Turn:
    """What should have begun an interaction cannot."""
    if isinstance(fact, AttemptWanted):
        return departures.refuse(fact, around, why, now_s)
    if isinstance(fact, LineWanted):
        return called_lines.refuse(fact, around, why, now_s)
    assert isinstance(fact, LegArrived)
    return arrivals.turn_away(fact, around, why, now_s)
