"""Sets of agents as bit masks: bit n is the agent with number n."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from acd.setup import AgentSetup
from acd.skills import compares

MOST_KEPT = 4000


def bits(mask: int) -> Iterator[int]:
    """The numbers in a mask, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


class SkillMasks:
    """Who has which level of which skill."""

    def __init__(self, people: Sequence[AgentSetup]) -> None:
        self._everybody = (1 << len(people)) - 1
        self._levels: dict[str, list[tuple[int, int]]] = {}
        self._found: dict[tuple[str, str, int], int] = {}
        for number, person in enumerate(people):
            for name, level in person.skills.items():
                self._levels.setdefault(name, []).append((number, level))

    def having(self, name: str, sign: str, level: int) -> int:
        """Everybody whose level in a skill compares like that (`billing`, `>=`, 2)."""
        found = self._found.get((name, sign, level))
        if found is None:
            # Whoever is not listed has level 0.
            found = self._everybody if compares(0, sign, level) else 0
            for number, has in self._levels.get(name, ()):
                bit = 1 << number
                found = found | bit if compares(has, sign, level) else found & ~bit
            if len(self._found) >= MOST_KEPT:
                self._found.clear()
            self._found[name, sign, level] = found
        return found
