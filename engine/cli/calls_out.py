"""What carriers answered, read from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.events import LegEnded, LegUp
from core.leg_commands import OriginateLeg, trunk_of
from engine.cli import story_words as words

if TYPE_CHECKING:
    from store.entry import Recorded


class CallsOut:
    """Follows an interaction's calls over carriers, record by record."""

    def __init__(self) -> None:
        self._trunks: dict[str, str] = {}
        """Leg -> whom it is dialed over, while nobody has answered."""

    def follow(self, record: Recorded) -> tuple[str, str] | None:
        """What came of a call that ended unanswered and goes over no other carrier, and the SIP status of that."""
        event, failed = record.event, None
        dialed = {each.leg_id: each.endpoint for each in record.commands if isinstance(each, OriginateLeg)}
        if isinstance(event, LegUp | LegEnded):
            trunk = self._trunks.pop(event.leg_id, "")
            # What it says of a carrier that another one follows stands with that.
            if trunk and isinstance(event, LegEnded) and event.leg_id not in dialed:
                what = words.unanswered(trunk, event.reason)
                failed = (what, words.status(event.sip_status)) if what else None
        self._trunks |= {leg_id: trunk for leg_id, endpoint in dialed.items() if (trunk := trunk_of(endpoint))}
        return failed
