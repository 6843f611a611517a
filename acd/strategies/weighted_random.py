"""By lot; who knows more of what is asked for has a larger chance (`by_skill` 0: all the same).

A draw is a hash of the seed, the contact and the agent, so the same events draw the same lots. The smallest of
exponential draws `-ln(u) / weight` wins with probability weight / sum of weights, whoever else is free.
"""

from hashlib import blake2b
from math import log

from acd.records import Agent
from acd.setup import AgentSetup
from acd.strategies.most_skilled import skill
from acd.strategies.strategy import Score, Sought, Strategy


def key(agent: Agent, person: AgentSetup, sought: Sought) -> Score:
    lot = f"{sought.seed}|{sought.stay.stay_id}|{sought.stay.offers_made}|{agent.row_id}"
    draw = int.from_bytes(blake2b(lot.encode(), digest_size=7).digest(), "big") + 1
    weight = 1.0 + STRATEGY.option(sought.queue, "by_skill") * skill(person, sought)
    return (-log(draw / 2**56) / weight,)


STRATEGY = Strategy("weighted_random", key, (("by_skill", 1.0),))
