"""The agent the contact knows, for as long as the queue has patience; then she comes first among all who can.

Patience holds under every strategy: it belongs to the contact. It ends at once when she is not logged in, does not
serve the queue, or refused.
"""

from acd.records import Agent
from acd.setup import AgentSetup
from acd.strategies.strategy import Score, Sought, Strategy


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    return (float(agent.agent_id != sought.stay.preferred_agent), agent.idle_since_s)


STRATEGY = Strategy("preferred_agent", key)
