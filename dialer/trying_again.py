"""When a number that did not bring its lead is tried again; what an attempt taught about the hours of its campaign."""

from __future__ import annotations

from core.attempt import AttemptState
from core.lead_record import LeadNumber
from dialer import best_hour, law
from dialer.compliance.local_time import closed_because, zones_of
from dialer.records import Attempt, Campaign, Lead
from dialer.setup import CampaignSetup, Retry

_MISSED = frozenset({AttemptState.NO_ANSWER, AttemptState.MACHINE, AttemptState.MESSAGE_LEFT})
"""She was not there. Who is busy is, and what never rang says nothing."""


def learn(campaign: Campaign, lead: Lead, attempt: Attempt) -> None:
    """Counts an attempt that is over, by the hour it was dialed at where she is."""
    zone = _zone(number_of(lead, attempt.number))
    if zone and (attempt.state.is_live or attempt.state in _MISSED):
        slot = best_hour.slot_of(attempt.dialed_s, zone)
        campaign.hours = best_hour.noted(campaign.hours, slot, attempt.state.is_live)


def due_s(
    setup: CampaignSetup,
    campaign: Campaign,
    lead: Lead,
    attempt: Attempt,
    number: LeadNumber,
    retry: Retry,
    now_s: float,
) -> float:
    """`number` is the one to be tried. By the rule: as soon as it says, or within a day of that at an hour at which
    people are reached, among those at which she may be called."""
    earliest_s = now_s + retry.after_s
    zone = _zone(number)
    if not retry.best_hour or not zone:
        return earliest_s
    zones = zones_of(number.number, number.time_zone)
    hours = setup.law(attempt.mode).at(law.party(lead.record, number.number)).hours
    region = lead.record.region.upper()
    missed = [
        best_hour.slot_of(past.dialed_s, zone)
        for past in lead.history
        if past.lead_id == lead.record.lead_id and AttemptState(past.state) in _MISSED
    ]
    return best_hour.choose(
        campaign.hours,
        missed,
        zone,
        earliest_s,
        best_hour.WITHIN_S,
        lambda at_s: not any(closed_because(rule, zones, region, at_s) for rule in hours),
        attempt.attempt_id,
    )


def number_of(lead: Lead, number: str) -> LeadNumber:
    """With what the lead knows of it."""
    return next((one for one in lead.record.numbers if one.number == number), LeadNumber(number))


def _zone(number: LeadNumber) -> str:
    """Empty when nobody knows."""
    return next(iter(zones_of(number.number, number.time_zone)), "")
