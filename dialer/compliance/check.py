"""May this lead be dialed at this number, now? Every rule that says no, and from when on none does.

verdict = may_dial(lead, "+13055550100", campaign, history, now_s)
match verdict:
    case Allowed(terms=terms): ...           ring at least terms.ring.value, …
    case Blocked(): verdict.why              "it is Sat 22:10 in America/New_York (us/florida_hours: Fla. Stat. …)"

Asked at import, when staging, and again at the moment of dialing. Pure: the same facts give the same verdict.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

from dialer.compliance.local_time import closed_because, next_open, zones_of
from dialer.compliance.numbers import country_of, is_mobile, never_dialed
from dialer.compliance.rules import Basis, BasisNeeded, Cap, Identity, ListsNeeded, Party, Rest, Rule, Source
from dialer.compliance.strictest import Law, Terms
from dialer.dnc import DoNotCall, how_to_import

DAY_S = 86_400.0
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """What the law asks about a lead. `basis`: on what ground she is called; `consent_s`, `proof`: when she agreed, and
    the record of it. `time_zone`, `region`: as her list says, or empty."""

    lead_id: str
    basis: Basis = Basis.NONE
    consent_s: float | None = None
    proof: str = ""
    time_zone: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Past:
    """An attempt that was dialed. `ended_s` None: it is still on. `conversation_s`: when a person was connected with
    somebody of ours. `abandoned`: she answered and nobody was there in time."""

    lead_id: str
    number: str
    dialed_s: float
    ended_s: float | None = None
    conversation_s: float | None = None
    abandoned: bool = False


History: TypeAlias = tuple[Past, ...]
"""The attempts of this lead at all its numbers, and of this number in all campaigns; others do no harm."""


@dataclass(frozen=True, slots=True)
class Dialing:
    """What of a campaign the law asks. `identity`: the number people see, E.164. `do_not_call`: every list at hand."""

    campaign_id: str
    law: Law
    identity: str = ""
    do_not_call: tuple[DoNotCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Block:
    """One rule that says no. `not_before_s`: when it says no no longer; None: not by time alone."""

    rule: str
    why: str
    source: Source
    not_before_s: float | None = None

    def __str__(self) -> str:
        return f"{self.why} ({self.source})"


@dataclass(frozen=True, slots=True)
class Allowed:
    """`terms`: what holds for the call itself."""

    party: Party
    terms: Terms


@dataclass(frozen=True, slots=True)
class Blocked:
    """`blocks`: every rule that says no, at least one. `not_before_s`: when all of them say yes, as far as is known
    today; None: something else than time must change first."""

    blocks: tuple[Block, ...]
    not_before_s: float | None

    @property
    def rule(self) -> str:
        return self.blocks[0].rule

    @property
    def why(self) -> str:
        return "; ".join(map(str, self.blocks))

    @property
    def source(self) -> Source:
        return self.blocks[0].source


Verdict: TypeAlias = Allowed | Blocked


def may_dial(lead: LeadFacts, number: str, campaign: Dialing, history: History, now_s: float) -> Verdict:
    """`number`: E.164. Reasons that no time heals come first."""
    asked = _Asked(lead, number, campaign, history, now_s)
    blocks = sorted(asked.blocks(now_s), key=lambda block: block.not_before_s is not None)
    if blocks:
        return Blocked(tuple(blocks), asked.next_allowed())
    return Allowed(asked.party, asked.terms)


def _ours(rule: str, why: str) -> Block:
    """A rule of this house, which no pack can soften."""
    pack, _, name = rule.partition("/")
    return Block(rule, why, Source(pack, name, "always", None, date.max))


class _Asked:
    """One question: who, at which number, for whom."""

    def __init__(self, lead: LeadFacts, number: str, campaign: Dialing, history: History, now_s: float) -> None:
        self.lead, self.number, self.campaign = lead, number, campaign
        self.of_lead = [past for past in history if past.lead_id == lead.lead_id]
        self.of_number = [past for past in history if past.number == number]
        self.now_s = now_s
        self.party = Party(number, country_of(number), lead.region.upper())
        self.terms = campaign.law.at(self.party)
        self.zones = zones_of(number, lead.time_zone)

    def blocks(self, at_s: float) -> Iterator[Block]:
        """Everything that says no at a moment, which may lie ahead."""
        rule, why = never_dialed(self.number)
        if rule:
            yield _ours(f"number/{rule}", why)
            return
        if not self.campaign.law.covers(self.party.country):
            named = ", ".join(pack.pack for pack in self.campaign.law.packs) or "none"
            where = self.party.country or "an unknown country"
            yield _ours("place/no_pack", f"no rule pack of this campaign is for {where} (named: {named})")
        yield from self._in_progress()
        yield from self._listed()
        for needed in self.terms.bases:
            yield from self._basis(needed, at_s)
        for identity in self.terms.identities:
            yield from self._identity(identity)
        for cap in self.terms.caps:
            yield from self._cap(cap, at_s)
        for rest in self.terms.rests:
            yield from self._rest(rest, at_s)
        yield from self._hours(at_s)

    def next_allowed(self) -> float | None:
        at_s = self.now_s
        for _ in range(_MOST_STEPS):
            blocks = tuple(self.blocks(at_s))
            if not blocks:
                return at_s
            times = [block.not_before_s for block in blocks]
            known = [time for time in times if time is not None]
            if len(known) < len(times):
                return None
            later = next_open(self.terms.hours, self.zones, self.party.region, max(known))
            if later is None:
                return None
            at_s = later
        return None

    def _in_progress(self) -> Iterator[Block]:
        if any(past.ended_s is None for past in self.of_lead):
            yield _ours("lead/in_progress", "an attempt to reach this lead is still on")
        if any(past.ended_s is None for past in self.of_number):
            yield _ours("number/in_progress", f"somebody is dialing {self.number} already")

    def _listed(self) -> Iterator[Block]:
        for mine in self.campaign.do_not_call:
            if mine.level != "national" and self.number in mine:
                yield _ours(f"do_not_call/{mine.name}", f"{self.number} asked not to be called (list {mine.name})")
        for needed in self.terms.lists:
            yield from self._national(needed)

    def _national(self, needed: ListsNeeded) -> Iterator[Block]:
        at_hand = {mine.name: mine for mine in self.campaign.do_not_call if mine.level == "national"}
        for name in needed.lists:
            register = at_hand.get(name)
            if register is None:
                yield _block(needed, f"the register {name} has not been imported: {how_to_import(name)}")
                continue
            # Of today: a register that will have aged by the next call will be imported again by then.
            age_s = self.now_s - register.as_of_s
            if age_s > needed.max_age_s:
                days, most = age_s / DAY_S, needed.max_age_s / DAY_S
                old = f"the register {name} is {days:.1f} days old, at most {most:g} are allowed"
                yield _block(needed, f"{old}: {how_to_import(name)}")
            if self.number in register and not self._holds(needed.unless):
                yield _block(needed, f"{self.number} is in the register {name}")

    def _holds(self, bases: frozenset[Basis]) -> bool:
        """Whether the lead's ground goes before a register: a consent does while it counts."""
        if self.lead.basis not in bases:
            return False
        needed = [rule for rule in self.terms.bases if rule.consent_age_s is not None or rule.proof]
        return self.lead.basis is not Basis.CONSENT or not any(self._no_consent(rule, self.now_s) for rule in needed)

    def _basis(self, needed: BasisNeeded, at_s: float) -> Iterator[Block]:
        if self.lead.basis not in needed.any_of:
            wanted = " or ".join(sorted(basis.value for basis in needed.any_of))
            yield _block(needed, f"the lead's basis is {self.lead.basis.value}, {wanted} is needed")
        elif self.lead.basis is Basis.CONSENT and (missing := self._no_consent(needed, at_s)):
            yield _block(needed, missing)

    def _no_consent(self, needed: BasisNeeded, at_s: float) -> str:
        """Why the consent does not count; empty: it does."""
        if self.lead.consent_s is None:
            return "the consent has no date"
        if self.lead.consent_s > at_s:
            return "the consent is dated in the future"
        if needed.proof and not self.lead.proof.strip():
            return "there is no record of the consent"
        if needed.consent_age_s is not None and at_s - self.lead.consent_s > needed.consent_age_s:
            return f"the consent is older than {in_days(needed.consent_age_s)} and was not renewed"
        return ""

    def _identity(self, rule: Identity) -> Iterator[Block]:
        seen = self.campaign.identity
        if rule.shown and not seen:
            yield _block(rule, "the campaign shows no number of its own")
        if seen and rule.no_mobile and is_mobile(seen):
            yield _block(rule, f"the campaign shows {seen}, a mobile number")
        if seen and rule.prefixes and not seen.startswith(rule.prefixes):
            yield _block(rule, f"the campaign shows {seen}, which does not begin with {' or '.join(rule.prefixes)}")

    def _cap(self, cap: Cap, at_s: float) -> Iterator[Block]:
        tries = self.of_number if cap.per == "number" else self.of_lead
        times = [past.dialed_s if cap.counts == "attempts" else past.conversation_s for past in tries]
        within = sorted(time for time in times if time is not None and time + cap.within_s > at_s)
        if len(within) < cap.most:
            return
        # The one whose age frees a place; with none allowed at all there is never one.
        freed_s = within[-cap.most] + cap.within_s if cap.most else float("inf")
        who = "the number" if cap.per == "number" else "the lead"
        span = "in all" if cap.within_s == float("inf") else f"within {_length(cap.within_s)}"
        often = f"{len(within)} {cap.counts} {span}, at most {cap.most} are allowed"
        yield _block(cap, f"{who} had {often}", None if freed_s == float("inf") else freed_s)

    def _rest(self, rest: Rest, at_s: float) -> Iterator[Block]:
        if rest.unless_agent and self.campaign.law.mode.guarantees_agent:
            return
        tries = {id(past): past for past in (*self.of_lead, *self.of_number)}.values()
        if rest.after == "abandoned":
            times = [past.dialed_s if past.ended_s is None else past.ended_s for past in tries if past.abandoned]
        else:
            times = [past.conversation_s for past in tries if past.conversation_s is not None]
        until_s = max(times, default=float("-inf")) + rest.for_s
        if until_s > at_s:
            what = "a conversation" if rest.after == "conversation" else "an abandoned call"
            yield _block(rest, f"less than {_length(rest.for_s)} have passed since {what}", until_s)

    def _hours(self, at_s: float) -> Iterator[Block]:
        if self.terms.hours and not self.zones:
            yield _ours("place/no_time_zone", "nobody knows what time it is there: give the lead a time zone")
            return
        region, ring_s = self.party.region, self.terms.ring.value
        for hours in self.terms.hours:
            closed = closed_because(hours, self.zones, region, at_s)
            if closed:
                yield _block(hours, closed, next_open((hours,), self.zones, region, at_s))
            elif closed := closed_because(hours, self.zones, region, at_s + ring_s):
                why = f"it must ring {ring_s:g} s, and then {closed}"
                yield _block(hours, why, next_open((hours,), self.zones, region, at_s + ring_s))


def _block(rule: Rule, why: str, not_before_s: float | None = None) -> Block:
    return Block(rule.source.name, why, rule.source, not_before_s)


def _length(seconds: float) -> str:
    return in_days(seconds) if seconds >= 2 * DAY_S else _counted(seconds / 3600, "hour")


def in_days(seconds: float) -> str:
    return _counted(seconds / DAY_S, "day")


def _counted(number: float, unit: str) -> str:
    return f"{number:g} {unit}" + ("" if number == 1 else "s")
