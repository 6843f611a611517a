"""Commands sent on their way: timers and toggles here, legs to their lanes, what cannot be taken back when it is
durable. What a command is answered with comes back as a fact."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, Protocol

from core.clock import Clock
from core.commands import (
    AskAgent,
    AskQueueStatus,
    CancelTimer,
    Command,
    ListNumber,
    RequestCallback,
    SendHttp,
    SetToggle,
    StartTimer,
    is_irreversible,
    subject_of,
)
from core.events import CommandRejected, Event
from core.leg_commands import AnswerLeg, HangUpLeg, Play, StopPlayback
from core.routing import RouterFact
from core.talk_facts import SupervisorCalled
from engine.agent_phone import AgentPhone
from engine.campaigns import Campaigns
from engine.durably import Durably
from engine.effects import errands
from engine.interaction import Interaction, Surroundings
from engine.lanes import Lanes, Ordered
from engine.opt_outs import OptOuts
from engine.routing import Consequences, Routing
from engine.timers import Timers
from engine.toggles import Toggles
from engine.written import Book, HttpSender

log = logging.getLogger("centralita.engine")


class House(Protocol):
    """What is needed of the runtime. `then` takes a fact within the same turn of the loop."""

    clock: Clock
    surroundings: Surroundings
    routing: Routing
    campaigns: Campaigns
    interactions: dict[str, Interaction]
    lanes: Lanes
    timers: Timers

    def put(self, event: Event) -> None: ...

    def then(self, fact: Event) -> None: ...

    def follow(self, consequences: Consequences) -> str: ...

    def act(self, fact: RouterFact | SupervisorCalled) -> str: ...


class Dispatch:
    def __init__(self, house: House, book: Book, http: HttpSender) -> None:
        self._house = house
        self._book = book
        self._http = http
        self._tasks: set[asyncio.Task[None]] = set()
        self._durably = Durably(book, house.put, self.perform, self._spawn)
        self._toggles = Toggles(house, book, self._durably)
        self._opt_outs = OptOuts(house, book, self._durably)
        self._agent_phone = AgentPhone(house.routing.agent_at, house.routing.agent, house.routing.router.longest)

    def __len__(self) -> int:
        """How many wait for the disk."""
        return len(self._tasks)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def all(self, commands: Sequence[Command], interaction_id: str, seq: int, secret: bool) -> None:
        """What the entry `seq` of the journal commands. `secret`: what it says may not stay on disk."""
        for n, command in enumerate(commands):
            ordered = Ordered(f"{seq}.{n}", interaction_id, command, secret=secret)
            try:
                self.one(ordered, seq)
            except Exception as bug:  # the commands after it are not to blame
                log.exception("command %s could not be sent on its way", ordered.command_id)
                leg_id, what, why = getattr(command, "leg_id", ""), type(command).__name__, type(bug).__name__
                rejected = CommandRejected(ordered.interaction_id, ordered.command_id, what, why, leg_id)
                self._house.put(replace(rejected, subject_id=subject_of(command)))

    def one(self, ordered: Ordered, seq: int) -> None:
        house, command = self._house, ordered.command
        match command:
            case Play() | StopPlayback() | AnswerLeg():  # most of them
                house.lanes.put(ordered)
            case StartTimer():
                house.timers.start(command.interaction_id, command.timer_id, command.due_s)
            case CancelTimer():
                house.timers.cancel(command.interaction_id, command.timer_id)
            case SetToggle():
                self._toggles.set(ordered, command)
            case ListNumber():
                self._opt_outs.list_number(ordered, command)
            case HangUpLeg() if self._durably.calls_off(command.leg_id):
                pass
            case _ if is_irreversible(command):
                self._durably.carry_out(ordered, seq)
            case SendHttp():
                self._http.send(command, house.put, lambda outcome: None)
            case AskQueueStatus():
                if (asking := house.interactions.get(command.interaction_id)) is not None:
                    house.then(house.routing.status(command, asking.tenant, house.clock.now_s()))
            case AskAgent():
                self._ask_agent(command)
            case RequestCallback():
                self._durably.promise(ordered, seq, lambda: errands.answer(ordered))
            case _ if hasattr(command, "leg_id") or hasattr(command, "bridge_id"):
                house.lanes.put(ordered)
            case _:
                pass

    def perform(self, ordered: Ordered) -> None:
        """Carries out an irreversible command whose start is on disk; its end is written down too."""
        command_id = ordered.command_id

        def done(outcome: str) -> None:
            self._book.command_done(command_id, outcome)

        if isinstance(ordered.command, SendHttp):
            self._http.send(ordered.command, self._house.put, done)
        elif errands.answers(ordered.command):
            done("answered")
            self._house.put(errands.answer(ordered))
        else:
            self._house.lanes.put(replace(ordered, done=done))

    def _ask_agent(self, command: AskAgent) -> None:
        house = self._house
        interaction, now_s = house.interactions.get(command.interaction_id), house.clock.now_s()
        if interaction is not None:
            phone, devices = self._agent_phone, house.surroundings.outbound.devices
            house.then(phone.answer(command, interaction, house.routing.setup, devices, house.act, now_s))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
