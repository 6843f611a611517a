"""What people ask of the dialer, for the API and the pages alike: asked, written down in the audit log, waited for.

Every function may raise EngineAway and EngineRefused (whose message is for the person). Numbers stay out of the log.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import phonenumbers
from phonenumbers import shortnumberinfo

from core.dialing import DIALED_PREFIX
from core.lead_record import LeadRecord
from desk import acts, contacts
from desk.api.models_contacts import WrapUpAsked
from desk.engine_client import EngineRefused, NotKnown
from desk.problems import NotFound, Refused, Unprocessable
from desk.roles import Principal
from desk.services import Services

COUNTRY_OF_PACK: Mapping[str, str] = {"es": "ES", "us": "US", "uk": "GB", "ar": "AR", "co": "CO"}
"""Where people are whom the shipped rule packs are for."""


async def campaign(services: Services, who: Principal, address: str, tenant: str, campaign: str, action: str) -> str:
    """What who starts it should know: it has nobody to dial; else empty. Raises NotFound."""
    known(services, tenant, campaign)
    fields = {"tenant": tenant, "campaign": campaign, "action": action, "by": who.login}
    told = {"action": action}
    return await acts.ask(
        services, who, address, "CampaignActed", fields, f"campaign {campaign}", told, tenant=tenant, dialer=True
    )


async def write_campaign(
    services: Services, who: Principal, address: str, tenant: str, campaign: str, text: str, replace: bool
) -> dict[str, Any]:
    """`{file, problems}`. Its text stays out of the audit log."""
    told = {"replace": replace, "characters": len(text)}
    with acts.audited(services, who, address, "CampaignWritten", f"campaign {campaign}", told, tenant):
        return await services.engine.write_campaign(tenant, campaign, text, replace)


async def manual(
    services: Services, who: Principal, address: str, tenant: str, campaign: str, number: str, lead_id: str = ""
) -> None:
    """Dials for the agent who asks. Raises NotFound, Refused, Unprocessable: she is no agent."""
    known(services, tenant, campaign)
    if not who.agent_id:
        raise Unprocessable("no agent belongs to this login: an admin sets which")
    fields = {
        "tenant": tenant,
        "campaign": campaign,
        "agent_id": who.agent_id,
        "called": _dialable(services, tenant, campaign, number),
        "lead_id": lead_id,
    }
    told = {"lead_id": lead_id} if lead_id else {}
    await acts.ask(
        services, who, address, "ManualAsked", fields, f"campaign {campaign}", told, tenant=tenant, dialer=True
    )


async def preview(services: Services, who: Principal, address: str, attempt_id: str, action: str) -> None:
    """Raises NotFound: it is no longer shown."""
    found = services.hub.board.preview(attempt_id)
    if found is None:
        raise NotFound("this lead is no longer shown to you")
    tenant, agent_id, shown = found
    fields = {"tenant": tenant, "agent_id": agent_id, "attempt_id": attempt_id, "action": action}
    subject, told = f"lead {(shown.get('lead') or {}).get('lead_id', '')}", {"action": action}
    await acts.ask(services, who, address, "PreviewActed", fields, subject, told, tenant=tenant, dialer=True)


async def list_number(
    services: Services,
    who: Principal,
    address: str,
    tenant: str,
    number: str,
    *,
    campaign: str = "",
    listed: bool = True,
    why: str = "",
    by: str = "admin",
) -> None:
    """On a do-not-call list of one's own, or off it; effective at once. Raises NotFound: there is no such campaign."""
    if campaign:
        known(services, tenant, campaign)
    fields = {
        "tenant": tenant,
        "called": public(services, tenant, campaign, number),
        "campaign": campaign,
        "listed": listed,
        "by": by,
        "why": why,
    }
    told = {"listed": listed, "campaign": campaign, "why": why}
    await acts.ask(services, who, address, "NumberListed", fields, "do-not-call", told, tenant=tenant, dialer=True)


async def lead(
    services: Services,
    who: Principal,
    address: str,
    tenant: str,
    campaign: str,
    lead_id: str,
    action: str,
    *,
    at_s: float = 0.0,
    agent_id: str = "",
    called: str = "",
) -> None:
    fields = {
        "tenant": tenant,
        "campaign": campaign,
        "lead_id": lead_id,
        "action": action,
        "at_s": at_s,
        "agent_id": agent_id,
        "called": called,
        "by": who.agent_id or who.login,
    }
    told = {"action": action, "campaign": campaign, "at_s": at_s, "agent_id": agent_id}
    await acts.ask(services, who, address, "LeadActed", fields, f"lead {lead_id}", told, tenant=tenant, dialer=True)


async def do_not_call(services: Services, who: Principal, address: str, tenant: str, interaction_id: str) -> None:
    """Who is talked with asks not to be called again. Raises NotFound, Refused: her number is not known."""
    card = await contacts.contact(services, tenant, interaction_id)
    attempt = card.get("attempt") or {}
    number = str(attempt.get("called") or card.get("caller") or "")
    if not number.startswith("+"):
        raise Refused("this contact has no number that could be listed")
    await list_number(services, who, address, tenant, number, by="agent", why=f"asked {who.agent_id}")
    if attempt.get("lead_id"):
        # Nobody dials her number any more, whatever is still known of the lead.
        with contextlib.suppress(EngineRefused):
            await lead(
                services, who, address, tenant, attempt["campaign"], attempt["lead_id"], "opt_out", called=number
            )


