"""Contacts of `best_match` queues that follow one another in the order: gathered, then given to agents together."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import nsmallest
from typing import NamedTuple

from acd.floor import Floor, Group, Place
from acd.masks import bits
from acd.records import Stay
from acd.strategies import best_match
from acd.strategies.strategy import Score, Sought

SHOWN = 3
"""Agents told in an offer's explanation."""

Chosen = list[tuple[Score, int]]
"""Agents with their keys: who gets the contact, then who would have been good too."""


class _Member(NamedTuple):
    stay: Stay
    group: Group
    found: int
    score: float


class Batch:
    """`found`, `score`: who is free for a contact, as a mask, and what it has by the one order (higher is earlier)."""

    def __init__(self, floor: Floor, now_s: float) -> None:
        self._floor, self._now_s = floor, now_s
        self._members: list[_Member] = []
        self._alike: dict[Group, list[float]] = {}
        """Scores of those whom everybody free for their group may serve, highest first."""
        self._reach: dict[Group, float] = {}
        self.put_by: list[Place] = []
        """The first of each group whose turn comes after those that are in it."""

    def __bool__(self) -> bool:
        return bool(self._members)

    def takes(self, stay_id: str) -> bool:
        """Whether this contact, the next in the order, belongs to it."""
        return len(self._members) < best_match.MOST_AT_ONCE and together(self._floor, self._floor.stays[stay_id])

    def add(self, stay: Stay, group: Group, found: int, score: float, like_all: bool) -> None:
        self._members.append(_Member(stay, group, found, score))
        if like_all:
            self._alike.setdefault(group, []).append(score)
        reach = best_match.reach(self._floor.queue_setup(stay))
        self._reach[group] = max(reach, self._reach.get(group, 0.0))

    def follows(self, head: Place) -> bool:
        """The next of a group that is in it. Whether it could be worth more than one of those before it: when there
        are as many as agents free for the group, each further ahead than a better fit could make up, it never is, and
        is put by until they are served."""
        group = head[4]
        alike, free = self._alike.get(group, []), (group.agents & self._floor.free.get(group.channel, 0)).bit_count()
        own = best_match.reach(self._floor.queue_setup(self._floor.stays[head[3]]))
        if len(alike) < free or -head[0] >= alike[free - 1] - max(own, self._reach[group]):
            return True
        self.put_by.append(head)
        return False

    def settle(self) -> Iterator[tuple[Stay, Group, Chosen, Stay | None]]:
        """Who gets whom, and the first who waits on though she could have had that agent. It is empty then, but for who
        is `put_by`. One at a time: who can take several at once is given one more in the next round."""
        left, self._members = self._members, []
        self._alike.clear()
        self._reach.clear()
        floor = self._floor
        while left:
            members, everybody = left, 0
            for each in members:
                everybody |= each.found
            wanted = [(self._sought(each), each.score, each.found) for each in members]
            pairs = best_match.assign(wanted, list(bits(everybody)), floor.roster, floor.people)
            served = {row for row, _ in pairs}
            rest = [each for n, each in enumerate(members) if n not in served]
            for row, number in pairs:
                passed = next((each.stay for each in rest if each.found >> number & 1), None)
                yield members[row].stay, members[row].group, self._chosen(members[row], number), passed
            left = [each._replace(found=found) for each in rest if (found := self._found(each))]

    def _found(self, member: _Member) -> int:
        free = self._floor.free.get(member.group.channel, 0)
        return member.group.agents & free & ~self._floor.barred(member.stay, self._now_s)

    def _sought(self, member: _Member) -> Sought:
        stay, floor = member.stay, self._floor
        return Sought(stay, floor.queue_setup(stay), floor.fit.requirement(stay, stay.step), self._now_s, floor.seed)

    def _chosen(self, member: _Member, number: int) -> Chosen:
        roster, people, sought = self._floor.roster, self._floor.people, self._sought(member)
        scored = [(best_match.key(roster[n], people[n], sought), n) for n in bits(member.found)]
        others = nsmallest(SHOWN, (each for each in scored if each[1] != number))
        return [next(each for each in scored if each[1] == number), *others][:SHOWN]


def together(floor: Floor, stay: Stay) -> bool:
    """Whether its queue's strategy looks at several contacts at once."""
    return floor.queue_setup(stay).strategy == best_match.STRATEGY.name
