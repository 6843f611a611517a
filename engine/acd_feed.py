"""What changed on the board, numbered, for whoever watches it: first the whole, then every change in order.

Changes are gathered for a moment, so a burst of facts about one agent is one line. Who comes back within the ring goes
on where she was; who comes later, or asks for another engine's numbers, begins anew.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import msgspec

GATHER_S = 0.04
OTHERS_EVERY_S = 1.0
"""How soon is told what one change did to others: queues by their agents, places by who left."""
PING_S = 5.0
HELD = 20_000
"""Lines held for those who come back."""
UNWATCHED_S = 120.0
"""After so long without anybody watching nothing is held any more."""

Key = tuple[str, str]
"""Kind (`agent`, `queue`, `stay`, `talk`) and id."""
_WITHOUT_TENANT = ("stay", "talk")
"""Kinds whose ids do not say whose they are. One that nobody was told of, and that is gone, needs no line."""
View = Callable[[Key, float], Mapping[str, Any] | None]
"""How a thing looks at a time (UTC seconds); None when it is gone. It has a `tenant`."""

_json = msgspec.json.Encoder().encode
RESET = _json({"reset": True}) + b"\n"


class Feed:
    """Belongs to the running loop. `epoch`: the engine's life that the numbers belong to.

    What one change does to others is told a little later: `queues_of(tenant)` when an agent of the tenant changed,
    `places_in(queue)` (stay -> place) when somebody joined or left it."""

    def __init__(
        self,
        epoch: str,
        view: View,
        now_s: Callable[[], float],
        queues_of: Callable[[str], Iterable[Key]] = lambda tenant: (),
        places_in: Callable[[str, float], Mapping[Key, int]] = lambda queue, now_s: {},
    ) -> None:
        self.epoch = epoch
        self.seq = 0
        self._view = view
        self._now_s = now_s
        self._held: deque[tuple[int, bytes]] = deque(maxlen=HELD)
        self._tenants: dict[Key, str] = {}
        self._dirty: dict[Key, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._queues_of = queues_of
        self._places_in = places_in
        self._stirred: set[str] = set()
        self._moved: set[str] = set()
        self._places: dict[Key, int] = {}
        self._slow_timer: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()
        self._over = False
        self._watchers = 0
        self._watched_s = -UNWATCHED_S

    def changed(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._dirty[key] = None
            if key[0] == "agent":
                self._stirred.add(key[1].partition("/")[0])
            elif key[0] == "queue":
                self._moved.add(key[1])
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(GATHER_S, self.publish)
        if self._slow_timer is None and (self._stirred or self._moved):
            self._slow_timer = asyncio.get_running_loop().call_later(OTHERS_EVERY_S, self._tell_others)

    def _tell_others(self) -> None:
        self._slow_timer = None
        tenants, self._stirred = self._stirred, set()
        queues, self._moved = self._moved, set()
        if self.is_watched():
            now_s = self._now_s()
            found = [key for tenant in sorted(tenants) for key in self._queues_of(tenant)]
            for queue in sorted(queues):
                places = self._places_in(queue, now_s).items()
                found.extend(key for key, place in places if self._places.get(key) != place)
            self._others(found)

    def _others(self, keys: Iterable[Key]) -> None:
        """Told like any change, and changes nothing else in turn."""
        self._dirty.update(dict.fromkeys(keys))
        self.publish()

    def is_watched(self) -> bool:
        """Whether anybody follows, or did a moment ago."""
        return self._watchers > 0 or self._now_s() - self._watched_s <= UNWATCHED_S

    def publish(self) -> int:
        """Everything gathered becomes lines now. Returns the number of the last one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        dirty, self._dirty = self._dirty, {}
        if not dirty:
            return self.seq
        now_s = self._now_s()
        if not self.is_watched():
            self._held.clear()
            self._tenants.clear()
            self._places.clear()
            self.seq += 1
            return self.seq
        for key in dirty:
            self._line(key, now_s)
        self._news.set()
        self._news = asyncio.Event()
        return self.seq

    def begin(self, seen: Iterable[tuple[Key, str]] = ()) -> int:
        """The number that a snapshot taken now belongs to; from here on changes are held. `seen`: what is in it, each
        with its tenant, so that its end can be told to whom it belongs."""
        self._watched_s = self._now_s()
        seq = self.publish()
        self._tenants.update(seen)
        return seq

    def holds(self, epoch: str, after: int) -> bool:
        """Whether every change after this number can still be told."""
        first = self._held[0][0] if self._held else self.seq + 1
        return epoch == self.epoch and first - 1 <= after <= self.seq

    async def lines(self, epoch: str, after: int) -> AsyncIterator[bytes]:
        """Changes as NDJSON, pings between them; one reset line when they cannot be told without a hole."""
        self._watchers += 1
        try:
            while True:
                if not self.holds(epoch, after):
                    yield RESET
                    return
                if self._over:
                    return
                news = self._news
                if after < self.seq:
                    behind = self.seq - after
                    held = [line for _, line in list(self._held)[-behind:]]
                    after = self.seq
                    yield b"".join(held)
                    continue
                try:
                    await asyncio.wait_for(news.wait(), PING_S)
                except TimeoutError:
                    yield _json({"ping": self._now_s()}) + b"\n"
        finally:
            self._watchers -= 1
            self._watched_s = self._now_s()

    def close(self) -> None:
        """Ends every stream of lines."""
        self._over = True
        self._news.set()
        for timer in (self._timer, self._slow_timer):
            if timer is not None:
                timer.cancel()
        self._timer = self._slow_timer = None

    def _line(self, key: Key, now_s: float) -> None:
        kind, id_ = key
        value = self._view(key, now_s)
        if value is not None:
            self._tenants[key] = tenant = str(value["tenant"])
            if kind == "stay":
                self._places[key] = value.get("position", 0)
        else:
            tenant = self._tenants.pop(key, "" if kind in _WITHOUT_TENANT else id_.partition("/")[0])
            self._places.pop(key, None)
            if not tenant:
                return
        self.seq += 1
        line = {"seq": self.seq, "kind": kind, "id": id_.removeprefix(f"{tenant}/"), "tenant": tenant, "value": value}
        self._held.append((self.seq, _json(line) + b"\n"))
