"""What a core decided, for the journal: the explanation beside the commands.

Decisions are written with the event that caused them. Projections and `explain` read them; recovery and
replay never do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.table import Transition


@dataclass(frozen=True, slots=True)
class InteractionOpened:
    """`flow`: which flow answers, and in which version; `rule`: why that one (`number +34911…`, `default`)."""

    interaction_id: str
    tenant: str
    channel: str
    direction: str
    called: str
    caller: str
    flow: str
    flow_version: str
    language: str
    rule: str


@dataclass(frozen=True, slots=True)
class InteractionClosed:
    interaction_id: str
    outcome: str


@dataclass(frozen=True, slots=True)
class LegJoined:
    """A leg belongs to this interaction from now on."""

    interaction_id: str
    leg_id: str
    role: str
    node: str


@dataclass(frozen=True, slots=True)
class Moved:
    """A state table moved."""

    transition: Transition


@dataclass(frozen=True, slots=True)
class NodeEntered:
    """`visit`: the running number of node visits in this interaction."""

    flow: str
    node: str
    visit: int


@dataclass(frozen=True, slots=True)
class NodeLeft:
    """`branch`: the exit taken (`1`, `no_input`, `ok`); `target`: the node that follows, empty at the end."""

    flow: str
    node: str
    visit: int
    branch: str
    target: str


@dataclass(frozen=True, slots=True)
class VariablesSet:
    """Values given to variables; sensitive ones appear as `***`."""

    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """A reason in words: which hours rule, which table row, which validator said no."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class SurveyAnswered:
    """`kind`: csat (1-5), nps (0-10), yes_no; `value`: the number, or `yes` and `no`."""

    survey: str
    question: str
    kind: str
    value: str


Decision = (
    InteractionOpened
    | InteractionClosed
    | LegJoined
    | Moved
    | NodeEntered
    | NodeLeft
    | VariablesSet
    | Noted
    | SurveyAnswered
)

DECISION_TYPES: dict[str, type] = {cls.__name__: cls for cls in Decision.__args__}
