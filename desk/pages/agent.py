"""The agent's page: presence, what is offered to her, the conversation, and what she writes down about it.

Everything on it is the engine's state: a reload loses nothing, and two tabs show the same agent. The page asks for
`/agent/panel` again whenever the board says something about her.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Form, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from desk import acts, contacts, dial_acts
from desk.api.models_contacts import TalkAsked, WrapUpAsked
from desk.api.models_floor import PresenceAsked
from desk.engine_client import EngineAway, EngineRefused
from desk.pages.agent_dialing import Dialed, answers_in, dialed, in_person, previews
from desk.pages.common import checked, language_of, page_router, render, speaking, who_of
from desk.pages.consultation import Beside, beside
from desk.pages.plain import Plain
from desk.pages.setup import SetupCache, titled
from desk.pages.times import local_time, moment
from desk.past_notes import Notes
from desk.patience import within
from desk.problems import Problem, Unprocessable
from desk.services import Services
from desk.targets import Known, offered, understood
from desk.web import address_of, services_of

router = page_router()

Field = Annotated[str, Form(max_length=4000)]
_HISTORY_WITHIN_S = 0.5


@dataclass(slots=True)
class Work:
    """One assignment as it is shown. `choices`: the queue's dispositions as a tree; `dialed`: what campaign reached
    her, if one did; `extend_s`: how much longer wrap-up may be made yet; `noted`: what was written down about contacts
    of `history`."""

    assignment: Mapping[str, Any]
    contact: Mapping[str, Any]
    talk: Mapping[str, Any]
    queue_title: str
    script: str
    choices: Sequence[Mapping[str, Any]]
    required: bool
    extend_s: float
    muted: bool
    dialed: Dialed | None = None
    beside: Beside | None = None
    history: Sequence[contacts.Past] = field(default_factory=list)
    noted: Mapping[str, Notes] = field(default_factory=dict)


@router.get("/agent")
async def page(request: Request) -> Response:
    return render(request, "agent.html", **await _shown(request))


@router.get("/agent/panel")
async def panel(request: Request) -> Response:
    return render(request, "agent_panel.html", **await _shown(request))


@router.post("/agent/presence")
async def presence(request: Request, action: Field, reason: Field = "", device: Field = "") -> Response:
    who = who_of(request)
    asked = checked(PresenceAsked, action=action, reason=reason, device=device)
    with speaking(request):
        if not who.agent_id:
            raise Unprocessable("no agent belongs to this login: an admin sets which")
        await acts.presence(
            services_of(request),
            who,
            address_of(request),
            who.tenant,
            who.agent_id,
            asked.action,
            asked.reason,
            asked.device,
        )
    return await panel(request)


@router.post("/agent/offers/{offer_id}/refuse")
async def refuse(offer_id: str, request: Request) -> Response:
    with speaking(request):
        await acts.refuse_offer(services_of(request), who_of(request), address_of(request), offer_id)
    return await panel(request)


@router.post("/agent/talks/{interaction_id}")
async def talk(interaction_id: str, request: Request, action: Field, target: Field = "") -> Response:
    services, who = services_of(request), who_of(request)
    asked = checked(TalkAsked, action=action, target=target)
    with speaking(request):
        to = asked.target
        if asked.action in ("consult", "transfer"):
            setup: SetupCache = request.app.state.setup_cache
            await setup.fresh()
            to = understood(to, _targets(services, setup, who.tenant, who.agent_id, language_of(request)))
        await acts.talk(services, who, address_of(request), interaction_id, asked.action, to)
    return await panel(request)


@router.post("/agent/talks/{interaction_id}/wrap-up")
async def wrap_up(
    interaction_id: str,
    request: Request,
    disposition: Field = "",
    note: Field = "",
    callback: Field = "",
    extend_s: Annotated[float, Form(ge=0, le=3600)] = 0.0,
    personal: Annotated[bool, Form()] = False,
    finish: Annotated[bool, Form()] = False,
) -> Response:
    services = services_of(request)
    asked = checked(
        WrapUpAsked,
        disposition=disposition,
        note=note,
        answers=await answers_in(request),
        personal=personal,
        callback_at_s=moment(callback, services.settings.time_zone),
        extend_s=extend_s,
        finish=finish,
    )
    with speaking(request):
        try:
            await dial_acts.wrap_up(services, who_of(request), address_of(request), interaction_id, asked)
        except EngineRefused as refused:
            raise EngineRefused(await _in_titles(request, interaction_id, str(refused))) from None
    return await panel(request)


async def _in_titles(request: Request, interaction_id: str, said: str) -> str:
    """What a wrap-up is refused for, dispositions and the form's fields called as the page calls them."""
    setup: SetupCache = request.app.state.setup_cache
    services, who, language = services_of(request), who_of(request), language_of(request)
    mine = services.hub.board.assignments(who.tenant, who.agent_id)
    queue = next((str(each.get("queue", "")) for each in mine if each["interaction_id"] == interaction_id), "")
    for path, title in setup.disposition_titles(who.tenant, queue, language).items():
        said = _named(said, path, title)
    reached = dialed(setup, who.tenant, await _contact(services, who.tenant, interaction_id), language)
    for question in reached.form if reached else ():
        said = _named(said, question.name, question.title)
    return said


def _named(said: str, name: str, title: str) -> str:
    """As a name in what is said, not as a word of a sentence or of an answer."""
    return title.join(re.split(rf"(?<![^ ;'«]){re.escape(name)}(?=[:,'»]|$|; )", said))


