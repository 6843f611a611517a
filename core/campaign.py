"""Whether a campaign dials.

    STOPPED --start--> RUNNING --pause, trouble--> PAUSED --start--> RUNNING
                          | \\_____drain_____        | drain
                          |                 v       v
                          |               DRAINING --drained--> STOPPED      DRAINING --start--> RUNNING
                          |                  | pause
                          |                  v
                          |                PAUSED
    every state --stop--> STOPPED

Paused: no more is dialed, what rings goes on. Draining: the same, and stopped when the last one is over. `trouble`: the
campaign pauses itself, and its reason says why. This is state, kept in the journal; a new campaign is stopped.
"""

from __future__ import annotations

from enum import Enum

from core.table import StateTable, every


class CampaignState(Enum):
    STOPPED = "stopped"
    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"


class CampaignEvent(Enum):
    START = "start"
    PAUSE = "pause"
    TROUBLE = "trouble"
    DRAIN = "drain"
    DRAINED = "drained"
    STOP = "stop"


_S, _E = CampaignState, CampaignEvent

CAMPAIGN_TABLE: StateTable[CampaignState, CampaignEvent] = StateTable(
    thing="campaign",
    moves={
        **every((_S.STOPPED, _S.PAUSED, _S.DRAINING), _E.START, _S.RUNNING),
        **every((_S.RUNNING, _S.DRAINING), _E.PAUSE, _S.PAUSED),
        (_S.RUNNING, _E.TROUBLE): _S.PAUSED,
        **every((_S.RUNNING, _S.PAUSED), _E.DRAIN, _S.DRAINING),
        (_S.DRAINING, _E.DRAINED): _S.STOPPED,
        **every((_S.RUNNING, _S.PAUSED, _S.DRAINING), _E.STOP, _S.STOPPED),
    },
    late=frozenset(
        {
            (_S.RUNNING, _E.START),
            (_S.PAUSED, _E.PAUSE),
            (_S.STOPPED, _E.PAUSE),
            (_S.DRAINING, _E.DRAIN),
            (_S.STOPPED, _E.DRAIN),
            (_S.STOPPED, _E.STOP),
            *((state, _E.TROUBLE) for state in (_S.STOPPED, _S.PAUSED, _S.DRAINING)),
            *((state, _E.DRAINED) for state in (_S.STOPPED, _S.RUNNING, _S.PAUSED)),
        }
    ),
)
