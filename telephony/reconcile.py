"""After a gap: what we believe against what is there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.events import LegArrived
from core.ports import Survey


@dataclass(frozen=True, slots=True)
class KnownLeg:
    """A leg we believe in. `since_s`: when we first said or heard its id (UTC seconds)."""

    node: str
    since_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about it.

    `adopt`: leg id -> whether it is up; each becomes a `LegAdopted`. `arrived`: callers nobody had taken in.
    `lost`: each becomes `LegEnded(reason=LOST)`. `waiting`: known legs too young to judge, or unknown outbound
    legs within their grace: survey again after `grace_s`. `orphans`: hang up. `leaked_bridges`: destroy.
    """

    adopt: Mapping[str, bool]
    arrived: tuple[LegArrived, ...]
    lost: tuple[str, ...]
    waiting: tuple[str, ...]
    orphans: tuple[str, ...]
    leaked_bridges: tuple[str, ...]


def reconcile(
    survey: Survey, known_legs: Mapping[str, KnownLeg], known_bridges: frozenset[str], now_s: float, grace_s: float
) -> Plan:
    """The plan for the surveyed node; known legs of other nodes are left out of it."""
    raise NotImplementedError
