"""The runtime's view of the journal: entries with snapshots, nothing secret in them.

While a node listens to sensitive digits, the digit itself and what is played or sent from it never reach the
journal: they live in memory alone, and after a restart that node asks again.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from urllib.parse import urlsplit

import msgspec

from core.agent_facts import WrapUpActed
from core.clock import Clock
from core.commands import AskAgent, Command, SendHttp
from core.decisions import InteractionClosed
from core.dialing import DialerFact, FormFilled, LeadActed, ManualAsked, NumberListed
from core.events import CommandRejected, DigitPressed, Event, HttpReplied, RoutingDecided, RoutingKept, TimerFired
from core.leg_commands import Play
from core.routing import RouterFact
from engine import snapshots
from engine.interaction import Interaction
from engine.routing import Routed
from engine.runtime import Written
from store.cipher import HOUSE, ContactCipher
from store.entry import Entry, StateRow
from store.journal import Journal

SYSTEM = ""
"""The interaction id of what concerns no interaction."""


class JournalBook:
    """`Book` over the real journal."""

    def __init__(self, journal: Journal, cipher: ContactCipher, clock: Clock) -> None:
        self._journal = journal
        self._cipher = cipher
        self._clock = clock
        self._contacts: dict[str, str] = {}

    @property
    def healthy(self) -> bool:
        return self._journal.healthy

    @property
    def last_seq(self) -> int:
        return self._journal.last_seq

    def write(self, written: Written, before: Interaction | None) -> int:
        """The event's seq. `before`: the interaction as it was, which says whether its digits are secret."""
        interaction = written.interaction
        event, commands = written.event, written.commands
        if interaction.holds_secrets or (before is not None and before.holds_secrets):
            event = _blanked_event(event)
            commands = tuple(_blanked(command) for command in commands)
        elif any(type(command) is AskAgent for command in commands):
            commands = tuple(_blanked(command) if type(command) is AskAgent else command for command in commands)
        return self._journal.append(
            Entry(
                interaction_id=interaction.interaction_id,
                contact_key_id=self._contact(interaction),
                at_s=written.at_s,
                event=event,
                decisions=written.decisions,
                commands=commands,
                snapshot=None if written.closed else partial(snapshots.dump, interaction),
                snapshot_version=snapshots.VERSION,
                closed=written.closed,
                states=[_state(name, body) for name, body in written.states.items()],
            )
        )

    async def durable(self, seq: int) -> None:
        await self._journal.durable(seq)

    async def command_started(self, command_id: str, interaction_id: str, what: str, subject_id: str) -> None:
        await self._journal.command_started(command_id, interaction_id, what, subject_id, self._clock.now_s())

    def command_done(self, command_id: str, outcome: str) -> None:
        self._journal.command_done(command_id, outcome, self._clock.now_s())

    def write_state(self, name: str, event: Event, at_s: float, body: object) -> int:
        """State of the whole engine together with the event that changed it; returns the event's seq."""
        return self._journal.append(Entry(SYSTEM, HOUSE, at_s, event, states=(_state(name, body),)))

    def write_routed(self, routed: Routed) -> int:
        """What the router made of a fact, beside the rows it changed; returns the event's seq."""
        fact, interaction = routed.fact, routed.interaction
        return self._journal.append(
            Entry(
                fact.interaction_id,
                self._contact(interaction) if interaction is not None else self._contact_before(fact),
                routed.at_s,
                fact,
                routed.decisions,
                routed.commands,
                states=[StateRow(name, 1, body) for name, body in routed.rows],
            )
        )

    def _contact_before(self, fact: RouterFact | DialerFact | TimerFired | RoutingDecided | RoutingKept) -> str:
        """What an agent writes down after the contact is over is the contact's all the same; and so is what is said
        about somebody's number."""
        match fact:
            case NumberListed() | ManualAsked() | LeadActed() if fact.called:
                return self._cipher.contact_key_id(fact.tenant, fact.called, "")
            case WrapUpActed() | FormFilled():
                return self._journal.reader.contact_of(fact.interaction_id) or HOUSE
            case _:
                return HOUSE

    def forget_state(self, name: str, event: Event, at_s: float) -> int:
        """There is no such state any more because of the event; returns its seq."""
        return self._journal.append(Entry(SYSTEM, HOUSE, at_s, event, states=(StateRow(name, 1, None),)))

    def write_after(self, interaction_id: str, event: Event) -> int:
        """What became of something when its interaction is over; returns the event's seq."""
        contact = self._journal.reader.contact_of(interaction_id) or HOUSE
        return self._journal.append(Entry(interaction_id, contact, self._clock.now_s(), event))

    def write_off(self, interaction_id: str, why: str) -> None:
        """An interaction whose snapshot cannot be read again counts as lost; a caller still there begins anew."""
        event = CommandRejected(interaction_id, "", "snapshot", why)
        closed = InteractionClosed(interaction_id, "lost")
        self._journal.append(Entry(interaction_id, HOUSE, self._clock.now_s(), event, (closed,), closed=True))

    def _contact(self, interaction: Interaction) -> str:
        key = self._contacts.get(interaction.interaction_id)
        if key is None:
            key = self._cipher.contact_key_id(interaction.tenant, interaction.theirs, interaction.interaction_id)
            self._contacts[interaction.interaction_id] = key
        if interaction.is_closed:
            self._contacts.pop(interaction.interaction_id, None)
        return key


def _state(name: str, body: object) -> StateRow:
    return StateRow(name, 1, msgspec.msgpack.encode(body))


def _blanked_event(event: Event) -> Event:
    if isinstance(event, DigitPressed):
        return replace(event, digit="")
    if isinstance(event, HttpReplied):
        return replace(event, values=dict.fromkeys(event.values, ""))
    return event


def _blanked(command: Command) -> Command:
    if isinstance(command, Play):
        return replace(command, parts=())
    if isinstance(command, AskAgent):
        return replace(command, pin="")
    if isinstance(command, SendHttp):
        parts = urlsplit(command.url)
        return replace(command, url=f"{parts.scheme}://{parts.hostname}/", body="", headers={})
    return command


def uses_from(row: StateRow | None) -> list[tuple[float, str]]:
    """(UTC seconds, outbound rule) of each leg dialed lately; none at a first start."""
    return [] if row is None or row.body is None else msgspec.msgpack.decode(row.body, type=list[tuple[float, str]])


def toggles_from(row: StateRow | None) -> dict[tuple[str, str], bool]:
    """The toggles as they were kept; none at a first start."""
    if row is None or row.body is None:
        return {}
    rows = msgspec.msgpack.decode(row.body, type=list[tuple[str, str, bool]])
    return {(tenant, name): value for tenant, name, value in rows}
