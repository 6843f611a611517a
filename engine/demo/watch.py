"""Following one interaction in the journal while it happens: what the caller hears and why."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core import decisions as said
from core.events import DigitPressed, LegAdopted, LegEnded
from core.leg_commands import KeepRecording, Play, StartRecording
from core.media import Sound, Speech
from core.offer_facts import OfferAccepted, OfferMade
from core.queue_facts import QueueJoined
from core.survey import SurveyAnswered
from engine.home import Home
from store.cipher import ContactCipher
from store.entry import Recorded
from store.journal_reader import JournalReader

_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Beat:
    """One thing worth telling. `kind`: node, hears, presses, engine, queue, agent, records, why, ends, phone."""

    at_s: float
    kind: str
    text: str


class Watcher:
    """`on_beat` gets each beat once, as soon as the journal has it."""

    def __init__(self, home: Home, on_beat: Callable[[Beat], None]) -> None:
        self._cipher = ContactCipher.open(home.state, read_only=True)
        self._reader = JournalReader.open(home.journal, self._cipher)
        self._on_beat = on_beat
        self._seen = 0
        self.interaction_id = ""
        self.beats: list[Beat] = []
        self.path: list[tuple[str, str]] = []
        """(flow, node) in the order they were entered."""

    def close(self) -> None:
        self._reader.close()
        self._cipher.close()

    def tell(self, beat: Beat) -> None:
        self.beats.append(beat)
        self._on_beat(beat)

    async def follow(self) -> None:
        """Until cancelled."""
        while True:
            for record in await asyncio.to_thread(self._new):
                for beat in beats_of(record):
                    self.tell(beat)
                self.path += [(d.flow, d.node) for d in record.decisions if isinstance(d, said.NodeEntered)]
            await asyncio.sleep(_LOOK_EVERY_S)

    async def entered(self, node: str, within_s: float = 60.0) -> None:
        """Returns when the caller is at that node.

        Raises:
            TimeoutError: she did not get there; the message says where she is.
        """
        seen = max(0, len(self.path) - 1)
        await self.until(lambda: any(name == node for _, name in self.path[seen:]), f"to get to {node}", within_s)

    async def until(self, what: Callable[[], bool], doing: str, within_s: float = 60.0) -> None:
        """Returns when `what` holds; `doing` completes "it took too long ..."."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + within_s
        while not what():
            if loop.time() > until_s:
                where = ".".join(self.path[-1]) if self.path else "nowhere"
                raise TimeoutError(f"it took more than {within_s:.0f} s {doing}; the caller is at {where}")
            await asyncio.sleep(0.05)

    def _new(self) -> Sequence[Recorded]:
        if not self.interaction_id:
            newest = self._reader.newest(1)
            if not newest:
                return ()
            self.interaction_id = newest[0]
        records = [record for record in self._reader.show(self.interaction_id) if record.seq > self._seen]
        if records:
            self._seen = records[-1].seq
        return records


def beats_of(record: Recorded) -> list[Beat]:
    """What one journal entry means to somebody who watches."""
    beats: list[Beat] = []

    def beat(kind: str, text: str) -> None:
        beats.append(Beat(record.at_s, kind, text))

    match record.event:
        case DigitPressed(digit=digit):
            beat("presses", digit or "a secret digit")
        case LegAdopted():
            beat("engine", "a new engine has the call: the caller is where she was")
        case QueueJoined(queue=queue, skills=skills) if queue:
            beat("queue", f"waits in {queue}" + (f" for somebody with {skills}" if skills else ""))
        case OfferMade(agent_id=agent_id, waited_s=waited_s):
            beat("queue", f"{agent_id} is reserved and rung, after {waited_s:.1f} s of waiting")
        case OfferAccepted():
            beat("queue", "the agent answers: they are put together")
        case LegEnded(leg_id=leg_id, reason=reason):
            whose = "the caller's" if record.interaction_id.endswith(leg_id) else "the agent's"
            beat("ends", f"{whose}: {reason.value.replace('_', ' ')}")
        case _:
            pass
    for decision in record.decisions:
        match decision:
            case said.InteractionOpened():
                beat("node", f"flow {decision.flow} answers in {decision.language} ({decision.rule})")
            case said.NodeEntered():
                beat("node", f"{decision.flow}.{decision.node}")
            case said.OfferDecided():
                beat("why", _why(decision))
            case SurveyAnswered():
                beat("why", f"survey {decision.survey}: {decision.question} = {decision.value}")
            case said.Noted():
                beat("why", f"{decision.what}: {decision.why}")
            case _:
                pass
    for command in record.commands:
        match command:
            case Play():
                beat("hears", " ".join(_words(command)))
            case StartRecording():
                beat("records", "beep: the caller is recorded")
            case KeepRecording():
                beat("records", f"the message is kept in mailbox {command.mailbox}")
            case _:
                pass
    return beats


def _why(decision: said.OfferDecided) -> str:
    others = ", ".join(f"{count} {reason}" for reason, count in sorted(decision.excluded.items()))
    wanted = f" for '{decision.requirement}'" if decision.requirement else ""
    return f"{decision.agent_id} by {decision.strategy}{wanted}" + (f"; not: {others}" if others else "")


def _words(play: Play) -> list[str]:
    words = []
    for part in play.parts:
        if isinstance(part, Speech):
            words.append(part.text)
        elif isinstance(part, Sound):
            words.append(f"[{part.name}]")
    return words
