"""What flows and scripts know of who is called, and a script with that filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.lead_record import LeadRecord
from dialer import promises, script_test
from dialer.records import Attempt
from dialer.setup import CampaignSetup

_PLACE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_UNKNOWN = "…"


def known(setup: CampaignSetup, record: LeadRecord, attempt: Attempt, now_s: float) -> dict[str, str]:
    """The campaign's own, over them the lead's fields."""
    return {
        "name": record.name,
        **setup.variables,
        **record.fields,
        **promises.variables(record, now_s),
        "lead_id": record.lead_id,
        "lead_name": record.name,
        "external_id": record.external_id,
        "campaign": setup.campaign,
        **({"script": script_test.name_of(attempt.script)} if attempt.script else {}),
    }


def filled(text: str, values: Mapping[str, Any]) -> str:
    """`{{ contract }}`; what is not known stays open."""
    return _PLACE.sub(lambda place: str(values.get(place[1]) or _UNKNOWN), text)
