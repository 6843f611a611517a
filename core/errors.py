"""What can go wrong, as one tree.

    CentralitaError
    +-- EventRefused            an event that cannot happen in this state; journaled, hurts one interaction
    +-- StoreUnavailable        what is asked of a store was not done: it does not answer
    +-- CommandFailed           a command that the world did not carry out
        +-- LegGone             its leg no longer exists; always benign, its LegEnded is on the way
        +-- CommandRefused      the peer says no, and would say no again
        |   +-- TrunkAway       nothing was dialed: that carrier owes an answer; another may do
        +-- DeadlineExceeded    no answer in time; it may still have happened
        +-- NodeUnavailable     no connection to the node; it has not been sent

An exception's message is for the person who reads the log: what is wrong, where, what to do.
"""

from __future__ import annotations


class CentralitaError(Exception):
    """The root of everything raised on purpose."""


class EventRefused(CentralitaError):
    """The event cannot happen in this state: its sender has a stale view and must read it again."""


class StoreUnavailable(CentralitaError):
    """The store of leads does not answer; nothing was changed: ask again later."""


class CommandFailed(CentralitaError):
    """A command was not carried out; the flow of that leg takes its error exit."""


class LegGone(CommandFailed):
    """The leg has ended: nothing to do, its `LegEnded` is on the way."""


class CommandRefused(CommandFailed):
    """The peer understood and declined: repeating it will not help."""


class TrunkAway(CommandRefused):
    """The node dials nothing over this trunk; nothing was sent, and the leg is not there."""


class DeadlineExceeded(CommandFailed):
    """No answer within the lane's deadline: the outcome is unknown."""


class NodeUnavailable(CommandFailed):
    """The telephony node is not connected: the command was not sent."""
