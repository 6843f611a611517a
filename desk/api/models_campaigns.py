"""What goes over the API about campaigns, leads and do-not-call. Names are the engine's; seconds are UTC moments."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from core.dialing import CampaignAction
from desk.api.models import Asked, Done, Listed, Text, Told
from desk.api.models_contacts import Promise

Number = Annotated[str, Field(min_length=1, max_length=40)]
"""As somebody typed it."""
Id = Annotated[str, Field(min_length=1, max_length=100)]
Count = Annotated[int, Field(ge=0)]


class Share(Told):
    list_id: str
    weight: int = 1


class Lines(Told):
    """`screening`: answered, and a detector listens; `waiting`: answered, and no agent yet; `leaving_message`: a
    machine answered, and is to get the campaign's message."""

    dialing: int = 0
    ringing: int = 0
    screening: int = 0
    waiting: int = 0
    connected: int = 0
    leaving_message: int = 0


class CampaignAgents(Told):
    """`lines`: those with a held line."""

    ready: int = 0
    busy: int = 0
    lines: int = 0


class DialedToday(Told):
    """`live`: persons who answered."""

    dialed: int = 0
    answered: int = 0
    live: int = 0
    connected: int = 0
    abandoned: int = 0
    machine: int = 0
    message_left: int = 0
    no_answer: int = 0
    busy: int = 0
    failed: int = 0
    invalid: int = 0
    blocked: int = 0


class Abandonment(Told):
    """What one rule asks and what was counted in its window. `machines`: answers taken for machines, of whom at worst
    `at_worst` were people; `spare` counts with them. `most`, `ratio`: shares, 0.03 is 3%; `spare`: how many
    may still be abandoned."""

    rule: str
    most: float = 0.0
    live: int = 0
    abandoned: int = 0
    machines: int = 0
    at_worst: int = 0
    ratio: float = 0.0
    spare: float | None = 0.0
    from_s: float | None = 0.0
    until_s: float | None = 0.0


class DetectorHeard(Told):
    """Of the answers that the detector gave to agents, `told`: of how many they said what they met; `machines`: how
    many were machines. The true share is likely between `least` and `most`. Of what it took for
    machines nobody tells."""

    told: int = 0
    machines: int = 0
    least: float = 0.0
    most: float = 1.0


class Decision(Told):
    """Of pacing: so many attempts were due, and why."""

    at_s: float = 0.0
    count: int = 0
    why: str = ""


class DecisionRun(Decision):
    """Decisions of pacing for the same reason, one after the other: from `since_s` to `at_s`, so many `times`, `count`
    attempts in all. Where only figures in their reasons differ, `why` is the last."""

    since_s: float = 0.0
    times: int = 1


class QuotaView(Told):
    name: str
    most: int = 0
    reached: int = 0


class CampaignView(Told):
    """`why`: of its state, in words. `leads`: by state. `hopper`: staged and not yet dialed."""

    tenant: str
    campaign: str
    title: str = ""
    mode: str = ""
    purpose: str = ""
    packs: list[str] = []
    state: str = "stopped"
    why: str = ""
    since_s: float = 0.0
    queue: str = ""
    lists: list[Share] = []
    lines: Lines = Lines()
    agents: CampaignAgents = CampaignAgents()
    today: DialedToday = DialedToday()
    abandonment: list[Abandonment] = []
    detector: DetectorHeard = DetectorHeard()
    quotas: list[QuotaView] = []
    last: Decision = Decision()
    hopper: int = 0
    leads: dict[str, int] = {}


class CampaignDetail(CampaignView):
    """With its last pacing decisions, those for the same reason as one, the newest first."""

    decisions: list[DecisionRun] = []


class Campaigns(Listed):
    campaigns: list[CampaignView]


class CampaignAsked(Asked):
    """`pause`: dial no more, what rings goes on; `drain`: the same, and stop when the last is over; `stop`: cancel what
    rings, as soon as the rules' least ring allows."""

    action: CampaignAction


class Acted(Done):
    """`told`: what who asked should know: there is no lead to dial. Empty: nothing."""

    told: str = ""


class CampaignText(Asked):
    """A campaign as it stands in its YAML file."""

    text: Annotated[str, StringConstraints(strip_whitespace=False, max_length=50_000)]


class CampaignWritten(CampaignText):
    """`write` False: it is looked at alone. `replace`: a file of that name may be there already."""

    write: bool = False
    replace: bool = False


class Fault(Told):
    """`line`, `column` from 1; 0: of the whole file. `hint`: what to do. A warning keeps nothing from loading."""

    line: int = 0
    column: int = 0
    what: str
    hint: str = ""
    warning: bool = False


class Validated(Told):
    """`ok`: nothing but warnings; `centralita check` looks at it together with everything else."""

    ok: bool
    faults: list[Fault] = []


class Written(Validated):
    """`file`: where it was put; empty: nothing was written. `problems`: what the configuration warns of with it."""

    campaign: str = ""
    file: str = ""
    problems: list[str] = []


class ManualAsked(Asked):
    """`number`: as it was typed; `lead_id`: whose it is, when it was clicked."""

    number: Number
    lead_id: Annotated[str, Field(max_length=100)] = ""


class PreviewAsked(Asked):
    action: Literal["dial", "skip"]


class InPerson(Told):
    """An attempt made for one agent. `phase`: phone (hers rings first: pick it up), dialing, ringing, waiting, or over:
    it came to nothing, `why` in words; `outcome`: busy, no_answer, failed, …; `cause`: Q.850, 0 when unknown."""

    attempt_id: str
    campaign: str
    lead_id: str = ""
    name: str = ""
    number: str = ""
    phase: str = ""
    outcome: str = ""
    cause: int = 0
    why: str = ""
    since_s: float = 0.0


class Dialing(Listed):
    attempts: list[InPerson]


class LeadAsked(Asked):
    """`reopen`: it may be dialed again, for a new reason; `finish`: it is done with; `opt_out`: never again. `kept`:
    what she promised is done, and so is the lead; `broken`: it is not, and she is dialed as soon as she may be."""

    campaign: Id
    action: Literal["reopen", "finish", "opt_out", "kept", "broken"]


class Block(Told):
    """A rule that says no. `not_before_s`: until when, None: not by time alone."""

    rule: str
    why: str = ""
    law: str = ""
    not_before_s: float | None = None


class WhyNumber(Told):
    """`dead`: why this number is never dialed, or empty. `identity`: what she would see."""

    number: str
    label: str = ""
    dead: str = ""
    identity: str = ""
    allowed: bool = False
    blocks: list[Block] = []
    next_s: float | None = None


class WhyLead(BaseModel):
    """What `centralita why` tells. `next_s`: when she next may be dialed; None: not by time alone."""

    model_config = ConfigDict(extra="allow")
    lead_id: str
    campaign: str = ""
    state: str = ""
    reason: str = ""
    promise: Promise | None = None
    sentences: list[str] = []
    numbers: list[WhyNumber] = []
    attempts: list[dict[str, Any]] = []
    next_s: float | None = None


class NumberAsked(Asked):
    """`campaign` empty: for the whole tenant."""

    number: Number
    campaign: Annotated[str, Field(max_length=80)] = ""
    why: Text = ""


class OnList(Told):
    """`level`: tenant, campaign or national; `name`: of the list."""

    level: str
    name: str = ""


class NumberChecked(Told):
    """`number`: normalised. `lists`: those it is on; empty: it is on none."""

    number: str
    listed: bool
    lists: list[OnList] = []
