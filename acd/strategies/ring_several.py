"""Several phones ring at once and who answers first has it. Who is idle longest is among them.

Every contact first gets one agent; who is left over is rung too, so that ringing several for one contact never takes
the only agent from another.
"""

from acd.strategies.longest_idle import key
from acd.strategies.strategy import Strategy

STRATEGY = Strategy("ring_several", key, (("agents", 3.0),))
