"""What the dialer keeps: one record per campaign, lead in hand, attempt, caller id and word about a number.

They are what is saved, and nothing else is. Changed in place, but only after the `Turn` has taken their picture, so
that an event whose handler raises leaves no trace. Times are UTC seconds; 0 means never.
"""

from __future__ import annotations

import msgspec

from core.attempt import AttemptState
from core.campaign import CampaignState
from core.dialing import NumberListed
from core.lead import LeadState
from core.lead_record import AttemptRecord, LeadRecord
from dialer.best_hour import Counts as HourCounts
from dialer.best_hour import Slot
from dialer.compliance.abandonment import Counts
from dialer.compliance.check import Past
from dialer.compliance.rules import Mode, Window
from dialer.setup import Key


class Today(msgspec.Struct, omit_defaults=True):
    """A campaign's day so far, in attempts. `live`: answered by a person; `blocked`: not dialed when its turn came."""

    dialed: int = 0
    answered: int = 0
    live: int = 0
    connected: int = 0
    abandoned: int = 0
    machine: int = 0
    message_left: int = 0
    fax: int = 0
    no_answer: int = 0
    busy: int = 0
    failed: int = 0
    invalid: int = 0
    cancelled: int = 0
    blocked: int = 0


class Heard(msgspec.Struct, omit_defaults=True):
    """What agents said of those whom the detector let through: `told` of them, of whom `machines` were machines. Of the
    machines that it took away nobody says anything."""

    told: int = 0
    machines: int = 0


NOT_ASKED = -1.0
"""Of a campaign's `next_s`: nobody knows."""


class Campaign(msgspec.Struct, omit_defaults=True):
    """`made`: how many attempts ever, for their ids. `serial`: the last that was given to the store. `tally_s`: from
    when the abandonment windows are counted. `taken`: list -> leads taken ÷ its weight. `given`: people it brought to
    agents ÷ its weight. `recent`: how the last attempts went, (at_s, kind, why). `stage_after_s`: nothing is to be had
    of the store before. `call_after_s`: its own rate of calls allows none before. `held`: what put the last leads back,
    in words, told until `held_until_s`. `law_id`: of the rules by which its leads were asked. `next_s`: when the next
    lead is due where the lists had none when they were asked last, 0 for never; else `NOT_ASKED`. `promised_s`: when
    the next promised call is due that the store has, as far as is known; 0 for none."""

    tenant: str
    campaign: str
    created_s: float
    state: CampaignState = CampaignState.STOPPED
    why: str = ""
    since_s: float = 0.0
    by: str = ""
    serial: int = 0
    made: int = 0
    tally_s: float = 0.0
    windows: list[tuple[Window, float, Counts]] = []
    today: Today = msgspec.field(default_factory=Today)
    day_ends_s: float = 0.0
    taken: dict[str, float] = {}
    given: float = 0.0
    quotas: dict[str, int] = {}
    recent: list[tuple[float, str, str]] = []
    last_s: float = 0.0
    last_count: int = 0
    last_why: str = ""
    stage_after_s: float = 0.0
    call_after_s: float = 0.0
    zones: tuple[str, ...] = ()
    held: str = ""
    held_until_s: float = 0.0
    law_id: str = ""
    next_s: float = NOT_ASKED
    promised_s: float = 0.0
    heard: Heard = msgspec.field(default_factory=Heard)
    hours: dict[Slot, HourCounts] = {}
    """At what hours people were dialed, and reached; replaced, never changed in place."""
    said: dict[str, int] = {}
    """What came of today's conversations, by disposition; replaced, never changed in place."""

    @property
    def key(self) -> Key:
        return (self.tenant, self.campaign)

    @property
    def row_id(self) -> str:
        return f"{self.tenant}/{self.campaign}"


class Tried(msgspec.Struct, frozen=True, array_like=True):
    """An attempt as the law and the retry rules remember it."""

    attempt_id: str
    lead_id: str
    number: str
    state: str
    dialed_s: float
    ended_s: float | None = None
    conversation_s: float | None = None
    campaign: str = ""
    script: str = ""
    disposition: str = ""

    def past(self) -> Past:
        abandoned = self.state == AttemptState.ABANDONED.value
        return Past(self.lead_id, self.number, self.dialed_s, self.ended_s, self.conversation_s, abandoned)


class Lead(msgspec.Struct, omit_defaults=True):
    """A lead in hand. `attempt_id`: what is being done with it. `held` False: it went back, and the row stays until the
    store has confirmed `serial`. `history`: its own attempts, and others' at its numbers."""

    record: LeadRecord
    campaign: str
    staged_s: float
    serial: int = 0
    attempt_id: str = ""
    held: bool = True
    history: list[Tried] = []

    @property
    def row_id(self) -> str:
        return lead_row(self.record.tenant, self.record.lead_id)

    @property
    def key(self) -> Key:
        return (self.record.tenant, self.campaign)

    @property
    def in_hopper(self) -> bool:
        return self.held and not self.attempt_id and self.record.state is LeadState.STAGED


