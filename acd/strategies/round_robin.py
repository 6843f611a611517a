"""In turn: who was offered a contact of this queue longest ago, taken or not; in the order of agent ids at first."""

from acd.records import Agent
from acd.setup import AgentSetup
from acd.strategies.strategy import Score, Sought, Strategy


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    return (agent.offered_s.get(sought.queue.queue, 0.0),)


STRATEGY = Strategy("round_robin", key)
