"""Why a lead was or was not dialed, and when it next may be: every number, every rule, in words."""

from __future__ import annotations

from typing import Any

from core.campaign import CampaignState
from core.lead import LeadState
from core.lead_record import LeadNumber, StagedLead
from dialer import identities, promises
from dialer.compliance.check import Allowed
from dialer.compliance.numbers import country_of
from dialer.compliance.rules import Party
from dialer.hopper import CALLBACK
from dialer.law import verdict
from dialer.quota import full_for
from dialer.records import Lead, lead_row, tried_before
from dialer.setup import CampaignSetup
from dialer.state import State


def why(state: State, given: StagedLead, now_s: float) -> dict[str, Any]:
    """{state, reason, held, campaign, promise, sentences, next_s, numbers: [{number, dead, allowed, blocks, next_s}],
    attempts}. `next_s` None: not by time alone."""
    record = given.record
    held = state.leads.get(lead_row(record.tenant, record.lead_id))
    campaign = held.campaign if held else state.setup.of_list.get((record.tenant, record.list_id), "")
    lead = held or Lead(record, campaign, now_s, held=False, history=[tried_before(past) for past in given.history])
    record = lead.record
    setup = state.setup.campaigns.get((record.tenant, campaign))
    numbers = [_number(state, setup, lead, number, now_s) for number in record.numbers] if setup else []
    sentences = list(_sentences(state, setup, lead, now_s))
    times = [number["next_s"] for number in numbers if not number["dead"] and number["next_s"] is not None]
    next_s: float | None = min(times, default=None)
    over = record.state in (LeadState.DONE, LeadState.EXHAUSTED, LeadState.BLOCKED)
    if over or setup is None:
        next_s = None
    elif next_s is not None:
        held_s = promises.held_until_s(record, setup.mode, now_s)
        next_s = max(next_s, record.not_before_s, held_s or 0.0)
    return {
        "tenant": record.tenant,
        "lead_id": record.lead_id,
        "name": record.name,
        "list_id": record.list_id,
        "campaign": campaign,
        "state": record.state.value,
        "reason": record.reason,
        "held": bool(held and held.held),
        "attempt_id": lead.attempt_id,
        "not_before_s": record.not_before_s,
        "promise": promises.plain(record.promise),
        "next_s": next_s,
        "sentences": sentences,
        "numbers": numbers,
        "attempts": [
            {
                "attempt_id": past.attempt_id,
                "lead_id": past.lead_id,
                "number": past.number,
                "state": past.state,
                "disposition": past.disposition,
                "dialed_s": past.dialed_s,
                "ended_s": past.ended_s,
                "conversation_s": past.conversation_s,
            }
            for past in lead.history
        ],
    }


def _sentences(state: State, setup: CampaignSetup | None, lead: Lead, now_s: float) -> list[str]:
    record = lead.record
    said = []
    if setup is None:
        return [f"its list {record.list_id} belongs to no campaign"]
    campaign = state.campaigns[setup.key]
    if lead.attempt_id:
        said.append("somebody is dialing it now")
    elif lead.held and record.state is LeadState.STAGED and record.reason == CALLBACK and record.agent_id:
        said.append(f"it waits until {record.agent_id} is ready, who promised this call")
    elif lead.held and record.state is LeadState.STAGED:
        said.append("it is in the hopper and waits for its turn")
    elif record.state is LeadState.NEW:
        said.append("it has never been dialed")
    elif record.state in (LeadState.WAITING, LeadState.CALLBACK):
        whose = f" by {record.agent_id}" if record.agent_id else ""
        what = f"a call{whose} was promised" if record.state is LeadState.CALLBACK else "it waits"
        said.append(f"{what}: {record.reason or 'between two attempts'}")
    else:
        said.append(f"nothing more is done with it: {record.reason or record.state.value}")
    if record.promise is not None:
        said.append(promises.in_words(record, state.setup.time_zone, now_s))
    if campaign.state is not CampaignState.RUNNING:
        said.append(f"the campaign {setup.campaign} is {campaign.state.value}{_because(campaign.why)}")
    elif setup.calendar is not None and not setup.calendar.is_open(now_s):
        said.append("the campaign's own calendar is closed")
    full = full_for(state, setup, record)
    if full is not None:
        said.append(f"quota {full.name} of {full.most} is reached")
    return said


def _number(state: State, setup: CampaignSetup, lead: Lead, number: LeadNumber, now_s: float) -> dict[str, Any]:
    said: dict[str, Any] = {"number": number.number, "label": number.label, "dead": number.dead}
    party = Party(number.number, country_of(number.number), lead.record.region.upper())
    shown = identities.choose(state, setup, number.number, setup.law().at(party).identities, now_s)
    found = verdict(state, setup, lead, number, setup.mode, shown.number or shown.then, now_s)
    if isinstance(found, Allowed):
        blocks: list[dict[str, Any]] = []
        next_s: float | None = now_s
    else:
        blocks = [
            {"rule": block.rule, "why": block.why, "law": block.source.law, "not_before_s": block.not_before_s}
            for block in found.blocks
        ]
        next_s = found.not_before_s
    if shown.why:
        blocks.append({"rule": "identity/used_up", "why": shown.why, "law": "", "not_before_s": shown.not_before_s})
        next_s = max(next_s, shown.not_before_s) if next_s is not None else None
    return {
        **said,
        "identity": shown.number,
        "allowed": not blocks and not number.dead,
        "blocks": blocks,
        "next_s": next_s,
    }


def _because(why: str) -> str:
    return f" ({why})" if why else ""