class Attempt(msgspec.Struct, omit_defaults=True):
    """`state` STAGED: shown to `agent_id`, until `preview_ends_s`. `for_agent`: it is for her alone. `screened`: who
    answers is listened to first. `counted`: among the live answers. `cancel`: why nobody wants it any more;
    `cancelled_s`: when its interaction was told. `disposed`: nothing more is to come of the agent. `kept_s`: since when
    the store has it as it is; it is remembered a little longer, for leads that were read from the store before.
    `verdict`, `evidence`, `greeted_s`: as in `AttemptProgressed`. `own_line`: her phone is rung for this attempt alone,
    before it is dialed; at the latest until `line_ends_s`. `answers`: as `dialer.form` has read them; replaced, never
    changed in place. `script`: as `dialer.script_test` drew it."""

    attempt_id: str
    interaction_id: str
    tenant: str
    campaign: str
    list_id: str
    lead_id: str
    number: str
    identity: str
    mode: Mode
    state: AttemptState
    dialed_s: float
    least_ring_s: float = 0.0
    ring_s: float = 30.0
    ringing_s: float | None = None
    answered_s: float | None = None
    connected_s: float | None = None
    ended_s: float | None = None
    cause: int = 0
    why: str = ""
    agent_id: str = ""
    for_agent: str = ""
    disposition: str = ""
    serial: int = 0
    screened: bool = False
    counted: bool = False
    cancel: str = ""
    cancelled_s: float = 0.0
    preview_ends_s: float = 0.0
    disposed: bool = False
    callback_s: float = 0.0
    personal: bool = False
    own_line: bool = False
    line_ends_s: float = 0.0
    kept_s: float = 0.0
    verdict: str = ""
    evidence: str = ""
    greeted_s: float | None = None
    answers: dict[str, str] = {}
    script: str = ""

    @property
    def key(self) -> Key:
        return (self.tenant, self.campaign)

    @property
    def lead_row(self) -> str:
        return lead_row(self.tenant, self.lead_id)

    @property
    def was_dialed(self) -> bool:
        return self.dialed_s > 0.0

    def tried(self) -> Tried:
        """Over an agentless campaign nobody of ours speaks: who stayed in the flow has had her conversation."""
        talked = self.connected_s
        if talked is None and self.mode is Mode.AGENTLESS and self.state.is_live:
            talked = self.answered_s
        how = (self.state.value, self.dialed_s, self.ended_s, talked)
        return Tried(self.attempt_id, self.lead_id, self.number, *how, self.campaign, self.script, self.disposition)

    def record(self) -> AttemptRecord:
        return AttemptRecord(
            attempt_id=self.attempt_id,
            interaction_id=self.interaction_id,
            tenant=self.tenant,
            campaign=self.campaign,
            list_id=self.list_id,
            lead_id=self.lead_id,
            number=self.number,
            identity=self.identity,
            mode=self.mode.value,
            state=self.state.value,
            dialed_s=self.dialed_s,
            ringing_s=self.ringing_s,
            answered_s=self.answered_s,
            connected_s=self.connected_s,
            ended_s=self.ended_s,
            cause=self.cause,
            why=self.why,
            agent_id=self.agent_id,
            disposition=self.disposition,
            verdict=self.verdict,
            evidence=self.evidence,
            greeted_s=self.greeted_s,
            answers=self.answers,
            script=self.script,
        )


class Identity(msgspec.Struct, omit_defaults=True):
    """A number we show, and how often today. `streak`: since it last rested."""

    tenant: str
    number: str
    today: int = 0
    day_ends_s: float = 0.0
    streak: int = 0
    rest_until_s: float = 0.0

    @property
    def row_id(self) -> str:
        return f"{self.tenant}/{self.number}"


class Word(msgspec.Struct, omit_defaults=True):
    """Somebody said that a number is, or is no longer, to be left alone; until the store has it."""

    said: NumberListed
    at_s: float
    serial: int

    @property
    def row_id(self) -> str:
        return f"{self.said.tenant}/{self.said.campaign}/{self.said.called}"


class Learnt(msgspec.Struct):
    """What a campaign's pacer has learnt, as it saved it."""

    tenant: str
    campaign: str
    body: bytes

    @property
    def row_id(self) -> str:
        return f"{self.tenant}/{self.campaign}"


def lead_row(tenant: str, lead_id: str) -> str:
    return f"{tenant}/{lead_id}"


def tried_before(past: AttemptRecord) -> Tried:
    """An attempt as the store has it."""
    talked = past.connected_s
    if talked is None and past.mode == Mode.AGENTLESS.value and AttemptState(past.state).is_live:
        talked = past.answered_s
    how = (past.state, past.dialed_s, past.ended_s, talked)
    return Tried(past.attempt_id, past.lead_id, past.number, *how, past.campaign, past.script, past.disposition)
