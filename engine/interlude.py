"""In the middle of a conversation a flow leads the customer through something: her card number, a consent. Whom she
talks with waits and hears nothing of it; what she keyed in secret is in no recording.

    begin --its flow ends--> over: together again, and what the flow found out is known
      +---- anybody leaves, or the agent fetches her back --> broken off
"""

from __future__ import annotations

from hashlib import sha256

from msgspec.structs import replace

from core.commands import CancelTimer
from core.leg import LegState
from core.leg_commands import StopMusic, StopPlayback
from engine import steps
from engine.interaction import Surroundings, Turn
from ivr import interpreter
from ivr.interpreter import Start
from ivr.run import FlowRun


def begin(turn: Turn, flow_id: str, around: Surroundings, now_s: float) -> None:
    """The customer is out of the bridge already."""
    start = start_of(turn, flow_id, around)
    turn.interaction = turn.interaction.but(parked=turn.interaction.run)
    steps.follow(turn, interpreter.start(around.world(turn.interaction.release_id), start, now_s), around, now_s)


def start_of(turn: Turn, flow_id: str, around: Surroundings) -> Start:
    """How a flow begins for a customer who is on the line: in her language, with what agents sent along. Its ids go on
    where those of her flow so far ended."""
    interaction, before = turn.interaction, turn.interaction.run
    flow = around.releases[interaction.release_id].flow(interaction.tenant, flow_id)
    assert flow is not None
    return Start(
        interaction_id=turn.interaction_id,
        leg_id=interaction.customer.leg_id,
        tenant=interaction.tenant,
        flow_id=flow_id,
        language=before.language if before is not None else flow.languages[0],
        caller=interaction.theirs,
        called=interaction.ours,
        variables={"caller_name": before.facts.get("caller_name", "") if before else "", **interaction.values},
        leg_up=interaction.customer.is_up,
        time_zone=around.time_zone,
        seed=int.from_bytes(sha256(f"{turn.interaction_id} {flow_id}".encode()).digest()[:4], "big"),
        visit=before.visit if before is not None else 0,
        serial=before.serial if before is not None else 0,
    )


def is_over(turn: Turn) -> bool:
    """Whether the flow has ended and nobody has taken the customer back yet."""
    interaction = turn.interaction
    if interaction.parked is None or interaction.customer.state is LegState.ENDED:
        return False
    return interaction.run is not None and interaction.run.ended


def close(turn: Turn) -> None:
    """Her own flow has her again, knowing what the other found out; secrets die with it."""
    run, parked = turn.interaction.run, turn.interaction.parked
    assert run is not None
    assert parked is not None
    frame = run.frames[0]
    given = {
        name: value
        for name, value in frame.variables.items()
        if name not in run.facts and name not in frame.secrets and value is not None
    }
    values = {**turn.interaction.values, **{name: str(value) for name, value in given.items()}}
    turn.interaction = turn.interaction.but(run=_after(run, parked, given), parked=None, values=values)


def break_off(turn: Turn) -> None:
    """The flow is stopped where it is. Nothing happens when none is under way."""
    run, parked = turn.interaction.run, turn.interaction.parked
    if run is None or parked is None:
        return
    customer = turn.interaction.customer
    if customer.state is not LegState.ENDED:
        if run.playing:
            turn.commands.append(StopPlayback(customer.leg_id, run.playing))
        if run.music:
            turn.commands.append(StopMusic(customer.leg_id))
    turn.commands.extend(CancelTimer(turn.interaction_id, timer_id) for timer_id in run.timers)
    turn.interaction = turn.interaction.but(run=_after(run, parked, {}), parked=None)


def _after(run: FlowRun, parked: FlowRun, given: dict[str, object]) -> FlowRun:
    frame = parked.frame
    free = {name: value for name, value in given.items() if name not in frame.secrets}
    frame = replace(frame, variables={**frame.variables, **free})
    return replace(
        parked,
        frames=(*parked.frames[:-1], frame),
        visit=run.visit,
        serial=run.serial,
        language=run.language,
        notified=parked.notified or run.notified,
    )
