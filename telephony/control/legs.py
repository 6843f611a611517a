"""What the adapter remembers of each leg: enough to translate, to keep the freeze rule, to end it once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from core.errors import LegGone
from core.leg import EndReason
from telephony.ari.node_client import NodeClient


@dataclass(frozen=True, slots=True)
class Running:
    """Something that occupies a leg."""

    what: Literal["playback", "recording"]
    id: str


Background = Literal["moh", "silence"]
"""What ARI calls music, and the silence of who is parked. Both would drown a conversation."""


class RecordingMemory:
    """How a recording was asked for, and what has been seen of its end. `began_s`: loop seconds."""

    __slots__ = ("began_s", "digit_seen", "discarded", "max_s", "recording_id", "silence_s", "stopped", "terminators")

    def __init__(self, recording_id: str, terminators: str, max_s: int, silence_s: int, began_s: float) -> None:
        self.recording_id = recording_id
        self.began_s = began_s
        self.terminators = terminators
        self.max_s = max_s
        self.silence_s = silence_s
        self.stopped = False
        self.discarded = False
        self.digit_seen = False


@dataclass(slots=True)
class TalkMemory:
    """A conversation's recording that runs. `began_s`: loop seconds."""

    recording_id: str
    began_s: float


@dataclass(slots=True)
class EarMemory:
    """Through what a supervisor's leg hears another: a channel of Asterisk's own, and the bridge where both meet."""

    to_leg_id: str
    channel_id: str
    bridge_id: str


@dataclass(slots=True)
class BridgeMemory:
    """`leg_ids`: who was put into it; some may have ended since."""

    node: NodeClient
    leg_ids: list[str]


class LegMemory:
    """`up`: that it is up has been told; `answered`: it is, and may not have come to our application yet. `playing`:
    unfinished playback -> whether we asked to stop it. `left`: what was running when the events stopped flowing, and
    may still be. `background`: what flows to it while nothing is played. `parting`: set when it has left its bridge,
    None while nobody takes it out. `away`: set when it comes to our application, None while it is there: until then the
    node's dialplan has it, and nothing but its end can be asked. `confirmed`: the node is known to have the leg;
    `missed`: the last survey did not find it. `limit_s`: absolute life, 0 when unknown. `asked_to_end`: why we hung up,
    None when we did not. `created`: it was made before it was dialed, and is in our application from then on.
    `keyed`: its keys are for us alone, wherever it is bridged. `holds`: its phone holds the call.
    """

    __slots__ = (
        "answered",
        "asked_to_end",
        "away",
        "background",
        "confirmed",
        "created",
        "ear",
        "early_media",
        "hangup_cause",
        "hangup_seen",
        "holds",
        "idle",
        "inbound",
        "keyed",
        "left",
        "leg_id",
        "limit_s",
        "missed",
        "node",
        "parting",
        "playing",
        "rang",
        "recording",
        "talk",
        "up",
        "vanished",
    )

    def __init__(self, leg_id: str, node: NodeClient, inbound: bool, limit_s: float = 0.0) -> None:
        self.leg_id = leg_id
        self.node = node
        self.inbound = inbound
        self.limit_s = limit_s
        self.confirmed = inbound
        self.created = False
        self.keyed = False
        self.holds = False
        self.missed = False
        self.up = False
        self.answered = False
        self.rang = False
        self.early_media = False
        self.playing: dict[str, bool] = {}
        self.recording: RecordingMemory | None = None
        self.background: set[Background] = set()
        self.talk: TalkMemory | None = None
        self.ear: EarMemory | None = None
        self.left: list[Running] = []
        self.parting: asyncio.Event | None = None
        self.away: asyncio.Event | None = None
        self.asked_to_end: EndReason | None = None
        self.hangup_seen = False
        self.hangup_cause = 0
        self.vanished = False
        self.idle: asyncio.Event | None = None

    @property
    def is_busy(self) -> bool:
        """Something of ours occupies the channel's thread in Asterisk."""
        return bool(self.playing) or self.recording is not None

    def come(self) -> None:
        """It is away no longer, here or anywhere."""
        if self.away is not None:
            self.away.set()
            self.away = None

    def leave_running(self) -> None:
        """The events stopped flowing: whether these still run, nobody will tell."""
        self.left += [Running("playback", playback_id) for playback_id in self.playing]
        self.playing.clear()
        if self.recording is not None:
            self.left.append(Running("recording", self.recording.recording_id))
            self.recording = None
        self.tell_if_idle()

    def tell_if_idle(self) -> None:
        if self.idle is not None and not self.is_busy:
            self.idle.set()


class LegBook:
    """Every leg alive, by id. A leg that ended is forgotten: what comes late for it finds nothing."""

    def __init__(self) -> None:
        self._legs: dict[str, LegMemory] = {}
        self._ended: set[str] | None = None
        self.entered: set[str] = set()
        """Legs of an engine before us that have entered our application since the last survey began."""
        self.on_forget: Callable[[LegMemory], None] = lambda leg: None

    def __len__(self) -> int:
        return len(self._legs)

    def find(self, leg_id: str) -> LegMemory | None:
        return self._legs.get(leg_id)

    def get(self, leg_id: str) -> LegMemory:
        """Raises LegGone."""
        leg = self._legs.get(leg_id)
        if leg is None:
            raise LegGone(f"leg {leg_id} has ended or was never here")
        return leg

    def add(self, leg: LegMemory) -> None:
        self._legs[leg.leg_id] = leg

    def forget(self, leg_id: str) -> None:
        leg = self._legs.pop(leg_id, None)
        if leg is None:
            return
        self.note_end(leg_id)
        leg.playing.clear()
        leg.recording = None
        leg.tell_if_idle()
        leg.come()
        self.on_forget(leg)

    def of_node(self, node: str) -> list[LegMemory]:
        return [leg for leg in self._legs.values() if leg.node.name == node]

    def playing(self, leg_id: str) -> Iterable[str]:
        """The unfinished playbacks of a leg; they count as stopped from now on."""
        leg = self._legs.get(leg_id)
        if leg is None:
            return ()
        for playback_id in leg.playing:
            leg.playing[playback_id] = True
        return tuple(leg.playing)

    # -- a survey takes a moment; what ends during it must not come back to life
    def begin_survey(self) -> None:
        self._ended = set()
        self.entered.clear()

    def note_end(self, leg_id: str) -> None:
        """Also of a leg that only the survey under way would have made known: an engine before us had it."""
        if self._ended is not None:
            self._ended.add(leg_id)

    def ended_so_far(self) -> set[str]:
        return self._ended or set()

    def ended_meanwhile(self) -> set[str]:
        ended, self._ended = self._ended or set(), None
        return ended
