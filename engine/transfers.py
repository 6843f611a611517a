"""Connecting a caller with somebody else: the second leg of a flow's `transfer`.

start -> the outbound rule is asked -> OriginateLeg -> the leg is up -> BridgeLegs -> one side leaves
                   | refused                | busy, no answer, failed
                   +------------------------+--> TransferEnded, back to the flow
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from core.commands import Transfer
from core.decisions import Noted
from core.events import CommandOutcomeUnknown, CommandRejected, LegEnded, TransferEnded
from core.interaction import InteractionEvent
from core.leg import EndReason, Leg, LegRole, LegState
from core.leg_commands import AnswerLeg, BridgeLegs, DestroyBridge, StopMusic, StopPlayback
from engine.config.outbound import OutboundRules, Refused
from engine.ringing import ring

if TYPE_CHECKING:
    from engine.interaction import Turn

_OUTCOMES: Mapping[EndReason, Literal["busy", "no_answer"]] = {
    EndReason.BUSY: "busy",
    EndReason.REJECTED: "busy",
    EndReason.NO_ANSWER: "no_answer",
}

END_OF_DIRECT_CALL: Mapping[str, EndReason] = {
    "answered": EndReason.HUNG_UP_BY_US,
    "busy": EndReason.BUSY,
    "no_answer": EndReason.NO_ANSWER,
    "refused": EndReason.REJECTED,
    "failed": EndReason.CONGESTION,
}
"""What a phone that called directly is told when the other side is gone or never came."""


@dataclass(frozen=True, slots=True)
class PendingTransfer:
    """A direct call's `transfer_id` is also the id of its ringback.

    `number`: given to nothing else of this interaction; ids are built from it."""

    transfer_id: str
    leg_id: str
    number: int
    bridge_id: str = ""
    rule: str = ""
    """The outbound rule that permitted it: what its hourly cap is counted by."""


def start_transfer(
    turn: Turn, command: Transfer, rules: OutboundRules, dialed: Mapping[str, int], now_s: float
) -> TransferEnded | None:
    """Dials, or answers at once why not."""
    interaction = turn.interaction
    verdict = rules.permit(command.target, interaction.tenant, dialed)
    if isinstance(verdict, Refused):
        turn.decisions.append(Noted("outbound_refused", verdict.why))
        return TransferEnded(interaction.interaction_id, command.transfer_id, "refused", verdict.why)
    number, interaction = turn.number(), turn.interaction
    leg_id = f"{interaction.interaction_id}.x{number}"
    turn.interaction = interaction.but(transfer=PendingTransfer(command.transfer_id, leg_id, number, rule=verdict.rule))
    turn.dialed_by = verdict.rule
    turn.decisions.append(Noted("outbound_permitted", verdict.rule))
    wished = command.caller if _is_shown(command.caller, verdict.endpoint) else ""
    shown = wished or interaction.identity
    ring(
        turn,
        leg_id,
        LegRole.EXTERNAL,
        verdict.endpoint,
        shown or verdict.caller,
        command.ring_s,
        rules,
        now_s,
        failover=verdict.ways_left(shown),
    )
    return None


def _is_shown(caller: str, endpoint: str) -> bool:
    """Outside nobody is shown but numbers: a flow may pass on its caller's, and she may have withheld it."""
    return not endpoint.startswith("trunk:") or caller.removeprefix("+").isdecimal()


def external_up(turn: Turn, leg: Leg, now_s: float) -> None:
    """They answered: both legs meet in one bridge."""
    transfer = turn.interaction.transfer
    if transfer is None or transfer.leg_id != leg.leg_id or transfer.bridge_id:
        return
    bridge_id = f"{turn.interaction.interaction_id}.b{transfer.number}"
    turn.interaction = turn.interaction.but(transfer=replace(transfer, bridge_id=bridge_id))
    turn.move(InteractionEvent.CONNECT)
    join(turn)


def join(turn: Turn) -> None:
    """Both legs into the bridge. Asked again after a gap: what is done already stays as it is."""
    interaction = turn.interaction
    customer, transfer, run = interaction.customer, interaction.transfer, interaction.run
    if transfer is None or customer.state is LegState.ENDED:
        return
    # Named here, since after a restart nobody else knows what rings in the caller's ear.
    if ringback := transfer.transfer_id if run is None else run.playing:
        turn.commands.append(StopPlayback(customer.leg_id, ringback))
    turn.commands.append(StopMusic(customer.leg_id) if customer.is_up else AnswerLeg(customer.leg_id))
    turn.commands.append(BridgeLegs(transfer.bridge_id, (customer.leg_id, transfer.leg_id)))


def end_of_leg(turn: Turn, leg: Leg, event: LegEnded | CommandRejected | CommandOutcomeUnknown) -> TransferEnded | None:
    """The leg is gone or never came: what the flow is told."""
    transfer = turn.interaction.transfer
    if transfer is None or transfer.leg_id != leg.leg_id:
        return None
    interaction_id = turn.interaction.interaction_id
    turn.interaction = turn.interaction.but(transfer=None)
    if transfer.bridge_id:
        turn.commands.append(DestroyBridge(transfer.bridge_id))
        talked = isinstance(event, LegEnded)
        return TransferEnded(interaction_id, transfer.transfer_id, "answered" if talked else "failed")
    if isinstance(event, LegEnded):
        return TransferEnded(interaction_id, transfer.transfer_id, _OUTCOMES.get(event.reason, "failed"))
    return TransferEnded(interaction_id, transfer.transfer_id, "failed")
