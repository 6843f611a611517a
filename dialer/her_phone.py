"""An attempt that is for one agent begins with her phone: whoever answers finds her there, and waits for no ringing.

    staged --she has a held line--> dialed
      |                                ^
      +--LineWanted--> her phone rings-+ LineCame(up): the law is asked again
                        | not picked up, hung up, skipped
                        v
                     cancelled, undialed: the lead is as it was

A line that was rung for one attempt ends with it.
"""

from __future__ import annotations

from core.agent_facts import AgentActed
from core.dialing import LINE, LINE_PREFIX, LineUnwanted, LineWanted
from dialer.compliance.rules import Mode
from dialer.floor import FloorAgent
from dialer.records import Attempt, Lead
from dialer.setup import CampaignSetup
from dialer.state import State
from dialer.turn import Turn

RING_S = 30.0
"""How long her phone rings."""
SETUP_S = 15.0
"""So long after that nothing is heard of it any more."""
NO_PHONE = "you have no phone to talk on: log in at one"
_YOURS = "your phone"
NOT_PICKED_UP = f"{_YOURS} was not picked up"
_NOT_UP = {
    "busy": f"{_YOURS} is busy",
    "rejected": f"{_YOURS} turned the call down",
    "hung_up": f"{_YOURS} was hung up",
    "no_answer": NOT_PICKED_UP,
}
_AT_WORK = {
    "reserved": "somebody is being put through to you",
    "talk": "you are talking with somebody",
    "hold": "you have somebody on hold",
    "wrap_up": "you have not finished with the last contact",
}


def agent_of(state: State, setup: CampaignSetup, agent_id: str, now_s: float) -> FloorAgent | None:
    """The agent as the floor has her; None: she is not at work for this campaign."""
    pool = state.floor.pool(setup.tenant, setup.queue, setup.skills, now_s)
    return next((agent for agent in pool.agents if agent.agent_id == agent_id), None)


def why_not(setup: CampaignSetup, agent: FloorAgent | None) -> str:
    """Why nobody may be dialed for her now; empty: she is there for whoever answers."""
    if agent is None:
        return f"you are not ready in the queue {setup.queue}: who answers would find nobody"
    if agent.state != "ready":
        return f"{_AT_WORK[agent.state]}: who answers would find nobody"
    return "" if agent.line or agent.device else NO_PHONE


def is_ready_for(attempt: Attempt, agent: FloorAgent | None) -> bool:
    """Whether she may be rung or shown whom to call: ready, or kept because her phone rings for this very attempt."""
    if agent is None:
        return False
    hers = attempt.own_line and agent.interaction_id == f"{LINE_PREFIX}{attempt.attempt_id}"
    return agent.state == "ready" or (agent.state == "reserved" and hers)


def why_not_up(reason: str) -> str:
    """In words, why her phone is not there; `reason`: how its leg ended, or why it could not be dialed."""
    return _NOT_UP.get(reason, f"{_YOURS} could not be rung: {reason or 'nobody knows why'}")


def not_there(turn: Turn, attempt: Attempt) -> None:
    """She did nothing about whom she was shown, or did not pick up: she is not ready, as who lets a call ring out. Not
    she who has just asked for it by hand."""
    if attempt.mode is not Mode.MANUAL:
        turn.absent.add((attempt.tenant, attempt.for_agent))
        turn.outcome.facts.append(AgentActed(attempt.tenant, attempt.for_agent, "not_ready", "rona", by="system"))


def was_missing(attempt: Attempt) -> bool:
    """Whether the attempt ended undialed because her phone was not there."""
    return attempt.own_line and attempt.why.startswith(_YOURS)


def ring(state: State, turn: Turn, setup: CampaignSetup, lead: Lead, attempt: Attempt, device: str) -> None:
    """Hers first; the attempt stays undialed until she has picked up."""
    turn.attempt(attempt)
    attempt.agent_id = attempt.for_agent
    attempt.own_line, attempt.preview_ends_s = True, 0.0
    attempt.line_ends_s = turn.now_s + RING_S + SETUP_S
    turn.lead(lead)
    lead.attempt_id = attempt.attempt_id
    state.index_lead(lead)
    state.index_attempt(attempt)
    turn.outcome.facts.append(
        LineWanted(
            interaction_id=f"{LINE_PREFIX}{attempt.attempt_id}",
            leg_id=f"{attempt.attempt_id}{LINE}",
            attempt_id=attempt.attempt_id,
            tenant=attempt.tenant,
            agent_id=attempt.for_agent,
            device=device,
            called=attempt.number,
            title=setup.title or setup.campaign,
            ring_s=RING_S,
        )
    )


def let_go(turn: Turn, attempt: Attempt) -> None:
    """The attempt is over: a phone that was rung for it is free again."""
    if attempt.own_line:
        line = f"{LINE_PREFIX}{attempt.attempt_id}"
        turn.outcome.facts.append(LineUnwanted(line, attempt.attempt_id, attempt.why or attempt.state.value))
