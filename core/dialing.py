"""Facts that pass between campaigns (`dialer/`), interactions, the store of leads, and people.

    dialer                          interaction                     agents (acd)
      AttemptWanted, AttemptCancelled  ->   .
      .  <- AttemptProgressed               . -- QueueJoined ... -->  .
      .  <- AttemptDisposed  <- its flow, or  - - - wrap-up - - - - - .
      LineWanted, LineUnwanted     ->   her phone is rung first; it becomes her held line for one attempt
      .  <- LineCame                        .
    store of leads                  people (CLI, desk, phone keys, flows)
      LeadsStaged, LeadsSaved  ->           CampaignActed, LeadActed, NumberListed, ManualAsked, PreviewActed,
                                            FormFilled  ->

All of them go through the one inbox and are journaled when they are handled. Times are UTC seconds, numbers E.164.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Literal

from core.frozen import dataclass
from core.lead_record import StagedLead

DIALER = "dialer"
"""The `interaction_id` of the dialer's own timers."""
DIALED_PREFIX = "dial-"
"""The interaction that an attempt opens is called so, and then like the attempt."""

CALLED = "-c"
"""How the id of the leg that rings somebody for a campaign ends."""
LINE_PREFIX = "line-"
"""The interaction of a phone that is rung before an attempt is dialed is called so, and then like the attempt."""
LINE = "-l"
"""How the id of its leg ends."""

DropAction = Literal["message", "hang_up", "queue", "flow"]
OnMachine = Literal["hang_up", "message"]


# -- said by the dialer, for an interaction that does not exist yet, or for the one it opened ------------------
@dataclass(frozen=True, slots=True)
class AttemptWanted:
    """Dial this lead at this number, now: it has been checked against every rule.

    Args:
        interaction_id: of the interaction to open; `leg_id` is the leg that rings her, and ends with `CALLED`.
        called: her number. `identity`: the number she sees; empty: the outbound rule's.
        mode: a `dialer.compliance.rules.Mode` value.
        queue: who answered meets somebody of this queue; empty: a flow alone (`flow`) has her.
        agent_id: the one agent this attempt is for (preview, manual, personal callback); empty for any.
        ring_s: gives up after; never shorter than `least_ring_s`, before which nobody cancels it either.
        within_s: an agent has to be there so long after the answer (or her greeting); 0: no limit.
        after_answer_s: and so long after the answer, whatever she says; 0: no such limit.
        drop_action, drop_flow: what she meets when nobody is; the flow's tenant is the campaign's.
        screen: whether a detector listens who answered (answering machines). `bridge_first`: while an agent has her
            already, and not before.
        on_machine: what a machine gets; `message`: `machine_flow`, when it beeps within `beep_within_s` after it was
            known to be one; `no_beep`: or what then. `machine_why`: why it gets no message, where it should have.
        variables: for the flow and the agent's page; fields of the lead.
        priority: in the queue.
        script: `test/script`, which agents are shown and flows know by its name (`script`); empty: none is tested.
    """

    interaction_id: str
    leg_id: str
    attempt_id: str
    tenant: str
    campaign: str
    lead_id: str
    called: str
    mode: str
    purpose: str
    queue: str = ""
    skills: str = ""
    agent_id: str = ""
    flow: str = ""
    language: str = ""
    identity: str = ""
    ring_s: float = 30.0
    least_ring_s: float = 0.0
    within_s: float = 2.0
    after_answer_s: float = 0.0
    drop_action: DropAction = "message"
    drop_flow: str = ""
    screen: bool = False
    bridge_first: bool = False
    on_machine: OnMachine = "hang_up"
    machine_flow: str = ""
    machine_why: str = ""
    beep_within_s: float = 30.0
    no_beep: OnMachine = "hang_up"
    priority: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)
    script: str = ""


@dataclass(frozen=True, slots=True)
class AttemptCancelled:
    """Nobody needs this attempt any more: hang it up, unless she has answered. `why`: for the journal."""

    interaction_id: str
    attempt_id: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class LineWanted:
    """This agent's phone is rung first; picked up, it is her held line until this attempt is over. `called`: whom she
    is about to talk with, for her display; `title`: the campaign's, beside it."""

    interaction_id: str
    leg_id: str
    attempt_id: str
    tenant: str
    agent_id: str
    device: str
    called: str
    title: str = ""
    ring_s: float = 30.0


@dataclass(frozen=True, slots=True)
class LineUnwanted:
    """The attempt is over: that phone is hung up, unless somebody talks over it; then it is hung up afterwards."""

    interaction_id: str
    attempt_id: str
    why: str = ""


# -- said by an interaction, for the dialer -----------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LineCame:
    """A phone that was wanted for an attempt is up, or it never came, or is gone (`why`: in words)."""

    interaction_id: str
    attempt_id: str
    up: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class AttemptProgressed:
    """`event`: an `AttemptEvent` value. `cause`: the Q.850 cause of an end, 0 when unknown; `why`: in words.
    `agent_id`: who has her (`connect`); at the end: to whom a flow handed her over. `verdict`, `evidence`: who or what
    answered, as far as a detector has said by then: human, machine, fax, busy, failed, invalid (the network says so in
    the line) or unknown; in words. `greeted_s`: when her greeting ended, 0 when nobody knows. `identity`: the number
    she sees, whoever named it: the campaign, the outbound rule, or the trunk that took the call."""

    interaction_id: str
    attempt_id: str
    event: str
    cause: int = 0
    why: str = ""
    agent_id: str = ""
    verdict: str = ""
    evidence: str = ""
    greeted_s: float = 0.0
    identity: str = ""


