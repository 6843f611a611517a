"""When all attempts fail alike the trunk is to blame, not the people: the campaign pauses itself and says why.

So it does when everything is answered at once, said to ring or not: a gateway answers there, nobody's phone. Sooner
still when the node itself refuses: its trunk is away, and each lead it is tried with loses a try.
"""

from __future__ import annotations

from collections import Counter

from core.attempt import AttemptEvent, AttemptState
from core.campaign import CampaignEvent
from dialer.records import Attempt, Campaign
from dialer.turn import Turn

IN_A_ROW, REFUSED_IN_A_ROW = 20, 4
REMEMBERED = 50
MOST_SHARE = 0.9
WITHIN_S = 60.0
AT_ONCE_S = 1.0
FINE, FAILED, AT_ONCE, NOT_SENT = "fine", "failed", "at_once", "not_sent"

_FAILURES = (FAILED, NOT_SENT)


def answered(turn: Turn, campaign: Campaign, attempt: Attempt) -> None:
    """Before anything else is known of who answered."""
    at_once = turn.now_s - attempt.dialed_s <= AT_ONCE_S
    _note(turn, campaign, AT_ONCE if at_once else FINE, "")


def ended(turn: Turn, campaign: Campaign, attempt: Attempt, event: AttemptEvent) -> None:
    """Attempts that were answered are noted already; those we gave up or lost say nothing about the trunk."""
    if attempt.answered_s is not None or event in (AttemptEvent.LOST, AttemptEvent.CANCEL):
        return
    failed = attempt.state is AttemptState.FAILED
    why = attempt.why or (f"cause {attempt.cause}" if attempt.cause else "no cause given")
    kind = NOT_SENT if event is AttemptEvent.NOT_SENT else FAILED
    _note(turn, campaign, kind if failed else FINE, why if failed else "")


def _note(turn: Turn, campaign: Campaign, kind: str, why: str) -> None:
    campaign.recent = [*campaign.recent[-(REMEMBERED - 1) :], (turn.now_s, kind, why)]
    if kind == FINE:
        return
    last = campaign.recent[-IN_A_ROW:]
    if len(last) == IN_A_ROW and all(one[1] == AT_ONCE for one in last):
        why = f"the last {IN_A_ROW} attempts were answered within a second: look at the trunk"
        turn.move_campaign(campaign, CampaignEvent.TROUBLE, why)
        return
    if kind not in _FAILURES:
        return
    refused = campaign.recent[-REFUSED_IN_A_ROW:]
    if len(refused) == REFUSED_IN_A_ROW and all(one[1] == NOT_SENT for one in refused):
        what = f"the last {REFUSED_IN_A_ROW} attempts never left ({why}): look at the trunk"
        turn.move_campaign(campaign, CampaignEvent.TROUBLE, what)
        return
    in_a_row = len(last) == IN_A_ROW and all(one[1] in _FAILURES for one in last)
    lately = [one for one in campaign.recent if turn.now_s - one[0] <= WITHIN_S]
    bad = [one for one in lately if one[1] in _FAILURES]
    if in_a_row or (len(lately) == REMEMBERED and len(bad) > MOST_SHARE * REMEMBERED):
        whys = Counter(one[2] for one in (last if in_a_row else bad))
        commonest = min(whys, key=lambda one: (-whys[one], one))
        count = f"the last {IN_A_ROW}" if in_a_row else f"{len(bad)} of the last {REMEMBERED}"
        turn.move_campaign(campaign, CampaignEvent.TROUBLE, f"{count} attempts failed ({commonest}): look at the trunk")
