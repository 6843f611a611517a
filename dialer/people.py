"""What people ask of campaigns, leads and numbers."""

from __future__ import annotations

from dataclasses import replace

from core.attempt import AttemptEvent, AttemptState
from core.campaign import CampaignEvent, CampaignState
from core.dialing import CampaignActed, LeadActed, ManualAsked, NumberListed, PreviewActed
from core.lead import LeadEvent, LeadState
from core.lead_record import LeadNumber, LeadRecord, StagedLead
from core.listed_leads import OPTED_OUT
from dialer import her_phone, law, opting_out, promises, staging, watch
from dialer.compliance.rules import Mode
from dialer.dnc import number_key
from dialer.hopper import CALLBACK
from dialer.keeping import release
from dialer.progress import moved
from dialer.records import Lead, lead_row
from dialer.setup import CampaignSetup, Key
from dialer.starting import new_attempt, ring
from dialer.state import State
from dialer.turn import Refused, Turn

_EVENTS = {
    "start": CampaignEvent.START,
    "pause": CampaignEvent.PAUSE,
    "drain": CampaignEvent.DRAIN,
    "stop": CampaignEvent.STOP,
}
_CALLING = (AttemptState.DIALING, AttemptState.RINGING)
_NOTE_IT = "write the time into the note"


def campaign_acted(state: State, turn: Turn, fact: CampaignActed) -> None:
    """Raises Refused: there is no such campaign, or nothing it could do."""
    key = (fact.tenant, fact.campaign)
    setup = state.setup.campaigns.get(key)
    if setup is None and fact.action == "start":
        raise Refused(f"there is no campaign '{fact.campaign}': is config/campaigns/{fact.campaign}.yaml there?")
    if setup is None and key not in state.campaigns:
        raise Refused(f"there is no campaign '{fact.campaign}'")
    campaign = turn.campaign(key)
    if fact.action == "start":
        _start(state, turn, key)
    turn.move_campaign(campaign, _EVENTS[fact.action], f"{fact.action} by {fact.by or 'somebody'}", fact.by)
    if fact.action in ("drain", "stop"):
        staging.empty(state, turn, key, "the campaign dials no more")
    if fact.action != "start":
        watch.withdraw_previews(state, turn, key, f"the campaign was told to {fact.action}")
    if fact.action == "stop":
        for attempt in state.open_attempts(key):
            if attempt.state in _CALLING:
                turn.attempt(attempt)
                attempt.cancel = "the campaign was stopped"
        watch.cancel_due(state, turn, key)
    turn.paced.add(key)


def number_listed(state: State, turn: Turn, fact: NumberListed) -> None:
    """In force at once: nobody dials it any more; what rings there is hung up as soon as it may be.

    Raises:
        Refused: it is no number.
    """
    try:
        number_key(fact.called)
    except ValueError as wrong:
        raise Refused(str(wrong)) from None
    opting_out.hear(state, turn, fact)
    if not fact.listed:
        return
    for attempt_id in sorted(state.attempts_at.get((fact.tenant, fact.called), ())):
        attempt = state.attempts[attempt_id]
        if attempt.state.is_over or (fact.campaign and fact.campaign != attempt.campaign):
            continue
        turn.attempt(attempt)
        attempt.cancel = "the number asked not to be called"
        if attempt.state is AttemptState.STAGED:
            watch.withdraw(state, turn, attempt, attempt.cancel)
        lead = state.leads.get(attempt.lead_row)
        if lead is not None and lead.attempt_id == attempt_id and attempt.answered_s is not None:
            turn.lead(lead)
            turn.move_lead(lead, LeadEvent.OPT_OUT, OPTED_OUT)
        watch.cancel_due(state, turn, attempt.key)


def lead_acted(state: State, turn: Turn, fact: LeadActed) -> None:
    """Raises Refused: the lead is not known here, or the time is over."""
    lead = _held(state, turn, fact.tenant, fact.campaign, fact.lead_id, fact.lead)
    turn.lead(lead)
    if fact.action == "callback":
        if fact.at_s < turn.now_s - 60.0:
            raise Refused("a callback lies ahead: give a time to come")
        if not lead.record.list_id:
            number = lead.record.numbers[0].number
            raise Refused(f"{number} is on no list, so nobody would call back: {_NOTE_IT}")
        if state.of(lead.key).mode is Mode.MANUAL:
            raise Refused(f"{fact.campaign} dials only what agents type, so nobody would call back: {_NOTE_IT}")
        index = next((i for i, one in enumerate(lead.record.numbers) if one.number == fact.called), None)
        if fact.called and index is None:
            raise Refused(f"{fact.called} is no number of this lead")
        following = lead.record.next_number if index is None else index
        lead.record = replace(lead.record, agent_id=fact.agent_id, next_number=following)
        if lead.record.state is LeadState.BLOCKED:
            raise Refused(f"this lead is blocked ({lead.record.reason}): nobody may call it")
        turn.move_lead(lead, LeadEvent.CALLBACK, CALLBACK, fact.at_s)
    elif fact.action == "opt_out":
        turn.move_lead(lead, LeadEvent.OPT_OUT, OPTED_OUT)
        for one in lead.record.numbers:
            if not fact.called or one.number == fact.called:
                number_listed(state, turn, NumberListed(fact.tenant, one.number, by=fact.by, why="opt_out"))
    elif fact.action in ("kept", "broken"):
        promises.told(turn, lead, fact)
    elif fact.action == "finish":
        if lead.record.state is LeadState.DIALING or lead.attempt_id:
            raise Refused("somebody is dialing this lead: give a disposition instead")
        turn.move_lead(lead, LeadEvent.OPT_OUT, f"finished by {fact.by or 'somebody'}")
    else:
        if lead.record.state not in (LeadState.DONE, LeadState.EXHAUSTED, LeadState.BLOCKED):
            raise Refused(f"this lead is {lead.record.state.value}: it needs not be reopened")
        if lead.attempt_id:
            raise Refused("somebody is dialing this lead: give a disposition instead")
        turn.move_lead(lead, LeadEvent.REOPEN)
    state.hopper(lead.key).remove(lead.row_id)
    if not lead.attempt_id:
        release(state, turn, lead, LeadEvent.UNSTAGE, lead.record.reason)
    state.index_lead(lead)


