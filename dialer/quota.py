"""How many leads ended how, where a campaign wants no more than so many."""

from __future__ import annotations

from core.lead_record import LeadRecord
from dialer.records import Campaign
from dialer.setup import CampaignSetup, Quota
from dialer.state import State


def count(campaign: Campaign, setup: CampaignSetup, record: LeadRecord, results: tuple[str, ...]) -> None:
    """`results`: the outcome and the disposition of a lead that ended."""
    for quota in setup.quotas:
        if concerns(quota, record) and any(_is(result, quota.result) for result in results if result):
            campaign.quotas[quota.name] = campaign.quotas.get(quota.name, 0) + 1


def full(campaign: Campaign, setup: CampaignSetup) -> Quota | None:
    """A quota of the whole campaign that is reached."""
    return next((quota for quota in setup.quotas if not quota.field and _reached(campaign, quota)), None)


def full_for(state: State, setup: CampaignSetup, record: LeadRecord) -> Quota | None:
    """A quota of leads like this one that is reached."""
    campaign = state.campaigns.get(setup.key)
    if campaign is None:
        return None
    return next((quota for quota in setup.quotas if concerns(quota, record) and _reached(campaign, quota)), None)


def concerns(quota: Quota, record: LeadRecord) -> bool:
    return not quota.field or record.fields.get(quota.field, "") == quota.value


def _reached(campaign: Campaign, quota: Quota) -> bool:
    return campaign.quotas.get(quota.name, 0) >= quota.most


def _is(result: str, wanted: str) -> bool:
    """`sold` is reached by `sold/new` too."""
    return result == wanted or result.startswith(f"{wanted}/")
