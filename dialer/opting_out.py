"""A word about a number, in force at once: it is saved, and nobody in hand here waits for a call that may not be.

Leads that wait in the store are settled there (`core.listed_leads`).
"""

from __future__ import annotations

from core.dialing import NumberListed
from core.lead import LeadEvent, LeadState
from core.listed_leads import OPTED_OUT
from dialer.compliance.rules import Mode
from dialer.hopper import CALLBACK
from dialer.keeping import release, save_word
from dialer.law import Not, choose
from dialer.records import lead_row
from dialer.starting import refuse
from dialer.state import State
from dialer.turn import Turn

_LISTED = "do_not_call/"


def hear(state: State, turn: Turn, said: NumberListed) -> None:
    """Raises ValueError when the number is not E.164."""
    save_word(state, turn, said)
    if not said.listed:
        return
    _who_said_so(state, turn, said)
    for row in sorted(state.leads_at.get((said.tenant, said.called), ())):
        lead = state.leads[row]
        setup = state.of(lead.key)
        if not lead.in_hopper or (said.campaign and said.campaign != lead.campaign):
            continue
        personal = lead.record.reason == CALLBACK and lead.record.agent_id
        found = choose(state, setup, lead, Mode.CALLBACK if personal else setup.mode, turn.now_s)
        if isinstance(found, Not) and found.rule.startswith(_LISTED) and found.not_before_s is None:
            refuse(state, turn, setup, lead, found)


def _who_said_so(state: State, turn: Turn, said: NumberListed) -> None:
    """She may be in hand still, or on her way to the store; her attempt may be over, or go on."""
    lead = state.leads.get(lead_row(said.tenant, said.lead_id)) if said.lead_id else None
    if lead is None or lead.record.state is LeadState.DONE:
        return
    turn.lead(lead)
    turn.move_lead(lead, LeadEvent.OPT_OUT, OPTED_OUT)
    if not lead.attempt_id:
        release(state, turn, lead, LeadEvent.UNSTAGE, OPTED_OUT)