def _targets(services: Services, setup: SetupCache, tenant: str, agent_id: str, language: str) -> list[Known]:
    """Whom a contact can be given to: colleagues, logged in or not, queues and flows."""
    board = services.hub.board
    colleagues = [
        Known(f"agent:{each['agent_id']}", str(each.get("name") or each["agent_id"]), (str(each["agent_id"]),))
        for each in board.agents(tenant)
        if each["agent_id"] != agent_id
    ]
    queues, flows = [], []
    for each in board.queues(tenant):
        titles = setup.queue(tenant, str(each["queue"])).get("title") or ""
        spoken = [str(title) for title in titles.values()] if isinstance(titles, Mapping) else [str(titles)]
        name = str(each.get("title") or each["queue"])
        queues.append(Known(f"queue:{each['queue']}", name, (str(each["queue"]), *spoken)))
    for flow, titles in setup.flows(tenant).items():
        spoken = [str(title) for title in titles.values()] if isinstance(titles, Mapping) else []
        flows.append(Known(f"flow:{flow}", titled(titles, language) or flow, (flow, *spoken)))
    return [*colleagues, *queues, *flows]


async def _shown(request: Request) -> dict[str, Any]:
    services, who = services_of(request), who_of(request)
    language, board = language_of(request), services.hub.board
    setup: SetupCache = request.app.state.setup_cache
    await setup.fresh()
    agent = board.agent(who.tenant, who.agent_id) if who.agent_id else None
    assignments = board.assignments(who.tenant, who.agent_id) if agent else []
    work = await asyncio.gather(
        *(_work(services, setup, who.tenant, who.agent_id, each, language) for each in assignments)
    )
    return {
        "agent": agent,
        "work": sorted(work, key=lambda each: each.assignment["state"] == "wrap_up"),
        "reasons": setup.reasons(who.tenant, language),
        "reason_title": setup.reason_title(who.tenant, (agent or {}).get("reason", ""), language),
        "break_titles": {
            reason: setup.reason_title(who.tenant, reason, language) for reason in (agent or {}).get("breaks_at_s", ())
        },
        "queues": [view for view in board.queues(who.tenant) if agent and view["queue"] in agent.get("queues", ())],
        "colleagues": [
            view
            for view in board.agents(who.tenant)
            if view["agent_id"] != who.agent_id and view["presence"] == "ready"
        ],
        "in_person": in_person(services, setup, who.tenant, who.agent_id, language) if agent else [],
        "previews": previews(services, setup, who.tenant, who.agent_id, language),
        "manual": setup.campaigns(who.tenant, (agent or {}).get("queues", ())),
        "all_queues": board.queues(who.tenant),
        "flows": {flow: titled(titles, language) or flow for flow, titles in setup.flows(who.tenant).items()},
        "typed": offered(_targets(services, setup, who.tenant, who.agent_id, language)),
        "emergency": services.settings.emergency,
        "plain": Plain(board, setup, who.tenant, language, services.settings.time_zone),
        "local_time": local_time(services.settings.time_zone, language_of(request)),
    }


async def _work(
    services: Services, setup: SetupCache, tenant: str, agent_id: str, assignment: Mapping[str, Any], language: str
) -> Work:
    interaction_id = str(assignment["interaction_id"])
    known, earlier = await asyncio.gather(
        _contact(services, tenant, interaction_id), _history(services, tenant, interaction_id)
    )
    queue = setup.queue(tenant, str(assignment.get("queue", "")))
    talk_view = services.hub.board.talk(tenant, interaction_id) or {}
    muted = any(each.get("muted") for each in talk_view.get("parties", ()) if each.get("agent_id") == agent_id)
    reached = dialed(setup, tenant, known, language)
    return Work(
        assignment=assignment,
        contact=known,
        talk=talk_view,
        queue_title=str(queue.get("title") or assignment.get("queue", "")),
        script=(reached.script if reached else "") or titled(queue.get("script"), language),
        choices=setup.choices(tenant, str(assignment.get("queue", "")), language),
        required=bool(queue.get("disposition_required")),
        extend_s=max(0.0, float(queue.get("wrap_up_extend_s", 0.0)) - float(assignment.get("extended_s", 0.0))),
        muted=muted,
        dialed=reached,
        beside=beside(services.hub.board, tenant, interaction_id, agent_id),
        history=earlier,
        noted=await _noted(services, tenant, earlier),
    )


async def _contact(services: Services, tenant: str, interaction_id: str) -> Mapping[str, Any]:
    with contextlib.suppress(EngineAway, Problem, SQLAlchemyError, OSError, TimeoutError):
        return await contacts.contact(services, tenant, interaction_id)
    return {}


async def _history(services: Services, tenant: str, interaction_id: str) -> Sequence[contacts.Past]:
    """What SQL has in a moment: a page does not wait for a slow database."""
    with contextlib.suppress(SQLAlchemyError, OSError, TimeoutError):
        return await within(_HISTORY_WITHIN_S, contacts.history(services, tenant, interaction_id))
    return []


async def _noted(services: Services, tenant: str, earlier: Sequence[contacts.Past]) -> Mapping[str, Notes]:
    with contextlib.suppress(TimeoutError):
        asked = services.past_notes.of(tenant, [past.row.interaction_id for past in earlier if past.agent_id])
        return await within(_HISTORY_WITHIN_S, asked)
    return {}
