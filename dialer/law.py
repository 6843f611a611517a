"""Whether a lead may be dialed now, at which of its numbers, showing what; and if not, what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.lead_record import LeadNumber, LeadRecord
from dialer import identities, promises
from dialer.compliance.check import Allowed, Block, Blocked, Dialing, LeadFacts, in_days, may_dial
from dialer.compliance.numbers import country_of
from dialer.compliance.rules import Basis, Mode, Party
from dialer.compliance.strictest import Terms
from dialer.dnc import DoNotCall, how_to_import
from dialer.quota import full_for
from dialer.records import Lead
from dialer.setup import CampaignSetup
from dialer.state import State

BUSY_AGAIN_S = 60.0
"""When somebody is dialing a number already, it is looked at again after so long."""
_OF_THE_MOMENT = ("lead/in_progress", "number/in_progress")


@dataclass(frozen=True, slots=True)
class Chosen:
    """`index`: of the number among the lead's."""

    index: int
    number: str
    identity: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class Not:
    """`not_before_s`: when it may be tried again; None: never by time alone. `ended`: nothing is left to try.
    `campaign_wide`: no lead of this kind can be dialed until somebody sees to it."""

    number: str
    rule: str
    why: str
    not_before_s: float | None
    ended: bool = False
    campaign_wide: bool = False


def choose(state: State, setup: CampaignSetup, lead: Lead, mode: Mode, now_s: float, only: str = "") -> Chosen | Not:
    """The lead's turn has come: from its next number on, the first that may be dialed. `only`: this number alone."""
    full = full_for(state, setup, lead.record)
    if full:
        return Not("", f"quota/{full.name}", f"quota {full.name} of {full.most} is reached", None, ended=True)
    held_s = promises.held_until_s(lead.record, mode, now_s)
    if held_s is not None:
        return Not("", "promise/ahead", "what she promised still lies ahead", held_s)
    if promises.is_past(lead.record, mode, now_s):
        return Not("", "appointment/over", "her appointment is over", None, ended=True)
    numbers = lead.record.numbers
    noes: list[Not] = []
    for step in range(len(numbers)):
        index = (lead.record.next_number + step) % len(numbers)
        number = numbers[index]
        if number.dead or (only and number.number != only):
            continue
        answer = _ask(state, setup, lead, number, mode, now_s)
        if isinstance(answer, Not):
            noes.append(answer)
        else:
            return Chosen(index, number.number, answer[0], answer[1])
    if not noes:
        return Not("", "lead/no_number", "no number of it is left", None, ended=True)
    return min(noes, key=_hope)


def verdict(
    state: State, setup: CampaignSetup, lead: Lead, number: LeadNumber, mode: Mode, identity: str, now_s: float
) -> Allowed | Blocked:
    """What the law says of one number."""
    dialing = Dialing(setup.campaign, setup.law(mode), identity, state.book.of(setup.tenant, setup.campaign))
    history = tuple(tried.past() for tried in lead.history)
    return may_dial(facts_of(lead.record, number), number.number, dialing, history, now_s)


def facts_of(record: LeadRecord, number: LeadNumber) -> LeadFacts:
    try:
        basis = Basis(record.basis)
    except ValueError:
        basis = Basis.NONE
    return LeadFacts(record.lead_id, basis, record.consent_s, record.proof, number.time_zone, record.region)


def registers_missing(at_hand: Mapping[str, DoNotCall], terms: Terms, now_s: float) -> str:
    """Why nobody under these terms may be dialed: a register is not at hand, or too old. Empty: they are there."""
    for needed in terms.lists:
        for name in needed.lists:
            register = at_hand.get(name)
            if register is None:
                return f"the register {name} has not been imported: {how_to_import(name)} ({needed.source})"
            if now_s - register.as_of_s > needed.max_age_s:
                most = in_days(needed.max_age_s)
                return f"the register {name} is older than {most}: {how_to_import(name)} ({needed.source})"
    return ""


def _ask(
    state: State, setup: CampaignSetup, lead: Lead, number: LeadNumber, mode: Mode, now_s: float
) -> tuple[str, Terms] | Not:
    terms = setup.law(mode).at(party(lead.record, number.number))
    shown = identities.choose(state, setup, number.number, terms.identities, now_s)
    if shown.why:
        return Not(number.number, "identity/used_up", shown.why, shown.not_before_s)
    found = verdict(state, setup, lead, number, mode, shown.number, now_s)
    if isinstance(found, Allowed):
        return shown.number, found.terms
    missing = registers_missing(state.book.national, terms, now_s)
    if missing:
        return Not(number.number, found.rule, missing, None, campaign_wide=True)
    return _no(number.number, found, now_s)


def _no(number: str, found: Blocked, now_s: float) -> Not:
    for_ever = [block for block in found.blocks if block.not_before_s is None]
    if all(block.rule in _OF_THE_MOMENT for block in for_ever) and for_ever:
        return Not(number, for_ever[0].rule, found.why, now_s + BUSY_AGAIN_S)
    ended = any(_used_up(block) for block in for_ever)
    return Not(number, found.rule, found.why, found.not_before_s, ended=ended)


def _hope(no: Not) -> tuple[int, float]:
    """What time heals comes first, then what somebody will see to."""
    if no.not_before_s is not None:
        return 0, no.not_before_s
    return (1 if no.campaign_wide else 2), 0.0


def _used_up(block: Block) -> bool:
    return block.source.pack == "campaign"


def party(record: LeadRecord, number: str) -> Party:
    """Whom the law sees in a lead at one of its numbers."""
    return Party(number, country_of(number), record.region.upper())
