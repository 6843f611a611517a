"""The world of the node in memory: who calls, who is dialed, time, and what goes wrong with the connection."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping

from core.clock import Clock
from core.errors import LegGone, NodeUnavailable
from core.events import DigitPressed, LegArrived, LegFact, LegUp
from core.leg import EndReason
from core.live_audio import ListenerKind
from core.ports import EventSink
from telephony.ari.node_client import GapListener
from telephony.fake.agenda import Agenda
from telephony.fake.failures import Failures
from telephony.fake.live_audio import FakeLiveAudio
from telephony.fake.party import BEEP_S, Party, TalkRecording
from telephony.fake.rooms import Rooms

ENDLESS_S = 365 * 86_400.0


class Stage:
    """A node that lives in this object, and what is played on it.

    `arrive(called, caller)` gives a `Party` to play with; those we dial are in `dialed`, and behave as
    `on_dial(endpoint, behaviour)` says (by default they ring until somebody calls `answer`, or `ring_s` is over).
    `durations`: seconds per media item, None for a missing file; others last `default_s`.

    Time: with a `VirtualClock`, `advance(seconds)`; or move the clock yourself up to `next_due_s()` and call
    `run_due()`. With a real clock, have `run()` as a task.

    `live`: what parties say, and who listens to it. `audible_to(leg_id)`: whose voices reach a leg. `failures`: what
    goes wrong on purpose. `lose(leg_id)`: the leg vanishes unsaid. `cut()` and `mend()`: the connection to the node
    breaks and comes back; `restart()`: it comes back without any leg.
    """

    def __init__(
        self,
        sink: EventSink,
        clock: Clock,
        node: str = "fake",
        default_s: float = 1.0,
        on_gap: GapListener | None = None,
        admit: Callable[[LegArrived], bool] | None = None,
        listeners: Mapping[str, ListenerKind] | None = None,
    ) -> None:
        self.node = node
        self.default_s = default_s
        self.durations: dict[str, float | None] = {}
        self.failures = Failures()
        self.agenda = Agenda(clock)
        self.parties: dict[str, Party] = {}
        self.dialed: list[Party] = []
        self.trunks_away: set[str] = set()
        self.turned_away: list[LegArrived] = []
        self.kept: dict[str, str] = {}
        self.recordings: set[str] = set()
        self.talks: dict[str, TalkRecording] = {}
        self.rooms = Rooms(self.parties)
        self.connected = True
        self.live = FakeLiveAudio(self.agenda, self._tell, listeners)
        self._sink = sink
        self._on_gap: GapListener = on_gap or (lambda node, what: None)
        self._admit = admit
        self._behaviours: dict[str, Callable[[Party], None]] = {}
        self._used: set[str] = set()
        self._numbers = itertools.count(1)

    # -- playing
    def arrive(
        self,
        called: str,
        caller: str = "+34600000000",
        caller_name: str = "",
        entry: str = "trunk",
        retried: bool = False,
    ) -> Party:
        """Somebody calls. Turned away when `admit` says so: then the party has ended."""
        leg_id = f"{self.node}-{next(self._numbers)}"
        arrived = LegArrived(leg_id, self.node, called, caller, caller_name, entry, retried)
        party = self._party(leg_id, True, {"called": called, "caller": caller, "name": caller_name, "entry": entry})
        if self._admit is not None and not self._admit(arrived):
            self.turned_away.append(arrived)
            party.end(EndReason.CONGESTION, told=False)
            return party
        self._tell(arrived)
        if retried:
            party.answer()
        return party

    def on_dial(self, endpoint: str, behaviour: Callable[[Party], None]) -> None:
        """`behaviour` is given the party as soon as it is dialed: `lambda party: party.later(2.0, party.answer)`."""
        self._behaviours[endpoint] = behaviour

    def next_due_s(self) -> float | None:
        return self.agenda.next_due_s()

    def run_due(self) -> int:
        return self.agenda.run_due()

    def advance(self, seconds: float) -> None:
        self.agenda.advance(seconds)

    async def run(self) -> None:
        await self.agenda.run()

    def lose(self, leg_id: str) -> None:
        self.parties[leg_id].end(EndReason.LOST, told=False)

    def audible_to(self, leg_id: str) -> list[str]:
        """The legs it hears right now, in the order they came into its bridge."""
        return self.rooms.audible_to(leg_id)

    @property
    def bridges(self) -> dict[str, list[str]]:
        return self.rooms.bridges

    def cut(self) -> None:
        """Facts are lost and commands fail until `mend`; legs live on."""
        self.connected = False
        for party in self.parties.values():
            party.leave_running()
        self._on_gap(self.node, "lost")

    def mend(self) -> None:
        self.connected = True
        self._on_gap(self.node, "back")

    def restart(self) -> None:
        """The node dies and comes back: no leg and no bridge is left."""
        self.cut()
        for party in list(self.parties.values()):
            party.end(EndReason.LOST, told=False)
        self.bridges.clear()
        self.mend()

    # -- inside
    def _party(self, leg_id: str, inbound: bool, arrival: dict[str, str]) -> Party:
        party = Party(leg_id, self.agenda, self._tell, self._seconds_of, self._ended, inbound, arrival)
        self._used.add(leg_id)
        self.parties[leg_id] = party
        return party

    def _tell(self, fact: LegFact) -> None:
        if isinstance(fact, LegUp):
            self.live.answered(fact.leg_id)
        elif isinstance(fact, DigitPressed):
            self.rooms.pressed(self.parties[fact.leg_id], fact.digit)
        if self.connected:
            self._sink(fact)

    def _ended(self, party: Party) -> None:
        self.parties.pop(party.leg_id, None)
        self.live.ended(party.leg_id)
        self.rooms.ended(party.leg_id)

    def _seconds_of(self, item: str) -> float | None:
        if item in self.durations:
            return self.durations[item]
        if item.startswith("silence:"):
            return float(item[8:])
        if item.startswith("tone:"):
            return BEEP_S if item == "tone:beep" else ENDLESS_S
        return self.default_s

    def _must_be_connected(self) -> None:
        if not self.connected:
            raise NodeUnavailable(f"{self.node}: not connected, nothing was sent")

    async def _meet(self, method: str, leg_id: str) -> Party:
        await self.failures.meet(method, leg_id)
        self._must_be_connected()
        party = self.parties.get(leg_id)
        if party is None:
            raise LegGone(f"leg {leg_id} has ended or was never here")
        return party
