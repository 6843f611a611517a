"""A contact as the API shows it: who it is, what was said and heard of it, and what may be done with it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from core.talk_facts import SupervisionAction, TalkAction
from desk.api.models import Asked, Moment, Name, Text, Told


class TalkAsked(Asked):
    """`target`: `agent:ana`, `queue:sales`, `flow:survey`, `device:1001` or a number; digits for `send_digits`."""

    action: TalkAction
    target: Text = ""
    values: Annotated[dict[Name, Text], Field(max_length=30)] = {}


class SupervisionAsked(Asked):
    """`listen`: nobody hears you; `whisper`: the agent alone; `barge`: all; `take_over`: you stay, the agent leaves.
    `device`: the phone you are rung at (`1009`), your agent's own when empty; not needed once you are on the line."""

    action: SupervisionAction
    device: Text = ""


Answers = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=1000)]], Field(max_length=60)
]


class WrapUpAsked(Asked):
    """`callback_at_s` 0: none; `personal`: it is this agent who calls. `answers`: to the form of the campaign that
    reached her, by field; an empty one takes the earlier answer back. Dates are 2026-12-01 or 2026-12-01T17:30 in the
    site's time. `finish`: wrap-up is over; refused while the form lacks what the campaign asks for. What the form is
    refused for leaves everything else undone, too."""

    disposition: Text = ""
    answers: Answers = {}
    note: Annotated[str, Field(max_length=4000)] = ""
    callback_at_s: Moment = 0.0
    personal: bool = False
    extend_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    finish: bool = False


class Note(Told):
    """`by`: the agent, empty for the flow."""

    at_s: float = 0.0
    by: str = ""
    text: str = ""


class Promise(Told):
    """`kind`: promise (to pay), by the end of a day; appointment, at an hour. `on`, `amount`: as the form has them.
    `not_before_s`: no campaign dials her about it earlier. `outcome`: kept, broken, or empty while nobody knows."""

    kind: str
    on: str = ""
    at_s: float = 0.0
    not_before_s: float = 0.0
    amount: str = ""
    attempt_id: str = ""
    outcome: str = ""


class Contact(Told):
    """What an agent needs to know of who calls. `path`: the flow's nodes so far. `answers`: to the form of the campaign
    that reached her, as far as it is filled in; `promise`: what she promised before; `script`: what its agent says, by
    language, and `script_drawn`: which one of a test that is (`test/script`). `came_back_from`: whom she was just
    transferred to in vain (`agent:luis`, a number). `callback_to`: where she asked to be called back,
    until she has talked."""

    interaction_id: str
    tenant: str
    caller: str = ""
    caller_name: str = ""
    called: str = ""
    language: str = ""
    path: list[str] = []
    opened_s: float = 0.0
    variables: dict[str, Any] = {}
    tags: list[str] = []
    notes: list[Note] = []
    answers: dict[str, str] = {}
    promise: Promise | None = None
    script: dict[str, str] = {}
    script_drawn: str = ""
    came_back_from: str | None = None
    callback_to: str = ""


class PastContact(Told):
    """`agent_id`, `disposition`: of the last agent who talked, empty for none. `notes`: of the newest few contacts."""

    interaction_id: str
    channel: str
    direction: str
    flow: str
    opened_s: float
    closed_s: float | None
    outcome: str | None
    agent_id: str = ""
    disposition: str = ""
    notes: list[Note] = []


class History(Told):
    """Earlier contacts of the same person, the newest first."""

    contacts: list[PastContact]


class Explanation(BaseModel):
    """What `centralita explain` tells."""

    model_config = ConfigDict(extra="allow")
    interaction_id: str


class RecordingView(Told):
    """`kind`: message or conversation. `labels`: what the flow noted. `forgotten`: its contact asked for it, and what
    named her, and the sound, cannot be opened any more. `sound`: no when nothing was said, and when it is gone."""

    mailbox: str
    name: str
    at_s: float
    kind: str
    interaction_id: str
    queue: str
    agents: list[str]
    caller: str
    called: str
    labels: dict[str, str]
    forgotten: bool
    sound: bool


class RecordingsView(Told):
    """The newest first. `next`: for `before`, empty at the end."""

    recordings: list[RecordingView]
    next: str
