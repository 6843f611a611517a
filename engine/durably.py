"""What may happen only once the disk knows of it: commands that cannot be taken back, and promises.

event and start mark durable -> carried out -> end marked
     | too late, no room
     +----> refused: the caller goes on, and nothing happens to her later
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from core.commands import Command, subject_of
from core.errors import CentralitaError
from core.events import CommandRejected, Event, LegEnded
from core.leg import EndReason
from core.leg_commands import OriginateLeg
from engine.lanes import Ordered

DURABLE_WITHIN_S = 5.0
"""How long what cannot be taken back waits for the disk before the caller goes on without it."""
_NEVER = "never carried out"


class Marks(Protocol):
    """What is needed of the journal. Each may raise CentralitaError when an entry found no room."""

    async def durable(self, seq: int) -> None: ...

    async def command_started(self, command_id: str, interaction_id: str, what: str, subject_id: str) -> None: ...

    def command_done(self, command_id: str, outcome: str) -> None: ...


class Durably:
    """`report` puts a fact into the inbox, `perform` carries a command out, `spawn` runs a task."""

    def __init__(
        self,
        book: Marks,
        report: Callable[[Event], None],
        perform: Callable[[Ordered], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._book = book
        self._report = report
        self._perform = perform
        self._spawn = spawn
        self._undialed: set[str] = set()

    def carry_out(self, ordered: Ordered, seq: int) -> None:
        """A command that cannot be taken back, asked for by the event of this number."""
        if isinstance(ordered.command, OriginateLeg):
            self._undialed.add(ordered.command.leg_id)
        self._spawn(self._carry_out(ordered, seq))

    def calls_off(self, leg_id: str) -> bool:
        """Whether this leg waited to be dialed: it never will be, and has ended."""
        if leg_id not in self._undialed:
            return False
        self._undialed.remove(leg_id)
        self._report(LegEnded(leg_id, EndReason.HUNG_UP_BY_US))
        return True

    def promise(
        self, ordered: Ordered, seq: int, then: Callable[[], Event], otherwise: Callable[[], None] = lambda: None
    ) -> None:
        """What the caller is told is durable first: only then is it so (`then`). A disk that does not answer is left
        to her flow's patience; one that never will refuses (`otherwise`)."""
        self._spawn(self._promise(ordered, seq, then, otherwise))

    async def _promise(
        self, ordered: Ordered, seq: int, then: Callable[[], Event], otherwise: Callable[[], None]
    ) -> None:
        try:
            await self._book.durable(seq)
        except CentralitaError as failure:
            otherwise()
            self._refuse(ordered, str(failure))
        else:
            self._report(then())

    async def _carry_out(self, ordered: Ordered, seq: int) -> None:
        command, what = ordered.command, type(ordered.command).__name__
        leg_id = command.leg_id if isinstance(command, OriginateLeg) else ""
        subject_id = leg_id or subject_of(command)
        try:
            async with asyncio.timeout(DURABLE_WITHIN_S):
                # At once, so that both go to the disk together: the mark never gets there before its event.
                await asyncio.gather(
                    self._book.durable(seq),
                    self._book.command_started(ordered.command_id, ordered.interaction_id, what, subject_id),
                )
        except (TimeoutError, CentralitaError) as failure:
            self._book.command_done(ordered.command_id, _NEVER)
            if self._may_still_run(command):
                why = str(failure) or f"the journal did not reach the disk within {DURABLE_WITHIN_S:g} s"
                self._refuse(ordered, f"{why}, so it was not carried out")
        else:
            if self._may_still_run(command):
                self._perform(ordered)
            else:
                self._book.command_done(ordered.command_id, _NEVER)

    def _may_still_run(self, command: Command) -> bool:
        """False when the leg to be dialed was called off meanwhile."""
        if not isinstance(command, OriginateLeg):
            return True
        wanted = command.leg_id in self._undialed
        self._undialed.discard(command.leg_id)
        return wanted

    def _refuse(self, ordered: Ordered, why: str) -> None:
        command = ordered.command
        leg_id = command.leg_id if isinstance(command, OriginateLeg) else ""
        what, subject_id = type(command).__name__, leg_id or subject_of(command)
        self._report(CommandRejected(ordered.interaction_id, ordered.command_id, what, why, leg_id, subject_id))