async def wrap_up(services: Services, who: Principal, address: str, interaction_id: str, asked: WrapUpAsked) -> None:
    """What an agent writes down: the campaign's form is kept with the attempt, a callback promised to somebody who was
    dialed becomes her lead's. Raises Unprocessable."""
    if asked.answers or (asked.finish and interaction_id.startswith(DIALED_PREFIX)):
        await _fill_in(services, who, address, interaction_id, asked)
    at_s = asked.callback_at_s
    if at_s and await _promise(services, who, address, interaction_id, at_s, asked.personal):
        at_s = 0.0
    await acts.wrap_up(
        services,
        who,
        address,
        interaction_id,
        disposition=asked.disposition,
        note=asked.note,
        callback_at_s=at_s,
        extend_s=asked.extend_s,
        finish=asked.finish,
    )


async def _fill_in(services: Services, who: Principal, address: str, interaction_id: str, asked: WrapUpAsked) -> None:
    """Raises Unprocessable, Refused."""
    mine = services.hub.board.assignments(who.tenant, who.agent_id)
    work = next((each for each in mine if each["interaction_id"] == interaction_id), None)
    if work is None:
        if asked.answers:
            raise Refused("the wrap-up of this contact is over")
        return
    attempt = (await contacts.contact(services, who.tenant, interaction_id)).get("attempt") or {}
    if not attempt.get("attempt_id"):
        if asked.answers:
            raise Unprocessable("no campaign reached this contact: there is no form to fill in")
        return
    fields = {
        "tenant": who.tenant,
        "attempt_id": attempt["attempt_id"],
        "agent_id": who.agent_id,
        "answers": asked.answers,
        "complete": asked.finish,
        "disposition": asked.disposition or str(work.get("disposition", "")),
        "interaction_id": interaction_id,
    }
    told = {"campaign": attempt.get("campaign", ""), "fields": sorted(asked.answers), "complete": asked.finish}
    await acts.ask(services, who, address, "FormFilled", fields, f"interaction {interaction_id}", told, dialer=True)


async def _promise(
    services: Services, who: Principal, address: str, interaction_id: str, at_s: float, personal: bool
) -> bool:
    """False: this contact was not dialed for a lead, and nothing was done. Raises Unprocessable."""
    tenant = who.tenant
    attempt = (await contacts.contact(services, tenant, interaction_id)).get("attempt") or {}
    if not attempt.get("lead_id"):
        return False
    if at_s <= services.hub.engine_now_s():
        raise Unprocessable("a callback is in the future: choose a later time")
    await lead(
        services,
        who,
        address,
        tenant,
        attempt["campaign"],
        attempt["lead_id"],
        "callback",
        at_s=at_s,
        agent_id=who.agent_id if personal else "",
        called=str(attempt.get("called", "")),
    )
    return True


async def why(services: Services, tenant: str, lead_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    try:
        return {**await services.engine.why(tenant, lead_id), "lead_id": lead_id}
    except NotKnown:
        raise NotFound("there is no such lead in this tenant") from None


async def leads_of(services: Services, tenant: str, campaign: str, typed: str) -> list[LeadRecord]:
    """Who has a number, typed as people do; nobody where it is none. Raises StoreUnavailable."""
    try:
        number = _dialable(services, tenant, campaign, typed)
    except Refused:
        return []
    if not number.startswith("+") or not number[1:].isdecimal():
        return []
    found = await services.list_store.by_number(tenant, number, services.hub.engine_now_s())
    return sorted((each.record for each in found), key=lambda lead: lead.lead_id)


def known(services: Services, tenant: str, campaign: str) -> None:
    """Raises NotFound, unless the engine is away: then nobody knows."""
    if services.hub.engine_up and services.hub.board.campaign(tenant, campaign) is None:
        raise NotFound("there is no such campaign in this tenant")


def countries(services: Services, tenant: str, campaign: str) -> list[str]:
    """Of numbers that are written without one, the likeliest first: those of the campaign's packs, and the site's."""
    packs = (services.hub.board.campaign(tenant, campaign) or {}).get("packs", ())
    theirs = (COUNTRY_OF_PACK[pack] for pack in packs if pack in COUNTRY_OF_PACK)
    return [each for each in dict.fromkeys((*theirs, services.settings.country)) if each]


def public(services: Services, tenant: str, campaign: str, number: str) -> str:
    """What was typed, in E.164: without what people put between digits, and with a country where a whole number of it
    was typed without. What is none stays as it is: the dialer says why not."""
    plain = _plain(number)
    if plain.startswith(("+", "00")):
        return f"+{plain.removeprefix('+').removeprefix('00')}"
    for country in countries(services, tenant, campaign):
        with contextlib.suppress(phonenumbers.NumberParseException):
            parsed = phonenumbers.parse(plain, country)
            if phonenumbers.is_valid_number(parsed):
                return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return plain


def _dialable(services: Services, tenant: str, campaign: str, number: str) -> str:
    """`public`. Raises Refused: an emergency number, with how to reach it."""
    plain = _plain(number)
    of = countries(services, tenant, campaign)
    if plain in services.settings.emergency or any(shortnumberinfo.is_emergency_number(plain, each) for each in of):
        raise Refused(f"{plain} is an emergency number: dial it at your phone, no campaign does")
    return public(services, tenant, campaign, number)


def _plain(number: str) -> str:
    return "".join(c for c in number if c not in " .-()/\u00a0")
