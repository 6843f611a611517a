"""Which leads go first: priority, then the lists of a campaign in proportion to their weights, then rank, then where
the day ends soonest. Pure; the stores share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from core.lead_store import ListShare

ANY_ZONE = 1 << 30


class Place(NamedTuple):
    """Where a lead stands in its list. `turn`: the priority, negated; `zone`: the place of her time zone among those
    that are open."""

    turn: int
    rank: float
    zone: int
    lead_id: str


class ListMix:
    """Remembers how many each list gave, so that shares hold over many small stagings."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], dict[str, float]] = {}

    def choose(
        self, campaign: tuple[str, str], shares: Sequence[ListShare], places: Mapping[str, Sequence[Place]], count: int
    ) -> list[str]:
        """Up to `count` lead ids out of each list's `places`, which are in order."""
        weights = {share.list_id: max(share.weight, 0) for share in shares}
        given = {name: self._given.get(campaign, {}).get(name, 0.0) for name in weights}
        at = dict.fromkeys(weights, 0)
        chosen: list[str] = []
        while len(chosen) < count:
            heads = {name: places[name][at[name]] for name in weights if at[name] < len(places.get(name, ()))}
            if not heads:
                break
            first = min(head.turn for head in heads.values())
            # A list of weight 0 gives only what no other has.
            name = min(
                (each for each in heads if heads[each].turn == first),
                key=lambda each: (not weights[each], (given[each] + 1) / (weights[each] or 1), heads[each][1:]),
            )
            chosen.append(heads[name].lead_id)
            at[name] += 1
            given[name] += 1
        self._given[campaign] = _rebased(given, weights, {name for name in weights if places.get(name)})
        return chosen


def zone_key(zones: Sequence[str]) -> str:
    """What a lead's `zone` is when all of `zones` have to be open."""
    return "|".join(sorted(zones))


def open_places(keys: Sequence[str], zones_open: Sequence[str] | None) -> dict[str, int]:
    """Those of a list's zone keys that are open, each with its place in the order; an empty one always is: only the
    number to be dialed says where it is."""
    if zones_open is None:
        return dict.fromkeys(keys, 0)
    order = {zone: place for place, zone in enumerate(zones_open)}
    found: dict[str, int] = {}
    for key in keys:
        parts = key.split("|")
        if not key:
            found[key] = ANY_ZONE
        elif key in order:
            found[key] = order[key]
        elif all(part in order for part in parts):
            found[key] = min(order[part] for part in parts)
    return found


def _rebased(given: dict[str, float], weights: Mapping[str, int], there: set[str]) -> dict[str, float]:
    """A list that was empty for a while catches nothing up."""
    base = min((given[name] / weights[name] for name in there if weights[name]), default=0.0)
    return {name: max(0.0, number - base * weights[name]) if name in there else 0.0 for name, number in given.items()}
