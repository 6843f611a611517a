"""What admins defined about campaigns, as the dialer uses it: plain values, all of one version.

`dialer/loader.py` builds a `DialerSetup` from YAML; tests and simulations build one by hand. Seconds everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

from core.attempt import AttemptState
from core.dialing import DropAction, OnMachine
from core.lead_store import ListShare
from dialer.compliance.abandonment import NOT_REVIEWED, Reviewed
from dialer.compliance.rules import Mode, Purpose, RulePack
from dialer.compliance.strictest import Law, strictest
from dialer.law_id import law_id
from dialer.pacing import PacingSettings

Key = tuple[str, str]
"""(tenant, campaign)."""

Follows = Literal["finish", "retry", "callback", "do_not_call", "wrong_number", "promise", "appointment"]
"""What follows for a lead. `wrong_number`: that number is dead, the others go on. `promise`, `appointment`: see
`dialer.promises`."""
FieldKind = Literal["text", "number", "money", "date", "datetime", "choice"]


class Hours(Protocol):
    """A calendar. `ivr.calendars.Calendar` behind it; the dialer only asks."""

    def is_open(self, now_s: float) -> bool: ...

    def changes_at(self, now_s: float) -> float:
        """The next moment (UTC seconds) at which the answer may differ."""
        ...


class Days(Protocol):
    """The site's calendar of days, by which counters start over."""

    def ends_at(self, now_s: float) -> float:
        """The end (UTC seconds, after `now_s`) of the day that `now_s` lies in."""
        ...


@dataclass(frozen=True, slots=True)
class Retry:
    """What follows an outcome: another try no sooner than `after_s`, until it has happened `most` times; 0: never.
    `number`: whether the lead's next number is tried then, or the same again. `best_hour`: within a day of that, at an
    hour at which people are reached (`dialer.best_hour`)."""

    after_s: float = 3600.0
    most: int = 3
    number: Literal["next", "same"] = "next"
    best_hour: bool = False


RETRIES: Mapping[str, Retry] = {
    AttemptState.BUSY.value: Retry(600.0, 3, "same"),
    AttemptState.NO_ANSWER.value: Retry(4 * 3600.0, 5, "next"),
    AttemptState.FAILED.value: Retry(900.0, 5, "same"),
    AttemptState.MACHINE.value: Retry(4 * 3600.0, 4, "next"),
    AttemptState.MESSAGE_LEFT.value: Retry(86_400.0, 2, "next"),
    AttemptState.ABANDONED.value: Retry(86_400.0, 3, "same"),
    AttemptState.CUSTOMER_HUNG_UP.value: Retry(86_400.0, 2, "next"),
    AttemptState.CANCELLED.value: Retry(300.0, 10, "same"),
    AttemptState.INVALID.value: Retry(60.0, 1_000, "next"),
    AttemptState.FAX.value: Retry(60.0, 1_000, "next"),
}
"""Where a campaign says nothing. An invalid number and a fax are dead: only other numbers are tried."""


@dataclass(frozen=True, slots=True)
class After:
    """What follows a disposition. `after_s`: of a retry, or of a callback or promise that was given no time. `means`:
    whom the agent met. `date`, `amount`: the fields of the form that say when, and how much; empty: none does."""

    then: Follows = "finish"
    after_s: float = 86_400.0
    means: Literal["person", "machine"] = "person"
    date: str = ""
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """No more once `most` leads ended with `result` (a disposition path, or an outcome). `field`, `value`: only leads
    whose field has this value count and are held back; empty: all, and the campaign drains."""

    name: str
    result: str
    most: int
    field: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class CallerIds:
    """Numbers to be shown to numbers that begin with one of `prefixes`, or are of one of `countries`; to all, when both
    are empty. `daily`: at most so many calls a day for each; `rest_after`, `rest_s`: then it rests. 0: no limit."""

    name: str
    numbers: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    countries: frozenset[str] = frozenset()
    daily: int = 0
    rest_after: int = 0
    rest_s: float = 0.0


@dataclass(frozen=True, slots=True)
class FormField:
    """What the agent's page asks for. `choices`: of a `choice`."""

    name: str
    title: Mapping[str, str] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    required: bool = False
    kind: FieldKind = "text"


@dataclass(frozen=True, slots=True)
class Script:
    """One of the scripts that are tested: `share` of all their shares of the leads get it."""

    name: str
    share: int = 1
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScriptTest:
    """Two or more scripts side by side (`dialer.script_test`); the others are compared with the first. Who is reached
    counts when she ends with one of the dispositions `goal` (`sold` holds for `sold/new` too), or, where there are
    none, when a conversation lasts `talk_s`."""

    name: str
    scripts: tuple[Script, ...]
    goal: tuple[str, ...] = ()
    talk_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """`on`: the outcomes and dispositions it is told about; empty: all."""

    url: str
    on: frozenset[str] = frozenset()