@dataclass(frozen=True, slots=True)
class AttemptDisposed:
    """The agent's wrap-up of a dialed contact ended; `agent_id` empty: a flow says what came of it so far.
    `disposition`: a path, `not_given` when she gave none; `callback_at_s` 0: none was promised. `answers`: a flow's,
    into the form."""

    interaction_id: str
    attempt_id: str
    agent_id: str
    disposition: str
    callback_at_s: float = 0.0
    personal: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)


# -- said by the store of leads -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class LeadsStaged:
    """The next leads of a campaign, marked as staged in the store. `more`: there are others that could be dialed now.
    `next_s`: when the next one is due, 0 for never. `zones`: the time zones in which its lists have open leads, when
    somebody asked; empty: not known. `law_id`: the new rules by which leads may be asked again, as the store was told.
    `callback_s`: when the next promised call is due, 0 for none. `promised`: only those that are due were asked for.
    `asked_s`: when the dialer asked.
    `interaction_id` is the dialer's."""

    tenant: str
    campaign: str
    leads: tuple[StagedLead, ...]
    more: bool = True
    next_s: float = 0.0
    interaction_id: str = ""
    zones: tuple[str, ...] = ()
    law_id: str = ""
    callback_s: float = 0.0
    promised: bool = False
    asked_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LeadsSaved:
    """What the dialer wanted kept about these leads and attempts is in the store: (id, serial as it was asked)."""

    saved: tuple[tuple[str, int], ...]
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class ListsChanged:
    """Lists were imported, do-not-call registers renewed: look again. `campaign` empty: all of the tenant's.
    `leaving`: a list whose leads are about to go; those in the hopper are given back."""

    tenant: str
    campaign: str = ""
    interaction_id: str = ""
    leaving: str = ""


# -- said by people -----------------------------------------------------------------------------------------
CampaignAction = Literal["start", "pause", "drain", "stop"]


@dataclass(frozen=True, slots=True)
class CampaignActed:
    """`pause`: dial no more, what rings goes on; `drain`: the same, and stop when the last is over; `stop`: cancel what
    rings, as soon as its least ring allows."""

    tenant: str
    campaign: str
    action: CampaignAction
    by: str = ""
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class NumberListed:
    """`called` is not to be called from now on (or may be again, `listed` False). `campaign` empty: by nobody of the
    tenant. `by`: caller (DTMF), agent, api, admin. `lead_id`: who said so herself, called at this number."""

    tenant: str
    called: str
    campaign: str = ""
    listed: bool = True
    by: str = "api"
    why: str = ""
    interaction_id: str = ""
    lead_id: str = ""


LeadAction = Literal["callback", "opt_out", "reopen", "finish", "kept", "broken"]


@dataclass(frozen=True, slots=True)
class LeadActed:
    """`at_s`: when a callback is due; `agent_id`: whose it is, empty for anyone's. `kept`, `broken`: what came of what
    she promised. `lead`: as the store has it, with its history; needed unless the dialer holds it."""

    tenant: str
    campaign: str
    lead_id: str
    action: LeadAction
    at_s: float = 0.0
    agent_id: str = ""
    called: str = ""
    by: str = ""
    interaction_id: str = ""
    lead: StagedLead | None = None


@dataclass(frozen=True, slots=True)
class ManualAsked:
    """An agent wants to dial `called` (typed or clicked) under this campaign's law. `lead`: as the store has it,
    with its history; for a number of nobody's a record without a `list_id`, with the attempts at that number."""

    tenant: str
    campaign: str
    agent_id: str
    called: str
    lead_id: str = ""
    interaction_id: str = ""
    lead: StagedLead | None = None


@dataclass(frozen=True, slots=True)
class PreviewActed:
    """An agent looked at the lead she was shown: `dial` it, or `skip` it."""

    tenant: str
    agent_id: str
    attempt_id: str
    action: Literal["dial", "skip"]
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class FormFilled:
    """An agent filled in the campaign's form. `answers`: by field, as they were written; an empty one takes the earlier
    answer back. `complete`: no more will come; what is required has to be there then, and what `disposition` needs."""

    tenant: str
    attempt_id: str
    agent_id: str
    answers: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    disposition: str = ""
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class CampaignsChanged:
    """Campaigns and rule packs of this release are in force from here on."""

    release_id: str
    interaction_id: str = ""


@dataclass(frozen=True, slots=True)
class NoticeTaken:
    """For the journal alone: another system was told of this, and took it; or it was given up (`why`)."""

    notice_id: str
    why: str = ""
    interaction_id: str = ""


DialerFact = (
    AttemptProgressed
    | AttemptDisposed
    | LineCame
    | LeadsStaged
    | LeadsSaved
    | ListsChanged
    | CampaignActed
    | NumberListed
    | LeadActed
    | ManualAsked
    | PreviewActed
    | FormFilled
    | CampaignsChanged
)
"""What the dialer handles, besides its timers."""
AttemptFact = AttemptWanted | AttemptCancelled | LineWanted | LineUnwanted
"""What the dialer and detectors tell interactions."""
DialingFact = DialerFact | AttemptFact | NoticeTaken
