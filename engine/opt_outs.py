"""Somebody on the line wants never to be called again: said to the dialer at once, promised to her when it is safe."""

from __future__ import annotations

from typing import Protocol

from core.clock import Clock
from core.commands import ListNumber
from core.dialing import NumberListed
from core.events import CommandRejected, Event, NumberKept
from engine.campaigns import Campaigns
from engine.durably import Durably
from engine.interaction import Interaction
from engine.lanes import Ordered
from engine.routing import Consequences
from engine.written import Book


class House(Protocol):
    """What is needed of the runtime."""

    clock: Clock
    campaigns: Campaigns
    interactions: dict[str, Interaction]

    def put(self, event: Event) -> None: ...

    def follow(self, consequences: Consequences) -> str: ...


class OptOuts:
    def __init__(self, house: House, book: Book, durably: Durably) -> None:
        self._house = house
        self._book = book
        self._durably = durably

    def list_number(self, ordered: Ordered, command: ListNumber) -> None:
        """From the next dial on; the caller goes on when the disk knows."""
        house, interaction_id = self._house, command.interaction_id
        interaction = house.interactions.get(interaction_id)
        if interaction is None:
            return
        fact = listed(command, interaction)
        refused = house.follow(house.campaigns.take(fact, interaction, house.clock.now_s()))
        if refused:
            subject_id = command.request_id
            house.put(CommandRejected(interaction_id, ordered.command_id, "ListNumber", refused, subject_id=subject_id))
            return
        self._durably.promise(ordered, self._book.last_seq, lambda: NumberKept(interaction_id, command.request_id))


def listed(command: ListNumber, interaction: Interaction) -> NumberListed:
    """What the dialer is told."""
    attempt = interaction.attempt
    campaign = attempt.wanted.campaign if attempt is not None and command.scope == "campaign" else ""
    why = f"asked for in a call of campaign {attempt.wanted.campaign}" if attempt is not None else "asked for in a call"
    wanted = attempt.wanted if attempt is not None else None
    return NumberListed(
        interaction.tenant,
        command.called,
        campaign,
        by="caller",
        why=why,
        interaction_id=command.interaction_id,
        lead_id=wanted.lead_id if wanted is not None and wanted.called == command.called else "",
    )
