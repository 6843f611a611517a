"""Who knows most of what the contact asks for; among equals, who is idle longest."""

from acd.records import Agent
from acd.setup import AgentSetup
from acd.strategies.strategy import Score, Sought, Strategy


def skill(person: AgentSetup, sought: Sought) -> int:
    """Sum of her levels in the skills asked for; in all her skills when none are."""
    names = sought.requirement.names
    return sum(person.skills.get(name, 0) for name in names) if names else sum(person.skills.values())


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    return (-skill(person, sought), agent.idle_since_s)


STRATEGY = Strategy("most_skilled", key)
