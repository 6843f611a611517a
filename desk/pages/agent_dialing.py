"""What the agent's page shows of campaigns: leads put before her, who was dialed for her and why, a number by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form, Request, Response

from desk import dial_acts
from desk.api.models_campaigns import ManualAsked, PreviewAsked
from desk.engine_client import EngineRefused
from desk.pages.common import checked, language_of, page_router, render, speaking, who_of
from desk.pages.setup import SetupCache, titled
from desk.problems import NotFound, Refused, Unprocessable
from desk.services import Services
from desk.web import address_of, services_of
from desk.words import translated
from dialer.variables import filled

router = page_router()

Field = Annotated[str, Form(max_length=4000)]
_ALWAYS = re.compile(r" \([\w/.-]+ \(always\)\)")
"""By which rule of ours: an agent needs the reason alone."""
_ANSWER = "form."
"""What the names of a form's fields begin with on the page."""


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a campaign's form. `kind`: text, number, money, date, datetime or choice; `value`: what was
    answered, else what the list said."""

    name: str
    title: str
    choices: Sequence[str]
    required: bool
    value: str = ""
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Dialed:
    """The campaign that reached somebody. `called`: her number."""

    campaign: str
    title: str
    lead_id: str
    called: str
    mode: str
    script: str
    form: Sequence[Question]


@dataclass(frozen=True, slots=True)
class Preview:
    """A lead an agent looks at before it is dialed, until `ends_s`."""

    attempt_id: str
    title: str
    name: str
    number: str
    fields: Mapping[str, Any]
    ends_s: float
    script: str
    callback: bool
    """The call was promised."""


@dataclass(frozen=True, slots=True)
class InPerson:
    """An attempt made for her alone. `phase`: phone, dialing, ringing, waiting, over; `why`: then, for people; `cause`:
    what the network said, for who looks after it."""

    attempt_id: str
    title: str
    name: str
    number: str
    phase: str
    why: str
    cause: int
    callback: bool


def dialed(setup: SetupCache, tenant: str, contact: Mapping[str, Any], language: str) -> Dialed | None:
    """None: she called us."""
    attempt = contact.get("attempt") or {}
    if not attempt:
        return None
    campaign = str(attempt.get("campaign", ""))
    known = setup.campaign(tenant, campaign)
    values = {"name": contact.get("caller_name", ""), **(contact.get("variables") or {})}
    answers = contact.get("answers") or {}
    return Dialed(
        campaign=campaign,
        title=titled(known.get("title"), language) or campaign,
        lead_id=str(attempt.get("lead_id", "")),
        called=str(attempt.get("called", "")),
        mode=str(attempt.get("mode", "")),
        script=_script(contact, known, values, language),
        form=[
            Question(
                str(each["name"]),
                titled(each.get("title"), language) or str(each["name"]),
                [str(choice) for choice in each.get("choices", ())],
                bool(each.get("required")),
                str(answers.get(each["name"]) or values.get(each["name"]) or ""),
                str(each.get("type") or ""),
            )
            for each in known.get("form", ())
        ],
    )


def previews(services: Services, setup: SetupCache, tenant: str, agent_id: str, language: str) -> list[Preview]:
    found = []
    for each in services.hub.board.previews(tenant, agent_id) if agent_id else ():
        campaign, lead = setup.campaign(tenant, str(each["campaign"])), each.get("lead") or {}
        fields = {**(lead.get("fields") or {}), **_promised(each.get("promise"))}
        values = {"name": lead.get("name", ""), **fields}
        found.append(
            Preview(
                attempt_id=str(each["attempt_id"]),
                title=titled(campaign.get("title"), language) or str(each["campaign"]),
                name=str(lead.get("name", "")),
                number=str(each.get("number", "")),
                fields=fields,
                ends_s=float(each.get("ends_s", 0.0)),
                script=_script(each, campaign, values, language),
                callback=bool(each.get("callback")),
            )
        )
    return found


def _script(told: Mapping[str, Any], campaign: Mapping[str, Any], values: Mapping[str, Any], language: str) -> str:
    """What comes with the lead is filled in already: what a list says of her is no place to fill."""
    given = titled(told.get("script"), language)
    return given or filled(titled(campaign.get("script"), language), values)


def _promised(promise: Mapping[str, Any] | None) -> dict[str, str]:
    """As the campaign's flows and scripts know it."""
    if not promise or promise.get("outcome"):
        return {}
    told = {"promised_for": promise.get("on"), "promised_amount": promise.get("amount")}
    return {name: str(text).replace("T", " ") for name, text in told.items() if text}


def in_person(services: Services, setup: SetupCache, tenant: str, agent_id: str, language: str) -> list[InPerson]:
    """How far what is dialed for her is, and why the last one came to nothing."""
    return [
        InPerson(
            attempt_id=str(each["attempt_id"]),
            title=titled(setup.campaign(tenant, str(each["campaign"])).get("title"), language) or str(each["campaign"]),
            name=str(each.get("name", "")),
            number=str(each.get("number", "")),
            phase=str(each.get("phase", "")),
            why=translated(str(each.get("why", "")), language),
            cause=int(each.get("cause") or 0),
            callback=bool(each.get("callback")),
        )
        for each in (services.hub.board.in_person(tenant, agent_id) if agent_id else ())
    ]


async def answers_in(request: Request) -> dict[str, str]:
    """What stands in the fields of the campaign's form, the empty ones too."""
    return {
        name.removeprefix(_ANSWER): value
        for name, value in (await request.form()).items()
        if name.startswith(_ANSWER) and isinstance(value, str)
    }


@router.post("/agent/previews/{attempt_id}")
async def preview(attempt_id: str, request: Request, action: Field) -> Response:
    asked = checked(PreviewAsked, action=action)
    with speaking(request):
        await dial_acts.preview(services_of(request), who_of(request), address_of(request), attempt_id, asked.action)
    return Response(status_code=204)


@router.post("/agent/manual")
async def manual(request: Request, campaign: Field = "", number: Field = "") -> Response:
    """Dials by hand; what forbids it is said where she typed."""
    who, why = who_of(request), ""
    asked = checked(ManualAsked, number=number)
    try:
        with speaking(request):
            await dial_acts.manual(services_of(request), who, address_of(request), who.tenant, campaign, asked.number)
    except EngineRefused as refused:
        why = _ALWAYS.sub("", str(refused))
    except (NotFound, Refused, Unprocessable) as problem:
        why = problem.detail
    return render(request, "manual_dialed.html", number=asked.number, why=why)


@router.post("/agent/talks/{interaction_id}/do-not-call")
async def do_not_call(interaction_id: str, request: Request) -> Response:
    who = who_of(request)
    with speaking(request):
        await dial_acts.do_not_call(services_of(request), who, address_of(request), who.tenant, interaction_id)
    return render(request, "do_not_call_done.html", language=language_of(request))
