"""Who has been occupied for the smallest share of her time since she logged in; among equals, idle longest."""

from acd.records import Agent
from acd.setup import AgentSetup
from acd.strategies.strategy import Score, Sought, Strategy


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    here_s = max(sought.now_s - agent.logged_in_s, 1.0)
    working = sum(work.units for work in agent.assignments.values())
    return (working / max(person.capacity, 1), round(agent.occupied_s / here_s, 6), agent.idle_since_s)


STRATEGY = Strategy("least_occupied", key)
