"""Somebody we called has answered: an agent in time, or what the campaign and the law say she hears instead.

serve --queue--> she waits, in silence --agent--> connected
  |                    | deadline, or the queue turns her away
  |                    v
  |                  abandoned: a message with an opt-out, music until somebody comes, or hung up
  +--no queue--> the campaign's flow has her
"""

from __future__ import annotations

from core.attempt import AttemptEvent, AttemptState
from core.commands import CancelTimer, StartTimer
from core.interaction import InteractionEvent
from core.leg import LegState
from core.leg_commands import StartMusic, StopMusic
from core.queue_facts import QueueJoined, StayGivenUp
from engine import interlude, offers, steps, waiting
from engine.contact import Attempt, Waiting
from engine.interaction import Surroundings, Turn
from engine.progress import PICKED_UP, TIMER, progress
from ivr import interpreter

DEADLINE = f"{TIMER}deadline"
SAFE_HARBOUR = "safe_harbour"
"""The flow with the message, unless the campaign names another."""
_S, _E = AttemptState, AttemptEvent


def serve(turn: Turn, greeted_s: float, around: Surroundings, now_s: float) -> None:
    """A person is there. `greeted_s`: when her greeting ended, 0 when nobody knows."""
    attempt = _of(turn)
    wanted = attempt.wanted
    if not wanted.queue:
        progress(turn, _E.CONNECT, why=f"flow {wanted.flow}")
        lead_through(turn, wanted.flow, around, now_s)
        return
    due_s = (greeted_s or attempt.answered_s) + wanted.within_s if wanted.within_s > 0 else 0.0
    if due_s and wanted.after_answer_s > 0:
        due_s = min(due_s, attempt.answered_s + wanted.after_answer_s)
    turn.interaction = turn.interaction.but(attempt=attempt.but(due_s=due_s))
    _wait(turn, around, now_s, in_silence=due_s > 0)
    if due_s:
        turn.commands.append(StartTimer(turn.interaction_id, DEADLINE, due_s))


def _wait(turn: Turn, around: Surroundings, now_s: float, in_silence: bool) -> None:
    wanted, customer = _of(turn).wanted, turn.interaction.customer
    joined = QueueJoined(
        interaction_id=turn.interaction_id,
        stay_id=f"{turn.interaction_id}.s{turn.number()}",
        tenant=wanted.tenant,
        queue=wanted.queue,
        priority=wanted.priority,
        skills=wanted.skills,
        agent_id=wanted.agent_id,
        language=wanted.language,
        node=customer.node,
    )
    music = waiting.music_for(turn.interaction, wanted.queue, "default", around)
    waiting.begin(turn, Waiting(joined, now_s, music=music), around, now_s)
    if not in_silence:
        turn.commands.append(StartMusic(customer.leg_id, music))


def deadline_passed(turn: Turn, around: Surroundings, now_s: float, why: str = "") -> None:
    """No agent in time: she is abandoned, and hears what the campaign has for that."""
    wanted = _of(turn).wanted
    stay = turn.interaction.waiting
    progress(turn, _E.NO_AGENT, why=why or f"nobody within {wanted.within_s:g} s")
    if wanted.drop_action == "queue":
        if stay is None:
            _wait(turn, around, now_s, in_silence=False)
        else:
            turn.commands.append(StartMusic(turn.interaction.customer.leg_id, stay.music))
        return
    if stay is not None:
        waiting.stop(turn)
        offers.withdraw_all(turn)
        turn.facts.append(StayGivenUp(turn.interaction_id, stay.stay_id, "abandoned"))
    _drop(turn, around, now_s)


def unserved(turn: Turn, stay_id: str, outcome: str, target: str, around: Surroundings, now_s: float) -> bool:
    """Whether it was hers while nobody has had her yet: the queue's refusal leaves nobody with silence.

    `target`: the queue an overflow goes on to."""
    stay, attempt = turn.interaction.waiting, _of(turn)
    if stay is None or stay.stay_id != stay_id or stay.flow_stay_id or outcome == "answered":
        return False
    before = attempt.state
    if before not in (*PICKED_UP, _S.ABANDONED) or target or stay.sent_by:
        return False
    waiting.stop(turn)
    offers.withdraw_all(turn)
    if before in PICKED_UP:
        if attempt.due_s:
            turn.commands.append(CancelTimer(turn.interaction_id, DEADLINE))
        progress(turn, _E.NO_AGENT, why=f"queue {attempt.wanted.queue}: {outcome}")
    if not attempt.due_s or before is _S.ABANDONED:
        turn.commands.append(StopMusic(turn.interaction.customer.leg_id))
    _drop(turn, around, now_s)
    return True


def _drop(turn: Turn, around: Surroundings, now_s: float) -> None:
    wanted = _of(turn).wanted
    if turn.interaction.customer.state is LegState.ENDED:
        return
    if wanted.drop_action != "hang_up":
        lead_through(turn, wanted.drop_flow or SAFE_HARBOUR, around, now_s)
        return
    turn.interaction = turn.interaction.but(outcome=turn.interaction.outcome or _S.ABANDONED.value)
    steps.hang_up(turn)


def lead_through(turn: Turn, flow_id: str, around: Surroundings, now_s: float) -> None:
    """A flow has her from now on. One that is not there lets her go, and says so."""
    turn.move(InteractionEvent.FLOW)
    if around.releases[turn.interaction.release_id].flow(turn.interaction.tenant, flow_id) is None:
        turn.note("flow", f"there is no flow '{flow_id}' for whom a campaign called: add it to flows/")
        turn.interaction = turn.interaction.but(outcome=turn.interaction.outcome or "error")
        steps.hang_up(turn)
        return
    start = interlude.start_of(turn, flow_id, around)
    world = around.world(turn.interaction.release_id)
    steps.follow(turn, interpreter.start(world, start, now_s), around, now_s)


def _of(turn: Turn) -> Attempt:
    attempt = turn.interaction.attempt
    assert attempt is not None
    return attempt
