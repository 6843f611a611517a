"""Journals with calls in them, and both databases, for the projection's tests."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core.commands import Command, JoinQueue
from core.decisions import (
    Decision,
    InteractionClosed,
    InteractionOpened,
    LegJoined,
    Moved,
    NodeEntered,
    NodeLeft,
    StayEnded,
    WorkEnded,
)
from core.events import (
    DigitPressed,
    Event,
    LegArrived,
    LegEnded,
    LegHeld,
    LegResumed,
    LegRinging,
    LegUp,
    QueueLeft,
    RecordingFinished,
    RoutingDecided,
)
from core.leg import EndReason
from core.leg_commands import DiscardRecording, KeepRecording, StartRecording
from core.offer_facts import OfferAccepted
from core.survey import SurveyAnswered, SurveyAsked
from core.table import Transition
from core.talk_facts import TalkEnded
from store.cipher import ContactCipher
from store.entry import Entry
from store.journal import Journal
from store.sql.database import Database
from store.sql.models import Base, ProjectionStateRow
from tests.postgres_fixture import PostgresServer

NOW_S = 1_767_225_600.0
KINDS = {"csat": "csat", "nps": "nps", "solved": "yes_no"}
_numbers = count(1)


class Call:
    """One caller, told as journal entries one second apart."""

    def __init__(self, interaction_id: str, tenant: str = "main", at_s: float = NOW_S, contact: str = "ana") -> None:
        self.id = interaction_id
        self.tenant = tenant
        self.at_s = at_s
        self.contact = contact
        self.leg = f"{interaction_id}-c"
        self.visit = 0
        self.node = ""
        self.states: dict[str, str] = {}

    def entry(
        self, event: Event, decisions: list[Decision], commands: list[Command] | None = None, closed: bool = False
    ) -> Entry:
        self.at_s += 1.0
        snapshot = None if closed else b"s"
        return Entry(
            self.id, self.contact, self.at_s, event, decisions, commands or [], snapshot=snapshot, closed=closed
        )

    def moved(self, thing: str, id_: str, new: str, event: str = "x") -> Moved:
        old, self.states[id_] = self.states.get(id_, "new"), new
        return Moved(Transition(thing, id_, old, new, event))

    def arrives(self, caller: str = "+34600112233", caller_name: str = "Ana") -> Entry:
        opened = InteractionOpened(
            self.id, self.tenant, "voice", "inbound", "+34911", caller, "reception", "v1", "es", "number +34911"
        )
        decisions: list[Decision] = [
            self.moved("leg", self.leg, "ringing"),
            opened,
            LegJoined(self.id, self.leg, "customer", "n1"),
            self.moved("interaction", self.id, "in_flow"),
        ]
        return self.entry(LegArrived(self.leg, "n1", "+34911", caller, caller_name), decisions)

    def answered(self) -> Entry:
        return self.entry(LegUp(self.leg), [self.moved("leg", self.leg, "up"), *self.enters("menu")])

    def enters(self, node: str) -> list[Decision]:
        self.visit, self.node = self.visit + 1, node
        return [NodeEntered("reception", node, self.visit)]

    def presses(self, digit: str, target: str, commands: list[Command] | None = None) -> Entry:
        left: Decision = NodeLeft("reception", self.node, self.visit, digit, target)
        return self.entry(DigitPressed(self.leg, digit), [left, *self.enters(target)], commands)

    def queues(self, queue: str = "sales") -> Entry:
        join = JoinQueue(self.id, self.leg, f"{self.id}-stay", queue)
        return self.entry(DigitPressed(self.leg, "1"), [self.moved("interaction", self.id, "queued")], [join])

    def rings(self, other: str) -> Entry:
        decisions: list[Decision] = [
            LegJoined(self.id, other, "agent", "n1"),
            self.moved("leg", other, "dialing"),
            self.moved("leg", other, "ringing"),
        ]
        return self.entry(LegRinging(other), decisions)

    def talks(self, other: str) -> Entry:
        return self.entry(
            LegUp(other), [self.moved("leg", other, "up"), self.moved("interaction", self.id, "connected")]
        )

    def answers(self, other: str, agent: str = "eva", waited_s: float = 2.0, virtual_s: float = 0.0) -> Entry:
        """What the router says when the agent's leg is up."""
        stay = StayEnded(
            *(self.id, f"{self.id}-stay", self.tenant, "sales", "answered", waited_s, agent, waited_s <= 20),
            virtual=virtual_s > 0.0,
            virtual_s=virtual_s,
        )
        moved = self.moved("assignment", f"{self.tenant}/{agent}/{self.id}", "active", "accept")
        return self.entry(OfferAccepted(self.id, other), [moved, stay])

    def advises(self, agent: str) -> Entry:
        """A colleague answers whoever serves the caller."""
        how = (self.id, f"{self.id}-colleague", self.tenant, "support", "answered", 1.0, agent)
        return self.entry(OfferAccepted(self.id, "b"), [StayEnded(*how, purpose="consult")])

    def is_wrapped_up(self, agent: str = "eva", how: str = "customer_hung_up", **seconds: float) -> Entry:
        """The end of her wrap-up, after somebody else's event; the interaction may be closed by then."""
        work = WorkEnded(self.id, self.tenant, agent, "sales", how, **seconds, disposition="sold/new")
        moved = self.moved("assignment", f"{self.tenant}/{agent}/{self.id}", "done", "finished")
        return self.entry(RoutingDecided(self.id, 1, "TimerFired"), [moved, work])

    def begins_wrap_up(self, agent: str = "eva") -> Entry:
        moved = self.moved("assignment", f"{self.tenant}/{agent}/{self.id}", "wrap_up", "ended")
        return self.entry(TalkEnded(self.id, agent), [moved])

    def holds(self, other: str) -> Entry:
        return self.entry(LegHeld(other), [self.moved("leg", other, "held")])

    def resumes(self, other: str) -> Entry:
        return self.entry(LegResumed(other), [self.moved("leg", other, "up")])

    def records(self, recording_id: str) -> Entry:
        return self.presses("2", "voicemail", [StartRecording(self.leg, recording_id, 60)])

    def recorded(self, recording_id: str, keep: bool) -> Entry:
        labels = {"who": "Ana", "über": "ñ"}
        then: Command = KeepRecording(self.id, self.leg, recording_id, "sales", labels)
        if not keep:
            then = DiscardRecording(self.leg, recording_id)
        return self.entry(RecordingFinished(self.leg, recording_id, 7.25, "digit"), [], [then])

    def is_asked(self, *questions: str, node: str = "opinion", language: str = "es") -> Entry:
        """`csat`, `nps` or `solved`, all at once."""
        asked: list[Decision] = [SurveyAsked("after", name, KINDS.get(name, "csat"), language) for name in questions]
        return self.entry(DigitPressed(self.leg, "1"), [*self.enters(node), *asked])

    def opines(self, question: str, value: str, language: str = "es") -> Entry:
        answered = SurveyAnswered("after", question, KINDS.get(question, "csat"), value, language)
        return self.entry(DigitPressed(self.leg, value[:1]), [answered])

    def leaves_the_queue(self) -> Entry:
        return self.entry(
            QueueLeft(self.id, f"{self.id}-stay", "no_agents"), [self.moved("interaction", self.id, "in_flow")]
        )

    def hangs_up(self, leg: str = "", reason: EndReason = EndReason.HUNG_UP) -> Entry:
        leg = leg or self.leg
        decisions: list[Decision] = [self.moved("leg", leg, "ended")]
        if leg == self.leg:
            decisions += [self.moved("interaction", self.id, "closed"), InteractionClosed(self.id, "completed")]
        return self.entry(LegEnded(leg, reason, 16), decisions, closed=leg == self.leg)