@dataclass(frozen=True)
class CampaignSetup:
    """One campaign. `packs`: those it names. `own`: its own hours and caps as rules. `queue`: who answers; empty:
    `flow` has them alone. `reviewed`: what a sample of machine verdicts has shown. `bridge_first`: a detector
    listens while an agent has her already. `held_lines`: only agents whose line is up count as ready. `max_lines`,
    `calls_per_second` 0: no limit of its own. `preview_then`: what happens when the agent has looked for
    `preview_s`. `callback_wait_s`: so long a personal callback waits for its agent; then anybody has it. `grace_s`: so
    long after a promised day she is dialed again; `remind_s`: so long before an appointment.
    `language`: a field of the lead may say another."""

    tenant: str
    campaign: str
    title: str = ""
    mode: Mode = Mode.PROGRESSIVE
    purpose: Purpose = Purpose.SERVICE
    packs: tuple[RulePack, ...] = ()
    own: RulePack | None = None
    lists: tuple[ListShare, ...] = ()
    queue: str = ""
    skills: str = ""
    flow: str = ""
    language: str = ""
    drop_action: DropAction = "message"
    drop_flow: str = ""
    on_machine: OnMachine = "hang_up"
    machine_flow: str = ""
    beep_within_s: float = 30.0
    no_beep: OnMachine = "hang_up"
    ring_s: float = 30.0
    within_s: float = 2.0
    screen: bool = False
    bridge_first: bool = False
    reviewed: Reviewed = NOT_REVIEWED
    held_lines: bool = True
    caller_ids: tuple[CallerIds, ...] = ()
    calendar: Hours | None = None
    retries: Mapping[str, Retry] = field(default_factory=dict)
    quotas: tuple[Quota, ...] = ()
    dispositions: Mapping[str, After] = field(default_factory=dict)
    priority: int = 0
    weight: int = 1
    pacing: PacingSettings = PacingSettings()
    max_lines: int = 0
    calls_per_second: float = 0.0
    preview_s: float = 60.0
    preview_then: Literal["dial", "skip"] = "skip"
    skip_after_s: float = 3600.0
    callback_wait_s: float = 900.0
    grace_s: float = 172_800.0
    remind_s: float = 86_400.0
    queue_priority: int = 0
    script: Mapping[str, str] = field(default_factory=dict)
    script_test: ScriptTest | None = None
    form: tuple[FormField, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    webhooks: tuple[Webhook, ...] = ()

    @property
    def key(self) -> Key:
        return (self.tenant, self.campaign)

    @cached_property
    def _laws(self) -> dict[Mode, Law]:
        packs = (*self.packs, self.own) if self.own is not None else self.packs
        return {mode: strictest(packs, self.purpose, mode) for mode in Mode}

    @cached_property
    def law_id(self) -> str:
        """Another one means that leads may be asked again which a rule has held back: the law's, or our own."""
        lists = sorted(share.list_id for share in self.lists)
        return law_id(self.mode, self.purpose, self.packs, self.own, self.caller_ids, self.quotas, lists)

    def law(self, mode: Mode | None = None) -> Law:
        """The law of an attempt in this mode; the campaign's own, when None."""
        return self._laws[mode or self.mode]

    def retry(self, outcome: str) -> Retry | None:
        """None: nothing more is tried after this outcome."""
        return self.retries.get(outcome, RETRIES.get(outcome))

    def after(self, disposition: str) -> After:
        """What the longest beginning of this path says: `sold` holds for `sold/new` too. Else the lead is finished."""
        parts = disposition.split("/")
        for length in range(len(parts), 0, -1):
            found = self.dispositions.get("/".join(parts[:length]))
            if found is not None:
                return found
        return After()


@dataclass(frozen=True)
class DialerSetup:
    """One consistent version of everything the dialer goes by. `days`: when counters start over; days of UTC, when
    None. `time_zone`: in which forms are filled in."""

    release_id: str = ""
    campaigns: Mapping[Key, CampaignSetup] = field(default_factory=dict)
    days: Days | None = None
    time_zone: str = "UTC"

    @cached_property
    def of_list(self) -> Mapping[tuple[str, str], str]:
        """(tenant, list) -> the campaign it belongs to."""
        return {
            (setup.tenant, share.list_id): setup.campaign for setup in self.campaigns.values() for share in setup.lists
        }
