"""Who has what a queue or a contact asks for, logged in or not, as bit masks (bit n: agent n of the floor's roster).

Derived from the setup alone, and so built anew with it. What was found once is kept: a hundred queues ask for the same
thing thousands of times a second.
"""

from __future__ import annotations

from collections.abc import Mapping

from acd.masks import SkillMasks
from acd.records import Stay
from acd.setup import Key, QueueSetup, Setup
from acd.skills import Requirement, RequirementInvalid

MAX_KEPT = 4000
"""Flows may ask for anything: beyond so many different questions the answers are forgotten."""
GONE = QueueSetup("", "")


class Fit:
    """`members`: queue -> its agents. `skills`: who has which skill."""

    def __init__(self, setup: Setup, members: Mapping[Key, int], skills: SkillMasks) -> None:
        self._setup, self._members, self._skills = setup, members, skills
        self._asked: dict[tuple[str, int, str, str], Requirement] = {}
        self._able: dict[Key, int] = {}
        self._able_ever: dict[Key, int] = {}
        self._could_ever: dict[tuple[str, str, str, int], int] = {}

    def requirement(self, stay: Stay, step: int) -> Requirement:
        """The queue's own, as relaxed by `step`, and the flow's. What cannot be read asks for nothing."""
        known = (stay.queue, step, stay.skills, stay.tenant)
        found = self._asked.get(known)
        if found is None:
            queue = self._setup.queues.get(stay.queue_key, GONE)
            own = _readable(queue.relaxations[step - 1].skills if step else queue.skills)
            found = own.also(_readable(stay.skills)) if stay.skills else own
            if len(self._asked) >= MAX_KEPT:
                self._asked.clear()
            self._asked[known] = found
        return found

    def may_serve(self, stay: Stay, step: int) -> int:
        """Everybody who has what the stay asks for at a step."""
        members = self._members.get(stay.queue_key, 0)
        return self.requirement(stay, step).among(self._skills.having, members)

    def could_ever(self, stay: Stay) -> int:
        """Everybody who has what the stay asks for now or at a later step."""
        known = (stay.tenant, stay.queue, stay.skills, stay.step)
        found = self._could_ever.get(known)
        if found is None:
            found = 0
            for step in range(stay.step, len(self._setup.queues.get(stay.queue_key, GONE).relaxations) + 1):
                found |= self.may_serve(stay, step)
            if len(self._could_ever) >= MAX_KEPT:
                self._could_ever.clear()
            self._could_ever[known] = found
        return found

    def able(self, key: Key) -> int:
        """Everybody who has what a queue itself asks for of who comes to it."""
        found = self._able.get(key)
        if found is None:
            found = self._able[key] = self._having(self._setup.queues.get(key, GONE).skills, key)
        return found

    def able_ever(self, key: Key) -> int:
        """The same with those it takes from who has waited long enough."""
        found = self._able_ever.get(key)
        if found is None:
            found = self.able(key)
            for relaxation in self._setup.queues.get(key, GONE).relaxations:
                found |= self._having(relaxation.skills, key)
            self._able_ever[key] = found
        return found

    def _having(self, skills: str, key: Key) -> int:
        return _readable(skills).among(self._skills.having, self._members.get(key, 0))


def _readable(text: str) -> Requirement:
    try:
        return Requirement.parse(text)
    except RequirementInvalid:
        return Requirement.parse("")
