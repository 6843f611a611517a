"""After a gap: what we believe against what is there. Pure.

    known and there ------------------> adopt
    known, missing, of before the gap > lost      (it was there, and its end may have come while nobody listened)
    known, missing, heard of lately --> waiting   (its arrival or dialing may have crossed the survey)
    known, missing -------------------> lost
    unknown, inbound -----------------> arrived   (the dialplan handed it over and nobody took it)
    unknown, outbound, young ---------> waiting   (its command may be on its way to us)
    unknown, outbound ----------------> orphan

While `waiting` is not empty, survey again after the grace period: by then each of them has become something else.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from core.events import LegArrived
from core.ports import FoundLeg, Survey


@dataclass(frozen=True, slots=True)
class KnownLeg:
    """A leg we believe in. `since_s`: when it was last heard of or commanded (UTC seconds)."""

    node: str
    since_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do about one node.

    `adopt`: leg id -> whether it is up; each becomes a `LegAdopted`. `arrived`: take in as new callers. `lost`:
    each becomes `LegEnded(reason=LOST)`. `waiting`: not to be judged yet. `orphans`: hang up.
    `leaked_bridges`: destroy.
    """

    adopt: Mapping[str, bool]
    arrived: tuple[LegArrived, ...]
    lost: tuple[str, ...]
    waiting: tuple[str, ...]
    orphans: tuple[str, ...]
    leaked_bridges: tuple[str, ...]


def reconcile(
    survey: Survey,
    known_legs: Mapping[str, KnownLeg],
    known_bridges: Set[str],
    now_s: float,
    grace_s: float,
    before_gap: Set[str] = frozenset(),
) -> Plan:
    """The plan for the surveyed node. Known legs of other nodes are left out; what comes out is in the order of the
    survey, then of `known_legs`, so the same arguments give the same plan. `before_gap`: known legs that had been there
    before anything could be missed: none of them can have crossed the survey.
    """
    there = {leg.leg_id for leg in survey.legs}
    adopt: dict[str, bool] = {}
    arrived: list[LegArrived] = []
    orphans: list[str] = []
    waiting: list[str] = []
    for leg in survey.legs:
        if leg.leg_id in known_legs:
            adopt[leg.leg_id] = leg.up
        elif leg.inbound:
            arrived.append(_as_arrival(leg))
        elif now_s - leg.created_s < grace_s:
            waiting.append(leg.leg_id)
        else:
            orphans.append(leg.leg_id)
    lost: list[str] = []
    for leg_id, known in known_legs.items():
        if known.node == survey.node and leg_id not in there:
            crossed = leg_id not in before_gap and now_s - known.since_s < grace_s
            (waiting if crossed else lost).append(leg_id)
    leaked = tuple(bridge_id for bridge_id in survey.bridges if bridge_id not in known_bridges)
    return Plan(adopt, tuple(arrived), tuple(lost), tuple(waiting), tuple(orphans), leaked)


def _as_arrival(leg: FoundLeg) -> LegArrived:
    """`retried`: whoever waited for an engine has waited, by whichever way we learn of it."""
    return LegArrived(leg.leg_id, leg.node, leg.called, leg.caller, leg.caller_name, leg.entry, retried=True)