def manual_asked(state: State, turn: Turn, fact: ManualAsked) -> None:
    """Raises Refused, with every rule that says no."""
    setup = state.setup.campaigns.get((fact.tenant, fact.campaign))
    if setup is None:
        raise Refused(f"there is no campaign '{fact.campaign}'")
    running = state.campaigns[setup.key].state
    if running is not CampaignState.RUNNING:
        raise Refused(f"the campaign {fact.campaign} is {running.value}")
    _is_free(state, turn, setup, fact.agent_id)
    agent = her_phone.agent_of(state, setup, fact.agent_id, turn.now_s)
    why = her_phone.why_not(setup, agent)
    if agent is None or why:
        raise Refused(why)
    given = fact.lead
    if given is None and not fact.lead_id:
        record = LeadRecord(f"manual{fact.called}", fact.tenant, "", (LeadNumber(fact.called),))
        given = StagedLead(record)
    lead = _held(state, turn, fact.tenant, fact.campaign, fact.lead_id, given)
    if lead.attempt_id:
        raise Refused("somebody is dialing this lead already")
    turn.lead(lead)
    found = law.choose(state, setup, lead, Mode.MANUAL, turn.now_s, only=fact.called)
    if isinstance(found, law.Not):
        raise Refused(found.why)
    attempt = new_attempt(state, turn, setup, lead, found, Mode.MANUAL, fact.agent_id)
    if not agent.line:
        her_phone.ring(state, turn, setup, lead, attempt, agent.device)
        return
    lead.record = replace(lead.record, state=LeadState.STAGED)
    ring(state, turn, setup, lead, attempt, found.terms)


def preview_acted(state: State, turn: Turn, fact: PreviewActed) -> None:
    """Raises Refused: it is not shown to her any more, or a rule says no by now."""
    attempt = state.attempts.get(fact.attempt_id)
    if attempt is None or attempt.for_agent != fact.agent_id or attempt.tenant != fact.tenant:
        raise Refused("this lead is not shown to you any more")
    if attempt.state is not AttemptState.STAGED:
        raise Refused("this lead is being dialed already")
    if fact.action == "skip":
        moved(state, turn, attempt, AttemptEvent.CANCEL, why="skipped")
        turn.paced.add(attempt.key)
        return
    if attempt.own_line:
        raise Refused("your phone rings: pick it up, and the lead is dialed")
    refused = watch.dial_preview(state, turn, attempt)
    if refused:
        raise Refused(refused)


def _start(state: State, turn: Turn, key: Key) -> None:
    """Raises Refused."""
    campaign, setup = state.campaigns[key], state.setup.campaigns[key]
    wrong = setup.law().contradictions()
    if wrong:
        raise Refused("; ".join(wrong))
    campaign.created_s = campaign.created_s or turn.now_s
    campaign.tally_s = campaign.tally_s or turn.now_s
    campaign.recent, campaign.stage_after_s, campaign.last_why = [], 0.0, ""
    others = [
        other.given
        for other in state.campaigns.values()
        if other.tenant == key[0] and other.state is CampaignState.RUNNING and other.key != key
    ]
    campaign.given = max(campaign.given, min(others, default=0.0))


def _held(state: State, turn: Turn, tenant: str, campaign: str, lead_id: str, given: StagedLead | None) -> Lead:
    """The lead in hand; taken in as the store has it, when it is not. Raises Refused."""
    lead = state.leads.get(lead_row(tenant, lead_id or (given.record.lead_id if given else "")))
    if lead is not None and lead.held:
        return lead
    if given is None:
        raise Refused(f"lead {lead_id} is not known here: it has to be read from its list first")
    if (tenant, campaign) not in state.setup.campaigns:
        campaign = state.setup.of_list.get((tenant, given.record.list_id), campaign)
    lead = staging.take_in(state, turn, given, campaign)
    kept = given.record.state
    if kept is not LeadState.DIALING:
        lead.record = replace(lead.record, state=kept)
    state.hopper(lead.key).remove(lead.row_id)
    return lead


def _is_free(state: State, turn: Turn, setup: CampaignSetup, agent_id: str) -> None:
    """Raises Refused."""
    for attempts in state.attempts_of.values():
        for attempt in attempts.values():
            if attempt.for_agent == agent_id and attempt.tenant == setup.tenant and not attempt.state.is_over:
                if attempt.state is AttemptState.STAGED and not attempt.own_line:
                    watch.withdraw(state, turn, attempt, "she dialed another by hand")
                    return
                raise Refused("you are dialing already")
