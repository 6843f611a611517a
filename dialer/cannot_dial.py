"""Why a running campaign dials nobody just now: what its manager can mend, or has to wait for.

Parts of a reason stand side by side, with `; ` between them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from core.decisions import LeadBlocked
from dialer import staging
from dialer.call_hours import clock
from dialer.compliance.rules import Party
from dialer.dnc import DoNotCall
from dialer.law import Not, choose, registers_missing
from dialer.pacing import NO_AGENT
from dialer.setup import CampaignSetup
from dialer.shares import Share
from dialer.state import State
from dialer.turn import Turn

SAMPLE = 8
"""So many leads of the hopper are asked why they are not dialed."""
KEPT_S = 86_400.0
"""So long what no time heals is told, after it put leads back."""
_ABSENT = {
    "line": ("is logged in but not on a held line: *455", "are logged in but not on a held line: *455"),
    "not_ready": ("is logged in but not ready", "are logged in but not ready"),
    "skills": ("is logged in without the skills asked for", "are logged in without the skills asked for"),
    "on_phone": (
        "is ready but on the phone: dialing in, or on a call of her own",
        "are ready but on the phone: dialing in, or on calls of their own",
    ),
    "phone": ("is ready but cannot be rung", "are ready but cannot be rung"),
}


def without_register(at_hand: Mapping[str, DoNotCall], setup: CampaignSetup, now_s: float) -> str:
    """Which register is not at hand, or too old, so that nobody in any country of the packs may be dialed; empty:
    somebody may, as far as registers go."""
    law = setup.law()
    if not law.overall.lists:
        return ""
    countries = sorted({country for pack in law.packs for country in pack.countries}) or [""]
    missing = [registers_missing(at_hand, law.at(Party("", country)), now_s) for country in countries]
    return missing[0] if all(missing) else ""


def no_agent(state: State, setup: CampaignSetup, share: Share, now_s: float) -> str:
    """Why no agent counts, where agents are there who would."""
    if share.able:
        if not state.hopper(setup.key).size:
            return staging.why_empty(state, setup, now_s)
        hers = {one.for_agent for one in share.lines if one.for_agent in share.able}
        dials = ["1 agent looks at a lead or dials it"] if len(hers) == 1 else []
        dials = [f"{len(hers)} agents look at a lead or dial it"] if len(hers) > 1 else dials
        if len(hers) == len(share.able):
            return dials[0]
        return "; ".join([NO_AGENT, *dials, "those who could serve it work for other campaigns"])
    absent: dict[str, int] = {"line": len(share.pool.agents), **dict(share.pool.absent)}
    return "; ".join([NO_AGENT, *(_absent(why, absent[why]) for why in _ABSENT if absent.get(why))])


def held_back(state: State, setup: CampaignSetup, now_s: float) -> str:
    """What holds its leads back: the rule that holds most of the hopper's, where none of those looked at may be dialed,
    else what put the last ones back. Empty: nothing, as far as is known."""
    rows = state.hopper(setup.key).rows()[:SAMPLE]
    if not rows:
        campaign = state.campaigns[setup.key]
        return campaign.held if now_s < campaign.held_until_s else ""
    found = [choose(state, setup, state.leads[row], setup.mode, now_s) for row in rows]
    noes = [(no.rule, no.not_before_s) for no in found if isinstance(no, Not)]
    return _most(state, noes) if len(noes) == len(found) else ""


def put_back(state: State, turn: Turn, setup: CampaignSetup, blocked: Sequence[LeadBlocked], started: int) -> None:
    """Remembers what put the last leads back, until one is dialed or the first of them may be dialed again."""
    if started and state.campaigns[setup.key].held:
        turn.campaign(setup.key).held = ""
    elif blocked and not started:
        campaign, noes = turn.campaign(setup.key), [(one.rule, one.not_before_s or None) for one in blocked]
        campaign.held = _most(state, noes)
        campaign.held_until_s = min((at_s for _, at_s in noes if at_s is not None), default=turn.now_s + KEPT_S)


def _most(state: State, noes: Sequence[tuple[str, float | None]]) -> str:
    rule, count = Counter(rule for rule, _ in noes).most_common(1)[0]
    times = [at_s for name, at_s in noes if name == rule and at_s is not None]
    until = f" until {clock(state, min(times))}" if times else ""
    return f"{count} of {len(noes)} leads looked at are held back by {rule}{until}"


def _absent(why: str, count: int) -> str:
    one, several = _ABSENT[why]
    return f"1 agent {one}" if count == 1 else f"{count} agents {several}"
