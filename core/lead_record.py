"""A lead as it is kept: who, at which numbers, on what ground, and what has been tried. Values, shared by the store and
the dialer. Times are UTC seconds; numbers E.164."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from core.frozen import dataclass
from core.lead import LeadState


@dataclass(frozen=True, slots=True)
class LeadNumber:
    """`label`: as the list calls it (`mobile`). `time_zone`: of this number, when the list says so. `dead`: why it is
    never dialed again (`invalid`, `fax`, `wrong_person`), or empty. `attempts`: how often it was dialed."""

    number: str
    label: str = ""
    time_zone: str = ""
    dead: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Promise:
    """What she promised in the conversation of `attempt_id`: to pay (`promise`), or to be there (`appointment`).
    `on`, `amount`: the day or hour and the sum, as the form has them; no sum: empty. `at_s`: the end of that day, or
    that hour; `not_before_s`: nobody dials her about it earlier. `outcome`: what somebody said came of it."""

    kind: Literal["promise", "appointment"]
    on: str
    at_s: float
    not_before_s: float
    amount: str = ""
    attempt_id: str = ""
    outcome: Literal["", "kept", "broken"] = ""


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """`basis`: a `dialer.compliance.rules.Basis` value; `proof`: the record of a consent. `priority`: higher first;
    `rank`: within it, lower first. `agent_id`: whose callback it is. `zone`: the time zone that decides when she
    may be called, for the hopper's query; several joined by `|` when a number may be in any of them; empty when that
    depends on which of her numbers is dialed. `outcome`, `disposition`: of the last attempt. `promise`: the last."""

    lead_id: str
    tenant: str
    list_id: str
    numbers: tuple[LeadNumber, ...]
    name: str = ""
    language: str = ""
    region: str = ""
    zone: str = ""
    basis: str = "none"
    consent_s: float | None = None
    proof: str = ""
    priority: int = 0
    rank: float = 0.0
    fields: Mapping[str, str] = field(default_factory=dict)
    state: LeadState = LeadState.NEW
    reason: str = ""
    not_before_s: float = 0.0
    attempts: int = 0
    next_number: int = 0
    agent_id: str = ""
    outcome: str = ""
    disposition: str = ""
    external_id: str = ""
    """What the importing system calls her; empty for none."""
    promise: Promise | None = None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt, from its dialing. `state`: an `AttemptState` value. `connected_s`: when an agent had her. `verdict`,
    `evidence`: what a detector took for who answered, and why; empty where none listened. `greeted_s`: when her
    greeting ended, where it heard one."""

    attempt_id: str
    interaction_id: str
    tenant: str
    campaign: str
    list_id: str
    lead_id: str
    number: str
    identity: str
    mode: str
    state: str
    dialed_s: float
    ringing_s: float | None = None
    answered_s: float | None = None
    connected_s: float | None = None
    ended_s: float | None = None
    cause: int = 0
    why: str = ""
    agent_id: str = ""
    disposition: str = ""
    verdict: str = ""
    evidence: str = ""
    greeted_s: float | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    """What the agent filled into the campaign's form, by field; how each is written: `dialer.form`."""
    script: str = ""
    """`test/script`, where the campaign tests scripts."""


BY_RULE = "rule "
"""So begins the reason of a lead that a rule has put off, blocked or given up; the rule's name follows. Other rules may
let it go. Dispositions and outcomes have no blanks."""


@dataclass(frozen=True, slots=True)
class StagedLead:
    """A lead in the hopper, with what the law and the retry rules want to know: all attempts of this lead, and those at
    its numbers in all campaigns of the tenant as far back as any rule looks."""

    record: LeadRecord
    history: tuple[AttemptRecord, ...] = ()
