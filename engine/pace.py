"""Rests for a busy loop, as network cards take them: what arrives meanwhile is handled together.

A loop that wakes up for every message spends more on waking up, and on caches gone cold, than on the messages. While it
is busy it sleeps after each spell of work, `REST_PER_WORK` times as long as it worked and `LONGEST_S` at most. Sockets
keep what comes meanwhile; a timer is late by no more than that; a caller, whose phone hears a packet every 20 ms, does
not notice. What somebody waits for ends a rest (`wake`): waits that follow one another would add up. A loop that has
little to do is left alone and answers at once.
"""

from __future__ import annotations

import asyncio
import time
from threading import Event

LOOK_S = 0.05
"""How often it is judged whether the loop is busy."""
BUSY = 0.08
"""Busy is who uses this share of a core."""
REST_PER_WORK = 10.0
SHORTEST_S, LONGEST_S = 0.002, 0.015
SPELL_TURNS = 3
"""Turns of the loop from reading a message to writing the request that follows from it: inbox, lane, socket."""


class Pace:
    """Of the running loop, until `close`. `begins_in_s`: whoever takes over callers is in a hurry first."""

    def __init__(self, begins_in_s: float = LOOK_S) -> None:
        self._loop = asyncio.get_running_loop()
        self._looked_s, self._worked_s = time.monotonic(), time.thread_time()
        self._spell_began_s, self._spell_worked_s = self._looked_s, self._worked_s
        self._awaited = Event()
        self._handle: asyncio.Handle = self._loop.call_later(begins_in_s, self._look)

    def close(self) -> None:
        self._handle.cancel()

    def wake(self) -> None:
        """From any thread, after it has told the loop what that waits for: it rests no longer, or not the next time."""
        self._awaited.set()

    def _look(self) -> None:
        now_s, worked_s = time.monotonic(), time.thread_time()
        busy = worked_s - self._worked_s > BUSY * (now_s - self._looked_s)
        self._looked_s, self._worked_s = now_s, worked_s
        if busy:
            self._spell(worked_s)
        else:
            self._handle = self._loop.call_later(LOOK_S, self._look)

    def _spell(self, worked_s: float) -> None:
        self._spell_began_s, self._spell_worked_s = time.monotonic(), worked_s
        self._handle = self._loop.call_soon(self._turn, SPELL_TURNS)

    def _turn(self, left: int) -> None:
        if left:
            self._handle = self._loop.call_soon(self._turn, left - 1)
            return
        worked_s = time.thread_time()
        spell_s = worked_s - self._spell_worked_s
        # On a machine that is too busy it has waited for a processor already, and what comes has gathered.
        waited_s = time.monotonic() - self._spell_began_s - spell_s
        rest_s = min(max(REST_PER_WORK * spell_s, SHORTEST_S), LONGEST_S) - waited_s
        if rest_s > 0.0:
            # The whole thread sleeps, on purpose: a loop that waits for its sockets is woken by the first of them.
            self._awaited.wait(rest_s)
            self._awaited.clear()
        if time.monotonic() - self._looked_s < LOOK_S:
            self._spell(worked_s)
        else:
            self._look()
