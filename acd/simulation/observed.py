"""What the journal saw of a floor: waits, conversations, and who was ready when. `fitted.py` makes a scenario of it.

    seen = Observed(from_s, until_s)
    for entry in entries: seen.take(entry.at_s, entry.event, entry.decisions)

Entries come in the order of time, and go on after `until_s` until what began before it is over (`is_open`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.agent import Presence
from core.decisions import Decision, InteractionOpened, Moved, StayEnded, WorkEnded
from core.events import Event
from core.queue_facts import QueueJoined, StayTurned
from core.stay import StayEnd
from core.table import Transition

CALL = "call"


@dataclass(slots=True)
class SeenStay:
    """A wait that is over. `patient_s`: how long she was seen waiting on the line, from joining until she left, was
    answered, or hung up to be called back. `skills`: what her flow asked for."""

    queue: str
    joined_s: float
    skills: str
    how: str = ""
    waited_s: float = 0.0
    patient_s: float = -1.0
    in_target: bool = False
    agent_id: str = ""


@dataclass(frozen=True, slots=True)
class SeenTalk:
    """What an agent spent on a caller of a queue: ringing, talk with hold and consultations, wrap-up."""

    queue: str
    agent_id: str
    ring_s: float
    talk_s: float
    wrap_up_s: float


@dataclass
class Observed:
    """`from_s`, `until_s`: UTC seconds. `ready`: agent -> when she was ready to work, or at it.

    Left out, and counted: `dialed` callers (campaigns bring them when agents are free), `others` (chats, e-mails), and
    `apart`: conversations that no wait in a queue led to (transfers to somebody, consultations). `failed`: offers that
    nobody took. `unreadable`: entries whose content is gone."""

    from_s: float
    until_s: float
    stays: list[SeenStay] = field(default_factory=list)
    talks: list[SeenTalk] = field(default_factory=list)
    ready: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    dialed: int = 0
    others: int = 0
    apart: int = 0
    failed: int = 0
    unreadable: int = 0
    tenant: str = "main"
    """Whose floor it is: nothing of others is looked at."""
    _open: dict[str, SeenStay] = field(default_factory=dict)
    _talking: dict[tuple[str, str], str] = field(default_factory=dict)
    """(interaction, agent) -> the queue her wait was in."""
    _since: dict[str, float] = field(default_factory=dict)
    _outbound: set[str] = field(default_factory=set)

    @property
    def is_open(self) -> bool:
        """Whether a wait or a conversation that began in time is still going on."""
        return bool(self._open or self._talking)

    def take(self, at_s: float, event: Event | None, decisions: Iterable[Decision]) -> None:
        """`event` None: it cannot be read any more."""
        match event:
            case None:
                self.unreadable += at_s < self.until_s
            case QueueJoined() if at_s < self.until_s:
                self._joined(at_s, event)
            case StayTurned(stay_id=stay_id, mode=mode) if mode != "live":
                stay = self._open.get(stay_id)
                if stay is not None and stay.patient_s < 0:
                    stay.patient_s = at_s - stay.joined_s
        for decision in decisions:
            match decision:
                case InteractionOpened(interaction_id=interaction_id, direction="outbound"):
                    self._outbound.add(interaction_id)
                case StayEnded():
                    self._ended(at_s, decision)
                case WorkEnded():
                    self._worked(decision)
                case Moved(transition) if transition.thing == "agent":
                    self._moved(at_s, transition)

    def close(self, at_s: float) -> None:
        """No more entries: who is ready still was so until now."""
        for agent_id in tuple(self._since):
            self._rest(agent_id, at_s)

    def _joined(self, at_s: float, joined: QueueJoined) -> None:
        if joined.tenant != self.tenant or not joined.queue or joined.agent_id:
            return
        if joined.interaction_id in self._outbound:
            self.dialed += 1
        elif joined.channel != CALL:
            self.others += 1
        else:
            away_s = -1.0 if joined.mode == "live" else 0.0
            self._open[joined.stay_id] = SeenStay(joined.queue, at_s, joined.skills, patient_s=away_s)

    def _ended(self, at_s: float, ended: StayEnded) -> None:
        stay = self._open.pop(ended.stay_id, None)
        if stay is None or ended.how == StayEnd.CLOSED.value:
            return
        stay.how, stay.waited_s, stay.in_target, stay.agent_id = (
            ended.how,
            ended.waited_s,
            ended.in_target,
            ended.agent_id,
        )
        if stay.patient_s < 0:
            stay.patient_s = at_s - stay.joined_s
        else:
            stay.how = stay.how if stay.how == StayEnd.ANSWERED.value else StayEnd.CALLBACK.value
        self.stays.append(stay)
        if ended.how == StayEnd.ANSWERED.value:
            self._talking[ended.interaction_id, ended.agent_id] = ended.queue

    def _worked(self, work: WorkEnded) -> None:
        if work.tenant != self.tenant:
            return
        queue = self._talking.pop((work.interaction_id, work.agent_id), None)
        talk_s = work.talk_s + work.hold_s + work.consult_s
        if queue is not None:
            self.talks.append(SeenTalk(queue, work.agent_id, work.ring_s, talk_s, work.wrap_up_s))
        elif talk_s > 0:
            self.apart += work.interaction_id not in self._outbound
        elif work.how in ("rona", "rejected", "unreachable"):
            self.failed += 1

    def _moved(self, at_s: float, moved: Transition) -> None:
        tenant, _, agent_id = moved.id.partition("/")
        if tenant != self.tenant:
            return
        ready = Presence.READY.value
        if moved.old == ready:
            self._since.setdefault(agent_id, self.from_s)  # she was before anything was seen of her
        if moved.new == ready:
            self._since.setdefault(agent_id, at_s)
        else:
            self._rest(agent_id, at_s)

    def _rest(self, agent_id: str, at_s: float) -> None:
        since_s = self._since.pop(agent_id, None)
        until_s = min(at_s, self.until_s)
        if since_s is not None and until_s > since_s:
            self.ready.setdefault(agent_id, []).append((since_s, until_s))
