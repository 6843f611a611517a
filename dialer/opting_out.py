"""A word about a number, in force at once: it is saved, nobody in hand here waits for a call that may not be, and what
rings there is hung up as soon as it has rung as long as the law asks. Who has answered is not cut off.

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
from dialer.records import Lead, lead_row
from dialer.setup import CampaignSetup
from dialer.shares import CALLING
from dialer.starting import refuse
from dialer.state import State
from dialer.turn import Turn

RINGS_NO_MORE = "the number may not be called any more"
_LISTED = "do_not_call/"


def hear(state: State, turn: Turn, said: NumberListed) -> None:
    """Raises ValueError when the number is not E.164."""
    save_word(state, turn, said)
    if not said.listed:
        return
    _who_said_so(state, turn, said)
    _stop_ringing(state, turn, said)
    for row in sorted(state.leads_at.get((said.tenant, said.called), ())):
        lead = state.leads[row]
        setup = state.of(lead.key)
        if not lead.in_hopper or (said.campaign and said.campaign != lead.campaign):
            continue
        if (found := barred(state, setup, lead, turn.now_s)) is not None:
            refuse(state, turn, setup, lead, found)


def barred(state: State, setup: CampaignSetup, lead: Lead, now_s: float) -> Not | None:
    """Why it is never to be called again, where a list says so."""
    personal = lead.record.reason == CALLBACK and lead.record.agent_id
    found = choose(state, setup, lead, Mode.CALLBACK if personal else setup.mode, now_s)
    is_listed = isinstance(found, Not) and found.rule.startswith(_LISTED) and found.not_before_s is None
    return found if isinstance(found, Not) and is_listed else None


def _stop_ringing(state: State, turn: Turn, said: NumberListed) -> None:
    for key in sorted(state.attempts_of):
        if key[0] != said.tenant or (said.campaign and said.campaign != key[1]):
            continue
        for attempt in state.open_attempts(key):
            if attempt.number == said.called and attempt.state in CALLING and not attempt.cancel:
                turn.attempt(attempt)
                attempt.cancel = RINGS_NO_MORE


def _who_said_so(state: State, turn: Turn, said: NumberListed) -> None:
    """She may be in hand still, or on her way to the store; her attempt may be over, or go on."""
    lead = state.leads.get(lead_row(said.tenant, said.lead_id)) if said.lead_id else None
    if lead is None or lead.record.state is LeadState.DONE:
        return
    turn.lead(lead)
    turn.move_lead(lead, LeadEvent.OPT_OUT, OPTED_OUT)
    if not lead.attempt_id:
        release(state, turn, lead, LeadEvent.UNSTAGE, OPTED_OUT)
