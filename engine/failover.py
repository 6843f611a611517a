"""A call that a carrier did not take goes over the next one its outbound rule names. Pure.

    dialed -> the trunk is away, or soon refuses before anything rang -> the same leg is dialed over the next way
           -> it rings, is heard, is up, is over, or we hang up; a gap -> no other way is taken any more

What is left is not kept over a restart: who is refused while no engine lives has been refused.
"""

from __future__ import annotations

from dataclasses import replace

from core.errors import TrunkAway
from core.events import (
    CommandOutcomeUnknown,
    CommandRejected,
    Event,
    LegAdopted,
    LegEarlyMedia,
    LegEnded,
    LegRinging,
    LegUp,
)
from core.leg import EndReason, Leg, LegState
from core.leg_commands import HangUpLeg, OriginateLeg, trunk_of
from engine import screening
from engine.departures import SETUP_S
from engine.interaction import Interaction, Turn

_ANOTHER_MAY = frozenset((401, 402, 403, 407, *range(500, 600)))
"""SIP statuses that say more of the carrier, or of how it takes us, than of whom we call."""
_AWAY = f"{TrunkAway.__name__}: "
"""How lanes begin to say why."""
_DECIDED = (LegRinging, LegEarlyMedia, LegUp, LegEnded, LegAdopted)
"""Nobody knows whether one that was adopted has rung meanwhile."""
_REFUSED = (CommandRejected, CommandOutcomeUnknown)


def take(interaction: Interaction, event: Event, now_s: float) -> Turn | None:
    """The leg is dialed once more, and nobody else needs to hear of this event; None: it is no such event."""
    leg_id = getattr(event, "leg_id", "")
    dialed, leg = interaction.ways.get(leg_id), interaction.leg(leg_id)
    if dialed is None or leg is None or _is_over(interaction) or now_s - leg.since_s > SETUP_S:
        return None
    why = _why(dialed, leg, event)
    if not why:
        return None
    turn = Turn(interaction)
    _forget(turn, leg_id)
    way, *left = dialed.failover
    listen = screening.anew(turn, dialed.listen) if dialed.listen is not None else None
    again = replace(dialed, endpoint=way.endpoint, caller=way.caller, failover=tuple(left), listen=listen)
    turn.note("failover", f"{why}: over {trunk_of(again.endpoint)}")
    turn.commands.append(again)
    if left:
        turn.interaction = turn.interaction.but(ways={**turn.interaction.ways, leg_id: again})
    attempt = turn.interaction.attempt
    if attempt is not None and leg is interaction.customer:
        refused = attempt.refused or isinstance(event, LegEnded)
        # Only from here on may her phone have begun to ring.
        turn.interaction = turn.interaction.but(attempt=attempt.but(dialed_s=now_s, refused=refused))
        if interaction.identity == dialed.caller:
            turn.interaction = turn.interaction.but(caller=way.caller, identity=way.caller)
    return turn


def settle(turn: Turn, event: Event) -> None:
    """After every other event: what has rung or is over has gone its way, and who is hung up on is not dialed again."""
    gone = {command.leg_id for command in turn.commands if isinstance(command, HangUpLeg)}
    if isinstance(event, _DECIDED) or (isinstance(event, _REFUSED) and event.what == OriginateLeg.__name__):
        gone.add(getattr(event, "leg_id", ""))
    for leg_id in gone & turn.interaction.ways.keys():
        _forget(turn, leg_id)


def _is_over(interaction: Interaction) -> bool:
    """Nobody wants it any more."""
    attempt = interaction.attempt
    return interaction.is_closed or bool(interaction.outcome) or (attempt is not None and bool(attempt.cancelled))


def _why(dialed: OriginateLeg, leg: Leg, event: Event) -> str:
    """Why the carrier did not take it, in words; empty when it did, or something else is the matter."""
    if isinstance(event, CommandRejected) and event.what == OriginateLeg.__name__ and event.why.startswith(_AWAY):
        return f"{trunk_of(dialed.endpoint)} is away"
    if not isinstance(event, LegEnded) or leg.state is not LegState.DIALING:
        return ""
    if event.sip_status in _ANOTHER_MAY:
        return f"{trunk_of(dialed.endpoint)} did not take the call ({event.sip_status})"
    if not event.sip_status and event.reason is EndReason.CONGESTION:
        return f"{trunk_of(dialed.endpoint)} did not take the call"
    return ""


def _forget(turn: Turn, leg_id: str) -> None:
    ways = {other: command for other, command in turn.interaction.ways.items() if other != leg_id}
    turn.interaction = turn.interaction.but(ways=ways)
