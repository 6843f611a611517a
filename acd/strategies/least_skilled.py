"""Who knows just enough, so that experts stay free: least of what is asked for, then fewest other skills."""

from acd.records import Agent
from acd.setup import AgentSetup
from acd.strategies.most_skilled import skill
from acd.strategies.strategy import Score, Sought, Strategy


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    return (skill(person, sought), sum(person.skills.values()), agent.idle_since_s)


STRATEGY = Strategy("least_skilled", key)
