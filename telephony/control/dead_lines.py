"""Held lines whose phone is gone: it was killed, or its network is, and no BYE told. Who was put through to one
would hear nothing until `phone_vanished_s` has passed. So their packets are counted: a line that has sent all the time
for `KNOWN_S`, while nobody talked over it, and then nothing for `line_vanished_s`, is ended as Asterisk ends who has
vanished. Phones that suppress silence have sent nothing for a moment long before, and are never judged by it, nor are
those that hold the call; who talks is watched on for `LENT_S` only, for muting may end a phone's audio too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from core.errors import CommandFailed
from core.leg import EndReason
from core.ports import EventSink
from telephony.ari.node_client import GapListener
from telephony.ari.settings import AriSettings
from telephony.control.calls import Calls
from telephony.control.causes import VANISHED
from telephony.control.desk import Admission, q
from telephony.control.legs import LegMemory

log = logging.getLogger(__name__)

LOOK_S = 1.0
MOST_A_SECOND = 20
"""Lines looked at in a second: of many each is looked at less often."""
KNOWN_S = 20.0
LENT_S = 10.0
_PAUSE_S, _REMEMBERS = 0.4, 0.995
"""A look that misses the packets of so much time has seen a pause, the phone's or its network's: by the most packets a
second seen of late, of which so much is remembered a second later."""


class _Counted(msgspec.Struct, frozen=True):
    rxcount: int


@dataclass(slots=True)
class SentLately:
    """Of one line, look by look."""

    quiet: int = 0
    """Looks without a packet in a row; Asterisk was asked each time, so none of them is its own delay."""
    quiet_s: float = 0.0
    _known_s: float = 0.0
    _received: int = -1
    _at_s: float = 0.0
    _most: float = 0.0
    _fewer: bool = False
    """It was the last look's: if nothing follows, it is when the phone stopped."""

    def look(self, received: int, now_s: float, at_rest: bool) -> None:
        """`received`: packets so far. `at_rest`: nobody talks over it."""
        before, passed_s = self._received, max(0.001, now_s - self._at_s)
        self._received, self._at_s = received, now_s
        if before < 0:
            return
        if received <= before:
            self.quiet, self.quiet_s = self.quiet + 1, self.quiet_s + passed_s
            return
        came, self._most = received - before, self._most * _REMEMBERS**passed_s
        paused = self.quiet > 0 or self._fewer
        self._fewer = came < self._most * (passed_s - _PAUSE_S)
        self.quiet, self.quiet_s = 0, 0.0
        if paused:
            self._known_s = 0.0
        elif not self._fewer:
            self._most = max(self._most, came / passed_s)
            self._known_s += passed_s * at_rest

    def is_gone(self, limit_s: float) -> bool:
        return self._known_s >= KNOWN_S and self.quiet > 1 and self.quiet_s >= limit_s


@dataclass(slots=True)
class _Line:
    leg: LegMemory
    sent: SentLately
    lent_s: float = 0.0


class DeadLines(Calls):
    """Call control whose parked legs are looked after."""

    def __init__(
        self,
        nodes: Sequence[AriSettings],
        sink: EventSink,
        on_gap: GapListener,
        admit: Admission | None,
        on_stolen: Callable[[str], None] | None,
    ) -> None:
        super().__init__(nodes, sink, on_gap, admit, on_stolen)
        self._limits_s = {settings.node: settings.line_vanished_s for settings in nodes}
        self._lines: dict[str, _Line] = {}
        self._looking: asyncio.Task[None] | None = None

    async def park(self, leg_id: str) -> None:
        await super().park(leg_id)
        leg = self._book.find(leg_id)
        if leg is None or not self._limits_s[leg.node.name]:
            return
        self._lines.setdefault(leg_id, _Line(leg, SentLately())).lent_s = 0.0
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        await super().close()

    async def _look_on(self) -> None:
        while self._lines:
            every_s = max(LOOK_S, len(self._lines) / MOST_A_SECOND)
            await asyncio.sleep(every_s)
            for leg_id, line in list(self._lines.items()):
                at_rest = "silence" in line.leg.background
                line.lent_s = 0.0 if at_rest else line.lent_s + every_s
                if self._book.find(leg_id) is not line.leg or line.lent_s > LENT_S:
                    del self._lines[leg_id]
                    continue
                try:
                    await self._count(line, at_rest)
                except (CommandFailed, msgspec.DecodeError) as problem:
                    log.debug("leg %s: its packets are not counted: %s", leg_id, problem)

    async def _count(self, line: _Line, at_rest: bool) -> None:
        leg = line.leg
        answer = await leg.node.send(leg.leg_id, "GET", f"channels/{q(leg.leg_id)}/rtp_statistics")
        if answer.status_code != 200 or leg.holds:
            line.sent = SentLately()
            return
        received = msgspec.json.decode(answer.message_body, type=_Counted).rxcount
        line.sent.look(received, asyncio.get_running_loop().time(), at_rest)
        if line.sent.is_gone(self._limits_s[leg.node.name]):
            log.warning("leg %s: its phone sends nothing any more, the held line is ended", leg.leg_id)
            del self._lines[leg.leg_id]
            leg.asked_to_end, leg.hangup_cause = EndReason.FAILED, VANISHED
            await leg.node.send(leg.leg_id, "DELETE", f"channels/{q(leg.leg_id)}?reason_code={VANISHED}")