def whole_call(call: Call) -> Iterator[Entry]:
    """Menu, voicemail, queue, agent with a hold, hang-up."""
    agent, recording = f"{call.id}-a", f"{call.id}-r"
    yield call.arrives()
    yield call.answered()
    yield call.records(recording)
    yield call.recorded(recording, keep=True)
    yield call.queues()
    yield call.rings(agent)
    yield call.talks(agent)
    yield call.holds(agent)
    yield call.resumes(agent)
    yield call.hangs_up(agent)
    yield call.hangs_up()


def random_call(call: Call, chance: random.Random) -> Iterator[Entry]:
    yield call.arrives(caller=f"+34600{chance.randrange(10**6):06d}")
    if chance.random() < 0.1:
        yield call.hangs_up()
        return
    yield call.answered()
    for n in range(chance.randrange(6)):
        yield call.presses(str(n), chance.choice(["menu", "hours", "balance"]))
    if chance.random() < 0.4:
        yield call.records(f"{call.id}-r")
        if chance.random() < 0.9:
            yield call.recorded(f"{call.id}-r", chance.random() < 0.6)
    if chance.random() < 0.6:
        yield call.queues(chance.choice(["sales", "help"]))
        if chance.random() < 0.6:
            yield call.rings(f"{call.id}-a")
            answered = chance.random() < 0.8
            if answered:
                yield call.talks(f"{call.id}-a")
                yield call.answers(f"{call.id}-a", waited_s=chance.random() * 40)
            yield call.hangs_up(f"{call.id}-a", chance.choice(list(EndReason)))
            if answered:
                if chance.random() < 0.5:
                    yield call.is_asked("csat", "nps")
                    yield call.opines("csat", str(chance.randint(1, 5)))
                yield call.begins_wrap_up()
                yield call.is_wrapped_up(talk_s=chance.random() * 300)
        else:
            yield call.leaves_the_queue()
    if chance.random() < 0.9:
        yield call.hangs_up()


def many_calls(number: int, seed: int = 1) -> Iterator[Entry]:
    """Interleaved, in the order of time."""
    chance = random.Random(seed)
    running = [
        random_call(Call(f"i-{seed}-{n}", chance.choice(["main", "acme"]), NOW_S + n, f"contact-{n % 20}"), chance)
        for n in range(number)
    ]
    while running:
        story = chance.choice(running[:30])
        following = next(story, None)
        if following is None:
            running.remove(story)
        else:
            yield following


class Diary:
    """A journal with entries in it."""

    def __init__(self, directory: Path) -> None:
        self.cipher = ContactCipher.open(directory)
        self.errors: list[str] = []
        self.journal = Journal.open(directory / "journal.db", self.cipher, self.errors.append)
        self.reader = self.journal.reader

    async def write(self, *entries: Entry) -> None:
        for each in entries:
            self.journal.append(each)
        await self.journal.durable(self.journal.last_seq)


@pytest.fixture
async def diary(tmp_path: Path) -> AsyncIterator[Diary]:
    opened = Diary(tmp_path)
    yield opened
    await opened.journal.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/centralita.db"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database(f"t{next(_numbers)}")


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    opened = Database(url)
    await opened.upgrade()
    yield opened
    await opened.close()


async def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but for how far the projection is."""
    found = {}
    async with database.begin() as connection:
        for name, table in Base.metadata.tables.items():
            if name != ProjectionStateRow.__tablename__:
                rows = await connection.execute(select(table).order_by(*table.primary_key))
                found[name] = [tuple(row) for row in rows]
    return found
