"""Login throttling: who guesses wrong waits, longer each time. Per login and per address; pure, the time is given.

After `free` wrong tries in a row the next is refused for 2, 4, 8 ... seconds, at most `longest_s`. A right one clears
the login's count (not the address's: others may be guessing from there). Counts fade when nobody tries for `fade_s`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_REMEMBERED = 20_000


@dataclass(slots=True)
class _Count:
    wrong: int
    last_s: float


class Throttle:
    def __init__(
        self, free: int = 5, free_per_address: int = 30, longest_s: float = 300.0, fade_s: float = 900.0
    ) -> None:
        self._free = {"login": free, "address": free_per_address}
        self._longest_s = longest_s
        self._fade_s = fade_s
        self._counts: OrderedDict[tuple[str, str], _Count] = OrderedDict()

    def wait_s(self, login: str, address: str, now_s: float) -> float:
        """Seconds until this login may be tried from this address; 0: now."""
        return max(self._wait_s(key, now_s) for key in (("login", login), ("address", address)))

    def failed(self, login: str, address: str, now_s: float) -> None:
        for key in (("login", login), ("address", address)):
            count = self._counts.get(key)
            if count is None or now_s - count.last_s > self._fade_s:
                count = self._counts[key] = _Count(0, now_s)
            count.wrong += 1
            count.last_s = now_s
            self._counts.move_to_end(key)
        while len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)

    def succeeded(self, login: str) -> None:
        self._counts.pop(("login", login), None)

    def _wait_s(self, key: tuple[str, str], now_s: float) -> float:
        count = self._counts.get(key)
        if count is None or now_s - count.last_s > self._fade_s:
            return 0.0
        over = count.wrong - self._free[key[0]]
        if over < 0:
            return 0.0
        pause_s = min(2.0 ** min(over + 1, 20), self._longest_s)
        return max(0.0, count.last_s + pause_s - now_s)
