"""Two accounts of the same calls: what Asterisk did, and what the journal says.

Asterisk's is heard over ARI by an application of its own, which nothing else serves: every channel from its beginning
to its end, by its unique id, which is the journal's `leg_id`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from core.decisions import InteractionClosed, InteractionOpened, LegJoined, StayEnded
from core.events import LegEnded, LegUp
from core.leg_commands import KeepRecording, StartTalkRecording
from core.offer_facts import OfferFailed, OfferMade
from core.queue_facts import QueueJoined
from engine.lost_recordings import lost
from store.cipher import ContactCipher
from store.entry import Recorded
from store.journal_reader import JournalReader
from telephony.node.settings import NodeSettings

MANY = 10_000_000
LEAST_RECORDED_S = 1.0
"""Who hangs up sooner may be gone before Asterisk has opened a file."""


@dataclass
class Channel:
    """`met`: the channels it has been in a bridge with; `cause`: Q.850, when it is over."""

    name: str
    caller: str
    begun: int = 0
    ended: int = 0
    up: bool = False
    cause: int = -1
    met: set[str] = field(default_factory=set)


class AsterisksBook:
    """Everything Asterisk told about its channels since `heard` began."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.broken = ""

    @property
    def is_closed(self) -> bool:
        """Every channel that began has ended."""
        return all(channel.ended >= channel.begun for channel in self.channels.values())

    def take(self, event: Mapping[str, Any]) -> None:
        told = event.get("channel")
        if told is None:
            return
        channel = self.channels.setdefault(told["id"], Channel(told["name"], told["caller"]["number"]))
        channel.up = channel.up or told["state"] == "Up"
        match event["type"]:
            case "ChannelCreated":
                channel.begun += 1
            case "ChannelHangupRequest":
                channel.cause = int(event.get("cause", 0)) or channel.cause
            case "ChannelDestroyed":
                channel.ended += 1
                channel.cause = int(event["cause"]) or channel.cause  # 0: it has forgotten what it was asked for
            case "ChannelEnteredBridge":
                for other in event["bridge"]["channels"]:
                    if other != told["id"]:
                        channel.met.add(other)
                        if other in self.channels:
                            self.channels[other].met.add(told["id"])
            case _:
                pass


@contextlib.asynccontextmanager
async def heard(node: NodeSettings) -> AsyncIterator[AsterisksBook]:
    """Listens for as long as the block lasts."""
    key = f"supervisor:{node.secrets.ari_supervisor}"
    host = node.ari_url.removeprefix("http://")
    book = AsterisksBook()

    async def listen() -> None:
        async for text in socket:
            book.take(json.loads(text))
        book.broken = "Asterisk ended the connection"

    async with connect(
        f"ws://{host}/events?app=bookkeeper&subscribeAll=true&api_key={key}", max_size=None, proxy=None
    ) as socket:
        listening = asyncio.create_task(listen())
        try:
            yield book
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


@dataclass
class Leg:
    role: str
    up: int = 0
    ended: int = 0
    cause: int = -1
    reason: str = ""


@dataclass
class Contact:
    """One interaction, as the journal tells it. `stays`: id -> how each ended; `served`: agents, in order."""

    interaction_id: str
    caller: str = ""
    opened: int = 0
    closed: list[str] = field(default_factory=list)
    joined: list[str] = field(default_factory=list)
    stays: dict[str, list[str]] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)
    legs: dict[str, Leg] = field(default_factory=dict)
    offers: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    recordings: dict[str, float] = field(default_factory=dict)
    """When each was begun (UTC seconds)."""
    filed: dict[str, float] = field(default_factory=dict)
    """When it was decided that it is over."""
    lost: dict[str, str] = field(default_factory=dict)
    """Why."""
    seq: int = 0
    customer_ended_s: float = 0.0

    @property
    def outcome(self) -> str:
        """How it ended, for a table: its last stay, or that the caller never came to wait."""
        ends = [how for stay_id in self.joined for how in self.stays.get(stay_id, ["never ended"])]
        return ends[-1] if ends else "before waiting"

    @property
    def customer(self) -> str:
        return next((leg_id for leg_id, leg in self.legs.items() if leg.role == "customer"), "")

    def misses(self, kept: int) -> Iterator[str]:
        """Recordings that are not there, of conversations that lasted for a moment."""
        lasted = {name: self.filed.get(name, self.customer_ended_s) - at_s for name, at_s in self.recordings.items()}
        due = [name for name, seconds in lasted.items() if seconds >= LEAST_RECORDED_S]
        if not len(due) <= kept <= len(lasted):
            why = ", ".join(f"{name} ({lasted[name]:.2f} s): {self.lost.get(name, 'not told')}" for name in lasted)
            yield f"{self.interaction_id}: {kept} recordings are kept; {why}"

    def take(self, record: Recorded) -> None:
        self.seq = self.seq or record.seq
        match record.event:
            case QueueJoined(stay_id=stay_id):
                self.joined.append(stay_id)
            case OfferMade():
                self.offers += 1
            case OfferFailed() as failed:
                self.unanswered[f"{failed.how}: {failed.why}"] += 1
            case LegUp(leg_id=leg_id) if leg_id in self.legs:
                self.legs[leg_id].up += 1
            case LegEnded(leg_id=leg_id) if leg_id in self.legs:
                leg = self.legs[leg_id]
                leg.ended, leg.cause, leg.reason = leg.ended + 1, record.event.cause, record.event.reason.value
                if leg.role == "customer":
                    self.customer_ended_s = record.at_s
            case _:
                pass
        for command in record.commands:
            if isinstance(command, StartTalkRecording):
                self.recordings.setdefault(command.recording_id, record.at_s)
            elif isinstance(command, KeepRecording):
                self.filed.setdefault(command.recording_id, record.at_s)
        if record.event is not None and (told := lost(record.event))[0]:
            self.lost[told[0]] = told[1]
        for decision in record.decisions:
            match decision:
                case InteractionOpened(caller=caller):
                    self.opened, self.caller = self.opened + 1, caller
                case LegJoined(leg_id=leg_id, role=role):
                    self.legs.setdefault(leg_id, Leg(role))
                case StayEnded(stay_id=stay_id, how=how, agent_id=agent_id):
                    self.stays.setdefault(stay_id, []).append(how)
                    if how == "answered":
                        self.served.append(agent_id)
                case InteractionClosed(outcome=outcome):
                    self.closed.append(outcome)
                case _:
                    pass


def journals_book(reader: JournalReader) -> list[Contact]:
    """Every interaction in it."""
    found = []
    for interaction_id in reader.newest(MANY):
        contact = Contact(interaction_id)
        for record in reader.show(interaction_id):
            contact.take(record)
        found.append(contact)
    return found


@contextlib.contextmanager
def opened(state: Path, journal: Path) -> Iterator[tuple[JournalReader, ContactCipher]]:
    """The journal of a running system, and what it is unsealed with."""
    with ContactCipher.open(state, read_only=True) as cipher:
        reader = JournalReader.open(journal, cipher)
        try:
            yield reader, cipher
        finally:
            reader.close()
