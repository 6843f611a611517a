"""Follows the engine and passes on what happens, in order, to any number of subscribers.

    engine --snapshot, events--> Hub {board, the last `KEPT` events} --queue of each--> Subscription

Who subscribes with the epoch and number of the last event they had gets what came since, if it is still here, else
a snapshot. Who does not take what is meant for them is dropped: they can come back and resume. While the engine is
away the board stays as it was and everybody is told.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import contextmanager
from typing import Any, Protocol

from core.clock import Clock
from desk.engine_client import EngineAway
from desk.live.board import Board, Json
from desk.live.trail import Trails

log = logging.getLogger("centralita.desk")

KEPT = 5_000
BEHIND = 1_000
"""A subscriber with more messages than this waiting is dropped."""
_RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)


class Source(Protocol):
    """The part of `EngineClient` that is needed here."""

    async def snapshot(self) -> Json: ...

    def events(self, epoch: str, after: int) -> AsyncIterator[Json]: ...


class TooSlow(Exception):
    """The subscriber did not keep up: it comes back with its last number."""


class Subscription:
    """`next()` gives `event`, `snapshot`, `engine` and `ping` messages as they happen."""

    def __init__(self, sees: Callable[[Json], bool]) -> None:
        self._sees = sees
        self._queue: asyncio.Queue[Json] = asyncio.Queue(BEHIND)
        self._dropped = False

    async def next(self) -> Json:
        """Raises TooSlow once it has fallen behind."""
        if self._dropped:
            raise TooSlow("too many messages are waiting")
        return await self._queue.get()

    @property
    def waiting(self) -> int:
        return self._queue.qsize()

    def put(self, message: Json) -> None:
        if message["type"] == "event" and not self._sees(message):
            return
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._dropped = True


class Hub:
    def __init__(self, source: Source, clock: Clock) -> None:
        self.board = Board()
        self.trails = Trails()
        self.engine_up = False
        self._source = source
        self._clock = clock
        self._offset_s = 0.0
        self._kept: deque[Json] = deque()
        self._complete_after = 0
        """Every event with a greater number is in `_kept`."""
        self._subscribers: set[Subscription] = set()
        self._changed = asyncio.Condition()

    def engine_now_s(self) -> float:
        """The engine's time, as far as we know."""
        return self._clock.now_s() + self._offset_s

    async def run(self) -> None:
        """Until cancelled."""
        tries = 0
        while True:
            try:
                async for _ in self._follow():
                    tries = 0
            except (EngineAway, KeyError, TypeError, ValueError) as failure:
                self._set_up(False)
                if not tries:
                    log.warning("the engine is away: %s", failure)
            await asyncio.sleep(_RETRY_S[min(tries, len(_RETRY_S) - 1)])
            tries += 1

    @contextmanager
    def subscribe(self, sees: Callable[[Json], bool], epoch: str = "", after: int = -1) -> Any:
        """A `Subscription`, first with what was missed or `{"type": "snapshot"}` without its content: the subscriber
        reads the board itself, in the same step."""
        subscription = Subscription(sees)
        missed = self.since(epoch, after)
        if missed is None:
            subscription.put({"type": "snapshot"})
        else:
            for event in missed:
                subscription.put(event)
        self._subscribers.add(subscription)
        try:
            yield subscription
        finally:
            self._subscribers.discard(subscription)

    def since(self, epoch: str, after: int) -> list[Json] | None:
        """The events after that one; None when not all of them are here."""
        if not epoch or epoch != self.board.epoch or not self._complete_after <= after <= self.board.seq:
            return None
        missed = [event for event in self._kept if event["seq"] > after]
        return missed if len(missed) < BEHIND - 10 else None

    async def settle(self, seen: Callable[[Board], bool], within_s: float = 1.0) -> bool:
        """Waits until the board shows something: after a request, so that a page shows what it led to."""
        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: seen(self.board))
        except TimeoutError:
            return False
        return True

    async def _follow(self) -> AsyncIterator[None]:
        if not self.board.epoch:
            await self._take_snapshot()
        async for line in self._source.events(self.board.epoch, self.board.seq):
            if line.get("reset"):
                await self._take_snapshot()
                break
            self._set_up(True)
            if "opened" in line:
                pass
            elif "ping" in line:
                self._heard_at(float(line["ping"]))
                self._tell({"type": "ping", "now_s": self.board.now_s, "seq": self.board.seq})
            else:
                await self._take_event(line)
            yield

    async def _take_snapshot(self) -> None:
        self.board.reset(await self._source.snapshot())
        self._kept.clear()
        self._complete_after = self.board.seq
        self._heard_at(self.board.now_s)
        for (tenant, campaign), view in self.board.things["campaign"].items():
            self._trail(tenant, campaign, view)
        self._set_up(True)
        self._tell({"type": "snapshot"})
        await self._notify()

    async def _take_event(self, line: Json) -> None:
        if int(line["seq"]) <= self.board.seq:
            return
        event = {"type": "event", **{name: line[name] for name in ("seq", "kind", "id", "tenant", "value")}}
        if not event["tenant"]:
            event["tenant"], event["id"] = self.board.owner(str(line["kind"]), str(line["id"]))
        before = self._shown_to(event)
        self.board.apply(event)
        if event["kind"] == "campaign":
            event["concerns"] = sorted({agent_id for _, agent_id in before ^ self._shown_to(event)})
            self._trail(event["tenant"], event["id"], event["value"])
        self._kept.append(event)
        if len(self._kept) > KEPT:
            self._complete_after = self._kept.popleft()["seq"]
        self._tell(event)
        await self._notify()

    def _trail(self, tenant: str, campaign: str, view: Json | None) -> None:
        if view is None:
            self.trails.forget((tenant, campaign))
        else:
            self.trails.add((tenant, campaign), view, self.engine_now_s())

    def _shown_to(self, event: Json) -> set[tuple[str, str]]:
        """(attempt and how far it is, agent) of the leads a campaign shows to agents, or dials for one of them."""
        view = self.board.campaign(event["tenant"], event["id"]) if event["kind"] == "campaign" else None
        shown = (*(view or {}).get("previews", ()), *(view or {}).get("in_person", ()))
        return {(f"{each['attempt_id']} {each.get('phase', '')}", str(each["agent_id"])) for each in shown}

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _heard_at(self, now_s: float) -> None:
        self.board.now_s = now_s
        self._offset_s = now_s - self._clock.now_s()

    def _set_up(self, up: bool) -> None:
        if up is not self.engine_up:
            self.engine_up = up
            log.info("the engine is %s", "there" if up else "away")
            self._tell({"type": "engine", "up": up})

    def _tell(self, message: Json) -> None:
        for subscriber in self._subscribers:
            subscriber.put(message)
