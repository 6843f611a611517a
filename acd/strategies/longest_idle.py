"""Who handled her last contact longest ago. Being offered one without taking it does not move her."""

from acd.records import Agent
from acd.setup import AgentSetup
from acd.strategies.strategy import Score, Sought, Strategy


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    return (agent.idle_since_s,)


STRATEGY = Strategy("longest_idle", key)
